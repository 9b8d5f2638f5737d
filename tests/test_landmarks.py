"""The closed-form part of the network knows the tunes that it was told, and nothing of others."""

import numpy as np
import pytest
import torch

from emotion_model import EmotionLSTM
from tests.test_train import CLIPS, LABELS, MODEL, N_FEATURES, N_MFCC, OTHERS, Sung
from training import landmarks
from training.corpora import Clip
from training.examples import Examples
from training.train import normalise


@pytest.fixture(scope="module", params=[1, 2], ids=["as recorded", "varied too"])
def examples(request: pytest.FixtureRequest) -> Examples:
    voiceless = [np.full((20, N_FEATURES), -3, np.float32)]
    variants = {"ravdess": request.param, "tess": request.param}
    return Examples([*CLIPS, *OTHERS], Sung(), variants, voiceless, LABELS, N_MFCC)


def told(examples: Examples, clips: list[Clip]) -> EmotionLSTM:
    torch.manual_seed(0)
    model = EmotionLSTM(MODEL)
    normalise(model, examples, clips)
    return landmarks.add_landmarks(model, examples, clips)


def answers(model: EmotionLSTM, rows: list[np.ndarray]) -> np.ndarray:
    """What the landmarks alone say, (n, n_classes)."""
    with torch.inference_mode():
        return model.compare(model.turn(torch.from_numpy(np.stack(rows)))).numpy()


def test_other_voices_are_recognised(examples: Examples) -> None:
    model = told(examples, CLIPS)
    found = answers(model, [examples.statistics[clip, 0] for clip in OTHERS])
    truth = [LABELS.index(clip.label) for clip in OTHERS]
    assert (found.argmax(axis=1) == truth).mean() > 0.8


def test_what_has_no_voice_is_left_open(examples: Examples) -> None:
    model = told(examples, CLIPS)
    voiceless = answers(model, examples.voiceless_statistics)
    spoken = answers(model, [examples.statistics[clip, 0] for clip in CLIPS])
    assert np.abs(voiceless).max() < 0.5 * np.abs(spoken).max(axis=1).mean()


def test_the_rest_of_the_network_stays_as_it_is(examples: Examples) -> None:
    torch.manual_seed(0)
    model = EmotionLSTM(MODEL)
    normalise(model, examples, CLIPS)
    more = landmarks.add_landmarks(model, examples, CLIPS)
    assert more.config.n_landmarks == len(CLIPS)
    for name, value in model.state_dict().items():
        if name not in ("landmarks", "answers"):
            torch.testing.assert_close(more.state_dict()[name], value)


def test_no_class_has_more_landmarks_than_its_share(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmarks, "PER_SHARE", 6)  # three of each class of RAVDESS
    assert told(examples, CLIPS).config.n_landmarks == 3 * len(LABELS)


def test_a_class_of_few_clips_counts_as_much_as_the_others(examples: Examples) -> None:
    few = [clip for clip in CLIPS if clip.label != "sad" or clip.path.name.endswith("0")]
    model = told(examples, few)
    own = [clip for clip in OTHERS if clip.label == "sad"]
    found = answers(model, [examples.statistics[clip, 0] for clip in own])
    assert (found.argmax(axis=1) == LABELS.index("sad")).mean() > 0.5
