"""The tag of a growing line comes early, stays steady, and never depends on the chunks."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import numpy as np
import pytest

from utils.audio import SAMPLE_RATE
from utils.emotion.place import FAMILIAR, Place
from utils.errors import AudioError
from utils.events import Emotion, Grade
from utils.tags import Tag
from utils.tags.emotion import FIRST, HORIZON, STEP, EmotionTag
from utils.tags.voices import MOST, VoicesTag


class Script:
    """Gives one answer after another, each a label, None or an error, and notes what it heard."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self.answers = iter(answers)
        self.heard: list[np.ndarray] = []
        self.means: list[float | None] = []  # of the place where it was said, each time
        self.known: list[int | None] = []  # remarks of the place where it was said, each time

    def predict(
        self, samples: np.ndarray, place: Place | None = None, learn: Sequence[Place] = ()
    ) -> Emotion | None:
        self.heard.append(samples)
        self.means.append(None if place is None or place.mean is None else float(place.mean[0]))
        for known in learn:
            known.add(samples[:1], len(samples))
        self.known.append(place.n_remarks if place else None)
        answer = next(self.answers, None)
        if isinstance(answer, Exception):
            raise answer
        return Emotion(answer, 0.9, {answer: 0.9}) if answer else None


def label(found: Emotion | None) -> str | None:
    return found.label if found else None


def speech(n_samples: int) -> np.ndarray:
    return np.arange(n_samples, dtype=np.float32)


def shown_after_each_estimate(*answers: str | Exception | None) -> list[str | None]:
    script = Script(*answers)
    running, end = EmotionTag(script), FIRST
    found: list[Emotion | None] = []
    while len(found) < len(answers):
        emotion = running.grow(speech(end))
        if len(script.heard) > len(found):
            found.append(emotion)
        end += STEP
    return [emotion.label if emotion else None for emotion in found]


@pytest.mark.parametrize(
    "answers, shown",
    [
        (["sad", "sad"], [None, "sad"]),
        (["sad", None, "sad"], [None, None, None]),
        (["sad", "angry", "sad", "angry"], [None] * 4),
        (["sad", "sad", None, None, "sad"], [None, "sad", "sad", "sad", "sad"]),
        (["sad", "sad", None, None, None], [None, "sad", "sad", "sad", None]),
        (["sad", "sad", "angry", "sad"], [None, "sad", "sad", "sad"]),
        (["sad", "sad", "angry", "angry"], [None, "sad", "sad", "angry"]),
        (["sad", "sad", None, "angry", None], [None, "sad", "sad", "sad", None]),
        (["sad", "sad", None, None, None, "sad"], [None, "sad", "sad", "sad", None, None]),
        (["sad"] * 2 + [None] * 3 + ["sad"] * 3, [None, "sad", "sad", "sad"] + [None] * 4),
        (
            ["sad", "sad", "angry", "angry", "sad", "sad", None, None, None],
            [None, "sad", "sad"] + ["angry"] * 6,
        ),
        (["neutral"] * 3, [None] * 3),
        (["sad", "sad"] + ["neutral"] * 3, [None, "sad", "sad", "sad", None]),
    ],
)
def test_a_label_comes_and_goes_only_when_it_is_confirmed(
    answers: list[str | None], shown: list[str | None]
) -> None:
    assert shown_after_each_estimate(*answers) == shown


def test_a_label_that_stays_grows_surer_and_less_sure_with_its_line() -> None:
    class Graded:
        def __init__(self) -> None:
            self.grades: Iterator[Grade] = iter(("likely", "likely", "sure", "likely"))

        def predict(self, samples: np.ndarray, *_: object, **__: object) -> Emotion:
            return Emotion("sad", 0.8, {"sad": 0.8}, next(self.grades))

    running = EmotionTag(Graded())
    shown = [running.seen(running.grow(speech(FIRST + i * STEP))) for i in range(4)]
    assert shown == [None, ("sad", "likely"), ("sad", "sure"), ("sad", "likely")]


def test_after_a_sound_that_cannot_be_used_it_goes_on_with_the_next() -> None:
    script = Script("sad", AudioError("broken"), "sad", "sad")
    running = EmotionTag(script)
    assert running.grow(speech(FIRST)) is None
    with pytest.raises(AudioError, match="broken"):
        running.grow(speech(FIRST + STEP))
    assert label(running.grow(speech(FIRST + 2 * STEP))) == "sad"
    assert [len(heard) for heard in script.heard] == [FIRST, FIRST + STEP, FIRST + 2 * STEP]


