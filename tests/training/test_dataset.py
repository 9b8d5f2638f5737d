"""Batches depend on seed and number alone, and classes and corpora have their shares."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from training.corpora import Clip
from training.emotion.config import SHARES, TrainConfig, n_variants
from training.emotion.dataset import Batch, Dataset, Draw, all_functionals, pad
from utils.emotion.functionals import functionals, n_functionals
from utils.errors import DataError

LABELS = ("neutral", "happy", "sad")
N_MFCC, N_FEATURES = 4, 6
CONFIG = TrainConfig(batch_size=16, smoothing=0.0)
NAMELESS = 3


def clips_of(corpus: str, counts: dict[str, int], n_speakers: int = 2) -> list[Clip]:
    """Clips by label, dealt out to speakers."""
    return [
        Clip(Path(f"{corpus}-{label}-{k}"), label, f"{corpus}-{k % n_speakers}", corpus, "en")
        for label, n in counts.items()
        for k in range(n)
    ]


class Told:
    """Frames that tell their clip: label, corpus and variant stand in the first columns."""

    def __init__(self, identity: str = "told") -> None:
        self.identity = identity

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([*clip.path.name.encode(), variant])
        frames = rng.standard_normal((int(rng.integers(12, 40)), N_FEATURES)).astype(np.float32)
        frames[:, :3] = LABELS.index(clip.label), sorted(SHARES).index(clip.corpus), variant
        frames[:, N_MFCC + 1] = -3
        return frames


CLIPS = clips_of("ravdess", {"neutral": 3, "happy": 9, "sad": 1}) + clips_of(
    "tess", {"happy": 4, "sad": 20}
)


def examples_of(
    clips: list[Clip], n: int = 3, n_nameless: int = NAMELESS, identity: str = "told"
) -> Dataset:
    rng = np.random.default_rng(0)
    nameless = [np.full((10 + k, N_FEATURES), -9, np.float32) for k in range(n_nameless)]
    for array in nameless:
        array[:, 3] = rng.standard_normal(len(array))
    variants = {clip.corpus: n for clip in clips}
    return Dataset(clips, Told(identity), variants, nameless, LABELS, N_MFCC)


@pytest.fixture(scope="module")
def examples() -> Dataset:
    return examples_of(CLIPS)


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values()))


def told(draw: Draw, n_batches: int) -> list[tuple[str, str, int] | None]:
    """Corpus, label and variant of each example that is drawn; None for a nameless one."""
    found = []
    for number in range(n_batches):
        for label, corpus, variant in draw.batch(number).frames[:, 0, :3].int().tolist():
            named = label >= 0
            found.append((sorted(SHARES)[corpus], LABELS[label], variant) if named else None)
    return found


# --- batches


def test_a_batch_depends_on_its_seed_and_number_alone(examples: Dataset) -> None:
    draw = Draw(examples, CLIPS, CONFIG, seed=1)
    in_order = [draw.batch(k) for k in range(10)]
    for k in (7, 0, 9, 4, 3):
        assert same(Draw(examples, CLIPS, CONFIG, seed=1).batch(k), in_order[k])
    assert same(draw.batch(2), in_order[2])
    assert not any(same(a, b) for a, b in pairwise(in_order))
    assert not same(Draw(examples, CLIPS, CONFIG, seed=2).batch(0), in_order[0])


def test_parts_of_a_batch_belong_together(examples: Dataset) -> None:
    batch = Draw(examples, CLIPS, CONFIG, seed=0).batch(5)
    n_frames = int(batch.lengths.max())
    assert batch.frames.shape == (16, n_frames, N_FEATURES)
    assert batch.statistics.shape == (16, n_functionals(N_FEATURES, N_MFCC))
    torch.testing.assert_close(
        batch.statistics, functionals(batch.frames, batch.lengths, N_MFCC), atol=1e-5, rtol=1e-5
    )
    for frames, length, target in zip(batch.frames, batch.lengths, batch.target):
        assert (frames[length:] == 0).all()
        label = int(frames[0, 0])
        assert torch.equal(target, torch.eye(3)[label] if label >= 0 else torch.full((3,), 1 / 3))


def test_a_batch_is_of_like_lengths(examples: Dataset) -> None:
    draw = Draw(examples, CLIPS, CONFIG, seed=0)
    of_a_group = sorted(
        (draw.batch(k).lengths for k in range(Draw.GROUP)), key=lambda lengths: lengths.max()
    )
    for shorter, longer in pairwise(of_a_group):
        assert shorter.max() <= longer.min()


def test_smoothing_leaves_some_of_the_target_to_other_classes(examples: Dataset) -> None:
    target = Draw(examples, CLIPS, replace(CONFIG, smoothing=0.3), seed=0).batch(0).target
    assert torch.allclose(target.sum(dim=1), torch.ones(16))
    assert {round(p, 3) for row in target.tolist() for p in row} <= {0.1, 0.8, 0.333}


# --- shares


def test_corpora_have_their_share_and_classes_count_the_same(examples: Dataset) -> None:
    drawn = [d for d in told(Draw(examples, CLIPS, CONFIG, seed=0), 120) if d is not None]
    corpora = Counter(corpus for corpus, _, _ in drawn)
    share = SHARES["ravdess"] / (SHARES["ravdess"] + SHARES["tess"])
    assert corpora["ravdess"] / len(drawn) == pytest.approx(share, abs=0.05)
    for corpus, labels in (("ravdess", LABELS), ("tess", LABELS[1:])):
        counts = Counter(label for name, label, _ in drawn if name == corpus)
        assert set(counts) == set(labels)
        for count in counts.values():
            assert count / corpora[corpus] == pytest.approx(1 / len(labels), abs=0.06)


def test_clean_clips_and_nameless_sounds_have_their_share(examples: Dataset) -> None:
    config = replace(CONFIG, nameless_share=0.2, clean_share=0.5)
    drawn = told(Draw(examples, CLIPS, config, seed=0), 120)
    assert drawn.count(None) / len(drawn) == pytest.approx(0.2, abs=0.04)
    variants = Counter(d[2] for d in drawn if d is not None)
    n = sum(variants.values())
    for variant, share in enumerate((0.5, 0.25, 0.25)):
        assert variants[variant] / n == pytest.approx(share, abs=0.05)


def test_without_variants_or_nameless_sounds_clips_stand_as_they_are() -> None:
    examples = examples_of(CLIPS, n=1, n_nameless=0)
    config = replace(CONFIG, nameless_share=0.9, clean_share=0.0)
    drawn = told(Draw(examples, CLIPS, config, seed=0), 20)
    assert {d and d[2] for d in drawn} == {0}


def test_only_the_clips_given_are_drawn(examples: Dataset) -> None:
    some = [c for c in CLIPS if c.corpus == "tess" and c.label == "happy"]
    drawn = told(Draw(examples, some, CONFIG, seed=0), 20)
    assert {d[:2] for d in drawn if d is not None} == {("tess", "happy")}


def test_a_corpus_without_a_share_is_refused_by_name(examples: Dataset) -> None:
    with pytest.raises(DataError, match="no share of the draws is set for here, there"):
        Draw(examples, clips_of("there", {"sad": 1}) + clips_of("here", {"sad": 1}), CONFIG, 0)


def test_corpora_that_say_few_words_have_fewer_variants() -> None:
    assert n_variants("tess") < n_variants("ravdess")


# --- identity


def test_examples_of_another_make_are_not_mistaken_for_these(examples: Dataset) -> None:
    assert examples_of(CLIPS).identity == examples.identity
    changes = {"n": 2}, {"n_nameless": 1}, {"identity": "denoised"}
    others = [examples_of(CLIPS, **change) for change in changes]
    assert len({examples.identity, *(other.identity for other in others)}) == 4


# --- functionals and padding


def test_functionals_of_many_are_those_of_each() -> None:
    clips = clips_of("savee", {"happy": 150})
    arrays = [Told().get(clip, 0) for clip in clips]
    for array, row in zip(arrays, all_functionals(arrays, N_MFCC)):
        alone = functionals(*pad([array]), N_MFCC)[0].numpy()
        np.testing.assert_allclose(row, alone, atol=1e-5, rtol=1e-5)
    assert all_functionals([], N_MFCC) == []


def test_pad_keeps_every_frame() -> None:
    arrays = [np.full((n, 2), n, np.float16) for n in (3, 1, 2)]
    frames, lengths = pad(arrays)
    assert (frames.dtype, lengths.tolist()) == (torch.float32, [3, 1, 2])
    for row, length in zip(frames, lengths):
        assert (row[:length] == length).all()
        assert (row[length:] == 0).all()
