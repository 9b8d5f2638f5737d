"""Another voice that goes on within a line ends it; in doubt it goes on."""

from concurrent.futures import Future

import numpy as np
import pytest

from tests.captions.test_captions import SPEECH, Engine, caption
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.tags.turns import Turns
from utils.tags.voices import Likeness, SpeakerTag, VoicesTag

LIKENESS = Likeness(0.4, 0.4, (0.2,) * 4, (0.1,) * 4, (0.1,) * 4, turn=0.15)
BELOW = 0.15


def s(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


class Loudness:
    """A model that takes loud and soft speech for two voices, and what is mixed for both."""

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        self.asked += 1
        future: Future[np.ndarray] = Future()
        share = float(np.mean(np.abs(samples) > 0.2)) / max(float(np.mean(samples != 0)), 1e-9)
        future.set_result(np.array([1 - share, share]))
        return future

    def close(self) -> None:
        """Nothing is held."""


def line(*parts: tuple[float, float]) -> np.ndarray:
    """Parts of a line: each its length in s and its level."""
    return np.concatenate([np.full(s(length), level, np.float32) for length, level in parts])


def found(turns: Turns, samples: np.ndarray, size: int = 512) -> tuple[int, int, float] | None:
    """Between which samples a change lies, and how long after the middle it is known, in s."""
    for end in range(size, len(samples) + size, size):
        if between := turns.hear(samples[:end], wait=True):
            return *between, end / SAMPLE_RATE - sum(between) / 2 / SAMPLE_RATE
    return None


@pytest.mark.parametrize("size", [512, 8000])
@pytest.mark.parametrize("at", [2.0, 4.1, 9.3])
def test_a_change_is_found_where_it_is(at: float, size: int) -> None:
    change = found(Turns(Loudness().embed, BELOW), line((at, 0.1), (3.0, 0.5)), size)
    assert change and change[0] <= s(at) <= change[1] and change[2] < 2.5


@pytest.mark.parametrize(
    "parts",
    [
        [(8.0, 0.1)],
        [(4.0, 0.1), (0.5, 0.5), (4.0, 0.1)],  # a laugh
        [(0.5, 0.1), (6.0, 0.5)],  # too little before it
        [(4.0, 0.1), (1.3, 0.5)],  # too little of it
        [(4.0, 0.1), (3.0, 0.0)],  # silence is nobody's voice
    ],
)
def test_in_doubt_there_is_none(parts: list[tuple[float, float]]) -> None:
    assert found(Turns(Loudness().embed, BELOW), line(*parts)) is None


def test_the_next_line_is_compared_with_itself_alone() -> None:
    turns = Turns(Loudness().embed, BELOW)
    assert found(turns, line((3.0, 0.1), (3.0, 0.5)))
    turns.begin()
    assert found(turns, line((6.0, 0.5))) is None


def test_a_model_that_is_slow_is_asked_for_less_and_never_waited_for() -> None:
    asked: list[Future[np.ndarray]] = []

    def embed(samples: np.ndarray) -> "Future[np.ndarray]":
        asked.append(Future())
        return asked[-1]

    turns, samples = Turns(embed, BELOW), line((10.0, 0.1))
    for end in range(512, s(5.0), 512):
        turns.hear(samples[:end], wait=False)
    assert len(asked) == 1
    asked[0].set_result(np.array([1.0, 0.0]))
    turns.hear(samples, wait=False)
    assert len(asked) == 2


# In the pipeline


@pytest.fixture(scope="module")
def joined():
    """A sentence softly, then loudly, and softly again, with no pause between."""
    sentence = audio.load(SPEECH)
    loud = np.flatnonzero(np.abs(sentence) > 0.05)
    sentence = sentence[loud[0] : loud[-1]]
    quiet = np.random.default_rng(0).normal(0, 1e-5, SAMPLE_RATE).astype(np.float32)
    parts = [quiet, 0.1 * sentence, sentence, 0.1 * sentence, quiet]
    return np.concatenate(parts).astype(np.float32)


class ByLevel(Loudness):
    """The same of real speech: by its level."""

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        future: Future[np.ndarray] = Future()
        loud = float(np.sqrt(np.mean(np.square(samples)))) > 0.02
        future.set_result(np.eye(2)[int(loud)])
        return future


def lines(joined, live, likeness=LIKENESS):
    voices = VoicesTag(ByLevel(), likeness)
    captioner = Captioner(Engine(), [voices, SpeakerTag(voices)])
    captioner.live = live
    events = caption(captioner, joined, 512)
    captioner.close()
    return [
        (e.start_s, e.end_s, bool(e.tags.get("new_voice")), e.tags.get("speaker"))
        for e in events
        if e.final
    ]


@pytest.mark.parametrize("live", [True, False])
def test_a_line_is_split_where_the_voice_changes_and_the_next_has_a_dash(
    joined: np.ndarray, live: bool
) -> None:
    told = lines(joined, live)
    assert [dash for _, _, dash, _ in told] == [False, True, True]
    assert [after[0] - before[1] for before, after in zip(told, told[1:])] == [0.0, 0.0]
    part_s = (len(joined) / SAMPLE_RATE - 2) / 3
    for number, (start_s, *_) in enumerate(told[1:], 1):
        assert start_s == pytest.approx(1 + number * part_s, abs=0.7)
    assert told[2][3] == {"number": 1, "voice": 1}


def test_without_thresholds_for_it_no_line_is_split(joined: np.ndarray) -> None:
    assert len(lines(joined, True, Likeness(0.4, 0.4, (0.2,) * 4, (0.1,) * 4, (0.1,) * 4))) == 1


def test_in_noise_no_line_is_split(joined: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 3e-3, len(joined)).astype(np.float32)
    assert len(lines(joined + noise, True)) == 1
