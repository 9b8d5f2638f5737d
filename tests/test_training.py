"""Readers, splits and figures of the training package, on small trees of real audio files."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emotion_model import EmotionLSTM, EmotionRecognizer, ModelConfig
from training import corpora, evaluate, sounds, splits
from training.__main__ import main
from training.cache import FeatureCache
from training.corpora import LABELS, Clip
from training.evaluate import Report
from training.train import TrainConfig, logits, pad, train
from utils.audio import SAMPLE_RATE, level_db
from utils.errors import DataError

SHARED = Path(__file__).resolve().parents[2] / "shared" / "corpora"
needs_corpora = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the corpora are not beside the project, in {SHARED}"
)


def write(path: Path, duration_s: float = 0.8, seed: int = 0) -> None:
    """A recording of a buzz between two stretches of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    buzz = 0.1 * np.sign(np.sin(2 * np.pi * rng.uniform(90, 250) * time_s))
    quiet = 1e-5 * rng.standard_normal(SAMPLE_RATE)
    soundfile.write(path, np.concatenate([quiet, buzz, quiet]), SAMPLE_RATE)


def ravdess_name(emotion: int, actor: int, repetition: int = 1) -> str:
    return f"Actor_{actor:02d}/03-01-{emotion:02d}-01-01-{repetition:02d}-{actor:02d}.flac"


def clips_of(*speakers: str) -> list[Clip]:
    return [
        Clip(Path(f"{speaker}-{label}.flac"), label, speaker, speaker.split("-")[0])
        for speaker in speakers
        for label in LABELS
    ]


def everybody() -> list[Clip]:
    actors = [f"ravdess-{actor:02d}" for actor in range(1, 25)]
    return clips_of(*actors, "tess-OAF", "tess-YAF")


# --- readers


def test_ravdess_labels_and_speakers(tmp_path: Path) -> None:
    for emotion in range(1, 9):
        write(tmp_path / ravdess_name(emotion, actor=3))
    found = {clip.path.name[6:8]: clip for clip in corpora.read_ravdess(tmp_path)}
    assert {key: clip.label for key, clip in found.items()} == {
        "01": "neutral", "03": "happy", "04": "sad", "05": "angry", "06": "fear", "07": "disgust",
    }  # fmt: skip
    assert {(c.speaker, c.corpus) for c in found.values()} == {("ravdess-03", "ravdess")}


def test_tess_labels_and_speakers(tmp_path: Path) -> None:
    for speaker in ("OAF", "YAF"):
        for emotion in (*LABELS, "ps"):
            write(tmp_path / f"{speaker}_{emotion}" / f"{speaker}_back_{emotion}.wav")
    found = corpora.read_tess(tmp_path)
    assert sorted(c.label for c in found) == sorted(2 * LABELS)
    assert {c.speaker for c in found} == {"tess-OAF", "tess-YAF"}


@pytest.mark.parametrize("read", [corpora.read_ravdess, corpora.read_tess, corpora.read_noise])
def test_a_wrong_folder_is_refused_by_name(read, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path / 'nowhere'}: no such folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match=f"{tmp_path}: no recordings in it"):
        read(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["speech.flac", "03-01-09-01-01-01-01.flac", "03-01-05-01-01-01-25.flac", "03-01-05.flac"],
)
def test_a_foreign_name_in_ravdess_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match=f"{name}: unexpected file name"):
        corpora.read_ravdess(tmp_path)


@pytest.mark.parametrize("name", ["OAF_back_bored.ogg", "XYZ_back_sad.ogg", "sad.ogg"])
def test_a_foreign_name_in_tess_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match=f"{name}: unexpected file name"):
        corpora.read_tess(tmp_path)


@needs_corpora
def test_the_whole_corpora() -> None:
    ravdess = corpora.read_ravdess(SHARED / "ravdess")
    tess = corpora.read_tess(SHARED / "tess")
    assert (len(ravdess), len({c.speaker for c in ravdess})) == (1056, 24)
    assert (len(tess), len({c.speaker for c in tess})) == (2400, 2)


# --- splits


def test_a_shared_speaker_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="ravdess-02 stands in training and in test"):
        splits.Split(
            tuple(clips_of("ravdess-01", "ravdess-02")), tuple(clips_of("ravdess-02", "tess-OAF"))
        )


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(DataError, match="0 test clips"):
        splits.Split(tuple(clips_of("ravdess-01")), ())


