"""A model that thinks aloud is read after its thinking; what says nothing, and what is markup, is no value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.content.descriptions import parse
from recsys.content.descriptions.answers import says_nothing
from recsys.content.texts import item_texts
from recsys.content.thinking import without_thinking
from tests.content.conftest import frame, item_table

FIELDS = ("Type", "Color", "Style")
THOUGHT = "It could be Type: lamp, Color: red? No, a chair."
ANSWER = "[Type] {chair}, [Color] {blue}, [Style] {old}"
VALUES = {"Type": "chair", "Color": "blue", "Style": "old"}
FRAMES = {
    "think": "<think>\n{thought}\n</think>\n{answer}",
    "only the closing tag": "{thought}\n</think>\n\n{answer}",
    "thinking": "<thinking>{thought}</thinking>{answer}",
    "thought": "<Thought> {thought} </Thought> {answer}",
    "nested": "<think>{thought}<think>{thought}</think>{thought}</think>{answer}",
    "twice": "<think>{thought}</think> <think>{thought}</think>{answer}",
    "with a name space": "<seed:think>{thought}</seed:think>{answer}",
    "triangles": "\u25c1think\u25b7{thought}\u25c1/think\u25b7{answer}",
    "brackets": "[THINK]{thought}[/THINK]{answer}",
    "channels": "<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>{answer}"
    "<|return|>",
    "channels without their tokens": "analysis: {thought}assistantfinal{answer}",
    "thought and solution": "<|begin_of_thought|>{thought}<|end_of_thought|><|begin_of_solution|>{answer}"
    "<|end_of_solution|>",
    "cohere": "<|START_THINKING|>{thought}<|END_THINKING|><|START_RESPONSE|>{answer}<|END_RESPONSE|>",
    "unused tokens": "<unused94>thought\n{thought}<unused95>{answer}",
    "answer tags": "<think>{thought}</think><answer>{answer}</answer>",
    "before a second thought": "{answer} <think>{thought}",
}
FORMS = {
    "as asked": ANSWER,
    "json": '```json\n{"type": "chair", "color": "blue", "style": "old"}\n```',
    "json within json": '{"item": {"Type": "chair", "Color": {"value": "blue"}, "Style": ["old"]}}',
    "json of pairs": '[{"field": "Type", "value": "chair"}, {"field": "Color", "value": "blue"}, '
    '{"name": "style", "value": "old"}]',
    "two json objects": '{"Type": "lamp", "Color": "red"} No: {"Type": "chair", "Color": "blue", "Style": "old"}',
    "tags": "<Type>chair</Type> <color>blue</color>\n<Style> old </Style>",
    "tags in a root": "<item><Type>chair</Type><Color>blue</Color><Style>old</Style></item>",
    "end of turn": "Type: chair\nColor: blue\nStyle: old<|im_end|>",
    "end of sequence": "Type: chair, Color: blue, Style: old</s>",
    "gemma's end": "Type: chair\nColor: blue\nStyle: old<end_of_turn>",
    "full width": "Type\uff1achair\nColor\uff1ablue\nStyle\uff1aold",
    "lenticular brackets": "\u3010Type\u3011chair\n\u3010Color\u3011blue\n\u3010Style\u3011old",
    "lenticular brackets, one line": "\u3010Type\u3011\uff5bchair\uff5d\uff0c\u3010Color\u3011\uff5bblue\uff5d\uff0c"
    "\u3010Style\u3011\uff5bold\uff5d",
    "table of rows": "| Field | Value |\n| --- | --- |\n| **Type** | chair |\n| Color | blue |\n| Style | old |",
    "table of columns": "| Type | Color | Style |\n|:---|:---:|---|\n| chair | blue | old |",
    "numbered table": "| # | Property | Value |\n|---|---|---|\n| 1 | Type | chair |\n"
    "| 2 | Color | blue |\n| 3 | Style | old |",
    "bold": "**Type**: chair\n**Color:** blue\n**Style** : **old**",
    "bold without colons": "**Type** chair\n**Color** blue\n**Style** old",
    "headings": "### Type\nchair\n\n### Color\nblue\n\n### Style\nold",
    "explained afterwards": ANSWER + "\n\nExplanation: the Type: label fits, for it has legs. Style: one may differ.",
    "arrows": "Type -> chair\nColor => blue\nStyle \u2192 old",
    "typographic quotes": "Type: \u201cchair\u201d\nColor: \u00abblue\u00bb\nStyle: \u300cold\u300d",
    "characters without width": "Type\u200b: chair\nColor\u200b: blue\nStyle:\u2060 old",
    "attributes": '<item Type="chair" Color="blue" Style="old"/>',
    "json of objects": '{"Type": {"name": "chair"}, "Color": [{"name": "blue"}], "Style": "old"}',
    "corrected": "Type: lamp, Color: red, Style: new\n\nWait, that is wrong.\n\nType: chair\nColor: blue\nStyle: old",
}
NOTHING = [
    "N/A", "n/a", "NA", "Unknown", "None", "-", "--", "\u2014", "?", "...", "null", "not visible", "Not visible.",
    "Not applicable", "not specified", "Unclear", "cannot be determined", "Can't tell from the image",
    "Unknown (not visible)", "not shown in the picture", "It is not clear", "no information", "\u672a\u77e5", "\u65e0",
    "TBD", "Not enough information",
    "non sp\u00e9cifi\u00e9", "onbekend", "\u65e0\u6cd5\u786e\u5b9a", "\u4e0d\u6e05\u695a",
    "\uc54c \uc218 \uc5c6\uc74c", "\u043d\u0435\u0438\u0437\u0432\u0435\u0441\u0442\u043d\u043e",
]  # fmt: skip
SOMETHING = ["none-slip", "unknown artist", "nacre", "nautical", "Unknown (Supernatural)", "clear", "visible", "no"]


@pytest.mark.parametrize("shape", FRAMES.values(), ids=FRAMES.keys())
@pytest.mark.parametrize("form", ["as asked", "json", "tags", "table of rows"])
def test_values_come_from_the_answer_and_not_from_the_thinking(shape, form):
    answer = shape.replace("{thought}", THOUGHT).replace("{answer}", FORMS[form])
    assert parse(answer, FIELDS) == VALUES


@pytest.mark.parametrize(
    "start", ["<think>", "<thinking>", "\u25c1think\u25b7", "[THINK]", "<|channel|>analysis<|message|>", "<unused94>"]
)
def test_an_answer_that_never_leaves_its_thinking_is_empty(start):
    assert parse(start + THOUGHT, FIELDS) == {} and without_thinking(start + THOUGHT) == ""


@pytest.mark.parametrize("answer", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_read(answer):
    assert parse(answer, FIELDS) == VALUES


def test_a_field_may_be_called_like_thinking():
    assert parse("<Reasoning>sound</Reasoning><Type>chair</Type>", ("Reasoning", "Type")) == {
        "Reasoning": "sound",
        "Type": "chair",
    }


@pytest.mark.parametrize("words", NOTHING)
def test_what_says_nothing_is_no_value(words):
    assert says_nothing(words)
    assert parse(f"[Type] {{chair}}, [Color] {{{words}}}", FIELDS) == {"Type": "chair"}
    assert parse(f"Type: chair\nColor: {words}\nStyle: old", FIELDS) == {"Type": "chair", "Style": "old"}
    assert parse(json.dumps({"Type": "chair", "Color": words}), FIELDS) == {"Type": "chair"}


@given(
    field=st.sampled_from(["Color", "Main Color", "Material"]),
    words=st.sampled_from(
        [
            "Unknown {}", "The {} is unknown", "The {} cannot be determined from the image", "{} is not visible",
            "I cannot determine the {}", "Its {} is unclear without more context",
        ]
    ),
    case=st.sampled_from([str, str.upper, str.title]),
)  # fmt: skip
def test_a_sentence_on_a_field_that_says_nothing_is_no_value(field, words, case):
    said = case(words.format(field.lower()))
    assert parse(f"[Type] {{chair}}, [{field}] {{{said}}}", ("Type", field)) == {"Type": "chair"}


@pytest.mark.parametrize("words", SOMETHING)
def test_what_only_begins_so_is_a_value(words):
    assert not says_nothing(words)


def test_an_encoder_of_text_reads_the_answer_without_its_thinking():
    corpus = frame(item_id=["0"], answer=[f"<think>{THOUGHT}</think>A blue chair<|im_end|>"])
    assert item_texts("any", item_table(1), None, corpus).tolist() == ["A blue chair"]


PIECES = [
    "<think>", "</think>", "<|channel|>final<|message|>", "<|im_end|>", "Type", "Color", "[", "]", "{", "}", "(", ")",
    "<", ">", "/", ":", "\uff1a", "|", "---", "**", "#", '"', "'", "`", ",", ".", "-", "\n", " ", "chair", "blue",
    "N/A", "\\", "\u3010", "\u3011", "\x00", "\u25c1", '{"Type": ', '"chair"}',
]  # fmt: skip


@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.text(max_size=200)))
def test_any_answer_can_be_read_and_values_hold_no_markup(answer):
    found = parse(answer, FIELDS)
    assert set(found) <= set(FIELDS)
    for value in found.values():
        assert value and value == value.strip() and not set(value) & set('<>{}[]"*`\n') and not says_nothing(value)


@given(
    st.lists(st.sampled_from([piece for piece in PIECES if "think" not in piece.lower()]), max_size=40).map("".join),
    st.sampled_from(["</think>", "<think></think>", "</thinking>", "\u25c1/think\u25b7", "[/THINK]"]),
)
def test_whatever_was_thought_changes_no_value(thought, close):
    thought = thought.replace("<|channel|>", "").replace("\u25c1", "")
    opening = "<think>" if close == "<think></think>" else ""
    closing = "</think>" if opening else close
    assert parse(f"{opening}{thought}{closing}\n{ANSWER}", FIELDS) == VALUES
