"""The pipeline asks whatever tags it is handed, and no tag costs words."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.made_tags import Finishing, Growing, OneWord, Raising, Reading, Slow, Watched
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.errors import AudioError, ModelError
from utils.events import AudioFrame, CaptionEvent, Transcription

SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"
FRAME = 512
LATE = 2 * SAMPLE_RATE  # samples after the end of a line when a slow tag is known


@pytest.fixture(scope="module")
def line() -> np.ndarray:
    """A sentence that is one line, and the pause that ends it."""
    quiet = np.random.default_rng(1).normal(0, 1e-4, SAMPLE_RATE).astype(np.float32)
    return np.concatenate([quiet, audio.load(SPEECH)[: 3 * SAMPLE_RATE], quiet])


@pytest.fixture(scope="module")
def quiet() -> np.ndarray:
    """Four seconds in which nobody speaks."""
    return np.random.default_rng(2).normal(0, 1e-4, 4 * SAMPLE_RATE).astype(np.float32)


def heard(captioner: Captioner, samples: np.ndarray, first: int = 0) -> list[CaptionEvent]:
    """What the samples give, which begin at the session's sample `first`."""
    events: list[CaptionEvent] = []
    for at in range(0, len(samples), FRAME):
        events += captioner.push(AudioFrame(first + at, samples[at : at + FRAME]))
    return events


# ---- when they speak


def test_what_is_said_by_grow_shows_while_the_line_grows(line):
    captioner = Captioner(OneWord(), [Growing()])
    events = heard(captioner, line)
    growing = [event.tags.get("seconds") for event in events if not event.final]
    assert growing == [None, *range(1, len(growing))] and len(growing) >= 3  # each change, once
    assert all(event.text == "word" for event in events)
    assert events[-1].final and "seconds" not in events[-1].tags  # it said nothing at the end


def test_what_is_said_by_finish_is_of_the_whole_line(line):
    captioner = Captioner(OneWord(), [Finishing()])
    *growing, final = heard(captioner, line)
    assert growing and not any(event.tags for event in growing)
    n_samples = round((final.end_s - final.start_s) * SAMPLE_RATE)
    assert final.final and dict(final.tags) == {"length": n_samples}


def test_what_is_said_by_after_text_is_of_the_words(line):
    captioner = Captioner(OneWord(), [Reading()])
    *growing, final = heard(captioner, line)
    assert growing and not any(event.tags for event in growing)
    assert final.final and dict(final.tags) == {"letters": len("word")}


def test_all_stand_beside_each_other_by_their_names(line):
    captioner = Captioner(OneWord(), [Growing(), Watched(), Finishing(), Reading()])
    *_, final = heard(captioner, line)
    assert list(final.tags) == ["length", "letters"]


def test_what_is_said_of_the_words_replaces_what_was_said_before_them(line):
    class Both(Finishing):
        def after_text(self, text: str, samples: np.ndarray) -> object:
            return text

    *_, final = heard(Captioner(OneWord(), [Both()]), line)
    assert dict(final.tags) == {"length": "word"}


def test_a_tag_hears_the_line_from_its_first_sample_to_its_last(line):
    tag = Watched()
    captioner = Captioner(OneWord(), [tag])
    *_, final = heard(captioner, line)
    begin, end = (round(t * SAMPLE_RATE) for t in (final.start_s, final.end_s))
    assert tag.asked[0] == "begin" and tag.asked[-2:] == ["finish", "after word"]
    assert set(tag.asked[1:-2]) == {"grow"}
    lengths = [len(samples) for samples in tag.heard[:-2]]
    assert lengths == sorted(lengths)
    for samples in tag.heard:
        np.testing.assert_array_equal(samples, line[begin : begin + len(samples)])
    assert [len(samples) for samples in tag.heard[-2:]] == [end - begin] * 2


def test_a_line_without_words_is_not_asked_for_them(line):
    class NoWord(OneWord):
        def finish(self, samples: np.ndarray) -> Transcription:
            return Transcription("")

    tag = Reading()
    *_, final = heard(Captioner(NoWord(), [tag]), line)
    assert (final.text, dict(final.tags), final.final) == ("", {}, True)
    assert tag.asked[-1] == "finish"


# ---- those that come later


def heard_late(
    captioner: Captioner, line: np.ndarray, quiet: np.ndarray, meanwhile: Callable[[], object]
) -> tuple[CaptionEvent, list[CaptionEvent]]:
    """A final line, and what comes of quiet after it, in whose middle something is done."""
    *_, final = heard(captioner, line)
    assert final.final and not captioner.hearing
    assert not heard(captioner, quiet[:LATE], len(line))
    meanwhile()
    return final, heard(captioner, quiet[LATE:], len(line) + LATE)


