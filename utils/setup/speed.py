"""How fast a recogniser is on this machine: measured with a read sentence, in a process beside.

As a command: `python -m utils.setup.speed NAME LANGUAGE`; NAME "" is what the program would take.
"""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from utils.beside import run_python
from utils.errors import AppError, ModelError
from utils.folders import write_whole
from utils.untrusted import read_text

SENTENCE = Path(__file__).with_name("sentence.flac")  # 5.6 s, LibriSpeech, CC BY 4.0
LONGEST_FILE = 100_000  # bytes
LONGEST_S = 300.0  # for the largest model to load from a slow disk
STEP_S = 0.5  # of sound that comes at once
ROUNDS = 3  # the first is slower: memory is got ready in it


class Speeds:
    """What was measured on this machine, kept for the next start.

    Parameters
    ----------
    path : the file; what cannot be read or written there is measured again
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            kept = json.loads(read_text(path, LONGEST_FILE))
            self._work = {str(name): float(work) for name, work in kept.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._work = {}

    def of(self, language: str) -> dict[str, float]:
        """Seconds of work for a second of speech, by the recogniser's name."""
        mark = f"{language} "
        return {n.removeprefix(mark): w for n, w in self._work.items() if n.startswith(mark)}

    def measure(self, name: str, language: str) -> None:
        """Measure a recogniser, in a process beside; waits for it.

        Raises
        ------
        ModelError : as `measured`
        """
        self._work[f"{language} {name}"] = round(measured(name, language), 2)
        with suppress(OSError):
            write_whole(self._path, json.dumps(self._work) + "\n")


def measured(name: str, language: str) -> float:
    """Seconds of work for a second of speech; the quickest of some rounds.

    Parameters
    ----------
    name : of a model that is here, or ""
    language : of the speech

    Raises
    ------
    ModelError : it cannot be loaded, or takes far too long
    """
    try:
        done = run_python("-m", "utils.setup.speed", name, language, timeout_s=LONGEST_S)
    except subprocess.TimeoutExpired as err:
        raise ModelError(f"{name}: it does not come to an end within {LONGEST_S:.0f} s") from err
    except OSError as err:
        raise ModelError(f"{name}: {err}") from err
    try:
        return float(json.loads(done.stdout.strip().splitlines()[-1])["work"])
    except (ValueError, KeyError, IndexError, TypeError) as err:
        said = done.stderr.strip().splitlines()
        raise ModelError(f"{name}: {said[-1] if said else err}") from err


def measure(name: str, language: str) -> float:
    """The same in this process."""
    from utils import audio
    from utils.asr.choose import open_transcriber

    transcriber, _ = open_transcriber("auto", name or None, language)
    samples = audio.load(SENTENCE)
    step = int(STEP_S * audio.SAMPLE_RATE)
    rounds = []
    try:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            stream = transcriber.stream(growing=False)
            for end in range(step, len(samples), step):
                stream.grow(samples[:end])
            stream.finish(samples)
            rounds.append(time.perf_counter() - began)
    finally:
        transcriber.close()
    return min(rounds) / (len(samples) / audio.SAMPLE_RATE)


if __name__ == "__main__":
    try:
        print(json.dumps({"work": measure(sys.argv[1], sys.argv[2])}))
    except AppError as error:
        sys.exit(str(error))
