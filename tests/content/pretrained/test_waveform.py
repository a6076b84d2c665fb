"""Recordings of any rate and format by tiny models of every family, beside what the library gives alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    AutoFeatureExtractor,
    AutoModel,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

from recsys.content.encoder import Context, Encoder
from recsys.content.encoders import encode, registry
from recsys.content.pretrained.recordings import read_waveform
from recsys.errors import UserError
from tests.content.conftest import item_table
from tests.content.pretrained.models import SMALL, save

RATE = 16000


def wav2vec2(folder: Path) -> Path:
    layers = {"conv_dim": (8, 8), "conv_stride": (5, 4), "conv_kernel": (10, 8), "num_feat_extract_layers": 2}
    config = Wav2Vec2Config(**SMALL, **layers, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2)
    return save(folder, Wav2Vec2Model(config), Wav2Vec2FeatureExtractor())


def whisper(folder: Path) -> Path:
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 60, "max_source_positions": 50}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3}
    config = WhisperConfig(**sizes, **heads, **tokens, num_mel_bins=20, max_target_positions=10)
    return save(folder, WhisperModel(config), WhisperFeatureExtractor(feature_size=20, chunk_length=1))


def ast(folder: Path) -> Path:
    config = ASTConfig(**SMALL, max_length=64, num_mel_bins=32)
    return save(folder, ASTModel(config), ASTFeatureExtractor(max_length=64, num_mel_bins=32))


FAMILIES = {"wav2vec2": wav2vec2, "whisper": whisper, "ast": ast}


def tone(pitch: float, rate: int = RATE, seconds: float = 0.6) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "audio"
    folder.mkdir()
    soundfile.write(folder / "0.wav", tone(440), RATE)
    soundfile.write(folder / "1.flac", np.stack([tone(880, 22050)] * 2, axis=1), 22050)
    soundfile.write(folder / "2.ogg", tone(220, seconds=1.5), RATE)
    (folder / "3.mp3").write_bytes(b"no recording")
    soundfile.write(folder / "4.wav", np.zeros(RATE), RATE)
    soundfile.write(folder / "5.wav", np.zeros(0), RATE)
    return folder


def options(tmp_path: Path, family: str) -> dict[str, Any]:
    torch.manual_seed(0)
    return {"model": str(FAMILIES[family](tmp_path / family)), "device": "cpu", "audio": "audio"}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_vector_is_that_of_the_model_alone(family, recordings, tmp_path):
    asked = options(tmp_path, family)
    found = encode("waveform", asked, item_table(7), folder=tmp_path)
    assert found.present.tolist() == [True] * 3 + [False] * 4
    model, extractor = (kind.from_pretrained(asked["model"]) for kind in (AutoModel, AutoFeatureExtractor))
    inputs = extractor(
        soundfile.read(recordings / "0.wav", dtype="float32")[0], sampling_rate=RATE, return_tensors="pt"
    )
    with torch.no_grad():
        hidden = (model.encoder if family == "whisper" else model.eval())(**inputs).last_hidden_state
    np.testing.assert_allclose(found.matrix[0], hidden.mean(dim=1)[0], rtol=1e-3, atol=1e-3)
    assert np.abs(found.matrix[0] - found.matrix[1]).max() > 1e-4


def test_clap_gives_its_projection(recordings, tmp_path):
    audio = {"hidden_size": 16, "patch_embeds_hidden_size": 4, "depths": [1, 1], "num_attention_heads": [1, 2]}
    audio |= {"num_mel_bins": 16, "spec_size": 32, "window_size": 2, "num_hidden_layers": 2, "projection_dim": 12}
    audio |= {"hidden_size": 8}
    text = SMALL | {"vocab_size": 60, "projection_dim": 12}
    model = ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=12))
    extractor = ClapFeatureExtractor(feature_size=16, max_length_s=1, sampling_rate=RATE, truncation="rand_trunc")
    folder = save(tmp_path / "clap", model, extractor)
    first, again = (
        encode("waveform", {"model": str(folder), "audio": "audio"}, item_table(3), folder=tmp_path) for _ in range(2)
    )
    assert first.present.all() and first.dim == 12
    np.testing.assert_array_equal(first.matrix, again.matrix)


def test_paths_in_a_column_and_the_cut(recordings, tmp_path):
    asked = options(tmp_path, "wav2vec2") | {"audio": None, "column": "clip"}
    items = item_table(3, clip=["audio/2.ogg", None, "audio/none.wav"])
    whole = encode("waveform", asked, items, folder=tmp_path)
    cut = encode("waveform", asked | {"seconds": 0.5}, items, folder=tmp_path)
    assert whole.present.tolist() == cut.present.tolist() == [True, False, False]
    assert np.abs(whole.matrix - cut.matrix).max() > 1e-6


def test_other_rates_and_channels_are_the_same_sound(recordings):
    wave = read_waveform(str(recordings / "1.flac"), RATE, 30.0)
    assert wave is not None and wave.dtype == np.float32
    middle = slice(1000, 8000)
    np.testing.assert_allclose(wave[middle], tone(880)[middle], atol=0.01)


def waveform(tmp_path: Path, **given: Any) -> tuple[Encoder, Context]:
    return registry.load("waveform").from_options("waveform", given), Context(folder=tmp_path)


def test_a_check_counts_recordings_and_loads_no_model(recordings, tmp_path, monkeypatch):
    encoder, context = waveform(tmp_path, **options(tmp_path, "wav2vec2"))

    def load(*_: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(type(encoder), "tower", load)
    keys = encoder.contents(item_table(8), context)
    assert [key is not None for key in keys] == [True] * 6 + [False] * 2
    assert len(set(keys[:6])) == 6


@pytest.mark.parametrize("ask", ["contents", "encode"])
def test_without_soundfile_the_line_says_how_to_install_it(ask, recordings, tmp_path, monkeypatch):
    monkeypatch.setattr("recsys.content.encoders.audio.waveform.find_spec", lambda name: None)
    encoder, context = waveform(tmp_path, **options(tmp_path, "wav2vec2"))
    with pytest.raises(UserError, match=r"needs the package soundfile: pip install 'modalift\[audio\]'$"):
        getattr(encoder, ask)(item_table(7), context)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"audio": None}, "encoder 'waveform': set `audio`, a folder of recordings, or `column`"),
        ({"audio": "none"}, "there is no such folder; set `audio` to one"),
        ({"column": "clip"}, "encoder 'waveform': items have no column 'clip' (known: "),
        ({"audio": "empty"}, "no recording of an item is there; files are called 17.mp3"),
    ],
)
def test_mistakes_are_one_line(changed, line, recordings, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as error:
        encode("waveform", {"model": "m", "audio": "audio"} | changed, item_table(1), folder=tmp_path)
    assert line in str(error.value) and "\n" not in str(error.value)
