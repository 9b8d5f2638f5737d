"""One segment heard by Whisper: again and again while it grows, and once more at its end."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass

import numpy as np

from utils.asr.whisper.agree import Agreement
from utils.asr.whisper.guard import is_speech
from utils.asr.whisper.heard import Heard
from utils.asr.whisper.mel import FRAMES_PER_S, HOP_LENGTH
from utils.asr.whisper.model import WhisperModel, width
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError
from utils.events import Transcription
from utils.faults import model_error
from utils.models.memory import trim

FIRST_S = 0.5  # of sound before the first pass; the segmenter keeps 0.3 s from before the speech
SHARE = 0.6  # of the time, that passes over the growing segment may take
# A growing pass over a longer segment hears what lies behind the last word shown that ended so
# long ago: its cost does not grow with the segment.
LONG_S, BACK_S = 6.5, 5.0
BEAM = 5  # hypotheses of the final pass, as in whisper/transcribe.py
# Of a growing one: words are shown once two passes agree, which more hypotheses make no righter but
# later. Where more rooms than cores share the machine, one: their passes wait for each other.
GROWING_BEAM, SHARED_BEAM = 2, 1
Submit = Callable[..., "Future[Heard]"]


@dataclass(frozen=True)
class _Pass:
    """A pass over the first `n_samples`, on its way."""

    n_samples: int
    future: "Future[Heard]"
    n_before: int  # words shown that it does not hear
    start_s: float  # where those end
    paused: bool  # it ends in a pause

    def result(self) -> Heard:
        try:
            return self.future.result()
        except CancelledError as err:
            raise ModelError("the model was closed while a stream was open; start again") from err
        except (RuntimeError, MemoryError) as err:
            raise model_error(
                err,
                "Whisper",
                f"Whisper failed on this speech ({err}); close other programs or choose a "
                "smaller model (python app.py models lists them)",
            ) from err


class WhisperStream:
    """The recognition of one segment, see `utils.asr.Stream`.

    Parameters
    ----------
    model : shared by all streams
    submit : has a call run on the model's thread
    again_s : new sound at the least before the open segment is heard again; None hears it
        only at pauses and at its end
    growing_beam : hypotheses of the passes before the final one
    """

    def __init__(
        self,
        model: WhisperModel,
        submit: Submit,
        again_s: float | None,
        growing_beam: int = GROWING_BEAM,
    ) -> None:
        self._model, self._submit, self._again_s = model, submit, again_s
        self._growing_beam = growing_beam
        self._mel = model.mel()
        self._agreed = Agreement()
        self._growing: _Pass | None = None
        self._next = int(FIRST_S * SAMPLE_RATE)  # samples at which a pass begins
        self._final: _Pass | None = None
        self._paused = False  # the final pass is not shown yet

    def grow(self, samples: np.ndarray) -> str:
        """Hear on, float32 (n,) at 16 kHz so far; return the words that are sure by now."""
        self._mel.grow(samples)
        self._look()
        return self._agreed.text

    def _look(self) -> None:
        """Show what a pass has brought, and begin the next one when it is time."""
        if self._paused and self._final is not None and self._final.future.done():
            self._paused = False
            self._show(self._final)
            if self._growing is not None and self._growing.paused:
                self._growing = None  # knows less
        if (again_s := self._again_s) is None:
            return
        if self._growing is not None and self._growing.future.done():
            done, self._growing = self._growing, None
            cost_s = self._show(done).cost_s
            wait_s = max(again_s if self._agreed.text else again_s / 2, cost_s / SHARE)
            self._next = done.n_samples + int(wait_s * SAMPLE_RATE)
        if self._growing is None and self._mel.n_samples >= self._next:
            self._growing = self._begin(self._mel.n_samples, *self._place())

    def _place(self) -> tuple[int, float]:
        """Words shown that the next growing pass need not hear, and where the last one ends."""
        heard_s = self._mel.n_samples / SAMPLE_RATE
        return self._agreed.before(heard_s - BACK_S) if heard_s > LONG_S else (0, 0.0)

    def _begin_short(self) -> _Pass | None:
        """A pass over the end of a long segment, whose words are there before the final ones."""
        place = self._place()
        return self._begin(self._mel.n_samples, *place, paused=True) if place[0] else None

    def _show(self, done: _Pass) -> Heard:
        heard = done.result()
        if is_speech(heard):
            words = [word.later(done.start_s) for word in heard.words]
            self._agreed.take(words, done.n_samples / SAMPLE_RATE, done.paused, done.n_before)
        return heard

    def work_ahead(self) -> None:
        """Speech has paused: hear all of it in the background, for the final text."""
        if self._final is None or self._final.n_samples != self._mel.n_samples:
            short = self._begin_short() if self._again_s is not None else None
            self._hear_all(self._mel.n_samples)
            self._growing, self._paused = short, True

    def finish(self, samples: np.ndarray) -> Transcription:
        """The text of all of it."""
        self._mel.grow(samples)
        n_samples = len(samples)
        final = self._final
        if final is None or final.n_samples != n_samples:
            final = self._hear_all(n_samples)
        heard = final.result()
        trim()  # or what the passes over long lines took adds up: 150 MB in some minutes
        if not is_speech(heard):
            return Transcription("")
        return Transcription(heard.text, heard.words)

    def _hear_all(self, n_samples: int) -> _Pass:
        for waiting in (self._growing, self._final):
            if waiting:
                waiting.future.cancel()  # only helps where it has not begun
        self._growing = None
        final = self._final = self._begin(n_samples, paused=True, beam=BEAM)
        self._next = n_samples + int((self._again_s or 0.0) * SAMPLE_RATE)
        return final

    def _begin(
        self,
        n_samples: int,
        n_before: int = 0,
        start_s: float = 0.0,
        paused: bool = False,
        beam: int | None = None,
    ) -> _Pass:
        """Hear so many samples, but for those before `start_s`, where so many words stand."""
        skipped = int(start_s * FRAMES_PER_S)
        n_heard = n_samples - skipped * HOP_LENGTH
        features = self._mel.features(n_samples, skipped + width(n_heard))[:, skipped:]
        future = self._submit(self._model.hear, features, n_heard, beam or self._growing_beam)
        return _Pass(n_samples, future, n_before, skipped / FRAMES_PER_S, paused)
