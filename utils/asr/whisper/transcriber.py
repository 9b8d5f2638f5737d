"""Whisper as an engine: what listens from the first minute, on every machine."""

import copy
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from utils.asr import Transcriber, Tuning
from utils.asr.whisper.heard import Heard
from utils.asr.whisper.model import WhisperModel, width
from utils.asr.whisper.stream import GROWING_BEAM, SHARED_BEAM, WhisperStream
from utils.asr.whisper.trial import check_usable
from utils.audio import SAMPLE_RATE
from utils.environment import cores, n_threads
from utils.errors import ModelError
from utils.faults import model_error
from utils.language import two_letters
from utils.models.catalogue import WHISPER
from utils.models.memory import check_fits
from utils.models.whisper.files import name_of, packaged
from utils.models.whisper.folder import check_folder

# New sound before the open segment is heard again, for each pace; longer where a pass takes
# long. The last steps are for machines that fall behind: None gives words at pauses only.
AGAIN_S = {"fastest": 0.2, "balanced": 0.3, "accurate": 0.6}
SLOWER_S = (1.0, 2.0, None)
MOST_THREADS = 4  # for a pass; more help little


class WhisperTranscriber(Transcriber):
    """A Whisper in CTranslate2's form, on the processor.

    Parameters
    ----------
    folder : of the model
    language : of the speech: "en", "ko", or a tag such as "en-US"
    tuning : its pace and phrases

    Raises
    ------
    ModelError : damaged, without the language, too large, or CTranslate2 is missing
    """

    settle_s = 0.0  # what a stream gives stays as it is

    def __init__(self, folder: Path, language: str = "en", tuning: Tuning = Tuning()) -> None:
        check_folder(folder, language)
        self.name = f"Whisper {name_of(folder)}"
        check_fits(self.name, (folder / "model.bin").stat().st_size, WHISPER)
        code = two_letters(language)
        if folder != packaged():
            check_usable(folder, code)
        self._phrases = tuning.phrases
        workers = min(tuning.rooms, cores())
        self._model = WhisperModel(folder, code, _threads(workers), workers)
        self._growing_beam = GROWING_BEAM if tuning.rooms <= workers else SHARED_BEAM
        self._is_twin = False
        self.prefer(tuning.remembered)
        self._worker = ThreadPoolExecutor(workers, thread_name_prefix="whisper")
        first_s = AGAIN_S["balanced" if tuning.pace == "auto" else tuning.pace]
        self._steps: tuple[float | None, ...] = (first_s, *SLOWER_S)
        self._step = 0
        self._warm_up()

    def _warm_up(self) -> None:
        """The first pass is slow, and finds what loading cannot."""
        samples = SAMPLE_RATE
        features = np.zeros((self._model.n_mels, width(samples)), np.float32)
        try:
            self._model.hear(features, samples, 1)
        except (RuntimeError, ValueError, LookupError, TypeError, MemoryError) as err:
            self.close()
            raise model_error(
                err,
                self.name,
                f"{self.name} loads but cannot recognise speech ({err}); choose another model "
                "(python app.py models lists them)",
            ) from err

    def prefer(self, remembered: tuple[str, ...]) -> None:
        """Prefer these words, and those that it was opened with, from the next pass on."""
        self._model.prefer((*self._phrases, *remembered))

    def stream(self, growing: bool = True) -> WhisperStream:
        """Begin a segment. Streams of several callers may be open at a time."""
        return WhisperStream(
            self._model,
            self._submit,
            self._steps[self._step] if growing else None,
            self._growing_beam,
        )

    def _submit(self, call: Callable[..., Heard], *arguments: object) -> "Future[Heard]":
        try:
            return self._worker.submit(call, *arguments)
        except RuntimeError as err:
            raise ModelError("the model was closed while a stream was open; start again") from err

    def step_down(self) -> bool:
        """Hear the open segment less often from the next one on; whether it could."""
        could = self._step < len(self._steps) - 1
        self._step += could
        return could

    def step_up(self) -> bool:
        """Take back one `step_down`; whether there was one."""
        could = self._step > 0
        self._step -= could
        return could

    def twin(self) -> "WhisperTranscriber":
        """Another one on the same weights; passes of all go in the order in which they came."""
        other = copy.copy(self)
        other._step, other._is_twin = 0, True
        return other

    def close(self) -> None:
        """Let go of the model; a pass under way is waited for."""
        if not self._is_twin:
            self._worker.shutdown(wait=True, cancel_futures=True)


def _threads(workers: int = 1) -> int:
    """Threads for a pass: one is left to the emotion, the detector and the page."""
    return max(1, min((cores() - 1) // workers, n_threads(), MOST_THREADS))
