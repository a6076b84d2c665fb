"""Sentence encoders: networks trained to put sentences of like meaning near each other.

Reimers and Gurevych, Sentence-BERT, EMNLP 2019. Any model of the sentence-transformers library serves.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import Field, model_validator

from recsys.content.encoder import Checkpoint, Context, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.pretrained.encoder import PretrainedEncoder, loading
from recsys.content.pretrained.options import ModelOptions
from recsys.content.texts import item_texts
from recsys.content.weights import digest
from recsys.errors import UserError

if TYPE_CHECKING:
    from recsys.content.pretrained.running import Prepared, Tower

MINI_LM = "sentence-transformers/all-MiniLM-L6-v2"
MPNET = "sentence-transformers/all-mpnet-base-v2"


class SentenceTransformerOptions(ModelOptions):
    """Options of `sentence_transformer`, beside those of every trained encoder.

    Attributes:
        fields: item columns whose words are joined; `answer` is the item's answer in the corpus. None: the
            answer where a corpus is given, else title and text.
        prompt: put before each text, as some models were trained to expect. None: the model's own default.
        instruction: what the vectors are for, in a sentence, for models that were trained to follow one, such as
            Qwen3-Embedding or multilingual-e5-instruct: the prompt is then `Instruct: <instruction>` and `Query: `.
        pooling: `mean` of the tokens, the first (`cls`) or the `last`, which a model that reads from left to right
            ends with. None: what the model's folder says.
    """

    model: str = MINI_LM
    fields: tuple[str, ...] | None = Field(None, min_length=1)
    prompt: str | None = None
    instruction: str | None = Field(None, min_length=1)
    pooling: Literal["mean", "cls", "last"] | None = None

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.instruction is not None:
            raise ValueError("give `prompt` or `instruction`, not both")
        return self


@register
class SentenceTransformer(PretrainedEncoder):
    """The vector that the model gives a text, cut where the model's own limit of tokens is reached."""

    Options = SentenceTransformerOptions
    modality: ClassVar[Modality] = "text"
    description = "sentence embeddings of a model of the sentence-transformers library"
    instead = "tfidf_svd"
    known = (
        Checkpoint(MPNET, 768, 438, "Apache-2.0", revision="e8c3b32edf5434bc2275fc9bab85f82640a19130"),
        Checkpoint(MINI_LM, 384, 91, "Apache-2.0"),
    )

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items' words; an item without any is absent."""
        from recsys.content.pretrained.contents import Contents

        texts = item_texts("sentence_transformer", items, self.options.fields, context.corpus)
        return self.run(Contents.texts(texts), self.tower(context), context)

    def tower(self, context: Context) -> "Tower":
        """The model on its device."""
        import torch
        from sentence_transformers import SentenceTransformer as Model

        from recsys.content.pretrained.running import Tower

        folder, pooling = self.weights(context), self.options.pooling
        if pooling is None and not (folder / "modules.json").is_file():
            raise UserError(
                f"{folder}: does not say how tokens become one vector (it has no modules.json); set `pooling` to "
                "mean, cls or last, as the model's authors say"
            )
        with loading(folder):
            model = Model(
                str(folder),
                device="cpu",
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True, "dtype": torch.float32},
            )
            if pooling is not None:
                model = _pooled(model, pooling)
        _check(folder, model)
        model = model.to(self.runtime.device).eval()
        prompt = self._prompt(model)
        return Tower(
            prepare=partial(_tokenise, model, prompt),
            forward=lambda inputs: model(inputs)["sentence_embedding"],
            identity=("sentence_transformer", digest(folder), str(prompt), *([pooling] if pooling else [])),
        )

    def _prompt(self, model: Any) -> str | None:
        if self.options.instruction is not None:
            return f"Instruct: {self.options.instruction}\nQuery: "
        if self.options.prompt is not None:
            return str(self.options.prompt)
        return model.prompts.get(model.default_prompt_name or "")


def _check(folder: Path, model: Any) -> None:
    from sentence_transformers.sentence_transformer.modules import Transformer

    from recsys.content.pretrained.loading import refuse_incomplete

    if model.supports("image") and model.supports("message"):
        raise UserError(f"{folder}: a model that is asked by a chat; use encoder 'instructed' with `image: false`")
    if isinstance(model[0], Transformer):
        refuse_incomplete(folder, model[0].model)


def _pooled(model: Any, pooling: str) -> Any:
    """The same model with another pooling; what follows it, such as a scaling to unit length, stays."""
    from sentence_transformers import SentenceTransformer as Model
    from sentence_transformers.sentence_transformer.modules import Pooling

    transformer, *rest = model
    mode = {"last": "lasttoken"}.get(pooling, pooling)
    chosen = Pooling(transformer.get_embedding_dimension(), mode)
    others = [module for module in rest if not isinstance(module, Pooling)]
    changed = Model(modules=[transformer, chosen, *others], device=str(model.device))
    changed.prompts, changed.default_prompt_name = model.prompts, model.default_prompt_name
    return changed


def _tokenise(model: Any, prompt: str | None, texts: list[str]) -> "Prepared":
    from recsys.content.pretrained.running import Prepared

    # A model that also reads pictures would open a text that is a path, and fetch one that is an address.
    shown = [{"text": text} for text in texts] if model.supports("image") else texts
    return Prepared([True] * len(texts), dict(model.preprocess(shown, prompt=prompt)))
