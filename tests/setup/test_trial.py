"""A microphone that is tried, and a session that begins or ends meanwhile."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.live.test_session import PATIENCE_S, SPEECH, Page
from tests.made_tags import OneWord
from utils.captions.pipeline import Captioner
from utils.errors import RequestError
from utils.live.board import Board
from utils.live.engines import Engines
from utils.live.session import Session
from utils.messages import say
from utils.setup.trial import Trial
from utils.sources import FileSource


class Presenter(Page):
    """What a presenter's page would have received; `on` is done before it receives an event."""

    def __init__(self) -> None:
        super().__init__()
        self.on: Callable[[str, dict], object] = lambda name, payload: None

    def publish(self, name: str, payload: dict) -> None:
        self.on(name, payload)
        super().publish(name, payload)


@pytest.fixture
def page() -> Presenter:
    return Presenter()


@pytest.fixture
def session(page: Presenter) -> Iterator[Session]:
    engines = Engines(Captioner(OneWord()), say("ready"))
    with Session(lambda _: engines, recording, Board(page.publish), page.publish) as session:
        page.wait_for("ready")
        yield session


@pytest.fixture
def trial(session: Session, page: Presenter) -> Iterator[Trial]:
    trial = Trial(session, lambda name, start: recording(start), page.publish)
    yield trial
    trial.end()


def recording(start: int) -> FileSource:
    return FileSource(SPEECH, realtime=True, start=start)


def test_no_trial_slips_in_while_the_session_begins_to_listen(
    session: Session, trial: Trial, page: Presenter, monkeypatch
) -> None:
    start = session._listener.start
    asked: list[Future[None]] = []

    def free() -> bool:
        """Whether a trial could begin now."""
        if found := trial._turns.acquire(blocking=False):
            trial._turns.release()
        return found

    def slowly(*arguments: Any) -> None:
        """Begin to listen, after others were ended and while a page asks for a trial."""
        assert not beside.submit(free).result()
        asked.append(beside.submit(trial.begin, "", "page"))
        start(*arguments)

    monkeypatch.setattr(session._listener, "start", slowly)
    with ThreadPoolExecutor() as beside:
        trial.begin("", "page")
        session.start()
        with pytest.raises(RequestError, match="captions are live"):
            asked[0].result(PATIENCE_S)
    told = [payload["state"] for name, payload in page.events if name == "trial"]
    assert told.count("opening") == 1 and told[-1] == "over"


def test_a_trial_waits_for_the_last_words_of_a_session_that_was_stopped(
    session: Session, trial: Trial, page: Presenter
) -> None:
    session.start()
    page.wait_for("listening")
    worker = session._listener._worker
    assert worker
    last, asked, at_opening = threading.Event(), threading.Event(), []

    def on(name: str, payload: dict) -> None:
        if name == "status" and payload["state"] == "ready":  # the last that the worker tells
            last.set()
            asked.wait(PATIENCE_S)
        elif name == "trial" and payload["state"] == "opening":
            at_opening.append(worker.is_alive())

    page.on = on
    join = worker.join

    def joined(timeout: float | None = None) -> None:
        asked.set()
        join(timeout)

    worker.join = joined  # type: ignore[method-assign]
    session.stop()
    assert last.wait(PATIENCE_S)
    trial.begin("", "page")
    asked.set()
    assert at_opening == [False]
