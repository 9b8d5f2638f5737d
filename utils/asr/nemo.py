"""NVIDIA NeMo: each segment is recognised whole, on a GPU where there is one.

The model is called directly (preprocessor, encoder, decoder) where its class allows it:
`transcribe()` gives the same text but costs more and rebuilds the decoder on each call.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from utils.asr.nemo_files import find_models, locate
from utils.asr.nemo_load import RECOMMENDED, direct_kind, load, out_of_memory, prompt, short
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError
from utils.events import Transcription, Word

__all__ = ["RECOMMENDED", "NemoTranscriber", "find_models", "set_thread_policy"]

# What NeMo raises where a model and a call do not fit each other.
_MISFITS = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
MIN_SAMPLES = SAMPLE_RATE  # shorter segments are padded to it, as `transcribe()` does


def set_thread_policy() -> None:
    """Let torch's idle threads sleep instead of spin.

    Another busy process otherwise stalls a step for seconds on a small machine. Takes
    effect only before torch is imported, so call it first thing in the program.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class NemoTranscriber:
    """A NeMo model: CTC, RNNT, TDT, hybrid or multitask.

    Parameters
    ----------
    model : path of a `.nemo` file, or a name as in `utils.asr.nemo_files.locate`
    language : two letters, for the multilingual models that must be told

    Raises
    ------
    ModelError : not found, damaged, another kind of model, too large
    """

    def __init__(self, model: str, language: str = "en") -> None:
        path = locate(model)
        self.name = f"NeMo {path.stem}"
        self._model = load(path)
        self._direct = direct_kind(self._model)
        self._prompt = prompt(self._model, language)
        # One thread runs the model: it is not made for two calls at a time.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="nemo")
        self._try(language)

    def _try(self, language: str) -> None:
        """Recognise silence: the first call is slow, and finds what loading cannot."""
        try:
            self._start(np.zeros(SAMPLE_RATE, np.float32)).result()
        except _MISFITS as err:
            self.close()
            raise ModelError(
                f"{self.name} loads but cannot recognise speech in {language} ({short(err)}); "
                f"choose another model such as {RECOMMENDED}"
            ) from err
        except ModelError:
            self.close()
            raise

    def stream(self) -> "NemoStream":
        """Begin a segment."""
        return NemoStream(self._start)

    def close(self) -> None:
        """Let go of the model; a recognition under way is waited for."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._model = None

    def _start(self, samples: np.ndarray) -> "Future[Transcription]":
        return self._worker.submit(self._transcribe, samples)

    def _transcribe(self, samples: np.ndarray) -> Transcription:
        """Recognise float32 (n,) at 16 kHz; runs in the worker thread."""
        if not len(samples):
            return Transcription("")
        # Half of the padding goes in front, and has to come off the times again.
        missing = max(0, MIN_SAMPLES - len(samples))
        padded = np.pad(samples, (missing // 2, missing - missing // 2))
        try:
            hypothesis = self._hypothesis(padded)
        except (RuntimeError, MemoryError) as err:
            if not out_of_memory(err):
                raise
            raise ModelError(
                f"{self.name}: no memory left for a segment of "
                f"{len(samples) / SAMPLE_RATE:.0f} s; close other programs or choose a "
                "smaller model"
            ) from err
        shift_s = missing // 2 / SAMPLE_RATE
        words = _words(self._model, hypothesis, shift_s, len(samples) / SAMPLE_RATE)
        return Transcription(hypothesis.text.strip(), words)

    def _hypothesis(self, samples: np.ndarray) -> Any:
        """NeMo's best hypothesis; the calls are those that `transcribe()` makes."""
        import torch

        model = self._model
        if not self._direct:
            return self._transcribe_in_nemo(samples)
        with torch.inference_mode():
            signal = torch.from_numpy(samples).to(model.device)[None]  # (1, n)
            length = torch.tensor([len(samples)], device=model.device)
            output, frames = model(input_signal=signal, input_signal_length=length)[:2]
            if self._direct == "ctc":
                found = model.decoding.ctc_decoder_predictions_tensor(
                    output, decoder_lengths=frames, return_hypotheses=True
                )
            else:
                found = model.decoding.rnnt_decoder_predictions_tensor(
                    output, frames, return_hypotheses=True
                )
        return _first(found)

    def _transcribe_in_nemo(self, samples: np.ndarray) -> Any:
        """For multitask and prompted models, whose prompts only `transcribe()` builds."""
        found = self._model.transcribe(
            [samples], batch_size=1, return_hypotheses=True, verbose=False, **self._prompt
        )
        self._model.eval()  # transcribe() gives submodules back in training mode
        return _first(found)


class NemoStream:
    """One segment, kept until its end is known."""

    def __init__(self, start: Callable[[np.ndarray], "Future[Transcription]"]) -> None:
        self._start = start
        self._parts: list[np.ndarray] = []
        self._n_samples = 0
        self._ahead: tuple[int, Future[Transcription]] | None = None

    def accept(self, samples: np.ndarray) -> str:
        """Keep float32 (n,); the text is known only at the end."""
        self._parts.append(np.array(samples, dtype=np.float32))
        self._n_samples += len(samples)
        return ""

    def work_ahead(self) -> None:
        """Recognise what there is, in the background."""
        if self._n_samples and not self._is_ahead(self._n_samples):
            self._begin(self._n_samples)

    def finish(self, n_samples: int) -> Transcription:
        """The text of the first `n_samples`.

        Raises
        ------
        ModelError : out of memory
        """
        n_samples = min(n_samples, self._n_samples)
        if not self._is_ahead(n_samples):
            self._begin(n_samples)
        return self._ahead[1].result()

    def _is_ahead(self, n_samples: int) -> bool:
        return self._ahead is not None and self._ahead[0] == n_samples

    def _begin(self, n_samples: int) -> None:
        if self._ahead:
            self._ahead[1].cancel()  # only helps where it has not begun
        samples = np.concatenate(self._parts or [np.zeros(0, np.float32)])
        self._parts = [samples]
        self._ahead = n_samples, self._start(samples[:n_samples])


def _first(found: Any) -> Any:
    """The best hypothesis: beam search wraps it in lists of alternatives."""
    while not hasattr(found, "text"):
        found = found.n_best_hypotheses if hasattr(found, "n_best_hypotheses") else found
        found = found[0]
    return found


def _words(model: Any, hypothesis: Any, shift_s: float, end_s: float) -> tuple[Word, ...]:
    """Word times of a hypothesis, held inside [0, `end_s`]; none where it has no times."""
    times = hypothesis.timestamp
    if not isinstance(times, dict) or "word" not in times:
        return ()
    # One frame of the encoder's output, in seconds.
    frame_s = float(model.cfg.preprocessor.window_stride) * model.encoder.subsampling_factor

    def place(offset: Any) -> float:  # a plain float: NumPy's do not go into JSON
        return min(max(float(offset) * frame_s - shift_s, 0.0), end_s)

    return tuple(
        Word(word["word"], place(word["start_offset"]), place(word["end_offset"]))
        for word in times["word"]
    )
