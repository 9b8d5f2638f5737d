"""What the workshop makes of people who read aloud, and how it has listeners trained."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.emotion.small_encoder import small_encoder
from training.corpora import LABELS, Clip
from training.emotion import workshop
from training.emotion.config import TrainConfig
from training.emotion.predictions import (
    CLEAN,
    KNOWN_READ,
    PLACE_KNOWN,
    READ_ALOUD,
    UNAIDED,
    UNAIDED_READ,
    VOICE_KNOWN,
)
from training.emotion.workshop import STRETCH_S, Workshop, united
from training.sound.cache import FeatureCache
from training.sound.conditions import CONDITIONS, NOT_FEELINGS
from utils.emotion.encoder import STEP
from utils.emotion.features import FeatureConfig
from utils.emotion.network import Listener, Usual
from utils.emotion.windows import WINDOW_S

N_VOICELESS = 5
KNOWN = (VOICE_KNOWN, PLACE_KNOWN)
PER_S = 12.5  # steps
N_FRAMES = STEP * FeatureConfig().n_features  # columns of the frames in a step
VOICELESS, VARIED = -1.0, 100.0


class Told(FeatureCache):
    """Stands in for the cache: the first columns tell reader, variant and time of each step.

    Columns of what was heard tell the condition, by its number.
    """

    config, encoder = FeatureConfig(), small_encoder()
    identity = "told"

    def __init__(self, unreadable: str = "") -> None:
        self.unreadable = unreadable

    def prepare(self, clips: Sequence[Clip], n_variants: int) -> list[Clip]:
        return [clip for clip in clips if clip.path.name != self.unreadable]

    def get(self, clip: Clip, variant: int | str) -> np.ndarray:
        assert isinstance(variant, int)
        rng = np.random.default_rng([*clip.path.name.encode(), variant])
        steps = rng.standard_normal((int(clip.path.stem), N_FRAMES + self.encoder.width))
        steps[:, 0] = int(clip.speaker.rpartition("-")[2])
        steps[:, 1] = VARIED * variant
        steps[:, 2] = np.arange(len(steps))
        steps[:, N_FRAMES:] = 0
        return steps.astype(np.float32)

    def voiceless(self, n: int, seed: int, unheard: bool = False) -> list[np.ndarray]:
        return [np.full((20, N_FRAMES), VOICELESS, np.float32)] * n

    def condition(self, clips: Sequence[Clip], name: str) -> list[np.ndarray]:
        arrays = [self.get(clip, 0) for clip in clips]
        for array in arrays:
            array[:, N_FRAMES:] = 1 + (*CONDITIONS, *NOT_FEELINGS).index(name)
        return arrays

    def length_s(self, clip: Clip) -> float:
        return int(clip.path.stem) / PER_S


def acted(n_speakers: int = 4) -> list[Clip]:
    return [
        Clip(Path(f"{40 + 8 * who + k}.wav"), label, f"savee-{who}", "savee", "en")
        for who in range(n_speakers)
        for k, label in enumerate(LABELS)
    ]


def read_by(*readers: int, n_steps: tuple[int, ...] = (5, 20, 500)) -> list[Clip]:
    """A short, a longer and a very long recording of each reader."""
    return [
        Clip(Path(f"{who}/{n}.flac"), "neutral", f"librispeech-{who}", "librispeech", "en")
        for who in readers
        for n in n_steps
    ]


READ = read_by(84, 1272, 777, 3000, 2277)


@pytest.fixture(autouse=True)
def few_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "N_VOICELESS", N_VOICELESS)


def opened(read: list[Clip] = READ, **options) -> Workshop:
    return Workshop(acted(), Told(**options), TrainConfig(listeners=3), read)


def stretches(bench: Workshop) -> list[np.ndarray]:
    """What is taken of recordings that are read aloud, by the steps' columns."""
    return [x.steps for x in bench.examples.nameless if x.steps[0, 0] != VOICELESS]


# --- readers


def test_a_reader_is_either_heard_or_tested() -> None:
    bench = opened()
    heard = {f"librispeech-{steps[0, 0]:.0f}" for steps in stretches(bench)}
    tested = {clip.speaker for clip in bench.unheard_read}
    assert not heard & tested
    assert heard | tested == {clip.speaker for clip in READ}
    assert abs(len(heard) - len(tested)) <= 1
    assert set(bench.unheard_read) == {clip for clip in READ if clip.speaker in tested}


def test_who_is_tested_does_not_depend_on_the_order() -> None:
    again = opened(READ[::-1])
    assert set(again.unheard_read) == set(opened().unheard_read)


def test_a_stretch_is_as_long_as_a_remark_and_of_one_piece() -> None:
    found = stretches(opened(read_by(1, 2, 3, n_steps=tuple(range(60, 180, 3)))))
    lengths = np.array([len(steps) for steps in found])
    least, most = (int(limit_s * PER_S) for limit_s in STRETCH_S)
    assert least <= lengths.min() < least + PER_S / 2
    assert most >= lengths.max() > most - PER_S / 2
    for steps in found:
        assert (np.diff(steps[:, 2]) == 1).all()
        assert len(np.unique(steps[:, 0])) == 1
    starts = {steps[0, 2] for steps in found}
    assert len(starts) > len(found) / 4  # from anywhere in a recording


def test_a_recording_shorter_than_its_stretch_is_taken_whole() -> None:
    for steps in stretches(opened(read_by(1, 2, n_steps=(5, 4)))):
        assert len(steps) in (4, 5) and steps[0, 2] == 0


