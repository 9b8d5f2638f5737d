"""NVIDIA NeMo's speaker models: where a voice lies among voices."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from utils.asr.nemo.load import load, short
from utils.asr.nemo.worker import Worker
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError
from utils.faults import model_error
from utils.models.nemo.archive import VOICE
from utils.models.nemo.files import find_voices


def open_voices() -> "NemoVoice | None":
    """The model on this machine that tells voices apart, loading; None where there is none."""
    found = find_voices()
    return NemoVoice(found[0]) if found else None


class NemoVoice:
    """A NeMo speaker model (TitaNet, SpeakerNet, ECAPA-TDNN) on a thread of its own.

    It is a `utils.tags.voices.VoiceModel`.

    It is loaded there too, so that nobody waits. An embedding that is asked for meanwhile
    comes later, or raises ModelError if the model cannot be loaded.

    Parameters
    ----------
    path : a `.nemo` file
    """

    def __init__(self, path: Path) -> None:
        self.name = f"NeMo {path.stem}"
        self._worker = Worker()
        self._model = self._worker.submit(lambda paths: [_load(*paths)], path)

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        """Begin to work out the embedding of float32 (n,) at 16 kHz; returns at once."""
        return self._worker.submit(self._embed, samples)

    def close(self) -> None:
        """Let the model go; an embedding under way is waited for, loading is not."""
        closing = threading.Thread(target=self._worker.close, name="close", daemon=True)
        closing.start()
        if self._model.done():
            closing.join()

    def _embed(self, jobs: list[np.ndarray]) -> list[np.ndarray]:
        model = self._model.result()
        return [embedding(model, samples) for samples in jobs]


def _load(path: Path) -> Any:
    """Load a model, and try it.

    Raises
    ------
    ModelError : as `load`, or it gives no embeddings
    """
    model = load(path, VOICE)
    noise = np.random.default_rng(0).normal(0, 0.05, SAMPLE_RATE).astype(np.float32)
    try:
        tried = embedding(model, noise)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as err:
        otherwise = f"{path} loads but tells no voices apart ({short(err)})"
        raise model_error(err, str(path), otherwise) from err
    if tried.ndim != 1 or not np.isfinite(tried).all():
        raise ModelError(f"{path} loads but tells no voices apart (its results are no numbers)")
    return model


def embedding(model: Any, samples: np.ndarray) -> np.ndarray:
    """Where the voice in float32 (n,) at 16 kHz lies, float32 (n_dimensions,)."""
    import torch

    signal = torch.from_numpy(np.ascontiguousarray(samples))[None].to(model.device)
    length = torch.tensor([signal.shape[1]], device=model.device)
    with torch.inference_mode():
        _, found = model.forward(input_signal=signal, input_signal_length=length)
    return found[0].float().cpu().numpy()