def test_a_tag_that_comes_later_sends_the_line_again_once(line, quiet):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag, Reading()])
    final, [again] = heard_late(captioner, line, quiet, lambda: tag.later[0].set_result("late"))
    assert dict(final.tags) == {"letters": 4}
    assert again == final.tagged("slow", "late")
    assert again.final and (again.segment, again.text) == (final.segment, "word")
    assert dict(again.tags) == {"letters": 4, "slow": "late"}
    assert not list(captioner.flush())


def test_it_comes_with_the_next_sound(line, quiet):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag])
    *_, final = heard(captioner, line)
    tag.later[0].set_result("late")
    [again] = captioner.push(AudioFrame(len(line), quiet[:1]))
    assert again == final.tagged("slow", "late")


def test_two_that_come_later_stand_beside_each_other(line, quiet):
    first, second = Slow(), Slow()
    second.name = "slower"
    captioner = Captioner(OneWord(), [first, second])
    final, [once] = heard_late(captioner, line, quiet, lambda: second.later[0].set_result(2))
    assert once == final.tagged("slower", 2)
    first.later[0].set_result(1)
    [twice] = captioner.flush()
    assert twice == once.tagged("slow", 1)


def test_one_line_waits_for_no_other(line, quiet):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag])
    *_, first = heard(captioner, line)
    *_, second = heard(captioner, line, len(line))
    assert second.final and second.segment > first.segment
    tag.later[1].set_result("b")
    assert list(captioner.flush()) == [second.tagged("slow", "b")]
    tag.later[0].set_result("a")
    assert list(captioner.flush()) == [first.tagged("slow", "a")]


@pytest.mark.parametrize(
    "meanwhile",
    [lambda later: later.cancel(), lambda later: later.set_exception(AudioError("too soft"))],
    ids=["cancelled", "failed"],
)
def test_one_that_never_comes_leaves_the_line_as_it_is(line, quiet, meanwhile):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag])
    _, later = heard_late(captioner, line, quiet, lambda: meanwhile(tag.later[0]))
    assert not later
    assert heard(captioner, line, len(line) + len(quiet))[-1].text == "word"


def test_what_is_forgotten_meanwhile_is_not_sent_again(line, quiet):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag])

    def clear() -> None:
        captioner.clear()
        tag.later[0].set_result("late")

    _, later = heard_late(captioner, line, quiet, clear)
    assert not later and not captioner.tags.to_come


def test_a_failing_recogniser_takes_no_tag_from_the_lines_before(line):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag])
    *_, final = heard(captioner, line)
    captioner.abandon()
    tag.later[0].set_result("late")
    assert captioner.tags.late() == [final.tagged("slow", "late")]


def test_two_that_come_at_once_send_the_line_again_once(line, quiet):
    first, second = Slow(), Slow()
    second.name = "slower"
    captioner = Captioner(OneWord(), [first, second])

    def both() -> None:
        first.later[0].set_result(1)
        second.later[0].set_result(2)

    final, [again] = heard_late(captioner, line, quiet, both)
    assert again == final.tagged("slow", 1).tagged("slower", 2)


def test_one_that_has_nothing_to_say_sends_no_line_again(line, quiet):
    tag = Slow()
    captioner = Captioner(OneWord(), [tag])
    assert heard_late(captioner, line, quiet, lambda: tag.later[0].set_result(None))[1] == []
    assert not captioner.tags.to_come


def test_one_whose_model_breaks_later_is_given_up_and_told(line, quiet, caplog):
    tag, told = Slow(), []
    tag.missing = "raising.missing"
    captioner = Captioner(OneWord(), [tag])
    captioner.tags.missing = lambda code, reason: told.append((code, reason))
    broken = ModelError("the model is damaged")
    _, later = heard_late(captioner, line, quiet, lambda: tag.later[0].set_exception(broken))
    assert not later and told == [("raising.missing", "the model is damaged")]
    assert captioner.tags.find("slow") is None and tag.asked[-1] == "close"
    assert [r.getMessage() for r in caplog.records] == [
        "no slow from here on: the model is damaged"
    ]


def test_where_nobody_reads_along_it_is_waited_for_and_the_line_comes_once(line):
    with ThreadPoolExecutor(1) as threads:

        class Working(Slow):
            def after_text(self, text: str, samples: np.ndarray) -> "Future[object]":
                return threads.submit(lambda: len(text))

        captioner = Captioner(OneWord(), [Working()])
        captioner.live = False
        [final] = [event for event in heard(captioner, line) if event.final]
    assert dict(final.tags) == {"slow": 4} and not captioner.tags.to_come