def test_each_recording_is_heard_as_it_is_and_varied() -> None:
    bench = opened()
    variants = [steps[0, 1] for steps in stretches(bench)]
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


# --- the test


def flat(arrays: Sequence[np.ndarray], usual: Usual | None = None) -> np.ndarray:
    """Logits (n, n_classes): length, the first step's reader, and the condition that it tells."""
    found = np.full((len(arrays), len(LABELS)), -1.0)
    found[:, 0] = [len(array) for array in arrays]
    found[:, 1] = [array[0, 0] for array in arrays]
    found[:, 2] = [array[0, -1] if array.shape[1] > N_FRAMES else -1 for array in arrays]
    return found


def test_readers_are_tested_as_live_speech_is_heard() -> None:
    bench = opened()
    some = [clip for clip in bench.clips if clip.speaker == "savee-1"]
    found = bench.test(flat, some, fold=3, seed=1)
    of_readers = (
        READ_ALOUD,
        KNOWN_READ,
        UNAIDED_READ,
        *(f"{READ_ALOUD}, {name}" for name in NOT_FEELINGS),
    )
    for condition in of_readers:
        readers = found.only(found.condition == condition)
        assert readers.clips == tuple(bench.unheard_read)
        assert (readers.truth == LABELS.index("neutral")).all()
        assert readers.logits[:, 0].max() == int(WINDOW_S * PER_S)
        for clip, (n_steps, reader) in zip(readers.clips, readers.logits[:, :2]):
            assert clip.speaker == f"librispeech-{reader:.0f}"
            assert n_steps == min(int(clip.path.stem), int(WINDOW_S * PER_S))
    assert set(found.fold) == {3} and set(found.seed) == {1}
    assert set(found.condition) == {*of_readers, *KNOWN, UNAIDED, *CONDITIONS}
    for condition in (CLEAN, UNAIDED, *KNOWN):
        assert found.only(found.condition == condition).clips == tuple(some)
    assert set(found.acted().column("speaker")) == {"savee-1"}


def test_each_condition_is_asked_of_the_clips_in_it() -> None:
    bench = opened()
    found = bench.test(flat, bench.clips[:8], fold=1, seed=0)
    for name in CONDITIONS[1:]:
        told = found.only(found.condition == name).logits[:, 2]
        assert set(told) == {1 + (*CONDITIONS, *NOT_FEELINGS).index(name)}
    for name in NOT_FEELINGS:
        told = found.only(found.condition == f"{READ_ALOUD}, {name}").logits[:, 2]
        assert set(told) == {1 + (*CONDITIONS, *NOT_FEELINGS).index(name)}
    assert set(found.only(found.condition == CLEAN).logits[:, 2]) == {0}
    for name in (UNAIDED, UNAIDED_READ):  # where steps end with the frames
        assert set(found.only(found.condition == name).logits[:, 2]) == {-1}


def test_without_readers_none_are_tested() -> None:
    bench = opened([])
    found = bench.test(flat, bench.clips[:8], fold=1, seed=0)
    assert set(found.condition) == {UNAIDED, *KNOWN, *CONDITIONS}
    assert len(found.acted()) == len(found)


def test_a_reader_that_cannot_be_heard_is_left_out() -> None:
    bench = opened(unreadable="20.flac")
    assert len(stretches(bench)) == 2 * sum(
        clip.path.stem != "20" for clip in READ if clip not in bench.unheard_read
    )
    found = bench.test(flat, bench.clips[:8], fold=1, seed=0)
    readers = found.only(found.condition == READ_ALOUD)
    assert {clip.path.stem for clip in readers.clips} == {"5", "500"}


# --- listeners


def test_the_network_is_as_wide_as_what_the_encoder_hears() -> None:
    config = opened().model_config
    assert config.n_heard == Told.encoder.width
    assert config.encoder == Told.encoder.identity
    assert config.n_classes == len(LABELS)


def test_listeners_are_trained_apart_and_united(monkeypatch, tmp_path: Path) -> None:
    told: list[tuple] = []

    def listener(_: Workshop, *given: object) -> int:
        told.append(given)
        return len(told)

    monkeypatch.setattr(Workshop, "_listener", listener)
    monkeypatch.setattr(workshop, "united", lambda listeners: listeners)
    bench = opened()
    clips = bench.clips[:16]
    assert bench.train(clips, 0, tmp_path / "run", "all voices") == [1, 2, 3]
    assert [given[2] for given in told] == [tmp_path / f"run/listener-{k}" for k in (1, 2, 3)]
    assert all(given[0] is clips for given in told)
    assert [given[3] for given in told] == [f"all voices, listener {k}" for k in (1, 2, 3)]
    bench.train(clips, 1, tmp_path / "other", "all voices")
    seeds = [given[1] for given in told]
    assert len(set(seeds)) == len(seeds) == 6


@torch.inference_mode()
def test_a_network_says_what_its_listeners_say_on_average() -> None:
    torch.manual_seed(0)
    listeners = [Listener(opened().model_config).eval() for _ in range(3)]
    model = united(listeners)
    assert model.config.n_listeners == 3 and not model.training
    steps, lengths = torch.randn(2, 9, N_FRAMES + Told.encoder.width), torch.tensor([9, 4])
    said = torch.stack([listener(steps, lengths) for listener in listeners])
    assert (said[0] - said[1]).abs().max() > 1e-3
    torch.testing.assert_close(model(steps, lengths), said.mean(dim=0))
