"""Many recordings at once: how much two processes do of what one does."""

import shutil
import tempfile
import time
from pathlib import Path

import soundfile

from tests.measuring import SPEECH, manifest, row, table
from utils.command_line.batch import local
from utils.command_line.batch.plan import Job, find
from utils.command_line.batch.work import Work
from utils.config import Settings


def bench_batch(every: int) -> None:
    """Caption read speech with one worker, with two, and with one again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [SPEECH / entry["path"] for entry in manifest(every)]
        for path in paths:
            shutil.copy(path, folder)
        length_s = sum(soundfile.info(path).duration for path in paths)
        table(f"Many recordings: {len(paths)}, {length_s / 60:.0f} minutes of sound", [])
        jobs, _ = find(folder, folder / "captions")
        rates = [_rate(jobs, n_workers, length_s) for n_workers in (1, 2, 1)]
        row(
            "two workers over one (mean of before and after)",
            f"{2 * rates[1] / (rates[0] + rates[2]):.2f} x",
        )


def _rate(jobs: list[Job], n_workers: int, length_s: float) -> float:
    """Seconds of sound in a second, from the first recording that is done to the last."""
    began_s = time.monotonic()
    outcomes: list[tuple[float, float]] = []  # when, and how long the sound was
    for outcome in local.run(
        Work(Settings(asr="whisper"), "app:load_quietly"), jobs, n_workers, set()
    ):
        assert outcome.written and not outcome.problem
        outcomes.append((time.monotonic(), outcome.length_s))
    # each worker has loaded its engines when it has done its first
    (first_s, _), (last_s, _) = outcomes[n_workers - 1], outcomes[-1]
    rate = sum(length for _, length in outcomes[n_workers:]) / (last_s - first_s)
    row(
        f"{n_workers} worker(s): times as fast as spoken; with loading",
        f"{rate:.1f}; {length_s / (last_s - began_s):.1f}",
    )
    return rate
