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
from training.emotion.dataset import LONGEST, Batch, Dataset, Draw, Nameless, of_like_length, pad
from utils.errors import DataError

LABELS = ("neutral", "happy", "sad")
WIDTH = 6
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
    """Steps that tell their clip: label, corpus and variant stand in the first columns."""

    def __init__(self, identity: str = "told") -> None:
        self.identity = identity

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([*clip.path.name.encode(), variant])
        steps = rng.standard_normal((int(rng.integers(12, 40)), WIDTH)).astype(np.float32)
        steps[:, :3] = LABELS.index(clip.label), sorted(SHARES).index(clip.corpus), variant
        return steps


CLIPS = clips_of("ravdess", {"neutral": 3, "happy": 9, "sad": 1}) + clips_of(
    "tess", {"happy": 4, "sad": 20}
)


def examples_of(
    clips: list[Clip], n: int = 3, n_nameless: int = NAMELESS, identity: str = "told"
) -> Dataset:
    rng = np.random.default_rng(0)
    nameless = [np.full((10 + k, WIDTH), -9, np.float32) for k in range(n_nameless)]
    for array in nameless:
        array[:, 3] = rng.standard_normal(len(array))
    variants = {clip.corpus: n for clip in clips}
    return Dataset(Told(identity), variants, [Nameless(x) for x in nameless], LABELS, 1)


@pytest.fixture(scope="module")
def examples() -> Dataset:
    return examples_of(CLIPS)


def same(a: Batch, b: Batch) -> bool:
    return all(torch.equal(x, y) for x, y in zip(parts_of(a), parts_of(b)))


def parts_of(batch: Batch) -> list[torch.Tensor]:
    parts = dict(vars(batch))
    usual = parts.pop("usual")
    return [*parts.values(), usual.mean, usual.n_remarks]


def told(draw: Draw, n_batches: int) -> list[tuple[str, str, int] | None]:
    """Corpus, label and variant of each example that is drawn; None for a nameless one."""
    found = []
    for number in range(n_batches):
        for label, corpus, variant in draw.batch(number).steps[:, 0, :3].int().tolist():
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
    assert batch.steps.shape == (16, int(batch.lengths.max()), WIDTH)
    for steps, length, target in zip(batch.steps, batch.lengths, batch.target):
        assert (steps[length:] == 0).all() and (steps[:length, 3:] != 0).all()
        label = int(steps[0, 0])
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
    changes = {"n": 2}, {"n_nameless": 1}, {"identity": "another encoder's"}
    others = [examples_of(CLIPS, **change) for change in changes]
    assert len({examples.identity, *(other.identity for other in others)}) == 4


# --- lengths


class Long:
    """Steps that tell their place in a clip of three lengths that training hears at a time."""

    identity = "long"

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        return np.tile(np.arange(3.0 * LONGEST, dtype=np.float32)[:, None], 4)


def test_of_a_long_clip_a_stretch_from_anywhere_is_heard() -> None:
    clips = clips_of("savee", {"sad": 4})
    nameless = [Nameless(Long().get(clips[0], 0))]
    examples = Dataset(Long(), {"savee": 1}, nameless, LABELS, 1)
    draw = Draw(examples, clips, CONFIG, seed=0)
    batches = [draw.batch(k) for k in range(8)]
    assert all((batch.lengths == LONGEST).all() for batch in batches)
    steps = torch.cat([batch.steps for batch in batches])[..., 0]
    assert (steps.diff(dim=1) == 1).all()
    starts = steps[:, 0]
    assert starts.min() < 0.2 * LONGEST and starts.max() > 1.8 * LONGEST


def test_arrays_in_batches_of_like_length_are_all_there() -> None:
    arrays = [Told().get(clip, 0) for clip in clips_of("savee", {"happy": 150})]
    seen: list[int] = []
    longest = 0
    for rows, steps, lengths in of_like_length(arrays):
        assert len(rows) == len(steps) == len(lengths) <= 80
        assert lengths.min() >= longest
        longest = int(lengths.max())
        seen += rows.tolist()
        for row, of_it, length in zip(rows, steps, lengths):
            np.testing.assert_array_equal(of_it[:length], arrays[row])
    assert sorted(seen) == list(range(150))
    assert list(of_like_length([])) == []


def test_pad_keeps_every_step() -> None:
    arrays = [np.full((n, 2), n, np.float16) for n in (3, 1, 2)]
    steps, lengths = pad(arrays)
    assert (steps.dtype, lengths.tolist()) == (torch.float32, [3, 1, 2])
    for row, length in zip(steps, lengths):
        assert (row[:length] == length).all()
        assert (row[length:] == 0).all()
