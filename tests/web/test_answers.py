"""Answers to whoever speaks and the lock, over the wire: who may, what goes, what outlasts a restart."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.command_line.test_app import Client
from tests.program import Program

ARGUMENTS = ["--asr", "whisper", "--no-emotion"]
ANSWER = {"text": "Which platform?"}
NONE = {"text": ""}


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program(ARGUMENTS) as running:
        running.wait_for("ready")
        yield running
    assert "Traceback" not in running.errors
    assert "platform" not in running.errors + running.output


@pytest.fixture
def presenter(program) -> Iterator[Client]:
    with Client(program) as client:
        client.wait("room")
        yield client
        client.ask("answers", {"on": False})
        client.ask("answer", NONE)


@pytest.fixture
def reader(program) -> Iterator[Client]:
    with Client(program, {}) as client:
        client.wait("room", presenter=False)
        yield client


def test_a_reader_answers_where_the_presenter_allows_it_and_no_longer(presenter, reader):
    assert reader.ask("answer", ANSWER)["code"] == "refused.presenter"
    presenter.ask("answers", {"on": True})
    reader.wait("room", answers=True)
    assert reader.ask("answer", ANSWER) == {"ok": True}
    assert presenter.wait("answer") == reader.wait("answer") == ANSWER
    assert reader.ask("answers", {"on": False})["code"] == "refused.presenter"
    presenter.ask("answers", {"on": False})
    assert reader.ask("answer", NONE)["code"] == "refused.presenter"
    assert not reader.of("answer")[1:]


@pytest.mark.parametrize("payload", [None, {}, {"text": 5}, {"text": "x" * 501}])
def test_what_is_no_answer_is_refused(presenter, payload):
    assert presenter.ask("answer", payload)["code"] == "refused.value"
    assert not presenter.of("answer")


def test_who_comes_late_is_told_what_stands_there(program, presenter):
    presenter.ask("answer", ANSWER)
    with Client(program, {}) as late:
        assert late.wait("answer") == ANSWER
        assert [name for name, _ in late.events][:2] == ["room", "status"]


@pytest.mark.parametrize("order", ["clear", "blank"])
def test_clear_and_blank_hold_for_it_too(program, presenter, reader, order):
    presenter.ask("answer", ANSWER)
    reader.wait("answer", **ANSWER)
    presenter.ask(order, {"on": True})
    reader.wait("answer", **NONE)
    with Client(program, {}) as late:
        late.wait("status")
        if order == "blank":
            assert presenter.ask("answer", ANSWER)["code"] == "refused.blank"
            presenter.ask("blank", {"on": False})
        late.wait("room", blank=False)
        assert not late.of("answer")


def test_a_screen_of_this_computer_that_faces_whoever_speaks_is_known(program, presenter):
    there = SimpleNamespace(url=f"{program.url}?facing=1", presenter={})
    with Client(there, {}) as screen:
        screen.wait("room")
        presenter.wait("room", facing="here")
        presenter.events.clear()
    presenter.wait("room", facing="")


def test_what_was_chosen_outlasts_a_restart(program):
    with Client(program) as client:
        client.ask("lock", {"on": True})
        assert client.wait("room", locked=True)
    with Program(ARGUMENTS, home=program.home) as again, Client(again, {}) as reader:
        room = reader.wait("room")
        assert room["locked"] and not room["answers"]
    with Program([*ARGUMENTS, "--answers"]) as other, Client(other, {}) as reader:
        room = reader.wait("room")
        assert room["answers"] and not room["locked"]
