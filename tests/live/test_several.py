"""Several rooms by one set of models: what they share, and what they do not."""

import threading

import pytest

from tests.made_tags import OneWord
from utils.captions.pipeline import Captioner
from utils.errors import ModelError
from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.live.several.common import Common
from utils.messages import say


def test_models_are_loaded_once_for_all_rooms():
    loads, made = [], []
    transcriber = OneWord()

    def another(first_segment: int) -> Captioner:
        made.append(first_segment)
        return Captioner(transcriber, first_segment=first_segment)

    def load(progress: Progress) -> Engines:
        loads.append(1)
        progress(0.5, say("loading.recogniser"))
        return Engines(Captioner(transcriber), say("ready"), another=another)

    told: list[float] = []
    with Common(load) as common:
        rooms = [common.engines(lambda done, _: told.append(done), first) for first in (0, 7)]
        assert loads == [1] and made == [0, 7] and told == [0.5]
        assert rooms[0].captioner is not rooms[1].captioner


def test_whoever_waits_is_told_what_went_wrong():
    begun, go_on = threading.Event(), threading.Event()
    told: list[str] = []

    def load(progress: Progress) -> Engines:
        begun.set()
        go_on.wait()
        raise ModelError("no model")

    def ask() -> None:
        with pytest.raises(ModelError, match="no model"):
            common.engines(lambda *_: None, 0)
        told.append("told")

    with Common(load) as common:
        rooms = [threading.Thread(target=ask) for _ in range(3)]
        for room in rooms:
            room.start()
        assert begun.wait(60)
        go_on.set()
        for room in rooms:
            room.join(60)
    assert told == ["told"] * 3
