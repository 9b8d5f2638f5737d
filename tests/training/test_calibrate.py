"""Two grades that corpora left out and readers ask for, and what is kept of it."""

import numpy as np
import pytest

from emotion_model import EmotionRecognizer
from tests.training.made_answers import EACH, answers, in_all_ways, read_aloud
from tests.training.made_recognizer import untrained
from training.corpora import LABELS, SHIPPED
from training.emotion import calibrate, evaluate
from training.emotion.predictions import CLEAN, PLACE_KNOWN, UNAIDED, VOICE_KNOWN, Predictions, join
from utils.emotion.judgement import NEVER, Judgement
from utils.errors import DataError

NOBODY = read_aloud(0.0, 0, n=0).restrict(SHIPPED)
EVERYTHING = dict.fromkeys(SHIPPED, 0.3)  # the thresholds where all that is said may be named


def fit(
    *voices: Predictions, corpora: tuple[Predictions, ...] = (), read: Predictions = NOBODY
) -> Judgement:
    heard, unheard = (calibrate.by_corpus(parts, SHIPPED) for parts in (voices, corpora))
    return calibrate.fit(heard, unheard, read.restrict(SHIPPED))


def confidence(logit: float, judgement: Judgement) -> float:
    return float(evaluate.softmax(logit * np.eye(6)[:1] / judgement.temperature).max())


@pytest.fixture
def recognizer() -> EmotionRecognizer:
    return untrained()


# --- by_corpus


def test_answers_are_gathered_by_corpus_in_a_condition_and_of_the_classes_that_ship() -> None:
    room = answers("tess", condition="room")
    parts = [join([answers("tess"), room]), join([answers("savee"), answers("tess")])]
    found = calibrate.by_corpus(parts, SHIPPED)
    assert {name: len(p) for name, p in found.items()} == {
        "savee": EACH * len(SHIPPED),
        "tess": 2 * EACH * len(SHIPPED),
    }
    assert all(p.labels == SHIPPED and set(p.condition) == {CLEAN} for p in found.values())
    assert set(calibrate.by_corpus(parts, SHIPPED, "room")) == {"tess"}
    assert calibrate.by_corpus([], SHIPPED) == {}


def test_answers_in_no_such_condition_calibrate_nothing() -> None:
    with pytest.raises(DataError, match="no answer in the condition 'clean' to a clip of neutral"):
        calibrate.by_corpus([answers("tess", condition="room")], SHIPPED)


# --- fit


def test_thresholds_are_those_of_corpora_left_out_alone() -> None:
    good, bad = answers("tess"), answers("nemo", {"sad": 20})
    found = fit(answers("tess", {"sad": 20}), corpora=(answers("nemo"),))
    assert found.sure == found.likely == EVERYTHING
    found = fit(good, corpora=(bad,))
    for thresholds in (found.sure, found.likely):
        assert {**thresholds, "sad": 0.3} == EVERYTHING
        wrong = confidence(2, found)
        assert wrong < thresholds["sad"] <= wrong + 0.01  # and no higher than need be
        assert thresholds["sad"] < confidence(4, found)


def test_less_is_asked_of_likely_than_of_sure() -> None:
    right = 1 - 10 / EACH
    assert evaluate.TARGETS["likely"] < right < evaluate.TARGETS["sure"]
    found = fit(answers("tess"), corpora=(answers("nemo", {"sad": 10}),))
    assert found.likely == EVERYTHING
    assert found.sure["sad"] > found.likely["sad"]
    assert {**found.sure, "sad": 0.3} == EVERYTHING


@pytest.mark.parametrize("times", [1, 9])
def test_every_corpus_left_out_counts_the_same_in_the_thresholds(times: int) -> None:
    """Of what is called sad, 39 of 50 are right if each counts as one, whatever it holds."""
    good, bad = answers("korean"), answers("nemo", {"sad": 20})
    found = fit(answers("tess"), corpora=(*[good] * times, bad))
    assert found.likely == EVERYTHING
    assert found.sure["sad"] > 0.3


@pytest.mark.parametrize("left_out", [False, True])
def test_every_corpus_counts_the_same_in_the_temperature(left_out: bool) -> None:
    sure, unsure = answers("savee"), answers("tess", dict.fromkeys(SHIPPED, 15))

    def temperature(*others: Predictions) -> float:
        found = fit(sure, corpora=others) if left_out else fit(sure, *others)
        return found.temperature

    expected = temperature(unsure)
    assert temperature(*[unsure] * 9) == pytest.approx(expected, rel=0.05)
    assert temperature() < 0.8 * expected


def test_where_no_corpus_was_left_out_voices_choose() -> None:
    found = fit(answers("tess", {"sad": 20}), answers("savee", {"sad": 20}))
    assert found.sure["sad"] == found.likely["sad"] > 0.3