def test_where_nobody_reads_along_it_is_estimated_once() -> None:
    script = Script("happy")
    running = EmotionTag(script)
    running.begin(live=False)
    samples = speech(FIRST + 5 * STEP)
    assert running.grow(samples) is None and script.heard == []
    assert label(running.finish(samples)) == "happy" and len(script.heard) == 1


@pytest.mark.parametrize("size", [499, 7_001, STEP, 10**6])
def test_chunks_change_neither_when_nor_what_is_heard(size: int) -> None:
    samples = speech(FIRST + 3 * STEP + 100)
    script = Script("sad", "sad", "angry", "angry", "fear")
    running = EmotionTag(script)
    for start in range(0, len(samples), size):
        shown = running.grow(samples[: start + size])
    assert label(shown) == "angry"
    assert label(running.finish(samples[:-50])) == "fear"
    ends = [FIRST + i * STEP for i in range(4)] + [len(samples) - 50]
    for heard, end in zip(script.heard, ends, strict=True):
        np.testing.assert_array_equal(heard, samples[:end])


def test_nothing_is_estimated_of_less_than_a_second_until_it_ends() -> None:
    script = Script("happy")
    running = EmotionTag(script)
    assert running.grow(speech(FIRST - 1)) is None
    assert script.heard == []
    assert label(running.finish(speech(FIRST - 1))) == "happy"


def test_a_long_segment_costs_no_more_than_its_horizon() -> None:
    script = Script()
    running = EmotionTag(script)
    samples = speech(15 * FIRST)
    running.grow(samples)
    assert 10 < len(script.heard) < 20  # of 29 half seconds, fewer as the line grows
    assert max(map(len, script.heard)) == HORIZON
    running.finish(samples)
    assert len(script.heard[-1]) == len(samples)


def test_a_line_is_heard_against_the_lines_before_it() -> None:
    script = Script()
    running = EmotionTag(script)
    for live in (True, True, False):
        running.begin(live)
        running.grow(speech(FIRST + STEP))
        running.finish(speech(3 * FIRST))
    assert script.known == [0, 0, 1, 1, 1, 2, 3]  # two looks at a line that grows, and its end


def test_what_was_said_is_forgotten_with_all_else() -> None:
    script = Script()
    running = EmotionTag(script)
    running.finish(speech(FIRST))
    running.forget()
    running.grow(speech(FIRST))
    assert script.known == [1, 0]


class FirstSample:
    """A model of voices that takes each first sample for a voice."""

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        future: Future[np.ndarray] = Future()
        future.set_result(np.eye(3 * MOST)[int(samples[0])])
        return future

    def close(self) -> None:
        """Nothing is held."""


def say(tags: Sequence[Tag], voice: int, seconds: float = 2.0) -> None:
    """A line of that voice, through all tags in their order."""
    samples = np.full(int(seconds * SAMPLE_RATE), voice, np.float32)
    for tag in tags:
        tag.begin(live=False)
    for tag in tags:
        tag.grow(samples)
    for tag in tags:
        tag.finish(samples)
    for tag in tags:
        tag.after_text("words", samples)


def test_two_voices_in_turn_are_each_heard_against_their_own_lines() -> None:
    voices, script = VoicesTag(FirstSample()), Script()
    tags: list[Tag] = [voices, EmotionTag(script, voices)]
    for _ in range(FAMILIAR):
        say(tags, 1)
        say(tags, 3)
    assert script.means[:2] == [None, 1]
    assert all(mean and 1 < mean < 3 for mean in script.means[2:])  # of both
    say(tags, 1)
    say(tags, 3)
    assert script.means[-2:] == [1, 3]
    say(tags, 1, seconds=1.0)  # too short to tell whose it is
    assert script.means[-1] == 2
    voices.on = False
    say(tags[1:], 3)
    assert script.means[-1] and 1.5 < script.means[-1] < 2.5
    voices.on = True
    for tag in tags:
        tag.forget()
    say(tags, 1)
    assert script.means[-1] is None


def test_the_places_of_few_voices_are_kept() -> None:
    voices = VoicesTag(FirstSample())
    emotion = EmotionTag(Script(), voices)
    for voice in range(2 * MOST):
        say([voices, emotion], voice)
    assert len(emotion._places) == MOST
