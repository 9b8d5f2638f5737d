"""A model is fetched, paused, gone on with and given up, from a real server."""

import threading

import pytest

from tests.hub_server import CONTENT, NAME
from utils.errors import ModelError, RequestError
from utils.models.download import part_bytes
from utils.setup.fetching import Fetching
from utils.setup.recognisers import hears, languages, recognisers

PATIENCE_S = 120


class Presenter:
    """Presses buttons, and waits until something is told."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.states: list[dict] = []
        self.came: list[str] = []
        self.fetching = Fetching(self._tell, self._arrived)

    def _tell(self) -> None:
        with self.changed:
            self.states.append(self.fetching.state())
            self.changed.notify_all()

    def _arrived(self, name: str) -> None:
        with self.changed:
            self.came.append(name)
            self.changed.notify_all()

    def until(self, happened) -> dict:
        with self.changed:
            assert self.changed.wait_for(happened, PATIENCE_S), self.states[-3:]
            return self.states[-1]

    def sees(self, **expected) -> dict:
        return self.until(lambda: self.states and expected.items() <= self.states[-1].items())


@pytest.fixture
def presenter():
    presenter = Presenter()
    yield presenter
    presenter.fetching.close()


def fact(name: str) -> dict:
    return next(one for one in recognisers("en") if one["name"] == name)


def test_a_model_is_fetched_to_its_end_and_is_then_here(hub, models_here, presenter):
    assert not fact(NAME)["here"] and fact(NAME)["recommended"]
    presenter.fetching.get(NAME)
    presenter.until(lambda: presenter.came)
    assert presenter.came == [NAME] and presenter.fetching.state() == {}
    assert (models_here / f"{NAME}.nemo").read_bytes() == CONTENT


def test_a_pause_keeps_what_has_come_and_the_rest_is_asked_for_by_its_range(
    hub, models_here, presenter
):
    hub.rate = 1_000_000
    presenter.fetching.get(NAME)
    presenter.until(lambda: presenter.states[-1].get("done_mb", 0) >= 1)
    with pytest.raises(RequestError, match="one at a time"):
        presenter.fetching.get("tiny.en")
    presenter.fetching.pause()
    assert presenter.sees(state="paused")["done_mb"] >= 1
    had = part_bytes(NAME)
    assert had >= 1_000_000 and fact(NAME)["done_mb"] == had // 1_000_000
    hub.rate = 0
    presenter.fetching.get(NAME)
    presenter.until(lambda: presenter.came)
    assert hub.ranges() == [None, f"bytes={had}-"]
    assert (models_here / f"{NAME}.nemo").read_bytes() == CONTENT


def test_giving_up_gives_the_room_back(hub, models_here, presenter):
    hub.rate = 1_000_000
    presenter.fetching.get(NAME)
    presenter.until(lambda: presenter.states[-1].get("done_mb", 0) >= 1)
    presenter.fetching.cancel(NAME)
    assert presenter.fetching.state() == {} and part_bytes(NAME) == 0
    assert [path for path in models_here.iterdir() if path.suffix != ".lock"] == []
    presenter.fetching.pause()  # of nothing
    presenter.fetching.cancel(NAME)
    assert presenter.came == []
    with pytest.raises(ModelError, match="no model of that name"):
        presenter.fetching.cancel("../elsewhere")


def test_a_fetch_waits_for_the_network_and_says_so(hub, models_here, presenter):
    hub.portal = {"hub"}  # a page that asks to sign in
    presenter.fetching.get(NAME)
    assert "sign in" in str(presenter.sees(state="waiting")["reason"])
    hub.portal = set()
    presenter.fetching.get(NAME)  # now, and not in some seconds
    presenter.until(lambda: presenter.came)


def test_a_fetch_that_fails_says_why_and_can_be_begun_again(hub, models_here, presenter):
    hub.gated = True
    presenter.fetching.get(NAME)
    assert "Hugging Face account" in str(presenter.sees(state="failed")["reason"])
    hub.gated = False
    presenter.fetching.get(NAME)
    presenter.until(lambda: presenter.came)


def test_what_is_here_comes_first_and_what_cannot_be_says_why(models_here, monkeypatch):
    listed = recognisers("en")
    assert [one["label"] for one in listed][:1] == ["Whisper tiny.en"] and listed[0]["inside"]
    assert listed[1]["recommended"] and listed[1]["cannot"] == ""
    assert {one["here"] for one in listed[1:]} == {False}
    assert hears("en") and not hears("tlh") and recognisers("tlh") == []
    assert {"en", "ko", "de"} <= set(languages())
    with monkeypatch.context() as patch:
        patch.setattr("utils.models.memory.free_bytes", lambda: 10**8)
        assert fact(NAME)["cannot"] == "memory" and fact("tiny.en")["cannot"] == ""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fact(NAME)["cannot"] == "offline"
