"""What declines is no answer, and what merely sounds like it is one."""

import pytest

from recsys.content.vlm.declining import declines


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, I can’t help with identifying people.",
        "I am really sorry, but I am unable to process this image.",
        "Sorry, I cannot describe this picture.",
        "As an AI language model, I cannot view images.",
        "As an AI, I don't have the ability to see; I can't analyze pictures.",
        "I cannot provide a description of this content.",
        "I'm unable to view the image.",
        "Unfortunately, I do not see an image. Please upload one.",
        "Please provide the image you would like me to describe.",
        "I apologize, but there is no image attached.",
        "<think>A knife? That is unsafe.</think>\nI'm sorry, but I can't help with that.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Lo siento, no puedo ayudar con eso.",
        "抱歉，我无法提供帮助。",
        "I won't be able to help with that request.",
        "I do not have the ability to see images.",
        "I'm just an AI, I can't help.",
        "Cannot assist.",
        "No image provided.",
        "It seems no image was provided.",
        "There is no image to describe.",
        "I see no image here, please upload one.",
        "Unfortunately, the picture is too blurry to tell.",
        "The request was blocked by the content policy.",
        "Sorry, ik kan dat niet beschrijven.",
        "Przepraszam, nie mogę pomóc.",
        "Üzgünüm, yardımcı olamam.",
        "Извините, я не могу помочь.",
        "죄송하지만 도와드릴 수 없습니다.",
        "عذرا، لا أستطيع المساعدة",
        "申し訳ありませんが、お手伝いできません。",
    ],
)
def test_declining(answer: str) -> None:
    assert declines(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "A red chair of oak.",
        "I Can't Believe It's Not Butter! is a spread.",
        "Sorry, Wrong Number: a film noir of 1948.",
        "I'm Sorry, I Love You is a series about a man who cannot forget.",
        "Unfortunately Yours, a romantic comedy",
        "Leider geil: ein Album",
        "Can't Help Falling in Love, a song",
        "No picture frame is included: a wooden easel.",
        "Request for Proposal, a board game",
        "Don't Provide Shelter: a novel",
        "[Category] {card}, [Style] {I'm sorry}",
        "A card that says: I'm sorry, I can't help loving you.",
        "I'm sorry, but I can't help with that. " + "The picture shows a chair. " * 30,
    ],
)
def test_not_declining(answer: str) -> None:
    assert not declines(answer)
