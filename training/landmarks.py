"""The closed-form part of the network: recordings that others are compared with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.linalg
import torch

from emotion_model import EmotionLSTM
from training.corpora import Clip
from training.examples import Examples
from training.recipe import SHARES
from utils.network import kernel

PER_SHARE = 320  # landmarks of a class and corpus, times the share of the corpus
RIDGE = 1.0  # keeps the answers small
VARIED = 1.0  # weight of a clip's variants together, relative to the clip as recorded
VOICELESS = 0.3  # weight of all sounds without a voice, relative to all clips as recorded
# From a regression on one-hot truth to logits: 8 would be as sure as the rest of the network,
# whose word is a quarter beside it. Chosen on the first fold of `voices`.
SCALE = 32.0


def add_landmarks(model: EmotionLSTM, examples: Examples, clips: Sequence[Clip]) -> EmotionLSTM:
    """The network with landmarks among `clips`, and what each of them says of the classes.

    Ridge regression of the truth on the nearness to the landmarks (Nyström; Williams and
    Seeger, NeurIPS 2000), of clips as recorded and varied. Corpora have their `SHARES`,
    classes of a corpus count the same, and sounds without a voice say nothing.
    """
    chosen = _choose(clips)
    found, target, weights = _told(examples, clips)
    at = np.stack([examples.statistics[clip, 0] for clip in chosen])
    with torch.inference_mode():
        landmarks = model.turn(torch.from_numpy(at))
        near = kernel(model.turn(torch.from_numpy(np.stack(found))), landmarks).double().numpy()
        among = kernel(landmarks, landmarks).double().numpy()
    weighted = near * weights[:, None]
    left = weighted.T @ near + RIDGE * among + 1e-4 * np.eye(len(chosen))
    answers = scipy.linalg.solve(left, weighted.T @ target, assume_a="pos")
    wider = EmotionLSTM(replace(model.config, n_landmarks=len(chosen)))
    answers = torch.from_numpy(SCALE * answers).float()
    wider.load_state_dict(model.state_dict() | {"landmarks": landmarks, "answers": answers})
    return wider.eval()


def _choose(clips: Sequence[Clip]) -> list[Clip]:
    """Of each class and corpus, so many clips as its share allows."""
    rng, chosen = np.random.default_rng(0), []
    kinds = np.array([f"{clip.corpus} {clip.label}" for clip in clips])
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        n = round(PER_SHARE * SHARES[clips[own[0]].corpus])
        chosen += [clips[i] for i in rng.choice(own, min(n, len(own)), replace=False)]
    return chosen


def _told(
    examples: Examples, clips: Sequence[Clip]
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Functionals, what is true of them (n, n_classes), and how much each counts (n,)."""
    found, truth, weights = [], [], []
    clean = _weights(clips)
    for clip, own in zip(clips, clean):
        n = examples.n_variants[clip.corpus]
        found += [examples.statistics[clip, variant] for variant in range(n)]
        truth += [examples.labels.index(clip.label)] * n
        weights += [own] + [own * VARIED / max(n - 1, 1)] * (n - 1)
    target = np.eye(len(examples.labels))[truth] - 1 / len(examples.labels)
    n = len(examples.voiceless_statistics)
    found += examples.voiceless_statistics
    target = np.concatenate([target, np.zeros((n, target.shape[1]))])
    return found, target, np.array(weights + [VOICELESS * sum(clean) / max(n, 1)] * n)


def _weights(clips: Sequence[Clip]) -> list[float]:
    """Of each clip, 1 in the mean: corpora by their `SHARES`, their classes alike."""
    kinds = [(clip.corpus, clip.label) for clip in clips]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    n_classes = {name: sum(k[0] == name for k in counts) for name, _ in counts}
    found = [SHARES[name] / n_classes[name] / counts[name, label] for name, label in kinds]
    return (np.array(found) / np.mean(found)).tolist()
