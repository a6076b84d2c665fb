"""What is sent to a chat-completions address about an item, and what is made of the answer."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
from openai import APIStatusError
from pydantic import BaseModel, ValidationError

from recsys.content.images import open_rgb
from recsys.content.vlm.describer import VlmInput
from recsys.errors import UserError


@dataclass(frozen=True)
class Reply:
    """What came back for one item.

    Attributes:
        answer: raw; empty where the item was refused.
        n_tokens: of the answer, as the server counts; 0 where it does not.
        n_prompt: of what was sent, likewise.
        cut_off: whether the answer ended because it was as long as it may be.
        model: what the server says has answered, such as a dated version.
        seconds: from asking to answer.
        refused: why, in words that are the same for like items; empty where there is an answer.
        example: what the server said of this item in particular.
    """

    answer: str = ""
    n_tokens: int = 0
    n_prompt: int = 0
    cut_off: bool = False
    model: str = ""
    seconds: float = 0.0
    refused: str = ""
    example: str = ""


class _Part(BaseModel):
    """A piece of an answer; one without text, such as thinking, is none."""

    type: str = "text"
    text: str = ""


class _Message(BaseModel):
    """What stands in `reasoning_content` is thinking, and no part of the answer."""

    content: str | list[_Part] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None

    @property
    def answer(self) -> str:
        """Its words."""
        parts = self.content if isinstance(self.content, list) else []
        whole = "".join(part.text for part in parts if part.type == "text") if parts else self.content
        return whole.strip() if isinstance(whole, str) else ""


class _Choice(BaseModel):
    message: _Message | None = None
    finish_reason: str | None = None


class _Usage(BaseModel):
    completion_tokens: int | None = 0
    prompt_tokens: int | None = 0


class _Completion(BaseModel):
    """As much of a completion as is read here; servers differ in the rest."""

    choices: list[_Choice] | None = None
    error: Any = None
    usage: _Usage | None = None
    model: str | None = None


def turn(prompt: str, shown: VlmInput, max_side: int, detail: str | None = None) -> list[Any]:
    """The messages that ask about an item: one turn, its pictures first, then the prompt and the item's text.

    Args:
        prompt: the instruction.
        shown: the item.
        max_side: of the pictures that are sent, in pixels.
        detail: how closely the server is to look at them; None leaves that to it.

    Raises:
        UserError: a picture cannot be opened.
    """
    words = f"{prompt}\n\n{shown.text}" if shown.text else prompt
    if not shown.images:
        return [{"role": "user", "content": words}]
    urls = [{"url": _data_url(image, max_side)} | ({"detail": detail} if detail else {}) for image in shown.images]
    pictures = [{"type": "image_url", "image_url": url} for url in urls]
    return [{"role": "user", "content": [*pictures, {"type": "text", "text": words}]}]


def read(body: bytes) -> Reply:
    """The answer in a completion that `refuse_broken` let pass, or why there is none."""
    completion = _Completion.model_validate_json(body)
    if not completion.choices:
        return Reply(refused="no choices")
    choice, message = completion.choices[0], completion.choices[0].message or _Message()
    if choice.finish_reason == "content_filter":
        return Reply(refused="content filter")
    if message.refusal:
        return Reply(refused="the model refuses", example=message.refusal)
    answer, cut_off = message.answer, choice.finish_reason == "length"
    if not answer:
        thinks = message.reasoning_content or message.reasoning
        what = "thinking but no answer" if thinks else "no words"
        remedy = "; raise `max_new_tokens`" if cut_off else ""
        return Reply(refused=f"{what} (finish_reason: {choice.finish_reason}){remedy}")
    usage = completion.usage or _Usage()
    return Reply(
        answer,
        n_tokens=usage.completion_tokens or 0,
        n_prompt=usage.prompt_tokens or 0,
        cut_off=cut_off,
        model=completion.model or "",
    )


def refusal(error: APIStatusError, words: str) -> Reply:
    """What stands for an answer where the server says that it cannot give one."""
    code = error.code if error.code != str(error.status_code) else None
    return Reply(refused=" ".join(filter(None, [f"HTTP {error.status_code}", code])), example=words)


async def refuse_broken(response: httpx2.Response) -> None:
    """Make an error of the connection of an answer that is none, so that the client library asks again."""
    if response.request.method == "POST" and response.is_success:
        wrong = ""
        try:
            completion = _Completion.model_validate_json(await response.aread())
            if completion.choices is None:
                wrong = f"no chat completion ({completion.error})" if completion.error else "no chat completion"
        except ValidationError:
            wrong = "no chat completion"
        if wrong:
            raise httpx2.DecodingError(f"what came back is {wrong}", request=response.request)


def _data_url(file: Path, max_side: int) -> str:
    picture = open_rgb(file)
    if picture is None:
        raise UserError(f"{file}: cannot be read as an image; fix or remove it")
    picture.thumbnail((max_side, max_side))
    jpeg = BytesIO()
    picture.save(jpeg, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"
