"""The live session, with the real recogniser, real recordings and a real sound server."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.live.test_voice import wait
from tests.made_tags import OneWord, Slow
from tests.sound_server import SINK
from utils import audio
from utils.asr import Transcriber
from utils.asr.choose import open_embedded
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.errors import AudioError, ModelError, RequestError
from utils.events import CaptionEvent, Transcription
from utils.live.board import Board
from utils.live.engines import Course, Engines
from utils.live.resume import Resume
from utils.live.session import Session
from utils.live.status import SAID
from utils.messages import say
from utils.sources import FileSource, MicrophoneSource, microphone
from utils.sources.renewal import Patience

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
PATIENCE_S = 60.0  # for anything to happen on a busy machine


class Page:
    """What one page would have received."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict]] = []
        self._changed = threading.Condition()

    def publish(self, name: str, payload: dict) -> None:
        with self._changed:
            self.events.append((name, payload))
            self._changed.notify_all()

    def wait(self, seen: Callable[["Page"], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: seen(self), PATIENCE_S):
                pytest.fail(f"did not happen; states were {self.states}")

    def wait_for(self, state: str) -> None:
        self.wait(lambda page: page.states[-1:] == [state])

    @property
    def states(self) -> list[str]:
        """States in order, each change once."""
        states = [payload["state"] for name, payload in self.events if name == "status"]
        return [s for s, before in zip(states, [None, *states]) if s != before]

    @property
    def finals(self) -> list[dict]:
        return [p for name, p in self.events if name == "caption" and p["final"]]


@pytest.fixture(scope="module")
def transcriber() -> Iterator[Transcriber]:
    engine = open_embedded()
    close, engine.close = engine.close, lambda: None  # type: ignore[method-assign]  # by no session
    yield engine
    close()


@pytest.fixture
def page() -> Page:
    return Page()


Begin = Callable[..., Session]


@pytest.fixture
def begin(page) -> Iterator[Begin]:
    """Begins sessions, which end with the test: given what loads, and what opens a source."""
    with ExitStack() as ending:

        def begin(load: Callable, source: Callable, **options: Any) -> Session:
            board = Board(page.publish)
            return ending.enter_context(Session(load, source, board, page.publish, **options))

        yield begin


@pytest.fixture
def open_session(page, begin) -> Begin:
    """Begins a session with a recogniser, ready to listen to a source."""

    def open_session(transcriber: Transcriber, source: Callable) -> Session:
        session = begin(lambda progress: Engines(Captioner(transcriber), say("ready")), source)
        page.wait_for("ready")
        return session

    return open_session


def none_is_needed(_: object) -> Any:
    pytest.fail("nothing is loaded nor opened before it is asked for")


def test_nothing_runs_before_a_session_begins_nor_after_it_ends(page, transcriber):
    before = threading.enumerate()
    session = Session(
        lambda progress: Engines(Captioner(transcriber), say("ready")),
        lambda start: FileSource(SPEECH, realtime=True),
        Board(page.publish),
        page.publish,
    )
    session.start()  # which is for later
    assert threading.enumerate() == before and page.events == []
    with session:
        page.wait_for("listening")
    assert page.states[-1] == "ready"
    assert not {"pulse", "captions", "load"} & {
        t.name for t in set(threading.enumerate()) - {*before}
    }


def sent(session: Session) -> list[tuple[str, dict]]:
    """What a page is sent that opens now."""
    told: list[tuple[str, dict]] = []
    session.greet(told.extend)
    return told


def test_a_recording_is_captioned_to_its_end(page, transcriber, open_session):
    session = open_session(transcriber, lambda start: FileSource(SPEECH, realtime=True))
    assert session.health()["state"] == "ready"
    session.start()
    page.wait_for("listening")
    page.wait(lambda p: any(name == "level" for name, _ in p.events))
    health = session.health()
    assert health["microphone"] == "speech.flac" and health["last_frame_age_s"] < PATIENCE_S
    page.wait_for("ready")
    assert page.states == ["ready", "listening", "ready"]
    assert page.finals and [payload for _, payload in sent(session)[1:]] == page.finals
    assert session.status["message"] == "The recording has ended."


def test_stop_publishes_what_was_said_until_then(page, transcriber, open_session, unbroken):
    session = open_session(transcriber, lambda start: FileSource(unbroken, realtime=True))
    session.start()
    page.wait(lambda p: any(name == "caption" for name, _ in p.events))
    assert not page.finals
    session.stop()
    page.wait_for("ready")
    assert len(page.finals) == 1 and page.finals[0]["text"]


@pytest.mark.parametrize("itself", [False, True])
def test_stop_while_others_end_before_it_begins_is_not_lost(page, transcriber, begin, itself):
    ended, loaded = threading.Event(), threading.Event()

    def load(progress: Callable) -> Engines:
        loaded.wait(PATIENCE_S)
        return Engines(Captioner(transcriber), say("ready"))

    session = begin(load, lambda start: FileSource(SPEECH, realtime=True), listen=itself)

    @contextmanager
    def alone() -> Iterator[None]:
        session.stop()
        ended.set()
        yield

    session.start_within(alone)
    loaded.set()
    page.wait_for("ready")
    if not itself:
        session.start()
    assert ended.wait(PATIENCE_S)
    session._pulse.close()  # a beat that is under way comes to its end
    assert not session.listening and "listening" not in page.states
    session.start_within(nullcontext)
    session.start()
    page.wait_for("listening")


def test_two_people_pressing_start_at_once_make_one_session(page, transcriber, open_session):
    opened = []

    def source(start: int) -> FileSource:
        opened.append(start)
        return FileSource(SPEECH, realtime=True)

    session = open_session(transcriber, source)
    presses = [threading.Thread(target=session.start) for _ in range(5)]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    page.wait_for("listening")
    session.stop()
    session.stop()
    page.wait_for("ready")
    assert len(opened) == 1


def test_start_while_stopping_listens_again(page, transcriber, open_session):
    session = open_session(transcriber, lambda start: FileSource(SPEECH, realtime=True))
    session.start()
    page.wait_for("listening")
    session.stop()
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready", "listening"])
    session.stop()
    page.wait_for("ready")


@pytest.mark.sound_server
def test_a_lost_microphone_is_picked_up_again_and_nothing_said_is_lost(
    page, transcriber, sound_server, open_session
):
    session = open_session(transcriber, lambda start: MicrophoneSource(start=start))
    session.start()
    page.wait_for("listening")
    sound_server.play(SPEECH)
    sound_server.kill()
    page.wait_for("lost")
    page.wait(lambda p: p.finals)
    before = list(page.finals)
    sound_server.start()
    page.wait_for("listening")
    sound_server.play(SPEECH)
    page.wait(lambda p: len(p.finals) > len(before))
    session.stop()
    page.wait_for("ready")
    assert page.states == ["ready", "listening", "lost", "listening", "ready"]
    assert page.finals[: len(before)] == before
    ends = [line["end_s"] for line in page.finals]
    assert ends == sorted(ends) and page.finals[-1]["start_s"] > before[-1]["end_s"]


@pytest.mark.sound_server
def test_attempts_to_hear_a_device_that_is_asleep_do_not_flap_the_status(
    page, transcriber, sound_server, monkeypatch, open_session
):
    patience = Patience()
    patience.seconds = 0.2
    monkeypatch.setitem(microphone._first_frame, None, patience)
    opened = []

    def source(start: int) -> MicrophoneSource:
        opened.append(start)
        return MicrophoneSource(start=start)

    sound_server.pactl("suspend-sink", SINK, "1")
    session = open_session(transcriber, source)
    session.start()
    wait(lambda: len(opened) > 3)
    sound_server.pactl("suspend-sink", SINK, "0")
    page.wait_for("listening")
    session.stop()
    page.wait_for("ready")
    assert page.states == ["ready", "listening", "lost", "listening", "ready"]
    assert len({e["message"] for _, e in page.events if e.get("state") == "lost"}) == 1


@pytest.mark.sound_server
def test_another_microphone_is_told_and_so_is_its_name_to_who_asks(
    page, transcriber, sound_server, monkeypatch, open_session
):
    monkeypatch.setattr("utils.sources.microphone.LOOK_S", 0.1)
    session = open_session(transcriber, lambda start: MicrophoneSource(start=start))
    session.start()
    wait(lambda: session.microphone == "Monitor of Null Output")
    sound_server.add("headset", "Anna’s headset")
    sound_server.pactl("set-default-source", "headset.monitor")
    status = wait_for_notice(page, "microphone.changed")
    assert status["state"] == "listening" and session.microphone == "Monitor of Anna’s headset"
    assert "Anna" not in str(page.events)  # which go to everyone
    session.stop()
    page.wait_for("ready")
    assert session.microphone == ""


@pytest.mark.sound_server
def test_stop_works_while_the_microphone_is_lost(page, transcriber, sound_server, open_session):
    sound_server.kill()
    session = open_session(transcriber, lambda start: MicrophoneSource(start=start))
    session.start()
    page.wait_for("lost")
    session.stop()
    page.wait_for("ready")


@pytest.mark.sound_server
def test_a_microphone_without_any_sound_is_told(page, transcriber, sound_server, open_session):
    session = open_session(transcriber, lambda start: MicrophoneSource(start=start))
    session.start()
    page.wait(lambda p: any("no sound at all" in e.get("message", "") for _, e in p.events))
    assert session.status["state"] == "listening" and session.status["quiet"]
    session.stop()
    page.wait_for("ready")


def test_start_while_loading_listens_as_soon_as_that_is_over(page, transcriber, begin):
    loaded = threading.Event()

    def load(progress: Callable) -> Engines:
        loaded.wait(PATIENCE_S)
        return Engines(Captioner(transcriber), say("ready"))

    session = begin(load, lambda start: FileSource(SPEECH, realtime=True))
    session.start()
    assert session.status["state"] == "loading"
    loaded.set()
    page.wait_for("listening")


def test_a_model_that_does_not_load_is_told_again_by_start(page, begin):
    def load(progress: Callable) -> Engines:
        progress(0.5, say("loading.recogniser"))
        raise ModelError("x.nemo is cut short: fetch it again")

    session = begin(load, lambda start: FileSource(SPEECH, realtime=True))
    page.wait_for("error")
    assert page.events[0][1]["progress"] == 0.5
    with pytest.raises(RequestError, match="x.nemo is cut short: fetch it again"):
        session.start()
    assert "x.nemo is cut short: fetch it again" in session.status["message"]
    assert session.health()["engine"] == ""


@pytest.mark.parametrize("itself", [False, True])
def test_start_before_loading_failed_is_not_for_the_model_that_comes_later(
    page, transcriber, begin, itself
):
    pressed, tries = threading.Event(), []

    def load(progress: Callable) -> Engines:
        tries.append("one more")
        if len(tries) == 1:
            pressed.wait(PATIENCE_S)
            raise ModelError("x.nemo is cut short: fetch it again")
        return Engines(Captioner(transcriber), say("ready"))

    session = begin(load, lambda start: FileSource(SPEECH, realtime=True), listen=itself)
    session.start()
    pressed.set()
    page.wait_for("error")
    session.change(none_is_needed)
    page.wait(lambda p: "ready" in p.states)
    if itself:  # as it was told to before anybody pressed Start
        page.wait_for("listening")
    session._beat(0.0)
    assert session.listening == itself


@pytest.mark.parametrize("error", [AudioError("bad.wav: damaged"), ZeroDivisionError("oops")])
def test_an_error_while_listening_is_told_and_start_tries_again(
    page, transcriber, error, open_session
):
    class Broken(FileSource):
        def __iter__(self):
            for frame in super().__iter__():
                yield frame
                if frame.start > 2 * SAMPLE_RATE:  # in the middle of a word
                    raise error

    listens: list[bool] = []  # as pages are told that it has failed
    shown = page.publish

    def publish(name: str, payload: dict) -> None:
        if name == "status" and payload["state"] == "error":
            listens.append(session.listening)
        shown(name, payload)

    page.publish = publish
    sources = [Broken(SPEECH, realtime=False), FileSource(SPEECH, realtime=False)]
    session = open_session(transcriber, lambda start: sources.pop(0))
    session.start()
    page.wait_for("error")
    assert str(error) in session.status["message"]
    session.start()
    page.wait_for("ready")
    assert not listens[0], "who presses Start at once is not heard"
    whole = [e for e in page.finals if e["end_s"] > 4]
    assert len(whole) == 1 and whole[0]["segment"] > 0


def test_silence_invents_nothing(page, transcriber, tmp_path, open_session):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(60 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    session = open_session(transcriber, lambda start: FileSource(path, realtime=False))
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready"])
    assert not [name for name, _ in page.events if name == "caption"]
    assert not any(e.get("quiet") for _, e in page.events)  # nobody can speak up in a recording


def wait_for_notice(page: Page, code: str) -> dict:
    def seen(page: Page) -> bool:
        notices = [n for name, p in page.events if name == "status" for n in p["notices"]]
        return any(notice["code"] == code for notice in notices)

    page.wait(seen)
    return [p for name, p in page.events if name == "status"][-1]


def test_a_better_recogniser_takes_over_while_the_first_one_listens(page, begin, tmp_path):
    first, second = open_embedded(), open_embedded()
    second.name = "Better"
    asked = threading.Event()

    def better(notice: Callable, course: Course) -> tuple:
        notice("engine.loading", name="Better")
        asked.wait(PATIENCE_S)
        return second, say("ready.here", engine="Better")

    samples, pause = audio.load(SPEECH), np.zeros(SAMPLE_RATE, np.float32)
    soundfile.write(tmp_path / "twice.wav", np.r_[samples, pause, samples], SAMPLE_RATE)
    session = begin(
        lambda progress: Engines(Captioner(first), say("ready"), better),
        lambda start: FileSource(tmp_path / "twice.wav", realtime=True),
    )
    wait_for_notice(page, "engine.loading")
    assert session.status["engine"] == first.name
    session.start()
    page.wait(lambda p: any(name == "caption" for name, _ in p.events))
    asked.set()  # somebody is speaking now
    status = wait_for_notice(page, "engine.changed")
    assert status["engine"] == "Better" and status["state"] == "listening"
    page.wait_for("ready")
    said = re.findall("[a-z]+", " ".join(line["text"] for line in page.finals).lower())
    once = SPEECH.with_suffix(".txt").read_text().split()[:-1]  # it may hear "need" for "meet"
    assert said[: len(once)] == said[-len(once) - 1 : -1] == once  # nothing said is lost
    assert len(said) == 2 * len(once) + 2
    with pytest.raises(ModelError, match="was closed"):  # the first one, once it was replaced
        first.stream().finish(np.zeros(SAMPLE_RATE, np.float32))


def test_the_first_recogniser_stays_where_no_better_one_comes(page, transcriber, begin):
    def better(notice: Callable, course: Course) -> tuple:
        raise ModelError("the file was cut short")

    session = begin(
        lambda progress: Engines(Captioner(transcriber), say("ready"), better),
        lambda start: FileSource(SPEECH, realtime=True),
    )
    status = wait_for_notice(page, "engine.kept")
    assert "cut short" in status["notices"][0]["message"]
    assert status["state"] == "ready" and status["engine"] == transcriber.name
    session.start()
    page.wait_for("listening")
    page.wait_for("ready")
    assert page.finals


def test_without_a_network_nothing_is_promised_and_who_presents_may_try_again(
    page, transcriber, begin
):
    def better(notice: Callable, course: Course) -> tuple:
        notice("engine.waiting", reason="no network")
        assert course.again.wait(PATIENCE_S)
        raise ModelError("still no network")

    until = say("ready.until", engine=transcriber.name)
    session = begin(
        lambda progress: Engines(Captioner(transcriber), until, better),
        lambda start: FileSource(SPEECH, realtime=True),
    )
    for code in ("ready.built_in", "ready.kept"):
        wait_for_notice(page, "engine.waiting")
        page.wait(lambda p, code=code: session.status["code"] == code)
        session.fetch()
        assert "still no network" in wait_for_notice(page, "engine.kept")["notices"][0]["message"]
        if code == "ready.built_in":
            page.events.clear()
            session.fetch()  # what could not be had may be asked for again


class Overburdened(Transcriber):
    """A recogniser whose every step takes too long, until it is asked to do less."""

    name = "Overburdened"

    def __init__(self) -> None:
        self.pause_s = 1.0
        self.given_back = 0  # times

    def stream(self, growing: bool = True) -> "Overburdened":
        return self

    def grow(self, samples: np.ndarray) -> str:
        time.sleep(self.pause_s)
        return ""

    def work_ahead(self) -> None:
        pass

    def finish(self, samples: np.ndarray) -> Transcription:
        return Transcription("words")

    def step_down(self) -> bool:
        could, self.pause_s = self.pause_s > 0, 0.0
        return could

    def step_up(self) -> bool:
        could, self.pause_s = self.pause_s == 0, 1.0
        self.given_back += could
        return could

    def close(self) -> None:
        pass


def test_a_machine_too_slow_is_given_less_to_do_and_that_is_told_while_it_lasts(page, open_session):
    transcriber = Overburdened()
    session = open_session(transcriber, lambda start: FileSource(SPEECH, realtime=True))
    session.start()
    wait_for_notice(page, "pace.down")
    page.wait_for("ready")
    told = [e for name, e in page.events if name == "status" and e["state"] == "listening"]
    slower = [any(n["code"] == "pace.down" for n in e["notices"]) for e in told]
    late = ["pace.down" in SAID.get(e["code"], ()) for e in told]  # which say it in other words
    since = slower.index(True)
    assert all(a or b for a, b in zip(slower[since:], late[since:], strict=True))
    assert session.health()["dropped_frames"] == 0
    assert page.finals
    assert session.status["notices"] == []  # the next start begins anew
    assert transcriber.given_back == 0
    session.start()
    page.wait_for("listening")
    assert transcriber.given_back == 1


def test_what_is_said_when_lines_are_cleared_does_not_come_back(
    page, transcriber, open_session, unbroken
):
    session = open_session(transcriber, lambda start: FileSource(unbroken, realtime=True))
    session.start()
    page.wait(lambda p: any(name == "caption" for name, _ in p.events))
    segment = next(p["segment"] for name, p in page.events if name == "caption")
    session.clear()

    def after() -> list[int]:
        at = page.events.index(("cleared", {}))
        return [p["segment"] for name, p in page.events[at:] if name == "caption"]

    page.wait(lambda _: after())  # what is said later is shown again
    session.stop()
    page.wait(lambda p: p.states == ["ready", "listening", "ready"])
    assert segment not in after()


def test_its_own_voice_is_not_captioned(page, transcriber, open_session):
    session = open_session(transcriber, lambda start: FileSource(SPEECH, realtime=True))
    session.set_speaking(True)
    session.start()
    page.wait(lambda p: any(e.get("code") == "listening.speaking" for _, e in p.events))
    page.wait(lambda p: p.states == ["ready", "listening", "ready"])
    assert not [name for name, _ in page.events if name == "caption"]


def test_a_remark_stands_beside_every_state_until_it_is_taken_back(page, transcriber, open_session):
    session = open_session(transcriber, lambda start: FileSource(SPEECH, realtime=True))
    session.notice("saving.failed", reason="disk full")
    session.start()
    page.wait_for("listening")
    session.remark("speech.failed", reason="no voice")
    codes = [notice["code"] for notice in session.status["notices"]]
    assert codes == ["saving.failed", "speech.failed"]
    session.withdraw("speech.failed")
    assert [notice["code"] for notice in session.status["notices"]] == ["saving.failed"]
    session.withdraw("saving.failed")
    assert session.status["notices"] == []
    session.stop()
    page.wait_for("ready")


def test_it_listens_as_soon_as_it_can_where_it_is_told_to(page, transcriber, tmp_path):
    note = tmp_path / "listening"
    with Session(
        load=lambda progress: Engines(Captioner(transcriber), say("ready")),
        open_source=lambda start: FileSource(SPEECH, realtime=True),
        board=Board(page.publish),
        publish=page.publish,
        listen=True,
        resume=Resume(note),
    ) as session:
        page.wait_for("listening")
        page.wait(lambda p: note.exists())
        session.stop()
        page.wait_for("ready")
    assert not note.exists()


def test_a_page_that_comes_back_is_told_of_clears_and_of_lines_that_are_not_sent(page, monkeypatch):
    monkeypatch.setattr("utils.live.board.LATE_JOINER_LINES", 2)
    board = Board(page.publish)
    session = Session(none_is_needed, none_is_needed, board, page.publish)
    session.clear()
    for segment in (1, 4, 5, 8):
        board.show(CaptionEvent(segment, 0.0, 1.0, "words", True), board.cuts)
    (_, status), *captions = sent(session)
    assert status["clears"] == 1 and status["left_out"] == 4
    assert [line["segment"] for _, line in captions] == [5, 8]


def test_losses_of_the_microphone_are_told_beside_the_state(page, transcriber, open_session):
    class Losing(FileSource):
        def __iter__(self):
            for frame in super().__iter__():
                self.dropped = 50
                yield frame

    session = open_session(transcriber, lambda start: Losing(SPEECH, realtime=False))
    session.start()
    status = wait_for_notice(page, "sound.lost")
    assert status["code"].startswith(("listening", "ready"))


class Hanging(Overburdened):
    """A recogniser that does not answer until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = threading.Event(), threading.Event()

    def grow(self, samples: np.ndarray) -> str:
        self.asked.set()
        self.let.wait(PATIENCE_S)
        return ""


def test_a_recogniser_that_hangs_is_told_until_it_answers(page, monkeypatch, open_session):
    engine = Hanging()
    session = open_session(engine, lambda start: FileSource(SPEECH, realtime=False))
    session.start()
    assert engine.asked.wait(PATIENCE_S)  # what comes before may take its time
    monkeypatch.setattr("utils.live.listener.STUCK_S", 0.2)
    page.wait_for("lost")
    assert session.status["code"] == "lost.stuck"
    monkeypatch.setattr("utils.live.listener.STUCK_S", PATIENCE_S)
    engine.let.set()
    page.wait(lambda p: p.states == ["ready", "listening", "lost", "listening", "ready"])
    assert page.finals


# ---- tags that come after the last line


@pytest.fixture
def slow_tag(page, begin) -> tuple[Session, Slow]:
    """A session whose lines wait for a tag, and that tag."""
    tag = Slow()
    session = begin(
        lambda progress: Engines(Captioner(OneWord(), [tag]), say("ready")),
        lambda start: FileSource(SPEECH, realtime=False, start=start),
    )
    page.wait_for("ready")
    return session, tag


def slow(page: Page) -> list[object]:
    """What the tag says of each final line that was sent, in order."""
    return [line["tags"].get("slow") for line in page.finals]


def test_a_tag_that_comes_after_the_end_reaches_the_page(page, slow_tag):
    session, tag = slow_tag
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready"])
    assert page.finals and not any(slow(page))
    n_lines = len(page.finals)
    for later in tag.later:
        later.set_result("late")
    page.wait(lambda p: slow(p) == [None] * n_lines + ["late"] * n_lines)
    assert [line["segment"] for line in page.finals[n_lines:]] == [
        line["segment"] for line in page.finals[:n_lines]
    ]


def test_who_starts_again_waits_for_no_tag_and_it_still_comes(page, slow_tag, monkeypatch):
    monkeypatch.setattr("utils.live.listener.LATE_S", 10 * PATIENCE_S)
    session, tag = slow_tag
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready"])
    n_lines = len(page.finals)
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready", "listening", "ready"])
    for later in tag.later:
        later.set_result("late")
    page.wait(lambda p: slow(p).count("late") == 2 * n_lines)


def test_a_tag_that_never_comes_is_told_and_nothing_waits_for_it(page, begin, monkeypatch, caplog):
    monkeypatch.setattr("utils.live.listener.LATE_S", 0.2)
    with caplog.at_level("WARNING", "utils.live.listener"):
        session = begin(
            lambda progress: Engines(Captioner(OneWord(), [Slow()]), say("ready")),
            lambda start: FileSource(SPEECH, realtime=False),
        )
        page.wait_for("ready")
        session.start()
        wait(lambda: "the last lines have no slow" in caplog.text)
    assert page.states == ["ready", "listening", "ready"]


def test_a_tag_of_a_line_that_was_cleared_meanwhile_never_comes(page, slow_tag):
    session, tag = slow_tag
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready"])
    session.clear()
    for later in tag.later:
        later.set_result("late")
    session.start()
    page.wait(lambda p: p.states == ["ready", "listening", "ready", "listening", "ready"])
    assert "late" not in slow(page)
