"""The packaged Whisper hears real sentences, and tells what it knows of them."""

import csv

import numpy as np
import pytest

from tests.scoring import normalised
from tests.whisper_models import whisper as random_whisper
from tests.whisper_models import write
from tests.whisper_speech import DIGITS_SAID, SAID, digits, hear, speech, without_pauses, wrong
from utils import audio
from utils.asr.whisper.heard import NOTHING, repeats
from utils.asr.whisper.model import MIN_SAMPLES, WhisperModel, width
from utils.asr.whisper.stream import BEAM, SHARED_BEAM
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError

BEAMS = (SHARED_BEAM, BEAM)


@pytest.fixture(scope="module")
def model(whisper) -> WhisperModel:
    return WhisperModel(whisper, "en", threads=1)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return speech()


@pytest.mark.parametrize("beam", BEAMS)
def test_a_real_sentence_comes_out_right(model, samples, beam):
    heard = hear(model, samples, beam)
    assert wrong(SAID[:-1], " ".join(heard.text.split()[:-1])) == 0  # "need" for "meet"
    assert heard.text.startswith("I can assure you") and heard.text.endswith(".")
    assert heard.whole and heard.cost_s > 0


@pytest.mark.parametrize("beam", BEAMS)
def test_digits_come_out_right(model, beam):
    assert "".join(normalised(hear(model, digits(), beam).text)) == DIGITS_SAID


def test_sentences_of_readers_come_out_right(model, shared):
    folder = shared / "speech" / "librispeech-dev-clean"
    with open(folder / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))[::25]
    n_wrong = n_words = 0
    for row in rows:
        said = row["text"].lower().split()
        n_wrong += wrong(said, hear(model, audio.load(folder / row["path"])).text)
        n_words += len(said)
    assert n_words >= 50
    assert n_wrong <= 0.15 * n_words


@pytest.mark.parametrize("beam", BEAMS)
@pytest.mark.parametrize("seconds", [0.1, 0.3, 1.0, 2.5, 5.58])
def test_words_lie_in_order_within_the_segment(model, samples, seconds, beam):
    part = samples[: int(seconds * SAMPLE_RATE)]
    heard = hear(model, part, beam)
    times = [time for word in heard.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= len(part) / SAMPLE_RATE for time in times)
    assert all(0 <= word.confidence <= 1 for word in heard.words)
    assert all(word.text and word.text == word.text.strip() for word in heard.words)
    assert heard.text == " ".join(word.text for word in heard.words)
    assert 0 <= heard.no_speech <= 1 and heard.log_probability <= 0


def test_words_are_where_they_are_said(model, samples):
    words = {word.text.strip(".,"): word for word in hear(model, samples).words}
    # The reader is silent from 2.6 to 3.05 s, between "face" and "and", and after 5.2 s.
    assert 2.3 <= words["face"].end_s <= 3.0
    assert 3.0 <= words["and"].end_s <= 3.5
    assert 0.5 <= words["I"].end_s <= 0.9
    for word in hear(model, samples).words:
        begin, end = (int(time * SAMPLE_RATE) for time in (word.start_s, word.end_s))
        assert np.abs(samples[begin:end]).max() > 0.1 * np.abs(samples).max(), word


def test_words_move_with_the_sound(model, samples):
    alone = hear(model, samples).words
    later = hear(model, np.concatenate([np.zeros(SAMPLE_RATE, np.float32), samples])).words
    assert [word.text for word in later] == [word.text for word in alone]
    for before, after in zip(alone, later, strict=True):
        assert after.end_s == pytest.approx(before.end_s + 1.0, abs=0.1)


def test_too_short_for_a_word_is_nothing(model, samples):
    for n_samples in (0, 1, 100, MIN_SAMPLES - 1):
        assert hear(model, samples[:n_samples]) == NOTHING
    assert NOTHING.text == ""


@pytest.mark.parametrize("sound", ["silence", "noise", "sine"])
@pytest.mark.parametrize("beam", BEAMS)
def test_what_is_no_speech_ends_and_is_called_so(model, request, sound, beam):
    heard = hear(model, np.tile(request.getfixturevalue(sound), 3), beam)
    assert len(heard.words) <= 5
    assert heard.no_speech > 0.5


def test_words_that_are_sure_are_known_from_words_that_are_not(model, samples, noise):
    clear = hear(model, samples)
    drowned = hear(model, samples + np.tile(noise, 6)[: len(samples)])
    assert clear.log_probability > drowned.log_probability
    assert np.mean([w.confidence for w in clear.words]) > 0.8


def test_hearing_twice_gives_the_same(model, samples):
    first, second = hear(model, samples), hear(model, samples)
    assert (first.words, first.log_probability) == (second.words, second.log_probability)


def test_speech_longer_than_whisper_hears_at_once_breaks_nothing(model, samples):
    heard = hear(model, np.tile(without_pauses(samples), 10))  # 37 s
    assert heard.words and all(word.end_s <= 30.0 for word in heard.words)


def test_what_the_encoder_hears_is_long_enough_and_bounded():
    widths = [width(n_samples) for n_samples in range(0, 40 * SAMPLE_RATE, 777)]
    assert widths == sorted(widths)
    assert all(n % 2 == 0 and 0 < n <= 3000 for n in widths)
    for n_samples in (0, SAMPLE_RATE, 15 * SAMPLE_RATE):
        assert width(n_samples) > n_samples * 100 / SAMPLE_RATE  # some quiet follows


@pytest.mark.parametrize(
    "text",
    ["I can. " * 20, "no " * 60, "And so on and so on. " * 8, "안녕하세요. " * 20],
)
def test_text_that_says_the_same_again_and_again_is_known(text):
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "no no no",
        "seven five five eight two five",
        " ".join(SAID),
        "very, very good",
        "안녕하세요. 반갑습니다.",
    ],
)
def test_text_that_people_say_does_not_count_as_repeated(text):
    assert not repeats(text)


def test_a_pass_that_repeats_itself_is_not_whole(model):
    word = speech()[int(2.25 * SAMPLE_RATE) : int(2.75 * SAMPLE_RATE)]  # "face"
    heard = hear(model, np.tile(word, 24), beam=1)
    assert len(heard.words) >= 12 and not heard.whole


def test_phrases_are_put_before_the_speech(whisper, samples, model):
    known = WhisperModel(whisper, "en", threads=1)
    known.prefer(("modern phase",))
    assert "modern phase" in hear(known, samples).text
    assert "modern face" in hear(model, samples).text
    known.prefer(())
    assert "modern face" in hear(known, samples).text


@pytest.mark.parametrize(
    "phrases",
    [
        tuple(f"Firstname{i} Lastname{i}" for i in range(400)),
        ("안녕하세요", "Łódź", "🙂"),
        ("", " "),
        ("<|endoftext|>", "<|startoftranscript|>"),
    ],
)
def test_no_list_of_phrases_breaks_it(whisper, samples, phrases):
    known = WhisperModel(whisper, "en", threads=1)
    known.prefer(phrases)
    heard = hear(known, samples)
    assert wrong(SAID[:-1], " ".join(heard.text.split()[:-1])) <= 1


def test_weights_that_are_no_whisper_are_a_model_error(tmp_path):
    folder = write(tmp_path / "random", random_whisper())
    with pytest.raises(ModelError, match="random"):
        WhisperModel(folder, "en", threads=1)
