"""Models that hear whole utterances: growing text by hearing the open segment again.

Two passes over a growing segment differ most at its end, so only the words that two passes
agree on are shown (local agreement, Liu et al. 2020, arXiv 2005.11185).

The model is called directly (preprocessor, encoder, decoder) where its class allows it:
`transcribe()` gives the same text but costs more and rebuilds the decoder on each call.
"""

import time
from concurrent.futures import Future
from itertools import takewhile
from typing import Any

import numpy as np

from utils.asr.nemo.load import direct_kind
from utils.asr.nemo.worker import Worker, result
from utils.audio import SAMPLE_RATE
from utils.events import Transcription, Word

MIN_SAMPLES = SAMPLE_RATE  # shorter segments are padded to it, as `transcribe()` does
AGAIN_S = 0.6  # of new sound at the least before the open segment is heard again
REST = 2.0  # times the cost of a pass, before the next: a third of the time at the most


class WholeModel:
    """A NeMo model that is given a segment at a time.

    Parameters
    ----------
    model : restored
    prompt : what `transcribe()` must be told of the language
    """

    def __init__(self, model: Any, prompt: dict[str, str]) -> None:
        self._model = model
        self._direct = direct_kind(model)
        self._prompt = prompt

    def transcribe(self, samples: np.ndarray) -> Transcription:
        """Recognise float32 (n,) at 16 kHz."""
        if not len(samples):
            return Transcription("")
        # Half of the padding goes in front, and has to come off the times again.
        missing = max(0, MIN_SAMPLES - len(samples))
        padded = np.pad(samples, (missing // 2, missing - missing // 2))
        hypothesis = self._hypothesis(padded)
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


class WholeStream:
    """One segment, see `utils.asr.Stream`.

    Parameters
    ----------
    model, worker : shared by all streams
    growing : whether to hear the segment while it grows, and not only at its end
    """

    def __init__(self, model: WholeModel, worker: Worker, growing: bool) -> None:
        self._model, self._worker, self._growing = model, worker, growing
        self._samples = np.zeros(0, np.float32)  # of the segment so far
        self._ahead: tuple[int, Future[Transcription]] | None = None
        self._pass: Future[tuple[str, float]] | None = None
        self._next_pass = int(AGAIN_S * SAMPLE_RATE)
        self._last_words: list[str] = []
        self._shown: list[str] = []

    def grow(self, samples: np.ndarray) -> str:
        """Hear on, float32 (n,) so far; return the words that two passes over it agreed on."""
        self._samples = samples
        if self._growing:
            self._hear_again()
        return " ".join(self._shown)

    def _hear_again(self) -> None:
        if self._pass is not None and self._pass.done():
            text, cost_s = result(self._pass)
            self._pass = None
            self._agree(text.split())
            rest_s = max(AGAIN_S, REST * cost_s)
            self._next_pass = len(self._samples) + int(rest_s * SAMPLE_RATE)
        if self._pass is None and len(self._samples) >= self._next_pass:
            self._pass = self._worker.submit(self._timed, self._samples)

    def _timed(self, jobs: list[np.ndarray]) -> list[tuple[str, float]]:
        began = time.monotonic()
        text = self._model.transcribe(*jobs).text
        return [(text, time.monotonic() - began)]

    def _agree(self, words: list[str]) -> None:
        """Show what this pass and the last have in common, if that is more than is shown."""
        pairs = zip(self._last_words, words, strict=False)
        common = [word for word, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        self._last_words = words
        if len(common) > len(self._shown):
            self._shown = common

    def work_ahead(self) -> None:
        """Recognise what there is, in the background."""
        if len(self._samples) and self._begun(len(self._samples)) is None:
            self._begin(self._samples)

    def finish(self, samples: np.ndarray) -> Transcription:
        """The text of float32 (n,), all of the segment."""
        return result(self._begun(len(samples)) or self._begin(samples))

    def _begun(self, n_samples: int) -> Future[Transcription] | None:
        """The pass for the final text, where it hears so many samples."""
        return self._ahead[1] if self._ahead and self._ahead[0] == n_samples else None

    def _begin(self, samples: np.ndarray) -> Future[Transcription]:
        for waiting in (self._pass, self._ahead and self._ahead[1]):
            if waiting:
                waiting.cancel()  # only helps where it has not begun
        self._pass = None
        begun: Future[Transcription] = self._worker.submit(
            lambda jobs: [self._model.transcribe(job) for job in jobs], samples
        )
        self._ahead = len(samples), begun
        return begun


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
