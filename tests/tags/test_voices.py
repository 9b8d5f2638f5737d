"""Another voice: when it is marked, and NeMo's own speaker model from its file."""

import shutil
import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from tests.captions.test_captions import SPEECH, Engine, caption
from tests.nemo_models import save, save_voice
from utils import audio
from utils.asr.nemo.voice import NemoVoice, open_voices
from utils.audio import SAMPLE_RATE
from utils.captions.pipeline import Captioner
from utils.errors import ModelError
from utils.models.here import fitting, to_fetch
from utils.models.nemo.files import find_models, find_voices, installed
from utils.tags.voices import MOST, PLACES, Likeness, SpeakerTag, VoicesTag

ANNA, BEN, CARA = np.eye(3)
SHORT, LONG = PLACES[0], PLACES[-1]


def mixed(voice: np.ndarray, other: np.ndarray, cosine: float) -> np.ndarray:
    """An embedding at that cosine to `voice`, on the way to `other`."""
    return cosine * voice + np.sqrt(1 - cosine**2) * other


class Given:
    """A model that knows where each segment lies, by the value of its first sample."""

    def __init__(self, *embeddings: np.ndarray) -> None:
        self.embeddings = embeddings
        self.asked: list[int] = []
        self.closed = False

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        self.asked.append(len(samples))
        future: Future[np.ndarray] = Future()
        future.set_result(7.0 * self.embeddings[int(samples[0])])
        return future

    def close(self) -> None:
        self.closed = True


def speak(voices: VoicesTag, index: int, n_samples: int = LONG, size: int = 512) -> bool:
    """Whether a segment of that embedding is another voice."""
    voices.begin(live=True)
    samples = np.full(n_samples, index, np.float32)
    for start in range(0, n_samples, size):
        voices.grow(samples[: start + size])
    return bool(voices.after_text("words", samples))


def marks(*embeddings: np.ndarray, n_samples: int = LONG) -> list[bool]:
    voices = VoicesTag(Given(*embeddings))
    return [speak(voices, i, n_samples) for i in range(len(embeddings))]


def test_each_change_is_marked_and_nothing_else():
    said = [ANNA, ANNA, BEN, BEN, ANNA, CARA, BEN]
    assert marks(*said) == [False, False, True, False, True, True, True]


@pytest.mark.parametrize("cosine", [0.21, 0.3, 0.39, 0.41, 0.9])
def test_in_doubt_it_is_the_same_voice(cosine):
    assert marks(ANNA, mixed(ANNA, BEN, cosine), ANNA) == [False, False, False]


def test_what_was_in_doubt_does_not_shift_the_voice():
    doubtful = mixed(ANNA, BEN, 0.3)
    assert marks(ANNA, *[doubtful] * 30, ANNA, BEN) == [False] * 32 + [True]


def test_a_voice_heard_before_must_be_clearly_nearer():
    both = (ANNA + BEN) / np.sqrt(2)
    assert marks(ANNA, BEN, both, BEN) == [False, True, False, False]


def test_another_voice_that_is_no_known_one_for_sure_is_the_nearest_of_them():
    voices = VoicesTag(Given(ANNA, BEN, mixed(ANNA, CARA, 0.3)))
    assert [speak(voices, i) for i in range(3)] == [False, True, True]
    assert len(voices._voices) == 2  # it is taken for Anna, whom it resembles a little


def test_a_voice_that_was_heard_once_may_be_farther_away():
    unlike = mixed(ANNA, BEN, 0.15)
    known = Likeness(0.4, 0.4, (0.2,) * 4, (0.2,) * 4, (0.2,) * 4, new=1.0)
    for before, is_other in ((1, False), (20, True)):
        voices = VoicesTag(Given(*[ANNA] * before, unlike), known)
        assert [speak(voices, i) for i in range(before + 1)] == [False] * before + [is_other]