def test_an_absent_speaker_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="no clip of ravdess-09"):
        splits.by_speaker(clips_of("ravdess-01"), ["ravdess-09"])


def test_every_voice_is_tested_and_no_voice_is_on_both_sides() -> None:
    folds = splits.crossval(everybody())
    for split in folds:
        assert not {c.speaker for c in split.train} & {c.speaker for c in split.test}
        assert len(split.train) + len(split.test) == len(everybody())
    tested = [s for split in folds for s in {c.speaker for c in split.test}]
    assert sorted(s for s in tested if s.startswith("ravdess")) == [
        f"ravdess-{actor:02d}" for actor in range(1, 25)
    ]
    assert {s for s in tested if s.startswith("tess")} == {"tess-OAF", "tess-YAF"}


# --- sounds


def test_a_clip_is_cut_as_the_live_segmenter_cuts(tmp_path: Path) -> None:
    write(tmp_path / "a.flac", duration_s=0.8)
    samples, _ = soundfile.read(tmp_path / "a.flac", dtype="float32")
    cut = sounds.as_live(samples)
    assert len(cut) == pytest.approx((0.3 + 0.8 + 0.2) * SAMPLE_RATE, abs=SAMPLE_RATE // 50)
    assert level_db(cut[:4000]) < -80 < -40 < level_db(cut[6000:12000])


def test_a_margin_that_a_clip_lacks_is_filled_up_faintly() -> None:
    buzz = (0.1 * np.sign(np.sin(np.arange(SAMPLE_RATE) / 20))).astype(np.float32)
    cut = sounds.as_live(buzz)
    assert len(cut) == SAMPLE_RATE + int(0.5 * SAMPLE_RATE)
    assert -75 < level_db(cut[:4000]) < -65


def test_variants_differ_and_repeat_with_their_seed() -> None:
    buzz = (0.1 * np.sign(np.sin(np.arange(2 * SAMPLE_RATE) / 20))).astype(np.float32)
    noises = [np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)]
    first, again, other = (sounds.vary(buzz, noises, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other)
    assert all(np.isfinite(v).all() and v.dtype == np.float32 for v in (first, other))


# --- figures


def report_of(truth: list[int], answers: list[int], confidence: float = 0.7) -> Report:
    rest = (1 - confidence) / 5
    logits = np.full((len(truth), 6), np.log(rest))
    logits[np.arange(len(truth)), answers] = np.log(confidence)
    return Report(np.array(truth), logits)


def test_recall_is_averaged_over_classes_not_over_clips() -> None:
    report = report_of([0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 1, 0])
    assert report.accuracy == pytest.approx(5 / 6)
    assert report.uar == pytest.approx(2 / 3)
    assert report.confusion[2, 0] == 1 and report.confusion.sum() == 6


def test_temperature_makes_confidence_as_often_right_as_it_says() -> None:
    truth = [0] * 5 + [1] * 5  # 0.95 sure, right half of the time
    report = report_of(truth, [0] * 10, confidence=0.95)
    temperature = evaluate.fit_temperature(report)
    assert temperature > 1.5
    assert evaluate.calibration_error(report, 1.0) == pytest.approx(0.45, abs=1e-6)
    assert evaluate.calibration_error(report, temperature) < 0.15


def test_threshold_keeps_the_answers_that_are_right_often_enough() -> None:
    doubtful = report_of([0] * 10, [1] * 10, confidence=0.545)
    sure = report_of([0] * 10, [0] * 9 + [1], confidence=0.8)
    report = evaluate.pool([doubtful, sure])
    threshold = evaluate.choose_threshold(report, 1.0)
    assert 0.55 <= threshold <= 0.8
    assert evaluate.precision_coverage(report, 1.0, threshold) == (0.9, 0.5)


def test_where_nothing_is_sure_enough_nearly_nothing_is_named() -> None:
    assert evaluate.choose_threshold(report_of([0] * 10, [1] * 10), 1.0) == 0.95


# --- training


def test_it_learns_what_can_be_learnt_and_repeats_with_its_seed(tmp_path: Path) -> None:
    """Two voices, one class a pitch: after some steps each is told from the others."""
    clips = []
    for n, (emotion, label) in enumerate([(1, "neutral"), (3, "happy"), (5, "angry")]):
        for actor in (1, 2):
            path = tmp_path / ravdess_name(emotion, actor)
            path.parent.mkdir(exist_ok=True)
            time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
            tone = 0.1 * np.sin(2 * np.pi * (300 + 900 * n + 20 * actor) * time_s)
            soundfile.write(path, tone, SAMPLE_RATE)
            clips.append(Clip(path, label, f"ravdess-{actor:02d}", "ravdess"))
    noises = [np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)]
    cache = FeatureCache(tmp_path / "cache", noises)
    cache.prepare(clips, 1)
    voiceless = cache.meaningless(4, seed=0)
    config = TrainConfig(steps=40, batch_size=12, variants=(("ravdess", 1),), decay=0.8)
    losses: list[float] = []
    model, again = (
        train(clips, cache, voiceless, config, 0, lambda _, loss: losses.append(loss))
        for _ in range(2)
    )
    answers = logits(model, [cache.get(clip, 0) for clip in clips]).argmax(axis=1)
    assert [LABELS[k] for k in answers] == [clip.label for clip in clips]
    assert losses[39] < losses[0]
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters()))


