"""What a study may say about a vision-language model, checked before anything is loaded."""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from recsys.content.vlm.describer import Pooling
from recsys.data.options import MOST_PICTURES
from recsys.errors import UserError
from recsys.mistakes import first_mistake

SPEAKS_FOR_ALL = 8
"""So many answers or refusals are not about single items any more: what they have in common holds for all."""
SECRET = re.compile(
    r"(?:^|[?&])(?:key|token|sig|signature|password|authorization)(?:=|$)"
    r"|(?:api|access|subscription)[_-]?key|(?:access|auth|bearer)[_-]?token|secret|password",
    re.IGNORECASE,
)
CHANGES_NO_ANSWER: dict[str, Any] = {
    "batch_size": True,
    "min_compliance": True,
    "endpoint": {"address", "query", "api_key_env", "concurrency", "requests_per_minute", "timeout_s", "retries"},
}
"""Options of speed and place."""


class EndpointOptions(BaseModel):
    """Where a model answers that is not run in this process, and how fast it may be asked.

    Attributes:
        address: where the server's API begins, such as `http://localhost:8000/v1`.
        api_key_env: the environment variable that holds the key; a server that needs none is asked without.
        concurrency: requests in flight at a time.
        requests_per_minute: started at most, retries among them, evenly spread; None: as many as there are.
        timeout_s: longest wait for an answer to go on, in seconds.
        retries: of a request, after an overload, a fault of the server, or an answer that was cut short.
        query: parameters of the address, such as `api-version: 2024-10-21`.
        extra_body: parameters of each request beside the usual ones, such as `reasoning_effort: low` or
            `chat_template_kwargs: {enable_thinking: false}`.
        detail: how closely the server is to look at a picture, where it asks.
        structured: demand JSON with the prompt's fields (`response_format: json_schema`), where the server takes it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    address: str
    api_key_env: str = Field("OPENAI_API_KEY", pattern=r"^[A-Z_][A-Z0-9_]*$")
    concurrency: PositiveInt = 16
    requests_per_minute: PositiveInt | None = None
    timeout_s: PositiveFloat = 120.0
    retries: int = Field(6, ge=0)
    query: dict[str, str] = {}
    extra_body: dict[str, Any] = {}
    detail: Literal["auto", "low", "high"] | None = None
    structured: bool = False

    @field_validator("address")
    @classmethod
    def _plain(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write it like http://localhost:8000/v1")
        if parts.username or parts.password or SECRET.search(parts.query):
            raise ValueError("keys do not belong in it; set the environment variable named by api_key_env")
        if parts.query or parts.fragment:
            raise ValueError("write what stands behind the question mark as `query: {api-version: ...}`")
        return address.rstrip("/")

    @field_validator("query", "extra_body")
    @classmethod
    def _without_keys(cls, given: dict[str, Any]) -> dict[str, Any]:
        if any(SECRET.search(name) for name in given):
            raise ValueError("keys do not belong in it; set the environment variable named by api_key_env")
        return given

    @property
    def batch_size(self) -> int:
        """Items asked about before the answers are kept: few waits for the slowest, and not much to lose.

        An endpoint that refuses them all refuses everything, and the refusals are not kept.
        """
        return max(4 * self.concurrency, SPEAKS_FOR_ALL)


def _shows_answers_alone(given: dict[str, Any]) -> bool:
    return bool(given.get("endpoint")) or given.get("engine") == "vllm"


def _usual_poolings(given: dict[str, Any]) -> tuple[Pooling, ...]:
    if _shows_answers_alone(given):
        return ()
    return ("answer_end",) if given.get("max_new_tokens") else ("prompt_end",)


def hidden_name(pooling: Pooling, layer: int | float | None) -> str:
    """The name of a pooling's vectors; with their layer, where a corpus has several."""
    return pooling if layer is None else f"{pooling}@{layer}"


Layer = int | Annotated[float, Field(gt=0, le=1)]


