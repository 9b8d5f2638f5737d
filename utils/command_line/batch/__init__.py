"""`app.py caption FOLDER --out FOLDER`: every recording once, whatever stops it in between."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from utils.command_line.batch import cluster, local
from utils.command_line.batch.plan import Done, Job, Outcome, find
from utils.command_line.batch.work import Work
from utils.command_line.output import note, tell
from utils.config import Settings
from utils.environment import cores
from utils.errors import DataError
from utils.faults import cause
from utils.folders import check_writable
from utils.language import two_letters
from utils.models.memory import EMOTION_BYTES, WHISPER_BYTES, WORDS_BYTES, free_bytes
from utils.models.text_emotion import find_text_emotions
from utils.models.translation.files import find_translations, route

# What a process takes at the least: a Whisper, the emotion network, and what lines need. Measured
# with the Whisper inside the program: 620 MB when it has loaded, 660 at the peak.
WORKER_BYTES = WHISPER_BYTES + EMOTION_BYTES + WORDS_BYTES
LOCK = ".captions.lock"  # in the folder that is written to
# What decides how a recording is captioned: with others it is done again.
HOW = (
    *("asr", "model", "language", "pace", "phrases"),
    *("emotion", "emotion_model", "sounds", "offending"),
)
HOW_IF_ASKED = ("translate", "text_emotion")  # not named where nobody did: older lists hold


@dataclass
class _Count:
    """What has become of them so far."""

    written: int = 0
    failed: list[Outcome] = field(default_factory=list)
    length_s: float = 0.0

    def add(self, outcome: Outcome) -> None:
        self.written += outcome.written
        self.length_s += outcome.length_s
        if outcome.problem:
            self.failed.append(outcome)


def caption_folder(
    settings: Settings, folder: Path, out: Path, load: str, n_workers: int | None, ray: str | None
) -> int:
    """Caption every recording in a folder that is not done yet; return the exit status.

    Parameters
    ----------
    folder, out : of the recordings, and of their captions, which are laid out alike
    load : where the function stands that loads engines, as "module:name"
    n_workers : at once; None for what this computer, or the cluster, can bear
    ray : address of a Ray cluster; None for processes of this computer

    Raises
    ------
    AppError : nothing can be captioned, read or written
    """
    jobs, others = find(folder, out)
    with _alone(out), Done(out, _how(settings)) as done:
        rest = [job for job in jobs if not done.has(job)]
        _tell_before(jobs, rest, others)
        if not rest:
            return 0
        work, said = Work(settings, load), set[str]()
        if ray is None:
            outcomes = local.run(work, rest, n_workers or _most_workers(settings), said)
        else:
            outcomes = cluster.run(work, rest, ray, n_workers, said)
        return _follow(outcomes, rest, done, said)


def _alone(out: Path) -> FileLock:
    """A lock on the folder: two who write to one would do all twice."""
    lock = FileLock(out / LOCK, timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        check_writable(out)  # the lock takes what cannot be made for another command's
        lock.acquire()
    except Timeout as err:
        raise DataError(
            f"{out}: another command is captioning into it; wait until it ends"
        ) from err
    except OSError as err:
        raise DataError(f"{out}: cannot be written to ({cause(err)})") from err
    return lock


def _how(settings: Settings) -> str:
    names = (*HOW, *(name for name in HOW_IF_ASKED if getattr(settings, name)))
    return " ".join(f"{name}={getattr(settings, name)}" for name in names)


def _most_workers(settings: Settings) -> int:
    """As many as there are cores, if there is memory for their models."""
    free = free_bytes()
    by_memory = cores() if free is None else free // (WORKER_BYTES + _of_words(settings))
    return max(1, min(cores(), by_memory))


def _of_words(settings: Settings) -> int:
    """Bytes that the models take which read the words of lines."""
    texts = find_text_emotions()[:1] if settings.text_emotion else []
    targets = {*settings.translations, *(["en"] if texts else [])}
    source, here = two_letters(settings.language), find_translations() if targets else []
    ways = {model for target in targets for model in route(source, target, here)}
    return sum(model.needed_bytes for model in texts) + sum(way.needed_bytes for way in ways)


def _tell_before(jobs: Sequence[Job], rest: Sequence[Job], others: int) -> None:
    note(f"{len(jobs)} recording(s), {len(jobs) - len(rest)} done already, {len(rest)} to caption")
    if others:
        note(f"{others} other file(s) are left alone")


def _follow(outcomes: Iterator[Outcome], rest: list[Job], done: Done, said: set[str]) -> int:
    """Write down and show what becomes of each; return the exit status."""
    jobs, count, told = {job.name: job for job in rest}, _Count(), set[str]()
    began_s = time.monotonic()
    bar = tqdm(
        total=sum(job.size for job in rest),
        bar_format="{percentage:3.0f} % {bar} {desc}, {remaining} left",
        desc=f"0 of {len(rest)}",
        disable=not sys.stderr.isatty(),
    )
    with bar:
        try:
            for outcome in outcomes:
                for sentence in sorted(said - told):
                    bar.write(sentence, file=sys.stderr)
                told |= said
                count.add(outcome)
                done.add(jobs[outcome.name], outcome)
                _show(bar, outcome, count, len(rest), time.monotonic() - began_s)
                bar.update(jobs[outcome.name].size)
        except KeyboardInterrupt:
            bar.write("Stopped. The same command goes on with the rest.", file=sys.stderr)
            raise
    _tell_after(count, len(rest), time.monotonic() - began_s)
    return 1 if count.failed else 0


def _show(bar: tqdm, outcome: Outcome, count: _Count, n_jobs: int, took_s: float) -> None:
    if outcome.problem:
        bar.write(outcome.problem, file=sys.stderr)
    elif bar.disable:
        note(outcome.name)
    n_done = count.written + sum(not failed.written for failed in count.failed)
    bar.set_description_str(f"{n_done} of {n_jobs}, {count.length_s / took_s:.0f} x as spoken")


def _tell_after(count: _Count, n_jobs: int, took_s: float) -> None:
    tell(
        f"{count.written} of {n_jobs} captioned: {_clock(count.length_s)} of sound in "
        f"{_clock(took_s)}, {count.length_s / took_s:.1f} times as fast as spoken"
    )
    if count.failed:
        tell(f"{len(count.failed)} had something wrong, as told above; look at these recordings")


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(timedelta(seconds=round(seconds)))
