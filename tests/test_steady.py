"""What was shown stays; what may change is counted."""

import random

import pytest

from utils.audio import SAMPLE_RATE
from utils.events import Transcription, Word
from utils.steady import MOST_AT_ONCE, RATE, Corrections, SteadyText, changed, covered

SETTLE_S = 0.4


def show(hypotheses: list[str], corrections: Corrections | None = None) -> tuple[SteadyText, list[str]]:
    """What is shown of hypotheses that come every 0.1 s."""
    steady = SteadyText(SETTLE_S, corrections or Corrections())
    return steady, [steady.accept(h, (i + 1) * SAMPLE_RATE // 10) for i, h in enumerate(hypotheses)]


def final(text: str) -> Transcription:
    """A result with words of a second each."""
    words = tuple(Word(w, float(i), i + 1.0) for i, w in enumerate(text.split()))
    return Transcription(text, words)


def test_a_word_is_shown_once_it_has_stood_and_another_follows_it():
    _, shown = show(["good"] * 8 + ["good day"] * 5 + ["good day to"] * 5)
    assert shown[7] == "" and shown[8] == "good"
    assert shown[-1] == "good day"


def test_a_word_that_comes_and_goes_is_never_shown():
    _, shown = show(["good day to", "good day too", "good date"] * 5)
    assert set(shown) == {"", "good"}


def test_what_is_shown_stays_when_the_recogniser_changes_its_mind():
    _, shown = show(["we see the sea"] * 6 + ["we saw the sea now and"] * 6)
    assert shown[-1] == "we see the sea now"


@pytest.mark.parametrize("seed", range(20))
def test_growing_text_only_ever_grows(seed):
    chance = random.Random(seed)
    words = ["a", "be", "see", "the", "sea", "we"]
    hypotheses = [
        " ".join(chance.choices(words, k=chance.randint(0, 9))) for _ in range(40) for _ in range(3)
    ]
    _, shown = show(hypotheses)
    for before, after in zip(shown, shown[1:]):
        assert after.split()[: len(before.split())] == before.split()


@pytest.mark.parametrize("seed", range(20))
def test_finished_lines_change_no_more_than_their_share(seed):
    chance, corrections = random.Random(seed), Corrections()
    words = ["a", "be", "see", "the", "sea", "we"]
    n_changed = n_words = 0
    for _ in range(100):
        text = " ".join(chance.choices(words, k=12))
        steady, shown = show([text] * 6, corrections)
        result = steady.finish(final(" ".join(chance.choices(words, k=12))))
        line = result.text.split()
        n_changed += changed(shown[-1].split(), line)
        n_words += 12
        assert len(result.words) == len(line)
        assert all(w.start_s < w.end_s for w in result.words)
        starts = [w.start_s for w in result.words]
        assert starts == sorted(starts)
    assert 0 < n_changed <= RATE * n_words


def test_a_line_ends_with_what_was_not_shown_yet_as_heard_in_the_end():
    steady, shown = show(["we see the sea"] * 6)
    assert shown[-1] == "we see the"
    assert steady.finish(final("we see the sand here")).text == "we see the sand here"


def test_the_last_words_are_corrected_first_while_corrections_are_left():
    steady, shown = show(["on the way to sea now"] * 6, Corrections(left=0.8))  # one, with this line
    assert shown[-1] == "on the way to sea"
    # three words differ, and only the last of them is put right
    assert steady.finish(final("in a way to see now")).text == "on the way to see now"


def test_a_line_that_was_no_speech_goes():
    steady, shown = show(["hm yes"] * 6)
    assert shown[-1] == "hm" and steady.finish(Transcription("")).text == ""


def test_case_and_punctuation_are_put_right_and_are_no_change():
    assert changed("good morning".split(), "Good morning. How".split()) == 0
    steady, _ = show(["good morning how"] * 6)
    assert steady.finish(final("Good morning. How are you?")).text == "Good morning. How are you?"


def test_changes_are_counted_and_growth_is_not():
    assert changed([], ["a"]) == 0
    assert changed(["a", "b"], ["a", "b", "c"]) == 0
    assert changed(["a", "b"], ["a", "c"]) == 1
    assert changed(["a", "b"], ["a"]) == 1
    assert changed(["a", "b"], ["a", "x", "b"]) == 1
    assert changed(["a", "b"], []) == 2


def test_korean_and_words_without_letters_differ_as_they_should():
    assert changed(["안녕하세요"], ["안녕히"]) == 1
    assert changed(["…"], ["!"]) == 1


def test_corrections_are_saved_up_only_so_far():
    corrections = Corrections()
    corrections.earn(10_000)
    assert corrections.left == MOST_AT_ONCE and not corrections.spend(4) and corrections.spend(3)


def test_the_shown_part_is_found_by_its_words():
    assert covered("we saw the big".split(), "we see all the big ships".split()) == 5
