"""What was shown of a growing segment stays, to the letter; what is not sure waits."""

import random

import pytest

from utils.asr.whisper.agree import DOUBT_S, EDGE_S, LIKELY, LOOK_AHEAD_S, SURE, Agreement
from utils.events import Word

FAR_S = 100.0  # heard beyond every word
CLEAR, VAGUE = 1.0, (LIKELY + min(SURE, 1.0)) / 2  # the second is not enough for one pass


def words(text: str, confidence: float = CLEAR, end_s: float | None = None) -> list[Word]:
    """Words of 0.3 s each; or all ending together."""
    return [
        Word(word, 0.3 * i, 0.3 * (i + 1) if end_s is None else end_s, confidence)
        for i, word in enumerate(text.split())
    ]


def shown(*passes: tuple[list[Word], float]) -> str:
    agreed = Agreement()
    for heard, heard_s in passes:
        agreed.take(heard, heard_s)
    return agreed.text


def test_sure_words_that_lie_well_before_the_end_are_shown_at_once():
    assert shown((words("we see the sea"), FAR_S)) == "we see the sea"
    assert shown((words("we"), 0.3 + LOOK_AHEAD_S + 0.01)) == "we"


def test_a_word_too_near_the_end_waits():
    assert shown((words("we"), 0.3 + LOOK_AHEAD_S - 0.01)) == ""
    # even where two passes agree on it
    first = heard = words("so we see", VAGUE)
    heard_s = heard[-1].end_s + EDGE_S - 0.01
    assert shown((first, heard_s), (heard, heard_s)) != "so we see"


def test_words_that_one_pass_is_not_sure_of_wait_for_a_second_that_agrees():
    vague = words("we see the sea", VAGUE)
    assert shown((vague, FAR_S)) == ""
    assert shown((vague, FAR_S), (vague, FAR_S)) == "we see the sea"
    assert shown((vague, FAR_S), (words("we saw the sea", VAGUE), FAR_S)) == "we"


def test_doubtful_words_wait_until_more_was_heard():
    doubtful = words("we see", LIKELY - 0.1)
    early_s, late_s = doubtful[-1].end_s + DOUBT_S - 0.01, doubtful[-1].end_s + DOUBT_S + 0.01
    assert shown((doubtful, early_s), (doubtful, early_s)) in {"", "we"}
    assert shown((doubtful, late_s), (doubtful, late_s)) == "we see"


def test_no_word_is_shown_before_one_that_waits():
    heard = [Word("we", 0, 0.3, LIKELY / 2), *words("see the sea")]
    assert shown((heard, FAR_S)) == ""


def test_a_word_without_a_confidence_waits_for_a_second_pass():
    heard = [Word("we", 0.0, 0.3)]
    assert shown((heard, FAR_S)) == ""
    assert shown((heard, FAR_S), (heard, FAR_S)) == "we"


def test_agreement_is_beyond_case_and_punctuation():
    assert shown((words("We see,", VAGUE), FAR_S), (words("we see", VAGUE), FAR_S)) == "we see"


def test_a_pause_shows_every_word():
    agreed = Agreement()
    agreed.take(words("we see the sea", 0.01), 0.0, paused=True)
    assert agreed.text == "we see the sea"


def test_nothing_heard_shows_nothing_and_takes_nothing_back():
    assert shown(([], 1.0)) == ""
    assert shown((words("we see"), FAR_S), ([], FAR_S)) == "we see"
    assert shown((words("we see"), FAR_S), (words("we"), FAR_S)) == "we see"


def test_words_that_are_shown_stay_when_the_passes_change_their_mind():
    assert shown((words("we see the"), FAR_S), (words("we saw the sea"), FAR_S)) == "we see the sea"


def test_a_mark_is_shown_once_a_word_follows_it():
    first = words("we see the sea.")
    assert shown((first, FAR_S)) == "we see the sea"
    assert shown((first, FAR_S), (words("we see the sea, and"), FAR_S)) == "we see the sea, and"
    # a mark that is taken back was never shown
    assert shown((first, FAR_S), (words("we see the sea and"), FAR_S)) == "we see the sea and"


def test_marks_within_words_stay():
    assert shown((words("at 3.5 o'clock, Mr. Smith's"), FAR_S)) == "at 3.5 o'clock, Mr. Smith's"


def test_words_of_marks_alone_break_nothing():
    agreed = Agreement()
    for text in ("...", "... we", "… we see", "we see ?", "- we see -"):
        before = agreed.text
        agreed.take(words(text), FAR_S)
        assert agreed.text.startswith(before)
        assert "  " not in agreed.text and agreed.text == agreed.text.strip()
    assert shown((words("we ..."), FAR_S)) == "we ..."


@pytest.mark.parametrize("seed", range(20))
def test_the_text_only_ever_grows_at_its_end(seed):
    chance = random.Random(seed)
    vocabulary = ["a", "be", "see", "See", "the", "sea", "we", "sea,", "the.", "be?", "…", "see…"]
    agreed, before = Agreement(), ""
    for _ in range(200):
        n_words, start_s, heard = chance.randint(0, 12), 0.0, []
        for text in chance.choices(vocabulary, k=n_words):
            end_s = start_s + chance.random()
            heard.append(Word(text, start_s, end_s, chance.choice([None, chance.random()])))
            start_s = end_s
        heard_s = start_s + chance.random() - 0.5
        agreed.take(heard, heard_s, paused=chance.random() < 0.1)
        assert agreed.text.startswith(before)
        before = agreed.text
    assert before


