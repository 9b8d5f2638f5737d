"""Splits and protocols: no voice stands on both sides, and every voice asked for is tested."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.corpora import LABELS, Clip
from training.emotion import splits
from training.emotion.protocols import ALL, PROTOCOLS
from training.emotion.splits import Split
from utils.errors import DataError

ACTORS = [f"ravdess-{actor:02d}" for actor in range(1, 25)]
WOMEN = ["tess-OAF", "tess-YAF"]
POLISH = [f"nemo-polish-{name}" for name in ("AO0", "JK0", "KK0", "LD0", "MR0", "SZ0", "WR0")]
KOREAN = [f"korean-emotional-{name}" for name in ("ema", "emb", "nea", "neb", "nec")]
GERMAN = [f"emodb-{name}" for name in ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")]
EVERYBODY = ACTORS + WOMEN + POLISH + KOREAN + GERMAN


def clips_of(*speakers: str) -> list[Clip]:
    """A clip of each label for each speaker; every other speaker is a woman."""
    return [
        Clip(
            path=Path(f"{speaker}-{label}.flac"),
            label=label,
            speaker=speaker,
            corpus=speaker.rpartition("-")[0],
            language="en",
            gender=("female", "male")[n % 2],
        )
        for n, speaker in enumerate(speakers)
        for label in LABELS
    ]


def speakers(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.speaker for clip in clips}


def times_tested(found: list[Split]) -> Counter:
    """How often each speaker is tested."""
    return Counter(speaker for split in found for speaker in speakers(split.test))


# --- a split


def test_a_shared_speaker_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="ravdess-02 stands in training and in test"):
        Split(
            tuple(clips_of("ravdess-01", "ravdess-02")), tuple(clips_of("ravdess-02", "tess-OAF"))
        )


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(DataError, match="0 test clips"):
        Split(tuple(clips_of("ravdess-01")), ())


def test_an_absent_speaker_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="no clip of ravdess-09"):
        splits.by_speaker(clips_of("ravdess-01"), ["ravdess-09"])


# --- every way to split, on random sets of clips

WAYS: dict[str, Callable[[list[Clip]], list[Split]]] = {
    "joint": splits.joint_folds,
    "k-fold": lambda clips: splits.k_fold(clips, 4, seed=len(clips)),
    "polish": lambda clips: splits.leave_one_speaker_out(clips, "nemo-polish"),
    "tess": lambda clips: splits.leave_one_speaker_out(clips, "tess"),
    "korean": lambda clips: [splits.leave_one_corpus_out(clips, "korean-emotional")],
    "ravdess": splits.ravdess_folds,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(10))
def test_no_voice_is_on_both_sides_and_no_clip_is_lost(way: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    some = [s for s in POLISH + KOREAN if rng.random() < 0.6]
    everyone = [*ACTORS, *WOMEN, POLISH[0], KOREAN[0], *some, "savee-DC", "emodb-03"]
    clips = clips_of(*dict.fromkeys(everyone))
    clips = [clips[k] for k in rng.permutation(len(clips))]
    clips = [clip for clip in clips if clip.label == "sad" or rng.random() < 0.7]
    for split in WAYS[way](clips):
        assert not speakers(split.train) & speakers(split.test)
        assert Counter(split.train) + Counter(split.test) == Counter(clips)


# --- each way


def test_the_published_folds_test_each_actor_once() -> None:
    found = splits.ravdess_folds(clips_of(*ACTORS))
    assert times_tested(found) == Counter(ACTORS)
    assert speakers(found[4].test) == {f"ravdess-{actor:02d}" for actor in (1, 4, 9, 22)}


def test_the_published_folds_train_on_other_corpora_too() -> None:
    found = splits.ravdess_folds(clips_of(*ACTORS, *POLISH))
    assert all(set(POLISH) <= speakers(split.train) for split in found)


def test_the_published_folds_need_every_actor() -> None:
    with pytest.raises(DataError, match="no clip of ravdess-05: is the corpus complete"):
        splits.ravdess_folds(clips_of(*(a for a in ACTORS if a != "ravdess-05")))


def test_joint_folds_test_each_voice_once_and_tess_turn_about() -> None:
    found = splits.joint_folds(clips_of(*EVERYBODY))
    assert len(found) == 5
    count = times_tested(found)
    assert [count.pop(woman) for woman in WOMEN] == [3, 2]
    assert count == Counter(ACTORS + POLISH + KOREAN + GERMAN)
    assert speakers(found[1].test) & set(POLISH) == {POLISH[1], POLISH[6]}
    assert {a for a in speakers(found[0].test) if "ravdess" in a} == {
        f"ravdess-{actor:02d}" for actor in splits.RAVDESS_FOLDS[0]
    }


def test_joint_folds_of_a_corpus_with_few_speakers() -> None:
    found = splits.joint_folds(clips_of("savee-DC", "savee-JE", "savee-JK", "savee-KL"))
    assert [len(speakers(split.test)) for split in found] == [1, 1, 1, 1]


def test_k_fold_tests_each_voice_once_and_deals_corpora_and_genders_evenly() -> None:
    found = splits.k_fold(clips_of(*EVERYBODY), 4, seed=0)
    assert times_tested(found) == Counter(EVERYBODY)
    for split in found:
        actors = {(c.speaker, c.gender) for c in split.test if c.corpus == "ravdess"}
        assert Counter(gender for _, gender in actors) == {"female": 3, "male": 3}


def test_k_fold_follows_its_seed_and_not_the_order_of_the_clips() -> None:
    clips = clips_of(*EVERYBODY)
    first, again, other = (
        [speakers(split.test) for split in splits.k_fold(some, 3, seed)]
        for some, seed in ((clips, 1), (clips[::-1], 1), (clips, 2))
    )
    assert first == again != other


@pytest.mark.parametrize("k", [1, 3])
def test_k_fold_needs_two_folds_and_a_speaker_in_each(k: int) -> None:
    with pytest.raises(DataError, match=f"{k} folds of 2 speakers, expected"):
        splits.k_fold(clips_of("savee-DC", "savee-KL"), k, seed=0)


def test_leave_one_speaker_out() -> None:
    found = splits.leave_one_speaker_out(clips_of(*EVERYBODY), "nemo-polish")
    assert [speakers(split.test) for split in found] == [{name} for name in sorted(POLISH)]


def test_sessions_are_left_out_whole() -> None:
    heard = [f"iemocap-{session}{who}" for session in "125" for who in "FM"]
    found = splits.leave_one_session_out(clips_of(*heard))
    assert [speakers(split.test) for split in found] == [
        {f"iemocap-{session}F", f"iemocap-{session}M"} for session in "125"
    ]
    with pytest.raises(DataError, match="two speakers or more"):
        splits.leave_one_session_out(clips_of("iemocap-1F", "iemocap-1M"))


def test_leave_one_corpus_out() -> None:
    split = splits.leave_one_corpus_out(clips_of(*EVERYBODY), "nemo-polish")
    assert speakers(split.test) == set(POLISH)
    assert speakers(split.train) == set(EVERYBODY) - set(POLISH)


@pytest.mark.parametrize("way", [splits.leave_one_speaker_out, splits.leave_one_corpus_out])
def test_an_absent_corpus_is_refused_by_name(way) -> None:
    with pytest.raises(DataError, match="no clip of nemo-polish, found ravdess; give the folder"):
        way(clips_of("ravdess-01"), "nemo-polish")


# --- protocols


def test_protocols_hold_what_their_names_say() -> None:
    clips = clips_of(*EVERYBODY, "iemocap-1F", "iemocap-1M", "iemocap-2F", "iemocap-2M")
    found = {}
    for name, protocol in PROTOCOLS.items():
        assert name == protocol.name and protocol.about
        own = [clip for clip in clips if clip.corpus in protocol.corpora]
        found[name] = protocol.splits(own)
        for split in found[name]:
            assert {c.corpus for c in split.test} <= set(protocol.test_corpora)
        assert {c.corpus for s in found[name] for c in s.test} == set(protocol.test_corpora)
    assert {name: len(folds) for name, folds in found.items()} == {
        "voices": 5,
        "ravdess": 5,
        "korean": 5,
        "ravdess-loso": len(ACTORS),
        "korean-loso": len(KOREAN),
        "iemocap": 2,
        "polish-loso": 7,
        "unheard": 5,
        "tess": 2,
    }
    assert {c.corpus for c in found["ravdess"][0].train} == {"ravdess"}
    for name, split in zip(ALL, found["unheard"], strict=True):
        assert {c.corpus for c in split.test} == {name}
        assert {c.corpus for c in split.train} == set(ALL) - {name}
    assert {c.corpus for c in found["tess"][0].train} == set(ALL)


def test_a_protocol_reads_its_corpora(tmp_path: Path) -> None:
    path = tmp_path / "ravdess" / "Actor_03" / "03-01-05-02-01-02-03.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, np.full(3200, 0.1), 16_000)
    assert [clip.speaker for clip in PROTOCOLS["ravdess"].read(tmp_path)] == ["ravdess-03"]


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "ravdess").mkdir()
    with pytest.raises(
        DataError, match=f"{tmp_path / 'tess'}, .*nemo-polish, .*: no such folder; the protocol"
    ):
        PROTOCOLS["voices"].read(tmp_path)