class VlmOptions(BaseModel):
    """Options of an extraction.

    Attributes:
        model: weights by name, folder or hub id (see `recsys.content.weights`); behind an endpoint, what the
            server calls it.
        revision: the commit of a hub model.
        engine: what runs the model in this process: `transformers`, or `vllm`, where it is installed, which is
            faster on a GPU and shows no hidden states.
        endpoint: asks a server instead of running the model here; `layer`, `batch_size`, `device` and `precision`
            then mean nothing.
        prompt: the name of a prompt that comes with the program, or a YAML file relative to the dataset's folder.
        inputs: what the model is shown of an item beside the prompt. An item without an image is asked about
            its text where both are shown.
        pictures: so many of an item's pictures are shown at most, the first, all in one turn; None: all that the
            source uses.
        text_fields: columns of the item table that are its text, in this order.
        poolings: which hidden states become vectors (see `recsys.content.vlm.describer`); any number of them
            in the same pass, or none. The published embeddings are `answer_end`. An endpoint shows none.
        layer: whose hidden states: 0 are the embeddings, 1 the first layer's, -1 the last layer's; a share of
            the depth if it is written with a point, such as 0.5 or 1.0.
        layers: several of them in the same pass; each pooling's vectors are then told apart by their layer.
        max_new_tokens: an answer is cut off after so many tokens; 0 asks for no answer: one pass over the prompt gives
            the poolings of the prompt.
        min_compliance: stop after the first answers where they give a smaller share of the prompt's fields; 0 goes
            on whatever is answered.
        temperature: 0 always takes the likeliest token; above it tokens are drawn.
        seed: of what is drawn. Each item has a stream of its own, so its answer does not hang on its batch.
        max_side: pictures with a longer side, in pixels, are scaled down to it first: some models spend a token
            on every 28 x 28 pixels. None leaves that to the model's own settings; to an endpoint no more than 768
            are sent.
        batch_size: items a forward pass; it changes speed and memory, not results.
        device: where the model runs; `auto` is a CUDA device if there is one.
        precision: of the weights; `auto` is bfloat16 on a CUDA device and float32 on a CPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    model: str
    revision: str | None = None
    engine: Literal["transformers", "vllm"] = "transformers"
    endpoint: EndpointOptions | None = None
    prompt: str
    inputs: tuple[Literal["image", "text"], ...] = Field(("image",), min_length=1)
    pictures: int | None = Field(None, ge=1, le=MOST_PICTURES)
    text_fields: tuple[str, ...] = Field(("title", "text"), min_length=1)
    max_new_tokens: int = Field(128, ge=0)
    poolings: tuple[Pooling, ...] = Field(default_factory=_usual_poolings, validate_default=True)
    layer: Layer = -1
    layers: tuple[Layer, ...] = ()
    min_compliance: float = Field(0.5, ge=0, le=1)
    temperature: float = Field(0.0, ge=0)
    seed: int = 0
    max_side: int | None = Field(None, ge=28)
    batch_size: int = Field(8, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"

    @field_validator("poolings")
    @classmethod
    def _has_hidden_states(cls, poolings: tuple[Pooling, ...], info: ValidationInfo) -> tuple[Pooling, ...]:
        if poolings and info.data.get("endpoint"):
            raise ValueError("an endpoint shows no hidden states; leave it out, or leave `endpoint` out")
        if poolings and info.data.get("engine") == "vllm":
            raise ValueError("vllm shows no hidden states; leave it out, or take the engine transformers")
        if not poolings and not info.data.get("max_new_tokens", 1) and _shows_answers_alone(info.data):
            raise ValueError("of an endpoint or vllm answers are all there is; set `max_new_tokens` to 1 or more")
        of_answers = [pooling for pooling in poolings if pooling.startswith("answer")]
        if not info.data.get("max_new_tokens", 1) and (of_answers or not poolings):
            raise ValueError("with `max_new_tokens: 0` there is no answer; take prompt_end, image_mean or both")
        return poolings

    @property
    def hidden(self) -> dict[str, tuple[Pooling, Layer]]:
        """What is pooled, by the name of its file."""
        if not self.layers:
            return {pooling: (pooling, self.layer) for pooling in self.poolings}
        return {hidden_name(pooling, layer): (pooling, layer) for layer in self.layers for pooling in self.poolings}

    @property
    def identity(self) -> dict[str, Any]:
        """What the answers depend on: all options but those of speed and place."""
        return self.model_dump(mode="json", exclude=CHANGES_NO_ANSWER)

    @classmethod
    def read(cls, given: dict[str, Any]) -> Self:
        """Options as a study gives them; UserError names the first that is wrong."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise UserError(f"a model's descriptions: {first_mistake(error, cls)}") from None
