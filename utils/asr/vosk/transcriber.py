"""Vosk: Korean without a network, with the small model of its own package.

Kaldi hears the speech once, along with it; the final text is the end of the same search. The
model writes stems, particles and endings apart, which `utils.asr.vosk.korean` joins to words.

One recogniser serves all segments of a room, one after another: it builds its graph of what may
be said while it searches, and a warm one needs half of the time. What it has learnt of a voice is
forgotten after each segment. Kept, it helps the same voice and harms the next: where voices
alternate, 37 % of the characters were wrong, not 24 %.
"""

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.asr import Transcriber
from utils.asr.vosk import korean
from utils.asr.vosk.folder import (
    INSTALL,
    check_memory,
    damaged,
    is_korean,
    named,
    packaged,
    without_dither,
)
from utils.audio import SAMPLE_RATE, pcm16
from utils.errors import ConfigError
from utils.events import Transcription, Word
from utils.faults import model_error

if TYPE_CHECKING:
    from vosk import KaldiRecognizer


BLOCK = 1_024  # samples taken at a time, so that no text depends on the frames
MIN_SAMPLES = SAMPLE_RATE // 10  # a shorter segment holds no word


class VoskTranscriber(Transcriber):
    """Vosk and a model, see `utils.asr.Transcriber`.

    Parameters
    ----------
    folder : a Vosk model's folder; None for the packaged Korean one
    language : what the model hears: "ko", or a tag such as "ko-KR"

    Raises
    ------
    ModelError : Vosk or the model is missing, damaged, or too large for the memory
    ConfigError : another language, and no folder
    """

    # With 0.2 s more is wrong in the finished lines; with more words come later and neither less
    # is wrong nor much less changed; see `tests.bench_korean`.
    settle_s = 0.3

    def __init__(self, folder: Path | None = None, language: str = "ko") -> None:
        if folder is None and not is_korean(language):
            raise ConfigError(
                f"the packaged Vosk model knows Korean, not {language}; choose --language ko, "
                "or name the folder of a Vosk model for that language with --model"
            )
        vosk = _import_vosk()
        path = packaged() if folder is None else named(folder)
        self.name = "Vosk (Korean)" if folder is None else f"Vosk {path.name}"
        self.joins = is_korean(language)
        check_memory(path)
        vosk.SetLogLevel(-1)  # Kaldi tells what it reads, line by line
        try:
            with without_dither(path) as same:
                # Only a folder is ever given: a name would be looked up in the network.
                self._loaded = vosk.Model(str(same))
                self._begin_anew(vosk)
        except Exception as err:  # the library raises nothing more exact
            raise model_error(err, self.name, damaged(path, str(err))) from err

    def _begin_anew(self, vosk: Any) -> None:
        """A recogniser of the model, and nothing heard by it."""
        self._recognizer: Any = vosk.KaldiRecognizer(self._loaded, SAMPLE_RATE)
        self._recognizer.SetWords(True)
        self._taken = 0  # samples of earlier segments, from which it counts the time
        self._stream: VoskStream | None = None

    def twin(self) -> "VoskTranscriber":
        """Another one on the same model, with a search of its own."""
        other = copy.copy(self)
        other._begin_anew(_import_vosk())
        return other

    def stream(self, growing: bool = True) -> "VoskStream":
        """Begin a segment; one that was never finished is forgotten."""
        if self._stream is not None:
            self._taken += self._stream.end()
        self._stream = VoskStream(self._recognizer, self._taken, self.joins)
        return self._stream

    def close(self) -> None:
        """Let go of the model."""
        self._stream = self._recognizer = self._loaded = None


class VoskStream:
    """The recognition of one segment, see `utils.asr.Stream`."""

    def __init__(self, recognizer: "KaldiRecognizer", taken: int, joins: bool) -> None:
        self._recognizer, self._taken, self._joins = recognizer, taken, joins
        self._heard = 0  # samples that the recogniser has
        self._samples = np.zeros(0, np.float32)  # of the segment so far
        self._text = ""
        self._units: list[dict[str, Any]] | None = None  # once the segment has ended

    def grow(self, samples: np.ndarray) -> str:
        """Hear on, float32 (n,) at 16 kHz so far; return the text so far."""
        self._samples = samples
        if len(samples) >= self._heard + BLOCK:
            while len(samples) >= self._heard + BLOCK:
                self._hear(samples[self._heard : self._heard + BLOCK])
            units = json.loads(self._recognizer.PartialResult())["partial"]
            self._text = korean.text(units) if self._joins else units
        return self._text

    def work_ahead(self) -> None:
        """Nothing: the search is never more than a block behind, and its end is quick."""

    def finish(self, samples: np.ndarray) -> Transcription:
        """End the segment and return its final text.

        What was heard beyond it only helps to tell the words before.
        """
        if len(samples) > len(self._samples):
            self._samples = samples
        self.end()
        if len(samples) < MIN_SAMPLES:
            return Transcription("")
        units = list(self._until(len(samples) / SAMPLE_RATE))
        words = korean.words(units) if self._joins else tuple(units)
        return Transcription(" ".join(word.text for word in words), words)

    def end(self) -> int:
        """End the search, for the next segment to use the recogniser.

        Returns
        -------
        how many samples it has taken for this segment
        """
        if self._units is None:
            self._hear(self._samples[self._heard :])
            # Unlike `Result`, it hears all to the end, and forgets the voice.
            self._units = json.loads(self._recognizer.FinalResult()).get("result", [])
        return self._heard

    def _hear(self, samples: np.ndarray) -> None:
        pcm = pcm16(samples)
        try:
            # Tells that somebody has paused, which the segmenter knows better.
            self._recognizer.AcceptWaveform(pcm.tobytes())
        except Exception as err:  # the library raises nothing more exact
            raise model_error(err, "Vosk", f"Vosk failed: {err}; start listening again") from err
        self._heard += len(pcm)

    def _until(self, end_s: float) -> Any:
        """The units whose greater part was said before `end_s`."""
        for unit in self._units or ():
            # Frames are 0.03 s; the rest of the digits is what adding up the time leaves.
            start_s, stop_s = (
                round(max(unit[edge] - self._taken / SAMPLE_RATE, 0.0), 2)
                for edge in ("start", "end")
            )
            if (start_s + stop_s) / 2 < end_s:
                confidence = round(min(unit["conf"], 1.0), 3)
                yield Word(unit["word"], start_s, min(stop_s, end_s), confidence)


def _import_vosk() -> Any:
    try:
        import vosk
    except (ImportError, OSError) as err:  # OSError: its library does not fit this system
        otherwise = f"Vosk cannot be loaded ({err}); install it with: {INSTALL}"
        raise model_error(err, "Vosk", otherwise) from err
    return vosk
