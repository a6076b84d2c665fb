"""What a model says before its answer: thinking aloud, which is no part of it, and the marks of its chat format."""

import re
from collections.abc import Collection
from functools import cache

NAMES = ("think", "thinking", "thought", "thoughts", "reason", "reasoning", "reflection", "analysis", "scratchpad")
SPECIAL = re.compile(
    r"<[|\uff5c][^<>\n]{0,60}[|\uff5c]>"
    r"|</?(?:s|bos|eos|pad|unk|end_of_turn|start_of_turn|end_of_utterance|end_of_text)>"
    r"|\[/?INST\]|<unused\d+>",
    re.IGNORECASE,
)
"""Tokens of chat formats that a server or a program left in the text."""
CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]{0,40}(?:<\|constrain\|>[^<]*)?<\|message\|>", re.IGNORECASE)
"""Begins a part of an answer in the Harmony format; the part called `final` is the answer."""
BARE_CHANNEL = re.compile(r"\A\s*analysis(?=[^\w\s]|[A-Z]).*?assistant\s*final", re.DOTALL)
"""The same format after a tokenizer has dropped its special tokens."""


def without_thinking(answer: str, fields: Collection[str] = ()) -> str:
    """The answer that follows a model's thinking aloud; empty where it never stops thinking.

    Of `<think> ... </think>` and its relatives often only the closing mark is there, because the prompt ended with the
    opening one.

    Args:
        answer: what the model gave.
        fields: names that were asked for: a tag of such a name is an answer.
    """
    text = _final_channel(answer)
    asked = {re.sub(r"[\W_]", "", field.lower()) for field in fields}
    opening, closing = _marks(tuple(name for name in NAMES if name not in asked))
    pieces, start, depth = [], 0, 0
    for mark in re.finditer(f"(?P<close>{closing})|(?P<open>{opening})", text, re.IGNORECASE):
        if mark["open"]:
            if not depth:
                pieces.append(text[start : mark.start()])
            depth += 1
        elif depth:
            depth -= 1
        else:
            pieces.clear()  # closed without being opened: all before it was thinking
        start = mark.end()
    if not depth:
        pieces.append(text[start:])
    return SPECIAL.sub(" ", "".join(pieces)).strip()


def _final_channel(text: str) -> str:
    parts = list(CHANNEL.finditer(text))
    if not parts:
        return BARE_CHANNEL.sub("", text)
    final = [part for part in parts if part[1].lower() == "final"]
    return re.split(r"<\|(?:end|return|start)\|>", text[final[-1].end() :])[0] if final else ""


@cache
def _marks(names: tuple[str, ...]) -> tuple[str, str]:
    """Patterns of the opening and the closing marks; longer names first, so that none is cut short."""
    either = "|".join(sorted(names, key=len, reverse=True))
    opening = [
        rf"<\s*(?:\w+:)?(?:{either})(?:\s[^<>]{{0,80}})?>",
        rf"\u25c1\s*(?:{either})\s*\u25b7",
        r"\[THINK\]",
        r"<\|(?:begin_of_thought|START_THINKING)\|>",
        r"<unused94>",
    ]
    closing = [
        rf"<\s*/\s*(?:\w+:)?(?:{either})\s*>",
        rf"\u25c1\s*/\s*(?:{either})\s*\u25b7",
        r"\[/THINK\]",
        r"<\|(?:end_of_thought|END_THINKING)\|>",
        r"<unused95>",
    ]
    return "|".join(opening), "|".join(closing)
