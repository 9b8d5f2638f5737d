"""What was shown stays; what may change is counted."""

import random

import pytest

from utils.audio import SAMPLE_RATE
from utils.captions.steady import MOST_AT_ONCE, RATE, SURE, Corrections, SteadyText
from utils.events import Transcription, Word
from utils.words import changed, covered, same

SETTLE_S = 0.4


def show(
    hypotheses: list[str], corrections: Corrections | None = None
) -> tuple[SteadyText, list[str]]:
    """What is shown of hypotheses that come every 0.1 s."""
    steady = SteadyText(SETTLE_S, corrections or Corrections())
    return steady, [steady.accept(h, (i + 1) * SAMPLE_RATE // 10) for i, h in enumerate(hypotheses)]


def final(text: str, confidence: float | None = None) -> Transcription:
    """A result with words of a second each."""
    words = tuple(Word(w, float(i), i + 1.0, confidence) for i, w in enumerate(text.split()))
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
    steady, shown = show(["on the way to sea now"] * 6, Corrections(left=1.0))  # and no other
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


ENOUGH = 2.0  # corrections


def at_once(*texts: str, corrections: Corrections | None = None, shown=()) -> SteadyText:
    """The text of an engine that takes no word back."""
    steady = SteadyText(0, corrections or Corrections(), shown)
    for text in texts:
        steady.accept(text, SAMPLE_RATE)
    return steady


def test_words_that_stay_are_shown_as_they_come():
    steady = SteadyText(0, Corrections())
    for text in ("", "we", "we see", "we see, the", "we see, the sea."):
        assert steady.accept(text, SAMPLE_RATE) == text


def test_unsure_words_correct_nothing_and_cost_nothing():
    corrections = Corrections(left=ENOUGH)
    steady = at_once("we see the sea", corrections=corrections)
    assert steady.finish(final("we see the sand", SURE - 0.1)).text == "we see the sea"
    assert corrections.left >= ENOUGH


@pytest.mark.parametrize("confidence", [SURE, 1.0, None])
def test_sure_words_correct_what_was_shown(confidence):
    corrections = Corrections(left=ENOUGH)
    steady = at_once("we see the sea", corrections=corrections)
    assert steady.finish(final("we see the sand", confidence)).text == "we see the sand"
    assert corrections.left < ENOUGH


def test_unsure_words_that_were_not_shown_yet_are_added():
    steady = at_once("we see")
    result = steady.finish(final("we see the sea", 0.01))
    assert result.text == "we see the sea"
    assert [word.text for word in result.words] == result.text.split()


def test_a_segment_that_ends_by_itself_leaves_no_words_to_the_next():
    steady = at_once("we see the sea and")
    assert steady.finish(final("we see the sea")).text == "we see the sea and"
    assert steady.beyond == []


def test_words_beyond_a_split_go_to_the_next_segment():
    steady = at_once("we see the sea, and the")
    assert steady.finish(final("we see the sea."), split=True).text == "we see the sea."
    assert steady.beyond == ["and", "the"]


def test_words_beyond_a_split_are_shown_from_the_start_and_not_twice():
    steady = SteadyText(0, Corrections(), ["and", "the"])
    shown = [steady.accept(t, SAMPLE_RATE) for t in ("", "And", "And the", "And the land, too")]
    assert shown == ["and the", "and the", "and the", "and the land, too"]
    assert steady.finish(final("And the land too.")).text == "And the land too."


def test_a_split_at_which_all_was_shown_leaves_nothing_beyond():
    for text in ("we see the sea", "we see", ""):
        steady = at_once(text)
        assert steady.finish(final("We see the sea."), split=True).text == "We see the sea."
        assert steady.beyond == []


def test_a_split_without_words_hands_all_of_them_on():
    steady = at_once("we see")
    assert steady.finish(Transcription(""), split=True).text == ""
    assert steady.beyond == ["we", "see"]


def test_words_handed_on_that_were_no_speech_go():
    steady = at_once("", shown=["you"])
    assert steady.finish(Transcription("")).text == ""


@pytest.mark.parametrize("seed", range(20))
def test_text_of_words_that_stay_only_ever_grows(seed):
    """An engine's text grows at its end; words of the segment before may stand there already."""
    chance = random.Random(seed)
    vocabulary = ["a", "be", "see", "the", "sea", "we", "sea,", "The"]
    said = chance.choices(vocabulary, k=30)
    beyond = [chance.choice([word, "be"]) for word in said[: chance.randint(0, 4)]]
    steady, before = SteadyText(0, Corrections(), beyond), beyond
    for n_words in sorted(chance.choices(range(31), k=40)):
        shown = steady.accept(" ".join(said[:n_words]), SAMPLE_RATE).split()
        assert shown[: len(before)] == before
        before = shown


@pytest.mark.parametrize("seed", range(20))
def test_no_word_is_lost_or_doubled_at_a_split(seed):
    """Where the final pass hears what was shown, both lines together hold each word once."""
    chance = random.Random(seed)
    said = [f"word{i}" for i in range(20)]
    cut, n_shown = chance.randint(1, 19), chance.randint(0, 20)
    first = at_once(*(" ".join(said[:n]) for n in range(n_shown + 1)))
    line = first.finish(final(" ".join(said[:cut])), split=True).text.split()
    second = at_once("", shown=first.beyond)
    for n_words in range(cut, 21):
        shown = second.accept(" ".join(said[cut:n_words]), SAMPLE_RATE).split()
        assert shown == said[cut : max(n_words, n_shown)]
    assert line + second.finish(final(" ".join(said[cut:]))).text.split() == said


def test_words_are_the_same_whatever_their_case_and_marks():
    assert same("Sea,", "sea") and same("…", "…") and same("안녕.", "안녕")
    assert not same("sea", "see") and not same("…", "!") and not same("sea", "")
