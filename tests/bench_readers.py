"""A room of readers: how far behind the presenter's page they are, and what each costs."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from tests.measuring import HOME, table, utterances
from tests.process_tree import memory_mb
from tests.program import Program
from utils.audio import SAMPLE_RATE

ROOMS, READ_S = (1, 50, 200), 40.0  # readers at once, and for how long they read


def bench_readers(every: int) -> None:
    """How far readers are behind the presenter's page, and what each costs the server."""
    rows, alone_mb = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        speech = np.concatenate([samples for samples, _ in utterances(every)])
        soundfile.write(path, speech[: int(READ_S) * SAMPLE_RATE], SAMPLE_RATE)
        for n in ROOMS:
            with Program(["--asr", "whisper", "--offline", "--source", path]) as program:
                program.wait_for("ready")
                seen, most_mb = watch_room(program, n)
            medians_ms = [1000 * float(np.median(lags)) for lags in seen["lags_s"]]
            all_ms = [1000 * lag for lags in seen["lags_s"] for lag in lags]
            rows += [
                (
                    f"{n} readers: median lag of the median reader, of the slowest",
                    f"{np.median(medians_ms):.0f} ms, {max(medians_ms):.0f} ms",
                ),
                (
                    f"{n} readers: 95th and 99th percentile of all lags",
                    f"{np.percentile(all_ms, 95):.0f} ms, {np.percentile(all_ms, 99):.0f} ms",
                ),
                (
                    f"{n} readers: captions each, missed, connections lost, frames waiting",
                    f"{seen['captions']}, {seen['missed']}, {seen['lost']}, {seen['late_frames']}",
                ),
            ]
            alone_mb = alone_mb or most_mb
            if n > 1:
                rows.append(
                    (f"{n} readers: memory for each", f"{(most_mb - alone_mb) / (n - 1):.2f} MB")
                )
    table(f"Readers: {READ_S:.0f} s of speech, server and readers on this machine", rows)


def watch_room(program: Program, n_readers: int, nodes: Sequence[str] = ()) -> tuple[dict, float]:
    """What a room of readers saw, and the most memory that the server took for it.

    Parameters
    ----------
    nodes : addresses of web nodes, that the readers take in turn; the program's own without
    """
    cookie = program.presenter["Cookie"]
    command = [
        sys.executable,
        "-m",
        "tests.readers",
        program.url,
        cookie,
        str(n_readers),
        str(READ_S),
        *nodes,
    ]
    most_mb = 0.0
    with tempfile.TemporaryFile("w+") as answer:  # more than a pipe would hold
        room = subprocess.Popen(command, cwd=HOME, stdout=answer)
        while room.poll() is None:
            most_mb = max(most_mb, memory_mb(program.process.pid))
            time.sleep(0.5)
        answer.seek(0)
        return json.load(answer), most_mb