@pytest.mark.parametrize(("before", "is_other"), [(0.001, True), (0.2, False)])
def test_in_noise_another_voice_must_be_more_unlike(before, is_other):
    class AsAsked(Given):
        def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
            return super().embed(np.full(1, len(self.asked) >= len(PLACES), np.float32))

    likeness = Likeness(0.4, 0.4, (0.2,) * 4, (0.3,) * 4, in_noise=(0.1,) * 4)
    voices = VoicesTag(AsAsked(ANNA, mixed(ANNA, BEN, 0.2)), likeness)
    rng = np.random.default_rng(0)
    line = rng.normal(0, 0.5, LONG).astype(np.float32)
    line[: int(0.3 * SAMPLE_RATE)] *= before  # quieter by 60 dB, or by 14
    found = []
    for _ in range(2):
        voices.begin(live=False)
        voices.grow(line)
        found.append(bool(voices.after_text("words", line)))
    assert found == [False, is_other]


def test_a_speaker_may_drift():
    angles = np.linspace(0, np.pi / 2, 40)
    assert not any(marks(*(np.cos(a) * ANNA + np.sin(a) * BEN for a in angles)))


def test_little_speech_must_say_it_more_clearly():
    unlike = mixed(ANNA, BEN, 0.15)
    assert marks(ANNA, unlike, n_samples=LONG) == [False, True]
    assert marks(ANNA, unlike, n_samples=SHORT) == [False, False]
    assert marks(ANNA, BEN, n_samples=SHORT) == [False, True]


def test_very_short_segments_keep_the_voice():
    model = Given(ANNA, BEN)
    voices = VoicesTag(model)
    speak(voices, 0)
    model.asked.clear()
    assert not speak(voices, 1, SHORT - 1) and model.asked == []
    assert not speak(voices, 0)


@pytest.mark.parametrize("size", [1, 333, 10**6])
def test_chunks_change_nothing(size):
    model = Given(ANNA, BEN)
    voices = VoicesTag(model)
    assert [speak(voices, i, LONG, size) for i in (0, 1, 0)] == [False, True, True]
    assert model.asked == [*PLACES] * 3


def test_what_was_taken_back_from_a_segment_does_not_count():
    model = Given(ANNA, BEN)
    voices = VoicesTag(model)
    speak(voices, 0)
    voices.begin(live=True)
    assert voices.grow(np.ones(LONG, np.float32))
    assert not voices.after_text("words", np.ones(SHORT - 1, np.float32))


def test_silence_and_broken_results_mark_nothing():
    assert marks(ANNA, np.zeros(3), np.full(3, np.nan), ANNA) == [False] * 4


def test_it_remembers_a_few_voices_only():
    many = list(np.eye(3 * MOST))
    voices = VoicesTag(Given(*many))
    assert [speak(voices, i) for i in range(len(many))] == [False] + [True] * (len(many) - 1)
    assert len(voices._voices) == MOST


def test_after_forgetting_the_next_voice_is_the_first():
    voices = VoicesTag(Given(ANNA, BEN))
    speak(voices, 0)
    voices.forget()
    assert not speak(voices, 1)
    assert speak(voices, 0)


def numbers(*embeddings: np.ndarray, n_samples: int = LONG) -> list[int | None]:
    """The number of each line's voice, once there have been two."""
    voices = VoicesTag(Given(*embeddings))
    told = SpeakerTag(voices)
    found = []
    for i in range(len(embeddings)):
        speak(voices, i, n_samples)
        said = told.after_text("words", np.zeros(n_samples, np.float32))
        found.append(said["number"] if said else None)
    return found


def test_voices_are_numbered_as_they_come_once_there_are_two():
    assert numbers(ANNA, ANNA, BEN, ANNA, CARA, BEN) == [None, None, 2, 1, 3, 2]
    assert numbers(ANNA, ANNA) == [None, None]


def test_in_doubt_a_line_has_the_number_of_the_one_before():
    assert numbers(ANNA, BEN, mixed(BEN, CARA, 0.3), ANNA) == [None, 2, 2, 1]


def test_a_line_that_was_not_judged_has_no_number():
    voices = VoicesTag(Given(ANNA, BEN))
    told = SpeakerTag(voices)
    speak(voices, 0)
    speak(voices, 1)
    assert told.after_text("words", np.zeros(LONG, np.float32)) == {"number": 2, "voice": 2}
    speak(voices, 1, SHORT - 1)
    assert told.after_text("Yes.", np.zeros(SHORT - 1, np.float32)) is None