def test_what_never_is_right_enough_is_never_named() -> None:
    found = fit(answers("tess"), corpora=(answers("nemo", {"fear": EACH}),))
    assert found.sure["fear"] == found.likely["fear"] == NEVER


@pytest.mark.parametrize(
    ("n_named", "raised"),
    [(0, ()), (1, ()), (2, ("sure",)), (5, ("sure",)), (6, ("sure", "likely"))],
)
def test_readers_are_kept_quiet_and_neutral_and_temperature_stay(
    n_named: int, raised: tuple[str, ...]
) -> None:
    """One in a hundred may be surely named, five may be likely."""
    voices = answers("tess")
    before, found = fit(voices), fit(voices, read=read_aloud(3.0, n_named))
    assert found.temperature == before.temperature
    named = confidence(3, found)
    for grade in ("sure", "likely"):
        least = named if grade in raised else 0.0
        for label, threshold in getattr(found, grade).items():
            if label == "neutral" or grade not in raised:
                assert threshold == 0.3
            else:
                assert least < threshold <= least + 0.01
    told = calibrate.named(read_aloud(3.0, n_named).restrict(SHIPPED), found)
    assert told["sure"] <= evaluate.MAX_NAMED["sure"]
    assert told["likely"] <= evaluate.MAX_NAMED["likely"]


def test_who_is_often_named_but_never_surely_changes_nothing() -> None:
    voices = answers("tess")
    before = fit(voices)
    shy = read_aloud(0.1 * before.temperature, 30)
    assert fit(voices, read=shy) == before


def test_what_readers_keep_from_being_likely_is_not_sure_either() -> None:
    """Many are called sad, which is never sure there, and a few happy, with less confidence."""
    corpora = (answers("nemo", {"sad": 10}),)
    read = join([read_aloud(1.5, 4, label="happy"), read_aloud(1.9, 20)])
    found = fit(answers("tess"), corpora=corpora, read=read)
    assert found.sure["happy"] == found.likely["happy"] > confidence(1.9, found)
    assert all(found.sure[label] >= found.likely[label] for label in SHIPPED)


# --- judged, named


def test_each_answer_is_judged_by_the_threshold_of_its_class() -> None:
    p = answers("tess", {"sad": 20}).restrict(SHIPPED)
    never, always = dict.fromkeys(SHIPPED, 2.0), dict.fromkeys(SHIPPED, 0.0)
    figures = calibrate.judged(p, Judgement(1.0, never | {"sad": 0.0}, always))
    assert figures["answers"] == 6 * EACH
    assert (figures["sure"], figures["sure right"]) == (round(1 / 6, 4), 0.6)  # only sad
    assert (figures["likely"], figures["likely right"]) == (1, round(1 - 30 / (6 * EACH), 4))
    recall = (p.answer == p.truth)[p.truth == SHIPPED.index("happy")].mean()  # 20 were called sad
    assert figures["uar"] is not None and recall < figures["uar"] < 1
    assert figures["ece"] == pytest.approx(evaluate.calibration_error(p.truth, p.logits), abs=1e-4)
    silent = calibrate.judged(p, Judgement(1.0, never, never))
    assert (silent["sure"], silent["sure right"]) == (0, None)


def test_who_reads_is_named_by_the_share_of_answers_in_each_grade() -> None:
    read = join([read_aloud(6.0, 10), read_aloud(0.5, 40)])
    for temperature, expected in ((1.0, (0.05, 0.25)), (20.0, (0.0, 0.0))):
        least = dict.fromkeys(LABELS, 0.9), dict.fromkeys(LABELS, 0.19)
        found = calibrate.named(read, Judgement(temperature, *least))
        assert (found["answers"], found["sure"], found["likely"]) == (200, *expected)


def test_where_nobody_reads_nobody_is_named() -> None:
    assert calibrate.named(NOBODY, Judgement.untuned(SHIPPED)) == {"answers": 0}


# --- calibrate, summary


def test_a_calibrated_recogniser_keeps_what_was_fitted_and_found(recognizer) -> None:
    voices = [
        in_all_ways(answers("tess", n_folds=4), read_aloud(9.0, 30)),  # these readers do not count
        in_all_ways(answers("savee", n_folds=4)),
    ]
    read = read_aloud(3.0, 2)
    corpora = [in_all_ways(answers("nemo", {"sad": 20}), read), in_all_ways(answers("korean"))]
    calibrate.calibrate(recognizer, voices, corpora)
    expected = fit(*voices, corpora=tuple(corpora), read=read)
    assert recognizer.judgement == expected
    facts = recognizer.facts["judgement"]
    assert set(facts["voices"]) == {"tess", "savee"}
    assert set(facts["corpora left out"]) == {"nemo", "korean"}
    nemo = answers("nemo", {"sad": 20}).restrict(SHIPPED)
    assert facts["corpora left out"]["nemo"] == calibrate.judged(nemo, expected)
    assert facts["read aloud"] == calibrate.named(read.restrict(SHIPPED), expected)
    assert facts["read aloud"]["answers"] == 100
    assert recognizer.facts["seed"] == 3  # what the training left is still there