def test_cached_features_are_those_computed(tmp_path: Path) -> None:
    write(tmp_path / ravdess_name(1, 1))
    clips = corpora.read_ravdess(tmp_path)
    noises = [np.ones(SAMPLE_RATE, np.float32)]
    found = []
    for _ in range(2):
        cache = FeatureCache(tmp_path / "cache", noises)
        cache.prepare(clips, 2)
        found.append([cache.get(clips[0], variant) for variant in (0, 1)])
    for fresh, stored in zip(*found):
        np.testing.assert_array_equal(fresh, stored)
    assert len(found[0][0]) != len(found[0][1])


def test_batches_of_like_length_give_each_clip_its_own_logits() -> None:
    torch.manual_seed(0)
    model = EmotionLSTM(ModelConfig(3, 6, hidden=8)).eval()
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((n, 3)).astype(np.float32) for n in (90, 10, 40, 11)]
    alone = np.concatenate([model(*pad([a])).detach().numpy() for a in arrays])
    np.testing.assert_allclose(logits(model, arrays), alone, atol=1e-5)


def test_command_line_names_the_missing_corpus(tmp_path: Path, capsys) -> None:
    assert main(["crossval", "--corpora", str(tmp_path)]) == 1
    assert f"{tmp_path / 'ravdess'}: no such folder" in capsys.readouterr().err


def test_the_train_command_judges_and_ships(tmp_path: Path, monkeypatch, capsys) -> None:
    """On toy corpora with every speaker: figures come out, and weights that load."""
    for k in range(1, 25):
        for emotion in (1, 3, 4, 5, 6, 7):
            write(tmp_path / "corpora" / "ravdess" / ravdess_name(emotion, k), 0.3, seed=emotion)
    for speaker in ("OAF", "YAF"):
        for seed, label in enumerate(LABELS):
            write(tmp_path / "corpora" / "tess" / f"{speaker}_back_{label}.wav", 0.3, seed)
    for k in (1, 5):
        write(tmp_path / "noise" / "esc10" / "rain" / f"{k}-1-A.ogg", 0.6)
    weights = tmp_path / "weights.pt"
    few = TrainConfig(steps=4, batch_size=8, variants=(("ravdess", 1), ("tess", 1)))
    monkeypatch.setattr("training.__main__.TrainConfig", lambda: few)
    monkeypatch.setattr("training.__main__.WEIGHTS", weights)
    monkeypatch.setattr("training.__main__.N_VOICELESS", 8)
    cache = tmp_path / "cache"
    assert main(["train", "--corpora", str(tmp_path / "corpora"), "--cache", str(cache)]) == 0
    out = capsys.readouterr().out
    facts = json.loads(out[out.index("{") : out.rindex("}") + 1])
    assert facts["ravdess"]["n"] == 24 * 6
    assert facts["tess"]["n"] == 6 * len(splits.RAVDESS_FOLDS)
    assert len(facts["ravdess_uar_by_fold"]) == 5
    assert facts["tess_uar_by_seed"] == [facts["tess"]["uar"]]
    shipped = EmotionRecognizer.load(weights)
    assert shipped.labels == LABELS
    assert shipped.threshold == facts["threshold"] == shipped.facts["threshold"]
    assert shipped.facts["recipe"]["steps"] == 4
