"""Redis is away for a while in the middle of a talk: what its readers miss, and how soon they have it."""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soundfile

from tests.command_line.test_app import Client
from tests.measuring import table, utterances
from tests.redis_server import RedisServer
from tests.web.test_nodes import fetched, told
from tests.web.test_redis_away import FAULTS, begun
from utils.audio import SAMPLE_RATE

AROUND_S = 40  # of the talk, before and after


def bench_away(every: int, minutes: float) -> None:
    """What readers of a node have at the end of a talk without Redis in the middle of it."""
    length = int((60 * minutes + AROUND_S) * SAMPLE_RATE)
    speech = np.concatenate([samples for samples, _ in utterances(every)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, speech[:length], SAMPLE_RATE)
        rows = [(f"Redis {fault}", _away(fault, 60 * minutes, path)) for fault in FAULTS]
    table(f"Redis is away for {60 * minutes:.0f} s of a talk of {length / SAMPLE_RATE:.0f} s", rows)


def _away(fault: str, away_s: float, path: Path) -> str:
    away, back, _ = FAULTS[fault]
    with ExitStack() as ending:
        server = ending.enter_context(RedisServer())
        room, node, presenter, reader = begun(server, ending, path)
        reader.wait("caption", final=True)
        before = len(told(reader))
        away(server)
        time.sleep(away_s)
        missed, at_node = len(told(presenter)), len(told(reader))
        back_s = time.monotonic()
        back(server)
        reader.wait_for(lambda: told(reader)[missed - 1 :], "line that was missed")
        took_s = time.monotonic() - back_s
        reader.wait("status", message="The recording has ended.")
        late = ending.enter_context(Client(node, {}))
        late.wait("caption", final=True, segment=told(presenter)[-1]["segment"])
        said = told(presenter)
        came = [one["segment"] for one in reader.of("caption") if one["final"]]
        same = fetched(room, "/export/txt") == fetched(node, "/export/txt")
        sizes = [len(json.dumps(one).encode()) for one in reader.of("caption")]
    return (
        f"{len(sizes)} captions of {np.median(sizes):.0f} bytes (median), {sum(sizes) / 1000:.0f} "
        f"kB to a reader; {before} lines before, {missed - at_node} meanwhile, {len(said)} in all; there "
        f"{took_s:.1f} s after; lost {len(said) - len(told(reader))}, twice "
        f"{len(came) - len(set(came))}, in order {came == sorted(came)}; late reader the same "
        f"{told(late) == said}, export the same {same}"
    )
