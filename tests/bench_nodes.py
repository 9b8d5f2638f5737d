"""A room by Redis: what a caption costs, and how far readers of two web nodes are behind.

The readers' table is of one machine that does all: the room, Redis, two nodes and the readers.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile

from tests.bench_readers import READ_S, watch_room
from tests.full_program import line
from tests.measuring import table, utterances
from tests.process_tree import cpu_s, memory_mb
from tests.program import Program
from tests.redis_server import RedisServer
from tests.web.test_nodes import Node
from utils.audio import SAMPLE_RATE
from utils.live.board import Board
from utils.live.session import Told
from utils.live.sharing.server import Keys, connect
from utils.live.sharing.shared import Alone, Operated, Shared
from utils.live.sharing.sharing import Sharing
from utils.live.status import Status
from utils.messages import say

READERS = (200, 1000, 2000)
CAPTIONS, EACH_S = 300, 0.1  # as a line grows


def bench_cost() -> None:
    """What Redis costs a single room: the thread that captions, and the processor."""
    with RedisServer() as server:
        alone_us, alone_cpu, _ = told(Alone(), lambda: 0)
        sharing = Sharing(connect(server.url), Keys("bench"))
        shared_us, shared_cpu, there_ms = told(sharing, lambda: sharing.waiting)
    rows = [
        ("the thread that captions, without Redis, with it", f"{alone_us:.0f}, {shared_us:.0f} µs"),
        (
            "until Redis has a caption: median, 99th percentile",
            f"{np.median(there_ms):.1f}, {np.percentile(there_ms, 99):.1f} ms",
        ),
        ("processor for each caption", f"{1000 * (shared_cpu - alone_cpu) / CAPTIONS:.2f} ms"),
        (
            f"of a core, at {1 / EACH_S:.0f} captions a second",
            f"{(shared_cpu - alone_cpu) / (CAPTIONS * EACH_S):.1%}",
        ),
    ]
    table(f"Redis: {CAPTIONS} captions of the usual length", rows)


def told(shared: Shared, waiting: Callable[[], int]) -> tuple[float, float, list[float]]:
    """Time of the caller for a caption, in µs; processor time in s; ms until each is there."""
    board = Board(shared.publish)
    status = {**Status("listening", say("listening")).to_dict(), "session": "x", "clears": 0}
    whole: Told = [("status", status), ("room", {"blank": False})]
    shared.open(Operated(lambda tell: tell(whole), print, dict, {}))
    took_s, there_ms, began_s = [], [], time.process_time()
    for number in range(CAPTIONS):
        event, due_s = line(number // 20), time.perf_counter() + EACH_S
        before_s = time.perf_counter()
        board.show(event, board.cuts)
        took_s.append(time.perf_counter() - before_s)
        while waiting() and time.perf_counter() < due_s:
            time.sleep(0.0005)
        there_ms.append(1000 * (time.perf_counter() - before_s))
        time.sleep(max(0.0, due_s - time.perf_counter()))
    cpu = time.process_time() - began_s
    shared.close()
    return 1e6 * float(np.median(took_s)), cpu, there_ms


def bench_nodes(every: int) -> None:
    """How far readers of two nodes are behind the room's own page."""
    bench_cost()
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        speech = np.concatenate([samples for samples, _ in utterances(every)])
        soundfile.write(path, speech[: int(READ_S) * SAMPLE_RATE], SAMPLE_RATE)
        for n in READERS:
            rows += _readers(n, path)
    table(f"Two web nodes: {READ_S:.0f} s of speech, all on this machine", rows)


def _readers(n: int, path: Path) -> list[tuple[str, str]]:
    with ExitStack() as ending:
        server = ending.enter_context(RedisServer())
        arguments = ["--asr", "whisper", "--offline", "--source", path]
        room = ending.enter_context(Program(arguments, {"CAPTIONS_REDIS": server.url}))
        nodes = [ending.enter_context(Node(server)) for _ in range(2)]
        room.wait_for("ready")
        before = [cpu_s(node.process.pid) for node in nodes]
        began_s = time.monotonic()
        seen, _ = watch_room(room, n, [node.url for node in nodes])
        took_s = time.monotonic() - began_s
        used = sum(cpu_s(node.process.pid) for node in nodes) - sum(before)
        memory = [memory_mb(node.process.pid) for node in nodes]
    lags_ms = [1000 * lag for lags in seen["lags_s"] for lag in lags]
    shown = [f"{np.percentile(lags_ms, part):.0f}" for part in (50, 95, 99)]
    return [
        (f"{n} readers: lag, median, 95th, 99th percentile", f"{', '.join(shown)} ms"),
        (
            f"{n} readers: captions each, missed, connections lost",
            f"{seen['captions']}, {seen['missed']}, {seen['lost']}",
        ),
        (
            f"{n} readers: each node's memory; both nodes' part of a core",
            f"{max(memory):.0f} MB, {used / took_s:.0%}",
        ),
    ]