@pytest.mark.parametrize("seed", range(20))
def test_passes_over_a_growing_sentence_show_all_of_it_without_a_word_twice(seed):
    """Each pass hears a little more; its last words are wrong, its marks come and go."""
    chance = random.Random(seed)
    said = [f"word{i}" for i in range(30)]
    agreed = Agreement()
    for n_heard in range(1, len(said) + 1):
        heard = [
            Word(text + chance.choice(["", "", ",", "."]), 0.3 * i, 0.3 * (i + 1), CLEAR)
            for i, text in enumerate(said[:n_heard])
        ]
        if chance.random() < 0.5:  # a part of a word at the edge
            heard.append(Word("part", 0.3 * n_heard, 0.3 * n_heard + 0.05, SURE / 2))
        agreed.take(heard, heard[-1].end_s)
    agreed.take(words(" ".join(said)), FAR_S, paused=True)
    assert [word.strip(",.") for word in agreed.text.split()] == said


def test_a_pass_that_began_behind_some_words_adds_what_follows_them():
    agreed = Agreement()
    agreed.take(words("so we see the"), FAR_S)
    assert agreed.before(0.7) == (2, pytest.approx(0.6))
    assert agreed.before(0.1) == (0, 0.0)
    assert agreed.before(FAR_S) == (4, pytest.approx(1.2))
    agreed.take([word.later(0.6) for word in words("see the sea")], FAR_S, n_before=2)
    assert agreed.text == "so we see the sea"
    agreed.take(
        [word.later(0.6) for word in words("tea the sea is")], FAR_S, n_before=2
    )  # its first word was cut
    assert agreed.text == "so we see the sea is"


def timed(*said: tuple[str, float, float]) -> list[Word]:
    return [Word(text, start_s, end_s, CLEAR) for text, start_s, end_s in said]


# What passes of Whisper tiny.en over a reader's sentence made of it, the second one word more.
YOU_HEARD = timed(("all.", 4.28, 5.26), ("You", 5.26, 5.48), ("heard", 5.48, 5.7))
YOU_EVEN_HEARD = timed(
    *(("all.", 4.28, 5.26), ("You", 5.26, 5.36), ("even", 5.36, 5.52), ("heard", 5.52, 5.7)),
    *(("how", 5.7, 5.96), ("I've", 5.96, 6.16)),
)


def test_a_word_that_a_later_pass_finds_between_doubles_none():
    assert shown((YOU_HEARD, 6.37), (YOU_EVEN_HEARD, FAR_S)) == "all. You heard how I've"


def test_a_word_that_a_later_pass_hears_as_two_doubles_none():
    """As Whisper tiny.en heard "Linnell's pictures are a sort of", which another reader said."""
    first = [
        *(Word("Linnell's", 0.0, 1.04, 0.511), Word("pictures", 1.04, 1.36, 0.937)),
        *(Word("are", 1.36, 1.82, 0.891), Word("us.", 1.82, 1.96, 0.245)),
    ]
    later = [
        *(Word("The", 0.0, 0.56, 0.106), Word("nails", 0.56, 0.88, 0.444)),
        *(Word("pictures", 0.88, 1.46, 0.787), Word("are", 1.46, 1.92, 0.97)),
        *(Word("a", 1.92, 2.04, 0.741), Word("sort", 2.04, 2.14, 0.979)),
    ]
    assert shown((first[:2], 1.98), (first, 1.98), (later, 2.6)) == "Linnell's pictures are"


def test_words_that_a_later_pass_finds_between_double_none():
    first = timed(("teeth", 1.0, 1.4), ("Collier", 2.2, 2.6), ("gives", 2.6, 2.9))
    later = timed(
        *(("teeth", 1.0, 1.4), ("and", 1.5, 1.6), ("Mr.", 1.6, 1.9), ("John", 1.9, 2.2)),
        *(("Collier", 2.2, 2.6), ("gives", 2.6, 2.9), ("his", 2.9, 3.1)),
    )
    assert shown((first, FAR_S), (later, FAR_S)) == "teeth Collier gives his"


def test_a_pause_before_or_behind_the_last_word_doubles_it_not():
    first = timed(("of", 2.8, 3.0), ("the", 3.0, 3.2), ("year,", 3.2, 3.5))
    for start_s, end_s in ((3.2, 4.7), (3.0, 3.5), (4.4, 4.7)):
        later = [*first[:2], *timed(("year,", start_s, end_s), ("with", 4.7, 4.9))]
        assert shown((first, FAR_S), (later, FAR_S)) == "of the year, with"


def test_a_pass_that_has_lost_its_way_shows_nothing_that_was_said_before():
    first = timed(("his", 8.5, 8.7), ("pigs", 8.7, 9.0))
    lost = timed(("and", 4.84, 5.54), ("then", 5.54, 9.94))
    later = [*first, *timed(("and", 9.0, 9.2))]
    assert shown((first, FAR_S), (lost, 9.95), (later, FAR_S)) == "his pigs and"


def test_a_word_that_is_said_twice_is_shown_twice():
    first = timed(("no,", 0.0, 0.3))
    later = timed(("no,", 0.0, 0.3), ("no,", 0.4, 0.7), ("no", 0.8, 1.1))
    assert shown((first, FAR_S), (later, FAR_S)) == "no, no, no"
