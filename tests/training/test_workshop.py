"""What the workshop makes of people who read aloud, and how it has listeners trained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from emotion_model import WINDOW_S
from training.corpora import LABELS, Clip
from training.emotion import workshop
from training.emotion.config import TrainConfig
from training.emotion.predictions import CLEAN, READ_ALOUD
from training.emotion.workshop import STRETCH_S, Workshop
from training.sound.cache import FeatureCache
from training.sound.conditions import CONDITIONS
from utils import audio
from utils.emotion.features import FeatureConfig

N_VOICELESS = 5
PER_S = audio.SAMPLE_RATE / FeatureConfig().hop_length  # frames
VOICELESS, VARIED = -1.0, 100.0


class Told(FeatureCache):
    """Stands in for the cache: the first columns tell reader, variant and time of each frame."""

    config, identity = FeatureConfig(), "told"

    def __init__(self, unreadable: str = "") -> None:
        self.unreadable = unreadable

    def prepare(self, clips: Sequence[Clip], n_variants: int) -> list[Clip]:
        return [clip for clip in clips if clip.path.name != self.unreadable]

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([*clip.path.name.encode(), variant])
        frames = rng.standard_normal((int(clip.path.stem), self.config.n_features))
        frames[:, 0] = int(clip.speaker.rpartition("-")[2])
        frames[:, 1] = VARIED * variant
        frames[:, 2] = np.arange(len(frames))
        return frames.astype(np.float32)

    def voiceless(self, n: int, seed: int, unheard: bool = False) -> list[np.ndarray]:
        return [np.full((20, self.config.n_features), VOICELESS, np.float32)] * n

    def condition(self, clips: Sequence[Clip], name: str) -> list[np.ndarray]:
        return [self.get(clip, 0) for clip in clips]

    def length_s(self, clip: Clip) -> float:
        return (int(clip.path.stem) - 1) / PER_S


def acted(n_speakers: int = 4) -> list[Clip]:
    return [
        Clip(Path(f"{40 + 8 * who + k}.wav"), label, f"savee-{who}", "savee", "en")
        for who in range(n_speakers)
        for k, label in enumerate(LABELS)
    ]


def read_by(*readers: int, n_frames: tuple[int, ...] = (30, 90, 2000)) -> list[Clip]:
    """A short, a longer and a very long recording of each reader."""
    return [
        Clip(Path(f"{who}/{n}.flac"), "neutral", f"librispeech-{who}", "librispeech", "en")
        for who in readers
        for n in n_frames
    ]


READ = read_by(84, 1272, 777, 3000, 2277)


@pytest.fixture(autouse=True)
def few_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "N_VOICELESS", N_VOICELESS)


def opened(read: list[Clip] = READ, varied: bool = True, **options) -> Workshop:
    return Workshop(acted(), Told(**options), TrainConfig(listeners=3), read, varied)


def stretches(bench: Workshop) -> list[np.ndarray]:
    """What is taken of recordings that are read aloud, by the frames' columns."""
    return [frames for frames in bench.examples.nameless if frames[0, 0] != VOICELESS]


# --- readers


def test_a_reader_is_either_heard_or_tested() -> None:
    bench = opened()
    heard = {f"librispeech-{frames[0, 0]:.0f}" for frames in stretches(bench)}
    tested = {clip.speaker for clip in bench.unheard_read}
    assert not heard & tested
    assert heard | tested == {clip.speaker for clip in READ}
    assert abs(len(heard) - len(tested)) <= 1
    assert set(bench.unheard_read) == {clip for clip in READ if clip.speaker in tested}


def test_who_is_tested_does_not_depend_on_the_order() -> None:
    again = opened(READ[::-1])
    assert set(again.unheard_read) == set(opened().unheard_read)


def test_a_stretch_is_as_long_as_a_remark_and_of_one_piece() -> None:
    found = stretches(opened(read_by(1, 2, 3, n_frames=tuple(range(300, 700, 10)))))
    lengths = np.array([len(frames) for frames in found])
    least, most = (int(limit_s * PER_S) for limit_s in STRETCH_S)
    assert least <= lengths.min() < least + PER_S
    assert most >= lengths.max() > most - PER_S
    for frames in found:
        assert (np.diff(frames[:, 2]) == 1).all()
        assert len(np.unique(frames[:, 0])) == 1
    starts = {frames[0, 2] for frames in found}
    assert len(starts) > len(found) / 2  # from anywhere in a recording


