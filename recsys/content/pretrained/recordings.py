"""Recordings on their way to a model."""

import logging
from collections.abc import Callable, Sequence
from math import gcd

import numpy as np
from scipy.signal import resample_poly

from recsys.content.pretrained.running import Inputs, Prepared

log = logging.getLogger(__name__)


def prepare_recordings(
    process: Callable[[list[np.ndarray]], Inputs], rate: int, seconds: float, paths: Sequence[str]
) -> Prepared:
    """A model's inputs of the recordings that can be read.

    Args:
        process: the model's own preparation of waveforms.
        rate: samples a second that it expects.
        seconds: read from the beginning.
        paths: audio files, of which some may be missing or damaged.
    """
    heard = [read_waveform(path, rate, seconds) for path in paths]
    waves = [wave for wave in heard if wave is not None]
    return Prepared([wave is not None for wave in heard], dict(process(waves)) if waves else {})


def read_waveform(path: str, rate: int, seconds: float) -> np.ndarray | None:
    """One channel at this rate, float32, shape (n_samples,); None where the file is missing, damaged or silent."""
    import soundfile  # an extra

    try:
        with soundfile.SoundFile(path) as file:
            wave = file.read(round(seconds * file.samplerate), dtype="float32", always_2d=True).mean(axis=1)
            step = gcd(rate, file.samplerate)
            wave = resample_poly(wave, rate // step, file.samplerate // step).astype(np.float32)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        log.debug("%s: cannot be read as a recording: %s", path, error)
        return None
    return wave if wave.size and np.isfinite(wave).all() and wave.any() else None
