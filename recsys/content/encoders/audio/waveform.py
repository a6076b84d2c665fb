"""Recordings as vectors: encoders of the transformers library that take a waveform.

wav2vec 2.0 (Baevski et al., NeurIPS 2020) and its kin, the encoder of Whisper (Radford et al., ICML 2023), AST (Gong
et al., Interspeech 2021) and CLAP (Wu et al., ICASSP 2023).
"""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from pydantic import Field

from recsys.content.encoder import Checkpoint, Context, Modality
from recsys.content.encoders.registry import register
from recsys.content.features import Features
from recsys.content.pretrained.encoder import PretrainedEncoder, loading
from recsys.content.pretrained.options import ModelOptions
from recsys.content.weights import digest
from recsys.data.raw import lacks_column
from recsys.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from recsys.content.pretrained.contents import Contents
    from recsys.content.pretrained.running import Inputs, Tower

ENDINGS = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aiff", ".aif")


class WaveformOptions(ModelOptions):
    """Options of `waveform`, beside those of every trained encoder.

    Attributes:
        audio: a folder of recordings called by the items' ids (`17.mp3`), relative to the dataset's folder.
        column: an item column that holds the recordings' paths instead, relative to `audio` or the dataset's folder.
        seconds: a recording is cut off after so many.
        batch_size: recordings are heard one at a time: what fills up the shorter ones would change their vectors.
    """

    audio: str | None = None
    column: str | None = None
    seconds: float = Field(30.0, gt=0)
    batch_size: int | None = Field(1, ge=1, le=1)


@register
class Waveform(PretrainedEncoder):
    """The mean of the hidden states of the last layer over time; for CLAP, its projected vector."""

    Options = WaveformOptions
    modality: ClassVar[Modality] = "audio"
    description = "recordings by wav2vec 2.0, Whisper's encoder, AST, CLAP or another audio model of transformers"
    instead = "matrix_file"
    known = (
        Checkpoint("facebook/wav2vec2-base", 768, 380, "Apache-2.0"),
        Checkpoint("openai/whisper-base", 512, 290, "Apache-2.0"),
        Checkpoint("MIT/ast-finetuned-audioset-10-10-0.4593", 768, 346, "BSD-3-Clause"),
        Checkpoint("laion/clap-htsat-unfused", 512, 615, "Apache-2.0"),
    )

    @property
    def remedy(self) -> str:
        """There is no encoder of sound without weights."""
        return "give vectors made elsewhere by encoder 'matrix_file'"

    def contents(self, items: pd.DataFrame, context: Context) -> list[str | None]:
        """Keys of the recordings; loads no model."""
        _ = self.runtime  # the device that is asked for
        self.find_weights(context)
        return self._recordings(items, context).keys

    def encode(self, items: pd.DataFrame, context: Context) -> Features:
        """Vectors of the items' recordings; an item without a readable one is absent."""
        return self.run(self._recordings(items, context), self.tower(context), context)

    def _recordings(self, items: pd.DataFrame, context: Context) -> "Contents":
        from recsys.content.pretrained.contents import Contents

        if find_spec("soundfile") is None:
            raise UserError("encoder 'waveform': needs the package soundfile: pip install 'modalift[audio]'")
        audio, column = self.options.audio, self.options.column
        if audio is None and column is None:
            raise UserError(
                "encoder 'waveform': set `audio`, a folder of recordings, or `column`, which has their paths"
            )
        folder = (context.folder or Path()) / (audio or "")
        if not folder.is_dir():
            raise UserError(f"encoder 'waveform': {folder}: there is no such folder; set `audio` to one")
        if column is None:
            named = {file.stem: file for file in sorted(folder.iterdir()) if file.suffix.lower() in ENDINGS}
            paths = [named.get(str(item)) for item in items["item_id"]]
        elif column in items:
            paths = [None if pd.isna(name) else folder / str(name) for name in items[column]]
        else:
            raise lacks_column("encoder 'waveform'", column, items)
        if not any(path is not None and path.is_file() for path in paths):
            raise UserError(f"encoder 'waveform': {folder}: no recording of an item is there; files are called 17.mp3")
        return Contents.recordings([None if path is None else str(path) for path in paths])

    def tower(self, context: Context) -> "Tower":
        """The model on its device."""
        from transformers import AutoFeatureExtractor

        from recsys.content.pretrained.loading import SAFELY, load_model
        from recsys.content.pretrained.recordings import prepare_recordings
        from recsys.content.pretrained.running import Tower

        folder = self.weights(context)
        model = load_model(folder, self.runtime.device, may_lack=("masked_spec_embed",))
        with loading(folder):
            extractor = AutoFeatureExtractor.from_pretrained(folder, **SAFELY)
        if not hasattr(extractor, "sampling_rate"):
            raise UserError(f"{folder}: not a model of audio; give one of wav2vec 2.0, Whisper, AST or CLAP")
        # CLAP's preparation cuts longer recordings at a place drawn at random.
        seconds = min(self.options.seconds, getattr(extractor, "max_length_s", self.options.seconds))
        process = partial(extractor, sampling_rate=extractor.sampling_rate, return_tensors="pt")
        return Tower(
            prepare=partial(prepare_recordings, process, extractor.sampling_rate, seconds),
            forward=partial(_hear, model),
            identity=("waveform", digest(folder), str(seconds)),
        )


def _hear(model: Any, inputs: "Inputs") -> "Tensor":
    if hasattr(model, "get_audio_features"):
        output = model.get_audio_features(**inputs)
        return getattr(output, "pooler_output", output)
    encoder = model.get_encoder() if model.config.is_encoder_decoder else model
    return encoder(**inputs).last_hidden_state.mean(dim=1)
