"""NVIDIA NeMo: words while they are spoken, on a GPU where there is one.

Cache-aware models run in steps beside the speech (`utils.asr.nemo.stream`); all others hear
whole segments (`utils.asr.nemo.whole`).
"""

import copy
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from utils.asr import Stream, Transcriber, Tuning
from utils.asr.nemo.int8 import quantize_if_faster
from utils.asr.nemo.load import RECOMMENDED, load, prompt, short
from utils.asr.nemo.stream import NemoStream, StreamingModel, can_stream
from utils.asr.nemo.whole import WholeModel, WholeStream
from utils.asr.nemo.worker import Worker, result
from utils.audio import SAMPLE_RATE
from utils.errors import AppError, ConfigError
from utils.faults import model_error
from utils.models.nemo.files import locate

BALANCED_S = 0.56  # the chunk that "balanced" is nearest to: half a second's wait at most
WORTH = 0.1  # of the time, which a step must take for 8-bit weights to be tried
ROOM = 0.5  # of the time, which a step may take where the pace is chosen by itself

log = logging.getLogger(__name__)


class NemoTranscriber(Transcriber):
    """A NeMo model: CTC, RNNT, TDT, hybrid or multitask.

    Parameters
    ----------
    model : path of a `.nemo` file, or a name as in `utils.models.nemo.files.locate`
    language : two letters, for the multilingual models that must be told
    tuning : its pace and phrases

    Raises
    ------
    ModelError : not found, damaged, another kind of model, too large
    ConfigError : it cannot prefer the phrases
    """

    def __init__(self, model: str, language: str = "en", tuning: Tuning = Tuning()) -> None:
        path = locate(model)
        self.name = f"NeMo {path.stem}"
        restored = load(path)
        self._worker, self._is_twin = Worker(), False
        try:
            if can_stream(restored):
                self._engine: _Streaming | _Whole = _Streaming(restored, self._worker, tuning)
            elif tuning.phrases:
                raise ConfigError(
                    f"{self.name} hears whole segments and cannot prefer phrases; choose a model "
                    "that gives words while they are spoken, or leave out --phrases"
                )
            else:
                self._engine = _Whole(
                    WholeModel(restored, prompt(restored, language)), self._worker
                )
            self._engine.warm_up()
        except AppError:
            self.close()
            raise
        except Exception as err:  # what NeMo raises where a model and a call do not fit
            self.close()
            raise model_error(
                err,
                self.name,
                f"{self.name} loads but cannot recognise speech in {language} ({short(err)}); "
                f"choose another model such as {RECOMMENDED}",
            ) from err

    @property
    def streams(self) -> bool:
        """Whether words come while they are spoken, by a model made for it."""
        return isinstance(self._engine, _Streaming)

    @property
    def chunk_s(self) -> float:
        """How much sound is taken at a time, in seconds; infinite for whole segments."""
        return self._engine.chunk_s

    def stream(self, growing: bool = True) -> Stream:
        """Begin a segment. Streams of several callers may be open at a time."""
        return self._engine.stream(growing)

    def step_down(self) -> bool:
        """Do less work from the next segment on; whether it could."""
        return self._engine.step_down()

    def step_up(self) -> bool:
        """Take back one `step_down`; whether there was one."""
        return self._engine.step_up()

    def twin(self) -> "NemoTranscriber":
        """Another one on the same weights; steps that wait together go through as one batch."""
        other = copy.copy(self)
        other._engine, other._is_twin = self._engine.twin(), True
        return other

    def close(self) -> None:
        """Let go of the model; a step under way is waited for."""
        if self._is_twin:
            return
        self._worker.close()
        if hasattr(self, "_engine"):
            del self._engine  # and the memory of the model


class _Streaming:
    """A cache-aware model and the look-ahead that new streams have."""

    def __init__(self, model: Any, worker: Worker, tuning: Tuning) -> None:
        import torch

        self._worker = worker
        on_gpu = model.device.type == "cuda"
        if on_gpu:  # the features and the decoder stay in full precision
            model.encoder.half()
        dtype = torch.float16 if on_gpu else torch.float32
        try:
            self._model = StreamingModel(model, dtype, (*tuning.phrases, *tuning.remembered))
        except ConfigError as err:
            if not tuning.remembered:
                raise
            log.warning("the remembered words are left out: %s", err)
            self._model = StreamingModel(model, dtype, tuning.phrases)
        self._pace = tuning.pace
        self._look_ahead = self._wanted = self._nearest(BALANCED_S)
        # Rounded weights cost exactness, so a model that is fast as it is keeps its own.
        if not on_gpu and self._step_s() > WORTH * self.chunk_s:
            quantize_if_faster(model.encoder, self._step_s)

    def warm_up(self) -> None:
        """Choose the look-ahead; the first steps are slow, and find what loading cannot."""
        ordered = self._model.look_aheads
        if self._pace == "fastest":
            self._wanted = ordered[0]
        elif self._pace == "accurate":
            self._wanted = ordered[-1]
        self._look_ahead = self._wanted
        step_s = self._step_s()
        if self._pace == "auto" and step_s > ROOM * self.chunk_s:
            self._look_ahead = self._wanted = ordered[-1]

    def _nearest(self, chunk_s: float) -> int:
        model = self._model
        return min(model.look_aheads, key=lambda right: abs(model.chunk_s(right) - chunk_s))

    def _step_s(self) -> float:
        """What a step costs, in seconds: the least of three, others may be at work."""
        chunk, first = int(self.chunk_s * SAMPLE_RATE), SAMPLE_RATE // 40  # it takes a little more
        noise = np.random.default_rng(0).normal(0, 0.05, first + 4 * chunk).astype(np.float32)
        stream = self.stream()
        stream.grow(noise[: first + chunk])
        ends = (first + n * chunk for n in (2, 3, 4))
        return min(_timed(partial(stream.grow, noise[:end])) for end in ends)

    @property
    def chunk_s(self) -> float:
        return self._model.chunk_s(self._look_ahead)

    def twin(self) -> "_Streaming":
        other = copy.copy(self)
        other._look_ahead = self._wanted
        return other

    def stream(self, growing: bool = True) -> NemoStream:
        return NemoStream(self._model, self._worker, self._look_ahead)

    def step_down(self) -> bool:
        """A longer chunk costs less: the overhead and the context are shared by more sound."""
        longer = [right for right in self._model.look_aheads if right > self._look_ahead]
        self._look_ahead = min(longer, default=self._look_ahead)
        return bool(longer)

    def step_up(self) -> bool:
        shorter = [r for r in self._model.look_aheads if self._wanted <= r < self._look_ahead]
        self._look_ahead = max(shorter, default=self._look_ahead)
        return bool(shorter)


class _Whole:
    """A whole-utterance model; stepping down gives up the growing text."""

    chunk_s = float("inf")

    def __init__(self, model: WholeModel, worker: Worker) -> None:
        self._model, self._worker = model, worker
        self._growing = True

    def warm_up(self) -> None:
        silence = np.zeros(SAMPLE_RATE, np.float32)
        result(self._worker.submit(lambda jobs: [self._model.transcribe(*jobs)], silence))

    def twin(self) -> "_Whole":
        other = copy.copy(self)
        other._growing = True
        return other

    def stream(self, growing: bool = True) -> WholeStream:
        return WholeStream(self._model, self._worker, self._growing and growing)

    def step_down(self) -> bool:
        could, self._growing = self._growing, False
        return could

    def step_up(self) -> bool:
        could, self._growing = not self._growing, True
        return could


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
