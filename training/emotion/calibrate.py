"""Temperature and thresholds of a checkpoint, from voices and corpora that it never heard."""

from collections.abc import Mapping, Sequence

import numpy as np

from emotion_model import EmotionRecognizer
from training.corpora.librispeech import READ_AS
from training.emotion import evaluate
from training.emotion.predictions import (
    CLEAN,
    KNOWN_READ,
    PLACE_KNOWN,
    READ_ALOUD,
    UNAIDED,
    UNAIDED_READ,
    VOICE_KNOWN,
    Predictions,
    join,
)
from utils.emotion.judgement import Judgement
from utils.errors import DataError
from utils.events import Grade

# Judgements of a recogniser, each with the conditions of the clips that it is chosen on, and that
# of those who read aloud.
KINDS = (
    ("judgement", (CLEAN,), READ_ALOUD),
    ("familiar", (VOICE_KNOWN, PLACE_KNOWN), KNOWN_READ),
    ("unaided", (UNAIDED,), UNAIDED_READ),
)


def calibrate(
    recognizer: EmotionRecognizer,
    voices: Sequence[Predictions],
    corpora: Sequence[Predictions],
) -> None:
    """Set temperatures and thresholds of a recogniser, and note how its recipe does with them.

    Parameters
    ----------
    voices : answers of its recipe to voices that its training did not hear, and to readers
    corpora : answers of its recipe to corpora of which its training heard nobody

    Raises
    ------
    DataError : no answer to a clip as recorded, or several folds to one corpus among `corpora`:
        then the networks heard other voices of it
    """
    _check_unheard(corpora)
    found = {}
    for name, conditions, read_as in KINDS:
        heard = _answers(voices, recognizer.labels, conditions)
        unheard = _answers(corpora, recognizer.labels, conditions)
        read = join(
            [p.only(p.condition == read_as).restrict(recognizer.labels) for p in corpora or voices]
        )
        judgement = fit(heard, unheard, read)
        facts = {
            "voices": {name: judged(p, judgement) for name, p in heard.items()},
            "corpora left out": {name: judged(p, judgement) for name, p in unheard.items()},
            "read aloud": named(read, judgement),
        }
        found[name] = judgement, facts
    for name, (judgement, facts) in found.items():  # all or nothing
        setattr(recognizer, name, judgement)
        recognizer.facts[name] = facts


def _answers(
    parts: Sequence[Predictions], labels: Sequence[str], conditions: Sequence[str]
) -> dict[str, Predictions]:
    """Answers by corpus, and by condition where there are several."""
    return {
        name if len(conditions) == 1 else f"{name}, {condition}": found
        for condition in conditions
        for name, found in by_corpus(parts, labels, condition).items()
    }


def _check_unheard(corpora: Sequence[Predictions]) -> None:
    for found in corpora:
        names = found.column("corpus")
        for corpus in np.unique(names).tolist():
            acted = (names == corpus) & (found.condition == CLEAN)
            if len(np.unique(found.fold[acted])) > 1:
                raise DataError(
                    f"answers by several folds to {corpus}, of which its training is said to have "
                    "heard nobody; give what `crossval unheard` writes"
                )


def summary(recognizer: EmotionRecognizer) -> str:
    """What `calibrate` found, to read."""
    lines = []
    for name, _, _ in KINDS:
        judgement: Judgement = getattr(recognizer, name)
        lines.append(f"{name}: temperature {judgement.temperature:.3f}")
        for grade, thresholds in judgement.grades.items():
            shown = ", ".join(f"{label} {least:.2f}" for label, least in thresholds.items())
            lines.append(f"  {grade} from {shown}")
        for kind in ("voices", "corpora left out"):
            for corpus, figures in recognizer.facts[name][kind].items():
                lines.append(f"  {kind}, {corpus}: {_told(figures)}")
        lines.append(f"  read aloud: {recognizer.facts[name]['read aloud']}")
    return "\n".join(lines)


def _told(figures: Mapping[str, float | None]) -> str:
    """Coverage and precision of both grades, in words."""
    parts = [f"UAR {100 * (figures['uar'] or 0):.1f} %, ECE {100 * (figures['ece'] or 0):.1f} %"]
    for grade in ("sure", "likely"):
        right, share = figures[f"{grade} right"], 100 * (figures[grade] or 0)
        of_it = "" if right is None else f", {100 * right:.1f} % of it right"
        parts.append(f"{share:.1f} % {grade}{of_it}")
    return "; ".join(parts)