def test_a_number_is_never_given_twice_though_voices_are_forgotten():
    voices = VoicesTag(Given(ANNA, BEN))
    told = SpeakerTag(voices)
    found = []
    for i in (0, 1, None, 0, 1):
        if i is None:
            voices.forget()
            continue
        speak(voices, i)
        found.append(told.after_text("words", np.zeros(LONG, np.float32)))
    assert [said and said["number"] for said in found] == [None, 2, None, 4]


def test_while_a_line_grows_its_number_is_that_of_its_end():
    voices = VoicesTag(Given(ANNA, BEN))
    told = SpeakerTag(voices)
    speak(voices, 0)
    voices.begin(live=True)
    samples = np.full(LONG, 1, np.float32)
    seen = []
    for n in (SHORT - 1, SHORT, LONG):
        voices.grow(samples[:n])
        seen.append(told.grow(samples[:n]))
    voices.after_text("words", samples)
    assert [*seen, told.after_text("words", samples)] == [None, *[{"number": 2, "voice": 2}] * 3]


def test_who_speaks_is_not_told_once_voices_were_given_up():
    voices = VoicesTag(Given(ANNA, BEN))
    told = SpeakerTag(voices)
    speak(voices, 0)
    speak(voices, 1)
    voices.close()
    assert told.grow(np.zeros(LONG, np.float32)) is None


class Late(Given):
    """A model whose results come when they are let."""

    def __init__(self, *embeddings: np.ndarray) -> None:
        super().__init__(*embeddings)
        self.let = threading.Event()

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        known = super().embed(samples)
        late: Future[np.ndarray] = Future()
        if self.let.is_set():
            return known

        def let() -> None:
            if self.let.wait(30):
                late.set_result(known.result())

        threading.Thread(target=let, daemon=True).start()
        return late


def test_a_late_model_holds_no_line_up_and_has_no_queue():
    model = Late(ANNA, BEN)
    voices = VoicesTag(model)
    assert not speak(voices, 0) and not speak(voices, 1)
    assert model.asked == [SHORT]
    model.let.set()
    voices._last.result(30)
    assert not speak(voices, 0) and speak(voices, 1)


def test_where_nobody_reads_along_a_late_model_is_waited_for():
    model = Late(ANNA, BEN)
    voices = VoicesTag(model)
    threading.Timer(0.2, model.let.set).start()
    found = []
    for index in (0, 1):
        samples = np.full(LONG, index, np.float32)
        voices.begin(live=False)
        voices.grow(samples)
        found.append(bool(voices.after_text("words", samples)))
    assert found == [False, True]


# In the pipeline


class Turns(Given):
    """Another voice with each segment: it is told by the sound, which grows louder."""

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        loud = float(np.sqrt(np.mean(np.square(samples))))
        return super().embed(np.full(len(samples), loud > 0.02, np.float32))


@pytest.fixture(scope="module")
def talk() -> np.ndarray:
    """The same sentences quietly, loudly and quietly, with a second of silence between."""
    sentence, pause = audio.load(SPEECH), np.zeros(SAMPLE_RATE, np.float32)
    loud = sentence * (0.1 / np.sqrt(np.mean(np.square(sentence))))
    return np.concatenate([loud * 0.05, pause, loud, pause, loud * 0.05])


@pytest.mark.parametrize("size", [512, 4000])
def test_a_line_says_that_another_voice_speaks_and_keeps_saying_it(talk, size):
    model = Turns(ANNA, BEN)
    captioner = Captioner(Engine(), [VoicesTag(model)])
    events = caption(captioner, talk, size)
    finals = {e.segment: bool(e.tags.get("new_voice")) for e in events if e.final}
    assert sum(finals.values()) == 2 and not finals[0]
    for segment, marked in finals.items():
        shown = [bool(e.tags.get("new_voice")) for e in events if e.segment == segment]
        assert shown == sorted(shown) and shown[-1] == marked
    captioner.close()
    assert model.closed


def test_lines_tell_their_voices_by_number(talk):
    voices = VoicesTag(Turns(ANNA, BEN))
    captioner = Captioner(Engine(), [voices, SpeakerTag(voices)])
    events = caption(captioner, talk, 512)
    told = [e.tags.get("speaker", {}).get("number") for e in events if e.final]
    assert told[0] is None and 2 in told and told[-1] == 1
    captioner.close()


