"""The closed-form part of the network knows the tunes that it was told, and nothing of others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emotion_model import EmotionLSTM
from tests.training.test_train import (
    CLIPS,
    LABELS,
    MODEL,
    N_FEATURES,
    N_MFCC,
    OTHERS,
    Sung,
    check_scatter,
)
from training.corpora import Clip
from training.emotion import landmarks
from training.emotion.dataset import Dataset, pad
from training.emotion.train import normalise
from utils.emotion.functionals import functionals
from utils.emotion.network import Listener


@pytest.fixture(scope="module", params=[1, 2], ids=["as recorded", "varied too"])
def examples(request: pytest.FixtureRequest) -> Dataset:
    nameless = [np.full((20, N_FEATURES), -3, np.float32)]
    variants = {"ravdess": request.param, "tess": request.param}
    return Dataset([*CLIPS, *OTHERS], Sung(), variants, nameless, LABELS, N_MFCC)


def listeners_of(examples: Dataset, clips: list[Clip], n: int = 2) -> list[Listener]:
    """Listeners that have learnt nothing, each with other weights."""
    torch.manual_seed(0)
    found = [Listener(MODEL).eval() for _ in range(n)]
    for listener in found:
        normalise(listener, examples, clips)
    return found


def told(examples: Dataset, clips: list[Clip], n: int = 2) -> EmotionLSTM:
    return landmarks.unite(listeners_of(examples, clips, n), examples, clips)


def answers(model: EmotionLSTM, rows: list[np.ndarray]) -> np.ndarray:
    """What the landmarks alone say, (n, n_classes)."""
    with torch.inference_mode():
        return model.compare(torch.from_numpy(np.stack(rows))).numpy()


def statistics(examples: Dataset, clips: list[Clip]) -> list[np.ndarray]:
    return [examples.statistics[clip, 0] for clip in clips]


def test_other_voices_are_recognised(examples: Dataset) -> None:
    found = answers(told(examples, CLIPS), statistics(examples, OTHERS))
    truth = [LABELS.index(clip.label) for clip in OTHERS]
    assert (found.argmax(axis=1) == truth).mean() > 0.8


def test_what_has_no_name_is_left_open(examples: Dataset) -> None:
    model = told(examples, CLIPS)
    nameless = answers(model, examples.nameless_statistics)
    spoken = answers(model, statistics(examples, CLIPS))
    assert np.abs(nameless).max() < 0.5 * np.abs(spoken).max(axis=1).mean()


def test_without_nameless_sounds_there_are_landmarks_too(examples: Dataset) -> None:
    few = Dataset(CLIPS, Sung(), examples.n_variants, [], LABELS, N_MFCC)
    found = answers(told(few, CLIPS), statistics(examples, CLIPS))
    truth = [LABELS.index(clip.label) for clip in CLIPS]
    assert (found.argmax(axis=1) == truth).mean() > 0.9


@pytest.mark.parametrize("n", [1, 3])
def test_listeners_stay_as_they_are(n: int, examples: Dataset) -> None:
    listeners = listeners_of(examples, CLIPS, n)
    before = [{k: value.clone() for k, value in one.state_dict().items()} for one in listeners]
    model = landmarks.unite(listeners, examples, CLIPS)
    assert model.config == replace(MODEL, n_listeners=n, n_landmarks=len(CLIPS))
    assert len(model.listeners) == n and not model.training
    for expected, given, kept in zip(before, listeners, model.listeners, strict=True):
        for name, value in expected.items():
            assert torch.equal(given.state_dict()[name], value), name
            assert torch.equal(kept.state_dict()[name], value), name


def test_logits_are_the_mean_of_the_listeners_and_the_landmarks(examples: Dataset) -> None:
    listeners = listeners_of(examples, CLIPS)
    model = landmarks.unite(listeners, examples, CLIPS)
    frames, lengths = pad([examples.frames(clip) for clip in OTHERS])
    with torch.inference_mode():
        found = functionals(frames, lengths, N_MFCC)
        one, other = (listener(frames, lengths, found) for listener in listeners)
        compared = model.compare(found)
        logits = model(frames, lengths)
    assert min((one - other).abs().max(), compared.abs().max()) > 0.1
    torch.testing.assert_close(logits, (one + other) / 2 + compared, rtol=1e-4, atol=1e-4)


def test_landmarks_are_told_nothing_by_the_listeners(examples: Dataset) -> None:
    rows = statistics(examples, OTHERS)
    one, more = (told(examples, CLIPS, n) for n in (1, 2))
    np.testing.assert_array_equal(answers(one, rows), answers(more, rows))


def test_when_a_thing_was_heard_is_not_asked(examples: Dataset) -> None:
    model = told(examples, CLIPS)
    rows = torch.from_numpy(np.stack(statistics(examples, OTHERS)))
    at_other_times = rows.clone()
    at_other_times[:, MODEL.n_timeless :] = rows[:, MODEL.n_timeless :].flip(0) + 5
    assert torch.equal(model.place(at_other_times), model.place(rows))
    assert torch.equal(model.compare(at_other_times), model.compare(rows))
    at_other_times[:, : MODEL.n_timeless] += 5
    assert not torch.allclose(model.place(at_other_times), model.place(rows), atol=0.1)


def test_each_landmark_lies_where_its_clip_does(examples: Dataset) -> None:
    model = told(examples, CLIPS)
    rows = torch.from_numpy(np.stack(statistics(examples, CLIPS)))
    distances = torch.cdist(model.place(rows), model.landmarks)
    assert sorted(distances.argmin(dim=1).tolist()) == list(range(len(CLIPS)))
    assert distances.amin(dim=1).max() < 1e-2


def test_places_of_one_label_scatter_alike_in_all_directions(examples: Dataset) -> None:
    model = told(examples, CLIPS)
    placed = model.place(torch.from_numpy(np.stack(statistics(examples, CLIPS)))).numpy()
    check_scatter(placed, atol=2e-3)


def test_no_class_has_more_landmarks_than_its_share(
    examples: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmarks, "PER_SHARE", 6)  # three of each class of RAVDESS
    assert told(examples, CLIPS).config.n_landmarks == 3 * len(LABELS)


def test_a_class_of_few_clips_counts_as_much_as_the_others(examples: Dataset) -> None:
    few = [clip for clip in CLIPS if clip.label != "sad" or clip.path.name.endswith("0")]
    own = [clip for clip in OTHERS if clip.label == "sad"]
    found = answers(told(examples, few), statistics(examples, own))
    assert (found.argmax(axis=1) == LABELS.index("sad")).mean() > 0.5
