"""Numbers for Prometheus: each part counts here what it does; `web.pages` shows them.

`prometheus_client` opens no connection by itself: it is asked. No number tells what was said.
"""

import threading
from collections.abc import Callable, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # of no use to Prometheus, and twice as long
REGISTRY = CollectorRegistry(auto_describe=True)
CONTENT_TYPE = CONTENT_TYPE_LATEST

# From what nobody notices to what nobody waits for; the goal for a word is 1 s.
DELAYS_S = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
STEPS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

FRAMES = Counter("captions_frames", "Frames of 32 ms that were heard", registry=REGISTRY)
DROPPED = Counter("captions_frames_dropped", "Frames that nobody took in time", registry=REGISTRY)
QUEUE = Gauge("captions_queue_frames", "Frames that wait to be heard", registry=REGISTRY)
FRAME_AGE = Gauge(
    "captions_last_frame_age_seconds",
    "Since the last frame; 0 while none is awaited",
    registry=REGISTRY,
)
WORD_DELAY = Histogram(
    "captions_word_delay_seconds",
    "From when a word was said until it was first shown",
    buckets=DELAYS_S,
    registry=REGISTRY,
)
STEPS = Histogram(
    "captions_engine_step_seconds",
    "Work of the recogniser, each time that it hears on or ends a line",
    buckets=STEPS_S,
    registry=REGISTRY,
)
PACE = Counter(
    "captions_pace_changes",
    "Times that the recogniser does less or more",
    ["step"],
    registry=REGISTRY,
)
LINES = Counter("captions_lines", "Finished lines with words", registry=REGISTRY)
LOSSES = Counter(
    "captions_microphone_losses", "Times that the microphone was lost", registry=REGISTRY
)
RECONNECTIONS = Counter(
    "captions_microphone_reconnections", "Times that it gave sound again", registry=REGISTRY
)
PAGES_OPENED = Counter(
    "captions_pages_opened",
    "Pages that connected, also those that came back",
    registry=REGISTRY,
)
PAGES = Gauge("captions_pages", "Pages that are open", ["role"], registry=REGISTRY)
REFUSALS = Counter(
    "captions_refusals",
    "What was refused, by the part that refused it",
    ["by"],
    registry=REGISTRY,
)
STATE = Gauge("captions_state", "Rooms that are in each state", ["state"], registry=REGISTRY)
NOTICES = Gauge(
    "captions_notice",
    "Rooms whose page shows a remark, by its code",
    ["code"],
    registry=REGISTRY,
)
LOGGED = Counter(
    "captions_log_events", "Events in the log, repeated ones too", ["level"], registry=REGISTRY
)
DISK_FREE = Gauge("captions_disk_free_bytes", "Room for what is saved", registry=REGISTRY)
MEMORY_LIMIT = Gauge(
    "captions_memory_limit_bytes", "The limit that is set; 0 for none", registry=REGISTRY
)
THREADS = Gauge("captions_threads", "Threads of Python", registry=REGISTRY)
THREADS.set_function(threading.active_count)
ProcessCollector(registry=REGISTRY)  # memory, processor time, open files
PlatformCollector(registry=REGISTRY)

STATES = ("loading", "ready", "listening", "lost", "error")
ROLES = PRESENTER, READER = "presenter", "reader"


_open: dict[str, list[Callable[[], int]]] = {role: [] for role in ROLES}


def count_pages(role: str, count: Callable[[], int]) -> None:
    """Have the open pages of a role counted, beside those of other rooms."""
    counts = _open[role]
    counts.append(count)
    PAGES.labels(role).set_function(lambda: sum(one() for one in counts))


def show_states(states: Sequence[str], notices: Sequence[Sequence[str]]) -> None:
    """Set how many rooms are in each state, and show each remark, by its code.

    Parameters
    ----------
    states : of the rooms of this program
    notices : the codes of each room's remarks
    """
    for name in STATES:
        STATE.labels(name).set(states.count(name))
    NOTICES.clear()
    for codes in notices:
        for code in codes:
            NOTICES.labels(code).inc()


def shown() -> bytes:
    """All of them, as Prometheus reads them."""
    return generate_latest(REGISTRY)