@pytest.mark.parametrize(
    ("name", "conditions"),
    [("unaided", (UNAIDED,)), ("familiar", (VOICE_KNOWN, PLACE_KNOWN))],
)
def test_each_judgement_is_of_answers_in_its_own_conditions(
    name: str, conditions: tuple[str, ...], recognizer
) -> None:
    others = in_all_ways(answers("nemo"))
    others = others.only(~np.isin(others.condition, conditions))
    own = [answers("nemo", {"sad": 20}, condition=condition) for condition in conditions]
    calibrate.calibrate(recognizer, [in_all_ways(answers("tess"))], [join([others, *own])])
    for other in ("judgement", "familiar", "unaided"):
        assert (getattr(recognizer, other).sure == EVERYTHING) == (other != name)
    assert getattr(recognizer, name).sure["sad"] > 0.3
    facts = recognizer.facts[name]["corpora left out"]
    expected = ["nemo"] if name == "unaided" else ["nemo, place known", "nemo, voice known"]
    assert sorted(facts) == expected
    assert all(found["uar"] < 0.95 for found in facts.values())


def test_a_calibration_can_be_kept(recognizer, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("utils.emotion.encoder_here.find_encoder", lambda: recognizer.encoder)
    calibrate.calibrate(
        recognizer, [in_all_ways(answers("tess"), read_aloud(3.0, 2))], [in_all_ways(answers("x"))]
    )
    recognizer.save(tmp_path / "weights.pt")
    again = EmotionRecognizer.load(tmp_path / "weights.pt")
    assert (again.judgement, again.unaided) == (recognizer.judgement, recognizer.unaided)
    assert again.facts == recognizer.facts


def test_no_corpus_left_out_is_needed(recognizer) -> None:
    calibrate.calibrate(recognizer, [in_all_ways(answers("tess"))], [])
    assert recognizer.judgement == fit(answers("tess"))
    assert recognizer.facts["judgement"]["corpora left out"] == {}


def test_a_corpus_that_some_folds_heard_is_refused(recognizer) -> None:
    """As far as can be told: a protocol that leaves a corpus out has a single fold of it."""
    before = (recognizer.judgement, recognizer.unaided, dict(recognizer.facts))
    heard = in_all_ways(answers("korean", n_folds=2))
    with pytest.raises(DataError, match="several folds to korean, .* `crossval unheard`"):
        calibrate.calibrate(
            recognizer, [in_all_ways(answers("tess"))], [in_all_ways(answers("nemo")), heard]
        )
    assert (recognizer.judgement, recognizer.unaided, recognizer.facts) == before


def test_answers_without_those_in_other_conditions_are_refused(recognizer) -> None:
    before = recognizer.judgement
    with pytest.raises(DataError, match="no answer in the condition 'voice known'"):
        calibrate.calibrate(recognizer, [answers("tess")], [])
    assert recognizer.judgement == before and "judgement" not in recognizer.facts


def test_a_summary_says_what_is_named_and_how_much_of_it_is_right(recognizer) -> None:
    tess = {"uar": 0.771, "ece": 0.034, "sure": 0.25, "sure right": 0.912}
    tess |= {"likely": 0.614, "likely right": 0.8}
    nemo = {"uar": 0.5, "ece": 0.081, "sure": 0.0, "sure right": None}
    nemo |= {"likely": 0.1, "likely right": 0.7}
    recognizer.judgement = Judgement(
        1.25, dict.fromkeys(SHIPPED, 0.8) | {"sad": NEVER}, dict.fromkeys(SHIPPED, 0.5)
    )
    facts = {"voices": {"tess": tess}, "corpora left out": {"nemo": nemo}}
    for name in ("judgement", "familiar", "unaided"):
        recognizer.facts[name] = facts | {"read aloud": {"answers": 0}}
    told = calibrate.summary(recognizer).splitlines()
    assert told[:6] == [
        "judgement: temperature 1.250",
        "  sure from neutral 0.80, happy 0.80, sad 1.00, angry 0.80, fear 0.80, disgust 0.80",
        "  likely from neutral 0.50, happy 0.50, sad 0.50, angry 0.50, fear 0.50, disgust 0.50",
        "  voices, tess: UAR 77.1 %, ECE 3.4 %; 25.0 % sure, 91.2 % of it right; "
        "61.4 % likely, 80.0 % of it right",
        "  corpora left out, nemo: UAR 50.0 %, ECE 8.1 %; 0.0 % sure; "
        "10.0 % likely, 70.0 % of it right",
        "  read aloud: {'answers': 0}",
    ]
    assert told[6] == "familiar: temperature 1.000"
