"""Attackers of each kind: how late captions are at another reader, and what they cost."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy as np
import soundfile

from tests.attackers import KINDS
from tests.measuring import HOME, row, table, utterances
from tests.process_tree import memory_mb
from tests.program import Program
from utils.audio import SAMPLE_RATE

ATTACKERS, ATTACK_S = 20, 20.0
LINES = 1000  # on the board
SETTLE_S, REST_S = 8.0, 3.0  # before the first attack, and after each
FULL = HOME / "tests/full_program.py"


def bench_attack(every: int) -> None:
    """How late captions are while each kind of attack goes on, beside none."""
    seconds = SETTLE_S + (1 + len(KINDS)) * (ATTACK_S + REST_S)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        speech = np.concatenate([samples for samples, _ in utterances(every)])
        speech = np.resize(speech, int(seconds * SAMPLE_RATE))
        soundfile.write(path, speech, SAMPLE_RATE)
        arguments = ["--asr", "whisper", "--offline", "--listen", "--source", path]
        with Program(arguments, {"LINES": str(LINES)}, script=FULL) as program:
            program.wait_for("listening")
            asyncio.run(_rounds(program))
    for line in program.errors.splitlines():
        print(f"  {line:.110}")


async def _rounds(program: Program) -> None:
    table(
        f"Attacks: {ATTACKERS} of each kind for {ATTACK_S:.0f} s, {LINES} lines on the board: how "
        "late captions\n  are more than without (median, 95th percentile, most), memory, threads",
        [],
    )
    late: list[tuple[float, float]] = []  # when each caption came, and how long after its sound
    reader = asyncio.create_task(_read(program.url, late))
    await asyncio.sleep(SETTLE_S)
    usual = np.zeros(1)
    for kind in (None, *KINDS):
        began, most_mb, most_threads = time.monotonic(), 0.0, 0
        attackers = _attackers(program.port, kind) if kind else None
        while time.monotonic() < began + ATTACK_S:
            await asyncio.sleep(0.5)
            most_mb = max(most_mb, memory_mb(program.process.pid))
            tasks = Path(f"/proc/{program.process.pid}/task")
            most_threads = max(most_threads, len(list(tasks.iterdir())))
        came = np.array([lag for at, lag in late if began <= at < began + ATTACK_S])
        usual = usual if kind else came
        row(kind or "none", _figures(came, usual, most_mb, most_threads))
        if attackers:
            attackers.wait()
        await asyncio.sleep(REST_S)
    reader.cancel()


def _figures(came: np.ndarray, usual: np.ndarray, most_mb: float, most_threads: int) -> str:
    if not len(came):
        return f"no caption came, {most_mb:.0f} MB, {most_threads}"
    more_ms = [
        1000 * (of(came) - of(usual)) for of in (np.median, lambda v: np.percentile(v, 95), np.max)
    ]
    times = ", ".join(f"{ms:+.0f}" for ms in more_ms)
    return f"{times} ms of {len(came)}, {most_mb:.0f} MB, {most_threads}"


def _attackers(port: int, kind: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.attackers", str(port), kind]
    return subprocess.Popen(
        [*command, str(ATTACKERS), str(ATTACK_S)], cwd=HOME, stdout=subprocess.DEVNULL
    )


async def _read(url: str, late: list[tuple[float, float]]) -> None:
    """Read along as a page does; note how long after its sound each growing caption came."""
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as page:
        async for message in page:
            now, text = time.monotonic(), message.data
            if text.startswith("0"):
                await page.send_str("40")
            elif text == "2":
                await page.send_str("3")
            elif text.startswith('42["caption"'):
                event = json.loads(text[2:])[1]
                if event["segment"] >= 0 and not event["final"]:
                    late.append((now, now - event["end_s"]))
