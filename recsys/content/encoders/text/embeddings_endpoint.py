"""Embedding models behind an address: vLLM, Ollama, Text Embeddings Inference, or a provider's `/v1/embeddings`.

Retries, back-off and `Retry-After` are the client library's own.
"""

import os
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from pydantic import Field, field_validator

from recsys.content.encoder import Context, Encoder, EncoderOptions, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.texts import item_texts
from recsys.content.vlm.options import EndpointOptions
from recsys.errors import UserError

if TYPE_CHECKING:
    from openai import OpenAI
    from torch import Tensor

    from recsys.content.pretrained.running import Inputs, Prepared, Tower

NO_KEY = "EMPTY"
"""What is sent where no key is set, as in vLLM's own examples; the client library demands one."""
OF_ANSWERS = ("requests_per_minute", "extra_body", "detail", "structured")
"""Options of an endpoint that only a model that answers is asked by."""
LONGEST = 200
"""Characters of what a server says that are shown."""


class EmbeddingsEndpointOptions(EncoderOptions):
    """Options of `embeddings_endpoint`.

    Attributes:
        model: what the server calls it.
        endpoint: where it answers, and how it may be asked (see `EndpointOptions`).
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the
            answer where a corpus is given, else title and text.
        prompt: put before each text, such as `Instruct: ...` and `Query: ` of an embedding model that follows
            instructions.
        dimensions: length of the vectors, for models that can shorten them. None: the model's own.
        max_characters: longer texts are cut; None: what is too long for the model is the server's to cut or refuse.
        batch_size: texts a request.
    """

    model: str = Field(min_length=1)
    endpoint: EndpointOptions
    fields: tuple[str, ...] | None = Field(None, min_length=1)
    prompt: str = ""
    dimensions: int | None = Field(None, ge=1)
    max_characters: int | None = Field(None, ge=1)
    batch_size: int = Field(32, ge=1)

    @field_validator("endpoint")
    @classmethod
    def _only_what_is_used(cls, endpoint: EndpointOptions) -> EndpointOptions:
        given = [name for name in OF_ANSWERS if name in endpoint.model_fields_set]
        if given:
            raise ValueError(f"'{given[0]}' means nothing to embeddings; leave it out")
        return endpoint


@register
class EmbeddingsEndpoint(Encoder):
    """The vector that a server gives a text; requests run at the same time, and finished vectors are kept."""

    Options = EmbeddingsEndpointOptions
    modality: ClassVar[Modality] = "text"
    description = "embeddings of a model behind an address that speaks OpenAI's /v1/embeddings"
    licence = "that of the server's model"

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items' words; an item without any is absent."""
        from recsys.content.pretrained.contents import Contents
        from recsys.content.pretrained.running import vectors
        from recsys.runtime import Runtime

        texts = item_texts("embeddings_endpoint", items, self.options.fields, context.corpus)
        if self.options.max_characters is not None:
            texts = texts.str[: self.options.max_characters]
        with self._client() as client:
            return vectors(
                Contents.texts(texts),
                self._tower(client),
                Runtime.choose("cpu", "float32"),
                batch_size=self.options.batch_size * self.options.endpoint.concurrency,
                work=context.work,
                progress=context.progress,
            )

    def _tower(self, client: "OpenAI") -> "Tower":
        """A batch is as many requests as may run at the same time."""
        from recsys.content.pretrained.running import Tower

        options = self.options
        return Tower(
            prepare=_as_they_are,
            forward=lambda inputs: self._ask_all(client, inputs),
            identity=("embeddings_endpoint", options.model, options.prompt, str(options.dimensions)),
        )

    def _ask_all(self, client: "OpenAI", inputs: "Inputs") -> "Tensor":
        from concurrent.futures import ThreadPoolExecutor

        import torch

        texts, size = inputs["texts"], self.options.batch_size
        requests = [texts[start : start + size] for start in range(0, len(texts), size)]
        with ThreadPoolExecutor(self.options.endpoint.concurrency) as pool:
            parts = list(pool.map(lambda request: self._ask(client, request), requests))
        rows = [row for part in parts for row in part]
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise UserError(
                f"{self._where}: gives vectors of {lengths[0]} and of {lengths[-1]} numbers; use one model"
            )
        try:
            found = torch.tensor(rows, dtype=torch.float32)
        except (ValueError, TypeError):
            raise UserError(f"{self._where}: gives vectors of other things than numbers; fix `address`") from None
        if not found.numel() or not found.isfinite().all():
            raise UserError(f"{self._where}: gives vectors that are empty or not finite; use another model")
        return found

    def _ask(self, client: "OpenAI", texts: list[str]) -> list[list[float]]:
        from openai import OpenAIError

        more = {} if self.options.dimensions is None else {"dimensions": self.options.dimensions}
        shown = [self.options.prompt + text for text in texts]
        try:
            answer = client.embeddings.create(model=self.options.model, input=shown, encoding_format="float", **more)
            rows = {each.index: each.embedding for each in answer.data or ()}
        except (OpenAIError, ValueError, TypeError, AttributeError) as error:
            problem = self._problem(error)
        else:
            if sorted(rows) == list(range(len(texts))):
                return [rows[number] for number in range(len(texts))]
            problem = f"gives {len(rows)} vectors for {len(texts)} texts; check that `model` makes embeddings"
        # Raised out here, where the library's own error, which holds the request and so the key, does not cling to it.
        raise UserError(f"{self._where}: {problem}")

    def _problem(self, error: Exception) -> str:
        from openai import APIConnectionError, APIStatusError, OpenAIError

        endpoint, words = self.options.endpoint, self._safe(error)
        if isinstance(error, APIStatusError):
            remedies = {
                **dict.fromkeys((401, 403), f"put a valid key into the environment variable {endpoint.api_key_env}"),
                **dict.fromkeys((404, 405), "fix `model` or `address` (it often ends in /v1)"),
                **dict.fromkeys(
                    (400, 413, 422), "set `max_characters`, a smaller `batch_size`, or other `dimensions`"
                ),
            }
            remedy = remedies.get(error.status_code, "run again later: finished vectors are kept")
            return f"HTTP {error.status_code} ({words}); {remedy}"
        if isinstance(error, APIConnectionError):
            return f"no answer ({words}); start the server, fix `address`, or raise `timeout_s`"
        if isinstance(error, OpenAIError):
            return words
        return f"the answer is not what /v1/embeddings gives ({words}); fix `address`"

    def _safe(self, error: Exception) -> str:
        """What went wrong, on one line, without the key, which some servers repeat."""
        body = getattr(error, "body", None)
        said = body.get("message", body) if isinstance(body, dict) else body
        text, key = str(said or error.__cause__ or error), self._key()
        return " ".join((text.replace(key, "<key>") if key else text).split())[:LONGEST]

    @property
    def _where(self) -> str:
        return f"{self.options.endpoint.address}: model '{self.options.model}'"

    def _key(self) -> str:
        variable = self.options.endpoint.api_key_env
        key = os.environ.get(variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UserError(f"the environment variable {variable} holds no key: fix its characters")
        return key

    def _client(self) -> "OpenAI":
        from openai import OpenAI

        endpoint = self.options.endpoint
        return OpenAI(
            api_key=self._key() or NO_KEY,
            base_url=endpoint.address,
            max_retries=endpoint.retries,
            timeout=endpoint.timeout_s,
            default_query=endpoint.query,
        )


def _as_they_are(texts: list[str]) -> "Prepared":
    from recsys.content.pretrained.running import Prepared

    inputs: dict[str, Any] = {"texts": texts}
    return Prepared([True] * len(texts), inputs)
