"""Temperature and thresholds of a checkpoint, from answers to voices that it never heard."""

from collections.abc import Mapping, Sequence

import numpy as np

from emotion_model import EmotionRecognizer
from training.corpora.librispeech import READ_AS
from training.emotion import evaluate
from training.emotion.predictions import CLEAN, READ_ALOUD, Predictions, join
from utils.errors import DataError


def calibrate(
    recognizer: EmotionRecognizer,
    voices: Sequence[Predictions],
    languages: Sequence[Predictions],
) -> None:
    """Set temperature and thresholds of a recogniser, and note how its recipe does with them.

    Parameters
    ----------
    voices : answers of its recipe to voices that its training did not hear, and to readers
    languages : answers of its recipe to whole corpora whose language its training did not hear

    Raises
    ------
    DataError : no answer to a clip as recorded, or several folds in a file of `languages`:
        then the networks heard other voices of that corpus
    """
    for found in languages:
        if len(np.unique(found.fold)) > 1:
            raise DataError(
                f"answers by several folds to {', '.join(sorted(set(found.column('corpus'))))}, "
                "whose language is said to be unheard; give what protocols write that leave it "
                "out, such as `crossval no-polish`"
            )
    cleans = by_corpus(voices, recognizer.labels)
    unheard = by_corpus(languages, recognizer.labels)
    read = join([p.only(p.condition == READ_ALOUD).restrict(recognizer.labels) for p in voices])
    temperature, thresholds = fit(cleans, unheard, read)
    recognizer.temperature = temperature
    recognizer.thresholds = dict(zip(recognizer.labels, thresholds.tolist()))
    recognizer.facts["calibration"] = {
        "answers": sum(map(len, [*cleans.values(), *unheard.values()])),
        "target_precision": evaluate.TARGET_PRECISION,
        "target_unheard_language": evaluate.TARGET_UNHEARD,
    }
    for kind, answers in (("judged", cleans), ("unheard_language", unheard)):
        recognizer.facts[kind] = {
            name: judged(p, temperature, thresholds) for name, p in answers.items()
        }
    recognizer.facts["read_aloud"] = named(read, temperature, thresholds)


def summary(recognizer: EmotionRecognizer) -> str:
    """What `calibrate` found, to read."""
    shown = ", ".join(f"{label} {least:.2f}" for label, least in recognizer.thresholds.items())
    lines = [f"temperature {recognizer.temperature:.3f}, thresholds: {shown}"]
    for kind, about in (("judged", ""), ("unheard_language", ", its language unheard")):
        for name, figures in recognizer.facts[kind].items():
            right, share = figures["precision"], 100 * figures["coverage"]
            of_it = "" if right is None else f", {100 * right:.1f} % of it right"
            lines.append(f"  {name}{about}: {share:.1f} % named{of_it}")
    return "\n".join(lines)


def by_corpus(parts: Sequence[Predictions], labels: Sequence[str]) -> dict[str, Predictions]:
    """Answers to clips as recorded and of `labels`, by corpus.

    Raises
    ------
    DataError : parts without such an answer, or that lack one of `labels`
    """
    cleans = [part.only(part.condition == CLEAN).restrict(labels) for part in parts]
    found = {name for part in cleans for name in part.column("corpus").tolist()}
    if parts and not found:
        raise DataError(
            f"no answer to a clip as recorded of {', '.join(labels)} in {len(parts)} files of "
            "predictions; give those that `crossval` wrote"
        )
    return {
        name: join([part.only(part.column("corpus") == name) for part in cleans])
        for name in sorted(found)
    }


def fit(
    cleans: Mapping[str, Predictions], unheard: Mapping[str, Predictions], read: Predictions
) -> tuple[float, np.ndarray]:
    """Temperature, and the threshold of each class (n_classes,).

    All corpora count the same in the temperature. The thresholds are what the corpus asks for
    that needs the highest: what is shown should be right often enough in each of them, and
    seldom be shown of people who read.

    Parameters
    ----------
    cleans : answers to unheard voices, by corpus
    unheard : answers in languages that no training heard, by corpus; there, fewer need be right
    read : answers to people who read aloud
    """
    n = min(map(len, cleans.values()))
    rng = np.random.default_rng(0)
    even = [p.take(rng.choice(len(p), n, replace=False)) for p in cleans.values()]
    truth = np.concatenate([p.truth for p in even])
    temperature = evaluate.fit_temperature(truth, np.concatenate([p.logits for p in even]))
    groups = [(p.truth, p.logits / temperature) for p in (*cleans.values(), *unheard.values())]
    targets = [evaluate.TARGET_PRECISION] * len(cleans) + [evaluate.TARGET_UNHEARD] * len(unheard)
    precise = evaluate.choose_thresholds(groups, targets)
    neutral = read.labels.index(READ_AS)
    return temperature, evaluate.quiet_thresholds(read.logits / temperature, precise, neutral)


def judged(p: Predictions, temperature: float, thresholds: np.ndarray) -> dict[str, float | None]:
    """What a checkpoint says of its recipe on unheard voices; no precision of nothing named."""
    calibrated = p.logits / temperature
    precision, coverage = evaluate.precision_coverage(p.truth, calibrated, thresholds[p.answer])
    figures = {
        "uar": evaluate.uar(p.truth, p.logits),
        "ece": evaluate.calibration_error(p.truth, calibrated),
        "precision": precision,
        "coverage": coverage,
    }
    return {"answers": len(p)} | {
        name: None if np.isnan(x) else round(float(x), 4) for name, x in figures.items()
    }


def named(read: Predictions, temperature: float, thresholds: np.ndarray) -> dict[str, float]:
    """What share of those who read aloud is called what, above the thresholds."""
    if not len(read):
        return {"answers": 0}
    probabilities = evaluate.softmax(read.logits / temperature)
    sure = probabilities.max(axis=1) >= thresholds[read.answer]
    shares = {
        label: round(float(np.mean(sure & (read.answer == k))), 4)
        for k, label in enumerate(read.labels)
    }
    return {"answers": len(read)} | {label: share for label, share in shares.items() if share}
