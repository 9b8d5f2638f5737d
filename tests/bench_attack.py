"""Attackers of each kind: how late captions are at another reader, and what they cost."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import numpy as np

from tests.attackers import KINDS
from tests.measuring import HOME, row, table
from tests.process_tree import memory_mb
from tests.program import Program

ATTACKERS, ATTACK_S = 20, 10.0
LINES = 1000  # on the board
REST_S = 3.0  # before the first attack, and after each
FULL = HOME / "tests/full_program.py"


def bench_attack() -> None:
    """How late captions are at another reader while each kind of attack goes on."""
    table(
        f"Attacks: {ATTACKERS} of each kind for {ATTACK_S:.0f} s, {LINES} lines on the board, a "
        "caption every 100 ms:\n  how late at another reader (median, 95th percentile, most), "
        "memory, threads",
        [],
    )
    environment = {"LINES": str(LINES), "TICKS": "1"}
    with Program(["--asr", "whisper", "--offline"], environment, script=FULL) as program:
        program.wait_for("ready")
        asyncio.run(_rounds(program))
    print(f"  The log:\n{program.errors}")


async def _rounds(program: Program) -> None:
    late: list[tuple[float, float]] = []  # when each caption came, and how long after it was due
    reader = asyncio.create_task(_read(program.url, late))
    for kind in (None, *KINDS):
        await asyncio.sleep(REST_S)
        began, most_mb, most_threads = time.monotonic(), 0.0, 0
        attackers = _attackers(program.port, kind) if kind else None
        while time.monotonic() < began + ATTACK_S:
            await asyncio.sleep(0.5)
            most_mb = max(most_mb, memory_mb(program.process.pid))
            tasks = Path(f"/proc/{program.process.pid}/task")
            most_threads = max(most_threads, len(list(tasks.iterdir())))
        came = [lag_s for at, lag_s in late if began <= at < began + ATTACK_S]
        row(kind or "none", f"{_spread_ms(came)}, {most_mb:.0f} MB, {most_threads}")
        if attackers:
            attackers.wait()
    reader.cancel()


def _spread_ms(lags_s: list[float]) -> str:
    if not lags_s:
        return "no caption came"
    median, most_of_them = np.percentile(lags_s, (50, 95))
    return f"{1000 * median:.0f}, {1000 * most_of_them:.0f}, {1000 * max(lags_s):.0f} ms"


def _attackers(port: int, kind: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.attackers", str(port), kind]
    return subprocess.Popen(
        [*command, str(ATTACKERS), str(ATTACK_S)], cwd=HOME, stdout=subprocess.DEVNULL
    )


async def _read(url: str, late: list[tuple[float, float]]) -> None:
    """Read along as a page does; note how late each caption came."""
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
                if event["segment"] == 1:
                    late.append((now, now - event["end_s"]))