def by_corpus(
    parts: Sequence[Predictions], labels: Sequence[str], condition: str = CLEAN
) -> dict[str, Predictions]:
    """Answers in a condition to clips of `labels`, by corpus.

    Raises
    ------
    DataError : parts without such an answer, or that lack one of `labels`
    """
    cleans = [part.only(part.condition == condition).restrict(labels) for part in parts]
    found = {name for part in cleans for name in part.column("corpus").tolist()}
    if parts and not found:
        raise DataError(
            f"no answer in the condition {condition!r} to a clip of {', '.join(labels)} in "
            f"{len(parts)} files of predictions; give those that `crossval` wrote"
        )
    return {
        name: join([part.only(part.column("corpus") == name) for part in cleans])
        for name in sorted(found)
    }


def fit(
    heard: Mapping[str, Predictions], unheard: Mapping[str, Predictions], read: Predictions
) -> Judgement:
    """Temperature, and of both grades the thresholds.

    All corpora count the same in the temperature, those left out whole as much as those of
    which other voices were heard: a reader's room may be like either. The thresholds are of
    corpora left out whole alone, where there are any.

    Parameters
    ----------
    heard : answers to unheard voices, by corpus
    unheard : answers to corpora of which nobody was heard
    read : answers to people who read aloud
    """
    groups = [*heard.values(), *unheard.values()]
    n = min(map(len, groups))
    rng = np.random.default_rng(0)
    even = [p.take(rng.choice(len(p), n, replace=False)) for p in groups]
    truth = np.concatenate([p.truth for p in even])
    temperature = evaluate.fit_temperature(truth, np.concatenate([p.logits for p in even]))
    judging = list(unheard.values()) or groups
    answers = [(p.truth, p.logits / temperature) for p in judging]
    neutral, least = read.labels.index(READ_AS), {}
    for grade, target in evaluate.TARGETS.items():
        right = evaluate.choose_thresholds(answers, target)
        least[grade] = evaluate.quiet_thresholds(
            read.logits / temperature, right, neutral, evaluate.MAX_NAMED[grade]
        )
    # What readers keep from being likely is not sure either.
    sure, likely = np.maximum(least["sure"], least["likely"]), least["likely"]
    return Judgement(
        temperature,
        dict(zip(read.labels, sure.tolist())),
        dict(zip(read.labels, likely.tolist())),
    )


def judged(p: Predictions, judgement: Judgement) -> dict[str, float | None]:
    """What a checkpoint says of its recipe on a corpus.

    "sure" and "likely" are the shares of clips that are named so, "… right" the shares of those
    that are right, None where there are none; "likely" includes what is sure.
    """
    logits = p.logits / judgement.temperature
    figures = {
        "uar": evaluate.uar(p.truth, logits),
        "ece": evaluate.calibration_error(p.truth, logits),
    }
    for grade, least in _thresholds(p, judgement).items():
        right, share = evaluate.precision_coverage(p.truth, logits, least)
        figures |= {grade: share, f"{grade} right": right}
    return {"answers": len(p)} | {
        name: None if np.isnan(x) else round(float(x), 4) for name, x in figures.items()
    }


def named(read: Predictions, judgement: Judgement) -> dict[str, float]:
    """What share of those who read aloud is named an emotion, in each grade."""
    if not len(read):
        return {"answers": 0}
    logits = read.logits / judgement.temperature
    confidence = evaluate.softmax(logits).max(axis=1)
    acted = read.answer != read.labels.index(READ_AS)
    shares = {"answers": float(len(read))}
    for grade, least in _thresholds(read, judgement).items():
        shares[grade] = round(float(np.mean(acted & (confidence >= least))), 4)
    return shares


def _thresholds(p: Predictions, judgement: Judgement) -> dict[Grade, np.ndarray]:
    """Of each grade, the threshold of every answer, (n,)."""
    return {
        grade: np.array([thresholds[label] for label in p.labels])[p.answer]
        for grade, thresholds in judgement.grades.items()
    }