def test_clearing_and_abandoning_forget_the_voices(talk):
    captioner = Captioner(Engine(), [VoicesTag(Turns(ANNA, BEN))])
    third = len(talk) // 3
    assert not any(bool(e.tags.get("new_voice")) for e in caption(captioner, talk[:third], 512))
    captioner.abandon()
    assert not any(
        bool(e.tags.get("new_voice")) for e in caption(captioner, talk[third : 2 * third], 512)
    )


def test_a_failing_model_costs_no_words_and_is_logged_once(talk, caplog):
    class Failing(Given):
        def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
            future: Future[np.ndarray] = Future()
            future.set_exception(ModelError("x.nemo is damaged"))
            return future

    events = caption(Captioner(Engine(), [VoicesTag(Failing())]), talk, 512)
    assert any(e.final for e in events) and not any(bool(e.tags.get("new_voice")) for e in events)
    assert [r.getMessage() for r in caplog.records] == [
        "no new_voice from here on: x.nemo is damaged"
    ]


# NeMo's own


@pytest.fixture(scope="module")
def voice_file(tmp_path_factory) -> Path:
    pytest.importorskip("nemo.collections.asr", reason="needs NeMo")
    return save_voice(tmp_path_factory.mktemp("voice"))


def test_a_model_from_its_file_gives_the_same_embedding_each_time(voice_file, noise):
    model = NemoVoice(voice_file)
    first, again, louder, other = (
        model.embed(samples).result()
        for samples in (noise, noise, noise * 0.1, np.sin(np.arange(16000.0, dtype=np.float32)))
    )
    assert first.dtype == np.float32 and first.shape == (16,) and np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine(first, other) < cosine(first, louder)
    model.close()
    assert model.embed(noise).cancelled()


def test_the_pipeline_runs_with_a_model_from_its_file(voice_file, talk):
    captioner = Captioner(Engine(), [VoicesTag(NemoVoice(voice_file))])
    captioner.live = False
    events = caption(captioner, talk, 4000)
    assert any(e.final for e in events) and captioner.tags.find("new_voice")
    assert 1 <= len(captioner.tags.find("new_voice")._voices) <= MOST
    again = Captioner(Engine(), [VoicesTag(NemoVoice(voice_file))])
    again.live = False
    assert [e for e in caption(again, talk, 512) if e.final] == [e for e in events if e.final]
    captioner.close()
    again.close()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("cut short", "download it again"),
        ("garbage", "not a readable .nemo file"),
        ("recogniser", "choose a model for telling voices apart"),
        ("telephone", "8000 Hz, expected 16000 Hz"),
    ],
)
def test_a_bad_file_is_named_and_captions_go_on(what, message, voice_file, tmp_path, talk, caplog):
    path = tmp_path / "bad.nemo"
    if what == "cut short":
        path.write_bytes(voice_file.read_bytes()[: voice_file.stat().st_size // 2])
    elif what == "garbage":
        path.write_bytes(b"no model" * 1000)
    elif what == "recogniser":
        save("ctc", tmp_path).rename(path)
    else:
        save_voice(tmp_path, "bad", sample_rate=8000)
    captioner = Captioner(Engine(), [VoicesTag(NemoVoice(path))])
    captioner.live = False
    events = caption(captioner, talk, 4000)
    captioner.close()
    assert any(e.final for e in events) and not any(bool(e.tags.get("new_voice")) for e in events)
    [told] = [r.getMessage() for r in caplog.records if r.name == "utils.captions.tagging"]
    assert message in told and str(path) in told


def test_it_is_found_on_this_machine_and_never_taken_for_a_recogniser(voice_file, models_here):
    assert open_voices() is None
    models_here.mkdir(parents=True)
    shutil.copy(voice_file, models_here / "langid_ambernet.nemo")  # NeMo gives it the same class
    assert find_voices() == []
    mine = shutil.copy(voice_file, models_here / "a_voice.nemo")
    name = "speakerverification_en_titanet_large"
    known = shutil.copy(voice_file, models_here / f"{name}.nemo")
    assert find_voices() == [known, mine]
    assert installed(f"nvidia/{name}") == known
    assert find_models() == [] and fitting("en") == []
    assert to_fetch("auto", None, "en") is not None
    model = open_voices()
    assert model.name == f"NeMo {name}"
    assert model.embed(np.zeros(SAMPLE_RATE, np.float32)).result(60).shape == (16,)
    model.close()
