"""Several rooms by one program: how late and how right words are, the more of them listen.

Each room has a virtual microphone, into which another reader reads without a break; all of the
page is on. The program, the sound server and the players share this machine.
"""

import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from tests.bench_live import Seen
from tests.command_line.test_app import Client
from tests.measuring import SPEECH, Take, manifest, row, share, speech_span_s, spread, surrounded
from tests.process_tree import cpu_s, memory_mb
from tests.scoring import LONGEST_S, Event, aligned_words
from tests.several import Several, tables
from tests.sound_server import SoundServer
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.vad import VoiceActivity

AFTER_S = 2.0  # after a recording, before the next
PATIENCE_S = 20.0  # for its last line, where the program is behind


def bench_rooms(times: int, minutes: float) -> None:
    """One room, two, and so on."""
    readers = [list(read) for read in _readers(times, 60 * minutes)]
    print(f"\nRooms: {minutes:g} min of another reader in each, all that the page can tell on")
    for n in range(1, times + 1):
        _measure(readers[:n])


def _readers(n: int, seconds: float) -> Iterator[Iterator[Take]]:
    """The utterances of so many readers, each of about so much sound."""
    of: dict[str, list[dict[str, str]]] = defaultdict(list)
    for utterance in manifest(every=1):
        of[utterance["speaker_id"]].append(utterance)
    for speaker in sorted(of)[:n]:
        yield _takes(of[speaker], seconds)


def _takes(read: list[dict[str, str]], seconds: float) -> Iterator[Take]:
    detector = VoiceActivity()
    for utterance in read:
        if seconds <= 0:
            return
        samples = surrounded(audio.load(SPEECH / utterance["path"]))
        if len(samples) <= LONGEST_S * SAMPLE_RATE:
            seconds -= len(samples) / SAMPLE_RATE
            text = utterance["text"].lower()
            words = [(word, end_s) for word, _, end_s in aligned_words(samples, text)]
            yield Take(samples, text, words, *speech_span_s(detector, samples))


def _measure(readers: list[list[Take]]) -> None:
    """A row for so many rooms."""
    names = [f"Room {number + 1}" for number in range(len(readers))]
    with ExitStack() as ending:
        server = ending.enter_context(SoundServer())
        for number, name in enumerate(names):
            server.add(f"room{number}", name)
        home = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        file = tables({name: f"Monitor of {name}" for name in names})
        program = ending.enter_context(Several(home, server.env, names, file))
        pages = [_Page(program, name) for name in names]
        for page in pages:
            ending.enter_context(page)
            page.listen()
        before, began_s = cpu_s(program.process.pid), time.monotonic()
        with ThreadPoolExecutor(len(pages)) as pool:
            sinks = [f"room{number}" for number in range(len(pages))]
            seen = list(pool.map(_read, [server] * len(pages), sinks, pages, readers))
        cores = (cpu_s(program.process.pid) - before) / (time.monotonic() - began_s)
        memory = memory_mb(program.process.pid)
    delays = [delay for one in seen for delay in one.words_s]
    wrong, n_words = sum(one.wrong for one in seen), sum(one.n_words for one in seen)
    what = f"{len(readers)} rooms" if len(readers) > 1 else "1 room"
    row(f"{what}: a word on the page after it was said", spread(delays))
    row(f"{what}: words wrong in the finished lines", share(wrong, n_words))
    row(f"{what}: cores at work, memory", f"{cores:.2f}, {memory:.0f} MB")


class _Page(Client):
    """The presenter's page of a room, and when each caption came to it."""

    def __init__(self, program: Several, name: str) -> None:
        self.captions: list[Event] = []
        self._keeping = threading.Lock()
        super().__init__(program, program.rooms[name], program.below(name))

    def _keep(self, name: str, payload: dict) -> None:
        if name == "caption" and not payload["sound"]:
            with self._keeping:
                self.captions.append((time.monotonic(), payload["text"], payload["final"]))
        super()._keep(name, payload)

    def listen(self) -> None:
        """Start, and wait for sound."""
        self.wait("status", state="ready")
        self.ask("start")
        self.wait("level")

    def since(self, began_s: float) -> list[Event]:
        """What came since, and when, in seconds after it."""
        with self._keeping:
            return [(t - began_s, text, last) for t, text, last in self.captions if t >= began_s]


def _is_over(events: list[Event]) -> bool:
    """Whether there is a line, and the newest is finished."""
    return bool(events) and events[-1][2]


def _read(server: SoundServer, sink: str, page: _Page, read: list[Take]) -> Seen:
    """Read into a microphone; what its page showed. The player's own start counts as delay."""
    seen = Seen()
    for take in read:
        began_s = time.monotonic()
        server.play(take.samples, sink=sink)
        late_s = time.monotonic() + PATIENCE_S
        time.sleep(AFTER_S)
        while not _is_over(page.since(began_s)) and time.monotonic() < late_s:
            time.sleep(0.1)
        seen.add(take, page.since(began_s))
    return seen
