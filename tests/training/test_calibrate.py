"""Thresholds that each corpus, unheard languages and readers ask for, and what is kept of it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from emotion_model import EmotionRecognizer, ModelConfig
from tests.emotion.test_denoiser import random_denoiser
from tests.emotion.test_network import network
from training.corpora import LABELS, SHIPPED, Clip
from training.emotion import calibrate, evaluate
from training.emotion.predictions import CLEAN, READ_ALOUD, Predictions, join
from utils.emotion.features import DEFAULT_CONFIG
from utils.errors import DataError

EACH = 50  # answers that name each class, in a corpus
SAD = SHIPPED.index("sad")


def answers(
    corpus: str, wrong: Mapping[str, int] | None = None, n_folds: int = 1, condition: str = CLEAN
) -> Predictions:
    """`EACH` answers a class, by three seeds. Those that are wrong are less sure than the others.

    Parameters
    ----------
    wrong : how many of the answers that name a class are wrong; two where it does not say
    """
    clips, logits = [], []
    for answer, label in enumerate(SHIPPED):
        for k in range(EACH):
            right = k >= (wrong or {}).get(label, 2)
            truth = label if right else SHIPPED[answer - 1]
            clips.append(Clip(Path(f"{label}-{k}"), truth, f"{corpus}-{k % 4}", corpus, "en"))
            logits.append((4 if right else 2) * np.eye(len(LABELS))[LABELS.index(label)])
    n = len(clips)
    return Predictions(
        LABELS,
        np.array(logits, np.float32),
        tuple(clips),
        np.arange(n) % n_folds,
        np.arange(n) % 3,
        np.ones(n),
        np.full(n, condition),
    )


def read_aloud(sure: float, n_named: int, n: int = 100) -> Predictions:
    """Answers to readers, all with a logit of `sure`; so many name an emotion."""
    clips = tuple(
        Clip(Path(f"read-{k}"), "neutral", f"librispeech-{k % 4}", "librispeech", "en")
        for k in range(n)
    )
    answer = np.where(np.arange(n) < n_named, LABELS.index("sad"), LABELS.index("neutral"))
    logits = sure * np.eye(len(LABELS), dtype=np.float32)[answer]
    return Predictions(
        LABELS,
        logits,
        clips,
        np.arange(n) % 4,
        np.zeros(n, int),
        np.ones(n),
        np.full(n, READ_ALOUD),
    )


NOBODY = read_aloud(0.0, 0, n=0).restrict(SHIPPED)


def fit(
    *voices: Predictions, languages: tuple[Predictions, ...] = (), read: Predictions = NOBODY
) -> tuple[float, np.ndarray]:
    cleans, unheard = (calibrate.by_corpus(parts, SHIPPED) for parts in (voices, languages))
    return calibrate.fit(cleans, unheard, read.restrict(SHIPPED))


def raised(now: np.ndarray, before: np.ndarray) -> list[str]:
    """The classes that are named from another confidence than before, all of them a higher one."""
    assert (now >= before).all()
    return [label for label, more in zip(SHIPPED, now > before) if more]


def untrained() -> EmotionRecognizer:
    """A small recogniser of the classes that ship, before it is calibrated."""
    config = ModelConfig(
        DEFAULT_CONFIG.n_features, len(SHIPPED), DEFAULT_CONFIG.n_mfcc, n_landmarks=8, hidden=8
    )
    return EmotionRecognizer(network(config), SHIPPED, random_denoiser(), facts={"seed": 3})


@pytest.fixture
def recognizer() -> EmotionRecognizer:
    return untrained()


# --- by_corpus


def test_answers_are_gathered_by_corpus_as_recorded_and_of_the_classes_that_ship() -> None:
    room = answers("tess", condition="room")
    parts = [join([answers("tess"), room]), join([answers("savee"), answers("tess")])]
    found = calibrate.by_corpus(parts, SHIPPED)
    assert {name: len(p) for name, p in found.items()} == {
        "savee": EACH * len(SHIPPED),
        "tess": 2 * EACH * len(SHIPPED),
    }
    assert all(p.labels == SHIPPED and set(p.condition) == {CLEAN} for p in found.values())
    assert calibrate.by_corpus([], SHIPPED) == {}


def test_answers_to_nothing_as_recorded_calibrate_nothing() -> None:
    with pytest.raises(DataError, match="no answer to a clip as recorded of neutral, "):
        calibrate.by_corpus([answers("tess", condition="room")], SHIPPED)


# --- fit


def test_a_threshold_is_that_of_the_corpus_that_needs_the_highest() -> None:
    good, mixed = answers("savee"), answers("tess", {"sad": 15, "fear": 4})
    _, before = fit(good)
    _, found = fit(good, mixed)
    assert raised(found, before) == ["sad", "fear"]
    assert fit(mixed, good)[1].tolist() == found.tolist()


def test_every_corpus_counts_the_same_in_the_temperature() -> None:
    sure, unsure = answers("savee"), answers("tess", dict.fromkeys(SHIPPED, 15))
    expected = fit(sure, unsure)[0]
    assert fit(sure, *[unsure] * 9)[0] == pytest.approx(expected, rel=0.05)
    assert fit(sure)[0] < 0.8 * expected


def test_an_unheard_language_raises_the_thresholds_of_what_is_wrong_in_it() -> None:
    temperature, before = fit(answers("tess"))
    found, thresholds = fit(answers("tess"), languages=(answers("nemo", {"sad": 15}),))
    assert found == temperature
    assert raised(thresholds, before) == ["sad"]
    wrong = evaluate.softmax(2 * np.eye(6)[:1] / temperature).max()
    assert wrong < thresholds[SAD] <= wrong + 0.01  # and no higher than need be


def test_less_is_asked_of_an_unheard_language_than_of_a_heard_one() -> None:
    good, mixed = answers("tess"), answers("nemo", {"sad": 8})
    right = 1 - 8 / EACH
    assert evaluate.TARGET_UNHEARD < right < evaluate.TARGET_PRECISION
    assert fit(good, languages=(mixed,))[1].tolist() == fit(good)[1].tolist()
    assert fit(good, mixed)[1][SAD] > fit(good)[1][SAD]


def test_the_thresholds_keep_readers_quiet_and_leave_neutral_and_the_temperature() -> None:
    cleans = answers("tess")
    temperature, thresholds = fit(cleans)
    neutral, few, many = (read_aloud(3.0, n) for n in (0, 2, 30))
    confidence = evaluate.softmax(few.restrict(SHIPPED).logits / temperature).max()
    assert confidence > thresholds[SAD]
    for read in (neutral, few):
        assert fit(cleans, read=read)[1].tolist() == thresholds.tolist()
    found, quiet = fit(cleans, read=many)
    assert found == temperature
    assert raised(quiet, thresholds) == list(SHIPPED[1:])
    assert confidence < quiet[SAD] <= confidence + 0.01
    assert "sad" not in calibrate.named(many.restrict(SHIPPED), found, quiet)
    shy = read_aloud(0.1 * temperature, 30)  # often named, but never surely
    assert fit(cleans, read=shy)[1].tolist() == thresholds.tolist()


# --- judged, named


def test_each_answer_is_judged_by_the_threshold_of_its_class() -> None:
    p = answers("tess", {"sad": 20}).restrict(SHIPPED)
    figures = calibrate.judged(p, 1.0, np.array([2, 2, 0, 2, 2, 2]))  # only sad is named
    assert (figures["answers"], figures["precision"]) == (6 * EACH, 0.6)
    assert figures["coverage"] == round(1 / 6, 4)
    recall = (p.answer == p.truth)[p.truth == SHIPPED.index("happy")].mean()  # 20 were called sad
    assert figures["uar"] is not None and recall < figures["uar"] < 1
    alike = calibrate.judged(p, 1.0, np.zeros(6))
    assert (alike["coverage"], alike["precision"]) == (1, round(1 - 30 / (6 * EACH), 4))
    assert alike["uar"] == figures["uar"]


def test_who_reads_is_named_by_the_share_of_sure_answers() -> None:
    read = join([read_aloud(6.0, 10), read_aloud(0.5, 40)])
    for temperature, least, shares in (
        (1.0, 0.9, {"neutral": 0.45, "sad": 0.05}),
        (1.0, 0.0, {"neutral": 0.75, "sad": 0.25}),
        (20.0, 0.9, {}),
    ):
        found = calibrate.named(read, temperature, np.full(len(LABELS), least))
        assert found == {"answers": 200} | shares
    only_sad = np.where(np.array(LABELS) == "sad", 0.0, 1.0)
    assert calibrate.named(read, 1.0, only_sad) == {"answers": 200, "sad": 0.25}


def test_where_nobody_reads_nobody_is_named() -> None:
    assert calibrate.named(NOBODY, 1.0, np.full(6, 0.5)) == {"answers": 0}


# --- calibrate, summary


def test_a_calibrated_recogniser_keeps_what_was_fitted_and_found(recognizer) -> None:
    voices = [join([answers("tess", n_folds=4), read_aloud(3.0, 2)]), answers("savee", n_folds=4)]
    others = read_aloud(9.0, 30, n=30)  # those of whoever left a language out count no further
    languages = [
        join([answers("nemo", {"sad": 15}), others.only(others.fold == 0)]),
        answers("korean"),
    ]
    calibrate.calibrate(recognizer, voices, languages)
    read = read_aloud(3.0, 2).restrict(SHIPPED)
    temperature, thresholds = fit(*voices, languages=tuple(languages), read=read)
    assert recognizer.temperature == temperature
    assert recognizer.thresholds == dict(zip(SHIPPED, thresholds.tolist()))
    facts = recognizer.facts
    assert facts["calibration"] == {
        "answers": 4 * EACH * len(SHIPPED),
        "target_precision": evaluate.TARGET_PRECISION,
        "target_unheard_language": evaluate.TARGET_UNHEARD,
    }
    assert set(facts["judged"]) == {"tess", "savee"}
    assert set(facts["unheard_language"]) == {"nemo", "korean"}
    nemo = answers("nemo", {"sad": 15}).restrict(SHIPPED)
    assert facts["unheard_language"]["nemo"] == calibrate.judged(nemo, temperature, thresholds)
    assert facts["read_aloud"] == calibrate.named(read, temperature, thresholds)
    assert facts["read_aloud"]["answers"] == 100
    assert facts["seed"] == 3  # what the training left is still there


def test_a_calibration_can_be_kept(recognizer, tmp_path: Path) -> None:
    calibrate.calibrate(recognizer, [answers("tess"), read_aloud(3.0, 2)], [answers("nemo")])
    recognizer.save(tmp_path / "weights.pt")
    again = EmotionRecognizer.load(tmp_path / "weights.pt")
    assert (again.thresholds, again.facts) == (recognizer.thresholds, recognizer.facts)


def test_no_unheard_language_is_needed(recognizer) -> None:
    calibrate.calibrate(recognizer, [answers("tess"), NOBODY], [])
    assert list(recognizer.thresholds.values()) == fit(answers("tess"))[1].tolist()
    assert recognizer.facts["unheard_language"] == {}
    assert recognizer.facts["calibration"]["answers"] == EACH * len(SHIPPED)


def test_a_language_that_some_folds_heard_is_refused(recognizer) -> None:
    """As far as can be told: a protocol that leaves a language out has a single fold."""
    before = (recognizer.temperature, dict(recognizer.thresholds), dict(recognizer.facts))
    with pytest.raises(DataError, match="several folds to korean, .* `crossval no-polish`"):
        calibrate.calibrate(
            recognizer, [answers("tess")], [answers("nemo"), answers("korean", n_folds=2)]
        )
    assert (recognizer.temperature, recognizer.thresholds, recognizer.facts) == before


def test_a_summary_says_what_is_named_and_how_much_of_it_is_right(recognizer) -> None:
    recognizer.temperature = 1.25
    recognizer.thresholds = dict.fromkeys(SHIPPED, 0.5) | {"sad": 1.0}
    recognizer.facts |= {
        "judged": {"tess": {"precision": 0.957, "coverage": 0.614}},
        "unheard_language": {"nemo": {"precision": 0.8, "coverage": 0.25}},
    }
    assert calibrate.summary(recognizer).splitlines() == [
        "temperature 1.250, thresholds: neutral 0.50, happy 0.50, sad 1.00, angry 0.50, "
        "fear 0.50, disgust 0.50",
        "  tess: 61.4 % named, 95.7 % of it right",
        "  nemo, its language unheard: 25.0 % named, 80.0 % of it right",
    ]


def test_where_nothing_is_named_a_summary_says_no_more(recognizer) -> None:
    few, nemo = (answers(corpus).take(np.arange(0, 6 * EACH, 6)) for corpus in ("tess", "nemo"))
    calibrate.calibrate(recognizer, [few, NOBODY], [nemo])
    assert set(recognizer.thresholds.values()) == {evaluate.NEVER_SURE}
    assert calibrate.summary(recognizer).splitlines()[1:] == [
        "  tess: 0.0 % named",
        "  nemo, its language unheard: 0.0 % named",
    ]
