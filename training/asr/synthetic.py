"""Voices of a speech synthesiser, beside the few that were recorded: espeak-ng.

Its formants are made by rule, so that an accent, a throat, a pitch and a pace can be had in
many combinations; https://github.com/espeak-ng/espeak-ng, GPL-3.0, which its sound is free of.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from training.asr.digits import WORDS, Digit
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.errors import DataError

PROGRAM = "espeak-ng"
ACCENTS = (
    "en-us",
    "en-gb",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-029",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-us-nyc",
)
THROATS = (
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "croak",
    "klatt",
    "klatt2",
    "klatt3",
    "klatt4",
    "klatt5",
    "klatt6",
    "adam",
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "anika",
    "Annie",
    "antonio",
    "aunty",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "david",
    "Denis",
    "Diogo",
    "ed",
    "edward",
    "Gene",
    "grandma",
    "grandpa",
    "gustave",
    "Henrique",
    "Hugo",
    "iven",
    "iven3",
    "Jacky",
    "john",
    "Lee",
    "linda",
    "marcelo",
    "Marco",
    "Mario",
    "max",
    "Michael",
    "michel",
    "miguel",
    "Mike",
    "norbert",
    "pablo",
    "paul",
    "pedro",
    "quincy",
    "rob",
    "robert",
    "sandro",
    "shelby",
    "steph",
    "travis",
    "victor",
    "zac",
)
TO_CHOOSE = THROATS[::12]  # of the voices that choose the weights
TO_TRAIN = tuple(throat for throat in THROATS if throat not in TO_CHOOSE)
VOICES, STOPPING = 600, 24  # to train on, and others that choose the weights
N_VOICES = VOICES + STOPPING
PITCH, SPEED = (15, 90), (105, 215)  # espeak-ng's own numbers; words a minute
TONES = ("", "?", "!", ",")  # what the word's melody is to say
AUDIBLE = 0.01  # of the highest sample; what is softer at the ends is cut off


def missing() -> str:
    """What to do where espeak-ng is not installed; empty where it is."""
    if shutil.which(PROGRAM):
        return ""
    return (
        f"{PROGRAM} was not found: training hears the recorded voices alone, and unheard voices "
        f"are recognised worse. To have it make {VOICES} more, install it (Debian, Ubuntu: "
        f"sudo apt-get install {PROGRAM}) and start again"
    )


def make(folder: Path, progress: Callable[[], object]) -> tuple[Digit, ...]:
    """All digits by each voice, in order; the last `STOPPING` share no throat with the others.

    Parameters
    ----------
    folder : keeps the recordings, which are made once
    progress : called after each voice

    Raises
    ------
    DataError : espeak-ng failed
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Digit] = []
    with ThreadPoolExecutor(2) as pool:
        for digits in pool.map(lambda k: _voice(k, folder), range(N_VOICES)):
            made += digits
            progress()
    return tuple(made)


def split(made: Sequence[Digit]) -> tuple[tuple[Digit, ...], tuple[Digit, ...]]:
    """Those to train on, and those that choose the weights."""
    at = VOICES * len(WORDS)
    return tuple(made[:at]), tuple(made[at:])


def _voice(number: int, folder: Path) -> list[Digit]:
    """The ten digits by a voice, which follows from its number alone."""
    rng = np.random.default_rng([1, number])
    throats = TO_CHOOSE if number >= VOICES else TO_TRAIN
    name = f"{rng.choice(ACCENTS)}+{rng.choice(throats)}"
    pitch, speed = rng.integers(*PITCH), rng.integers(*SPEED)
    digits = []
    for k, word in enumerate(WORDS):
        tone = rng.choice(TONES, p=(0.55, 0.15, 0.15, 0.15))
        digit = Digit(folder / f"{k}_{number:03d}.wav", word, f"espeak-{number:03d}", 0)
        if not digit.path.is_file():
            _say(word + tone, ["-v", name, "-p", str(pitch), "-s", str(speed)], digit.path)
        digits.append(digit)
    return digits


def _say(text: str, settings: list[str], path: Path) -> None:
    """Write the sound of a word, from where it is heard to where it ends."""
    part = path.with_suffix(".part.wav")
    done = subprocess.run(
        [PROGRAM, *settings, "-w", str(part), text], capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0 or not part.is_file():
        told = done.stderr.strip() or f"exit status {done.returncode}"
        raise DataError(f"{PROGRAM} {' '.join(settings)}: {told}; expected version 1.50 or later")
    samples = audio.load(part)
    heard = np.flatnonzero(np.abs(samples) > AUDIBLE * np.abs(samples).max(initial=0.0))
    if not len(heard):
        raise DataError(f"{PROGRAM} {' '.join(settings)}: {text!r} cannot be heard")
    soundfile.write(part, samples[heard[0] : heard[-1] + 1], SAMPLE_RATE)
    part.replace(path)