@pytest.mark.parametrize("live", [True, False])
def test_one_that_fails_later_leaves_the_others_of_its_line(line, live):
    failing, other = Slow(), Slow()
    other.name = "other"

    def after_text(text: str, samples: np.ndarray) -> "Future[object]":
        future = Slow.after_text(failing, text, samples)
        future.set_exception(AudioError("too soft"))
        return future

    def said(text: str, samples: np.ndarray) -> "Future[object]":
        future = Slow.after_text(other, text, samples)
        future.set_result("said")
        return future

    failing.after_text, other.after_text = after_text, said
    captioner = Captioner(OneWord(), [failing, other])
    captioner.live = live
    *_, last = heard(captioner, line)
    assert dict(last.tags) == {"other": "said"}
    assert captioner.tags.find("slow") is failing  # of other sound it may say something


# ---- those that fail, or are switched off


def test_one_that_cannot_use_a_sound_is_asked_again(line, caplog):
    class Choosy(Finishing):
        def finish(self, samples: np.ndarray) -> object:
            if not self.asked.count("finish"):
                super().finish(samples)
                raise AudioError("too soft")
            return super().finish(samples)

    tag, told = Choosy(), []
    captioner = Captioner(OneWord(), [tag])
    captioner.tags.missing = lambda code, reason: told.append(code)
    assert not heard(captioner, line)[-1].tags
    assert heard(captioner, line, len(line))[-1].tags
    assert not told
    assert [r.getMessage() for r in caplog.records] == ["no length of a line: too soft"]


@pytest.mark.parametrize("when", ["begin", "grow", "seen", "finish", "after_text"])
def test_one_that_raises_is_given_up_and_words_go_on(line, when):
    tag, other, told = Raising(when), Reading(), []
    captioner = Captioner(OneWord(), [tag, other])
    captioner.tags.missing = lambda code, reason: told.append((code, reason))
    events = heard(captioner, line)
    assert told == [("raising.missing", f"no {when}")]
    assert captioner.tags.find("raising") is None and captioner.tags.find("letters") is other
    assert tag.asked[-1] == "close"
    without = heard(Captioner(OneWord(), [Reading()]), line)
    assert [event.tagged("raising", None) for event in (events[0], events[-1])] == [
        without[0],
        without[-1],
    ]
    n_asked = len(tag.asked)
    heard(captioner, line, len(line))  # the next line
    captioner.close()
    assert len(tag.asked) == n_asked and len(told) == 1


def test_one_that_costs_nothing_is_given_up_without_a_word(line):
    tag, told = Raising("grow"), []
    tag.missing = None
    captioner = Captioner(OneWord(), [tag])
    captioner.tags.missing = lambda code, reason: told.append(code)
    assert heard(captioner, line)[-1].text == "word"
    assert captioner.tags.find("raising") is None and not told


def test_one_that_is_switched_off_is_not_asked(line):
    tag = Reading()
    tag.on = False
    captioner = Captioner(OneWord(), [tag])
    *_, final = heard(captioner, line)
    assert not tag.asked and not final.tags
    tag.on = True  # from the next line on
    *_, final = heard(captioner, line, len(line))
    assert tag.asked and final.tags


@pytest.mark.parametrize("on", [True, False])
def test_a_line_has_the_tags_with_which_it_began(line, on):
    tag = Reading()
    tag.on = on
    captioner = Captioner(OneWord(), [tag])
    middle = len(line) // 2
    heard(captioner, line[:middle])
    assert captioner.hearing
    tag.on = not on
    *_, final = heard(captioner, line[middle:], middle)
    assert final.final and bool(final.tags) == on == bool(tag.asked)


# ---- forgetting, and the end


@pytest.mark.parametrize("on", [True, False])
def test_a_tag_is_told_to_forget_and_to_close(on):
    tag = Watched()
    tag.on = on
    captioner = Captioner(OneWord(), [tag])
    captioner.forget()
    assert tag.asked == ["forget"]
    captioner.close()
    captioner.close()
    assert tag.asked == ["forget", "close"]  # once


def test_what_is_given_up_in_the_middle_is_forgotten(line):
    tag = Watched()
    captioner = Captioner(OneWord(), [tag])
    heard(captioner, line[: len(line) // 2])
    assert captioner.hearing
    captioner.abandon()
    assert tag.asked[-1] == "forget" and "finish" not in tag.asked
    assert not captioner.hearing and not list(captioner.flush())
