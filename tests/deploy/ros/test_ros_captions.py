"""What the robot's core tells of a session: captions, emotion, and what goes wrong."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.ros.audio_messages import info_kind, kind
from deploy.ros.captions import (
    Caption,
    Captions,
    Feeling,
    Journal,
    Lines,
    Outlet,
    gather,
    gather_form,
)
from deploy.ros.pcm import Audio, Form
from tests.deploy.ros.sound import pcm, said
from tests.made_tags import OneWord
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.config import Settings
from utils.errors import ConfigError
from utils.events import CaptionEvent, Emotion
from utils.live.engines import Engines
from utils.messages import say

MESSAGES = Path(__file__).resolve().parents[3] / "deploy/ros/recognition_helpers_msgs/msg"


class Noted:
    """Notes what comes out."""

    def __init__(self) -> None:
        self.captions: list[tuple[Caption, float]] = []
        self.feelings: list[Feeling] = []
        self.log: list[tuple[str, str]] = []
        self.ended = threading.Event()
        self.outlet = Outlet(
            lambda caption, stamp_s: self.captions.append((caption, stamp_s)),
            lambda feeling, stamp_s: self.feelings.append(feeling),
            lambda level, text: self.log.append((level, text)),
            self.ended.set,
        )


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def audio() -> Audio:
    return Audio("/audio", Form(), lambda text: None)


def wait_for(what: Callable[[], object]) -> None:
    until_s = time.monotonic() + 120
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.01)


def finals(noted: Noted) -> list[Caption]:
    return [caption for caption, _ in noted.captions if caption.final]


def event(emotion: Emotion | None, final: bool = False, segment: int = 3) -> CaptionEvent:
    tags = {"emotion": emotion} if emotion else {}
    return CaptionEvent(segment, 1.0, 2.0, "You shit.", final, tags)


def angry(grade) -> Emotion:
    return Emotion("angry", 0.75, {"angry": 0.75, "sad": 0.25}, grade)


@pytest.mark.parametrize(("record", "name"), [(Caption, "Caption"), (Feeling, "Emotion")])
def test_a_record_has_the_fields_of_its_message(record, name):
    lines = (MESSAGES / f"{name}.msg").read_text().splitlines()
    fields = [line.split("#")[0].split()[1] for line in lines if line.split("#")[0].strip()]
    assert fields == ["header", *record.__annotations__]


def test_a_line_is_handed_on_as_it_stands_by_the_clock_of_the_sound(noted, audio):
    lines = Lines(Settings(language="ko", offending="hidden"), audio, noted.outlet)
    audio.put(bytes(64_000), 500.0)  # what was heard first
    lines.show(event(angry("likely")), 0)
    assert noted.captions == [
        (Caption(3, False, 1.0, 2.0, "You ***.", "", "ko", "angry", "likely"), 501.0)
    ]
    lines.show(CaptionEvent(4, 2.0, 3.0, "", True, sound="dog barking"), 0)
    assert noted.captions[1][0].sound == "dog barking"
    assert lines.everything() == [], "nothing is kept"


def test_emotion_is_told_when_it_changes_and_taken_back(noted, audio):
    lines = Lines(Settings(), audio, noted.outlet)
    for state in (None, angry("likely"), angry("likely"), angry("sure"), None, None):
        lines.show(event(state), 0)
    lines.show(event(angry("sure"), final=True), 0)
    lines.show(event(None, segment=4, final=True), 0)
    assert [(told.label, told.grade, told.final) for told in noted.feelings] == [
        ("angry", "likely", False),
        ("angry", "sure", False),
        ("", "", False),
        ("angry", "sure", True),
    ]
    assert noted.feelings[0].classes == ["angry", "sad"]
    assert noted.feelings[0].scores == [0.75, 0.25]
    assert noted.feelings[2].scores == []


def test_the_log_says_each_thing_once_as_long_as_it_stands(noted):
    journal = Journal(noted.outlet.tell)

    def status(code: str, state: str = "listening", notices: tuple[str, ...] = (), **values):
        told = [{"code": notice, "message": notice, "values": {}} for notice in notices]
        sentence = {"code": code, "message": code, "values": values}
        journal.take({**sentence, "state": state, "notices": told})

    status("listening")
    status("listening.quiet")
    status("listening", notices=("emotion.missing", "pace.up"))
    status("lost", "lost", notices=("emotion.missing",))
    status("lost", "lost")
    status("lost", "lost", reason="another")
    status("listening.late", late_s=2)
    status("listening.late", late_s=3)
    status("listening")
    status("failed.mistake", "error", reason="no disk")
    assert noted.log == [
        ("info", "listening"),
        ("warning", "emotion.missing"),
        ("info", "pace.up"),
        ("warning", "lost"),
        ("warning", "lost"),
        ("warning", "listening.late"),
        ("info", "listening"),
        ("error", "Captions have ended: no disk"),
    ]


def test_sound_that_stops_ends_the_line_is_told_and_may_come_again(noted):
    audio = Audio("/audio", Form(), lambda text: None, silent_s=0.2)

    def load(settings: Settings, progress: object) -> Engines:
        return Engines(Captioner(OneWord()), say("ready"))

    def gone(log: list[tuple[str, str]]) -> bool:
        return any("nothing has come on /audio for 0.2 s" in text for _, text in log)

    speech = said()[: 2 * SAMPLE_RATE]
    with Captions(Settings(), audio, noted.outlet, load):
        for number in range(2):
            before = len(noted.log)
            audio.put(pcm(speech), 100.0 * number)
            wait_for(lambda number=number: len(finals(noted)) > number)
            wait_for(lambda before=before: gone(noted.log[before:]))
    first, *_ = (caption for caption, _ in noted.captions)
    assert (first.text, first.final) == ("word", False), "it grows"
    assert [(caption.line, caption.text) for caption in finals(noted)] == [(0, "word"), (1, "word")]
    assert not noted.ended.is_set()


def test_a_model_that_is_missing_ends_it_with_a_sentence(noted, audio):
    settings = Settings(asr="vosk", model="/no/such/model", language="ko", emotion=False)
    with Captions(settings, audio, noted.outlet) as captions:
        assert noted.ended.wait(60)
        assert captions.failed.is_set()
    assert [level for level, _ in noted.log].count("error") == 1
    level, text = noted.log[-1]
    assert level == "error" and "/no/such/model" in text, noted.log


def test_parameters_win_over_the_settings_and_are_checked(monkeypatch):
    monkeypatch.setenv("CAPTIONS_LANGUAGE", "ko")
    given: dict[str, object] = {"sounds": False, "pace": "accurate"}
    settings = gather(lambda name, default: given.get(name, default))
    assert (settings.language, settings.sounds, settings.pace) == ("ko", False, "accurate")
    with pytest.raises(ConfigError, match="pace slow"):
        gather(lambda name, default: "slow" if name == "pace" else default)
    assert gather_form(lambda name, default: default) == Form(16_000, 1)
    with pytest.raises(ConfigError, match="channels 'two': expected a whole number"):
        gather_form(lambda name, default: "two" if name == "channels" else default)


def test_kinds_of_messages_are_told_apart():
    class Old:
        class AudioData: ...

    class New(Old):
        class AudioDataStamped: ...

        class AudioInfo:
            coding_format = ""

    class Other:
        class AudioStamped: ...

        class AudioInfo:
            chunk = 0

    assert kind(Old, False)[0] is Old.AudioData
    assert kind(New, True)[0] is New.AudioDataStamped
    assert kind(Other, False)[0] is Other.AudioStamped
    with pytest.raises(ConfigError, match="no AudioDataStamped"):
        kind(Old, True)
    assert info_kind(New) is New.AudioInfo
    assert info_kind(Old) is info_kind(Other) is None