def test_a_recording_shorter_than_its_stretch_is_taken_whole() -> None:
    for frames in stretches(opened(read_by(1, 2, n_frames=(30, 20)))):
        assert len(frames) in (20, 30) and frames[0, 2] == 0


def test_each_recording_is_heard_as_it_is_and_varied() -> None:
    bench = opened()
    variants = [frames[0, 1] for frames in stretches(bench)]
    n_heard = len(READ) - len(bench.unheard_read)
    assert variants.count(0) == variants.count(VARIED) == n_heard
    assert len(bench.examples.nameless) == N_VOICELESS + 2 * n_heard


def test_the_same_stretches_are_taken_at_every_start() -> None:
    for one, other in zip(stretches(opened()), stretches(opened()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_readers_only_sounds_without_a_voice_are_nameless() -> None:
    bench = opened([])
    assert len(bench.examples.nameless) == N_VOICELESS
    assert bench.unheard_read == [] and stretches(bench) == []


def test_what_needs_no_variants_needs_no_nameless_sounds_but_tests_readers() -> None:
    bench = opened(varied=False)
    assert not bench.examples.nameless
    assert set(bench.unheard_read) == set(opened().unheard_read)


# --- the test


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Logits (n, n_classes) that tell the length and the first frame's reader."""
    found = np.zeros((len(arrays), len(LABELS)))
    found[:, 0] = [len(array) for array in arrays]
    found[:, 1] = [array[0, 0] for array in arrays]
    return found


def test_readers_are_tested_as_live_speech_is_heard() -> None:
    bench = opened()
    some = [clip for clip in bench.clips if clip.speaker == "savee-1"]
    found = bench.test(flat, some, fold=3, seed=1)
    readers = found.only(found.condition == READ_ALOUD)
    assert readers.clips == tuple(bench.unheard_read)
    assert (readers.truth == LABELS.index("neutral")).all()
    assert readers.logits[:, 0].max() == int(WINDOW_S * PER_S)
    for clip, (n_frames, reader) in zip(readers.clips, readers.logits[:, :2]):
        assert clip.speaker == f"librispeech-{reader:.0f}"
        assert n_frames == min(int(clip.path.stem), int(WINDOW_S * PER_S))
    assert set(found.fold) == {3} and set(found.seed) == {1}
    assert set(found.condition) == {READ_ALOUD, *CONDITIONS}
    assert found.only(found.condition == CLEAN).clips == tuple(some)
    others = found.only(found.condition != READ_ALOUD)
    assert set(others.column("speaker")) == {"savee-1"}


def test_without_readers_none_are_tested() -> None:
    bench = opened([])
    found = bench.test(flat, bench.clips[:8], fold=1, seed=0)
    assert set(found.condition) == set(CONDITIONS)


def test_a_reader_that_cannot_be_heard_is_left_out() -> None:
    bench = opened(unreadable="90.flac")
    assert len(stretches(bench)) == 2 * sum(
        clip.path.stem != "90" for clip in READ if clip not in bench.unheard_read
    )
    found = bench.test(flat, bench.clips[:8], fold=1, seed=0)
    readers = found.only(found.condition == READ_ALOUD)
    assert {clip.path.stem for clip in readers.clips} == {"30", "2000"}


# --- listeners


def test_listeners_are_trained_apart_and_united(monkeypatch, tmp_path: Path) -> None:
    told: list[tuple] = []

    def listener(_: Workshop, *given: object) -> int:
        told.append(given)
        return len(told)

    monkeypatch.setattr(Workshop, "_listener", listener)
    monkeypatch.setattr(workshop, "unite", lambda *given: given)
    bench = opened()
    clips = bench.clips[:16]
    united = bench.train(clips, 0, tmp_path / "run", "all voices")
    assert united == ([1, 2, 3], bench.examples, clips)
    assert [given[2] for given in told] == [tmp_path / f"run/listener-{k}" for k in (1, 2, 3)]
    assert all(given[0] is clips for given in told)
    assert [given[3] for given in told] == [f"all voices, listener {k}" for k in (1, 2, 3)]
    bench.train(clips, 1, tmp_path / "other", "all voices")
    seeds = [given[1] for given in told]
    assert len(set(seeds)) == len(seeds) == 6
