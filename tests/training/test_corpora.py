"""Each corpus reader, on small trees of real audio files made to that corpus's naming rules."""

import json
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training import corpora
from training.corpora import LABELS, READERS, SHIPPED, TABLE, Clip
from training.corpora.overview import overview, to_text
from utils.audio import SAMPLE_RATE
from utils.errors import DataError

SHARED_COUNTS = {  # clips and speakers of the copies beside the project
    "ravdess": (1440, 24),
    "tess": (2800, 2),
    "nemo-polish": (3403, 7),
    "korean-emotional": (160, 8),
}
AIHUB_COLUMNS = (
    "wav_id,발화문,상황,1번 감정,1번 감정세기,2번 감정,2번 감정세기,3번 감정,3번 감정세기,"
    "4번 감정,4번감정세기,5번 감정,5번 감정세기,나이,성별"
)


def record(folder: Path, *names: str) -> None:
    """Recordings of 0.2 s under `folder`."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.full(SAMPLE_RATE // 5, 0.1), SAMPLE_RATE)


def write(path: Path, *lines: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)


def told(clips: list[Clip]) -> dict[str, tuple]:
    """What a reader says of each clip, by file name without suffix."""
    return {c.path.stem: (c.label, c.speaker, c.gender, c.intensity) for c in clips}


# --- corpora whose file names tell everything


def test_ravdess(tmp_path: Path) -> None:
    record(
        tmp_path,
        *(f"Actor_03/03-01-{code}-01-02-01-03.wav" for code in TABLE["ravdess"]),
        "Actor_04/03-01-05-02-01-02-04.wav",
        "Actor_04/03-02-05-02-01-02-04.wav",  # sung
    )
    clips = corpora.read("ravdess", tmp_path)
    assert [c.label for c in clips[:8]] == list(TABLE["ravdess"].values()) == list(LABELS)
    assert {(c.corpus, c.language) for c in clips} == {("ravdess", "en")}
    assert told(clips)["03-01-01-01-02-01-03"] == ("neutral", "ravdess-03", "male", "normal")
    assert told(clips)["03-01-05-02-01-02-04"] == ("angry", "ravdess-04", "female", "strong")
    assert len(clips) == 9


def test_tess(tmp_path: Path) -> None:
    record(
        tmp_path,
        *(f"YAF_{emotion}/YAF_back_{emotion}.wav" for emotion in TABLE["tess"]),
        "OAF_neutral/OA_bite_neutral.wav",
    )
    clips = corpora.read("tess", tmp_path)
    assert told(clips)["YAF_back_ps"] == ("surprised", "tess-YAF", "female", None)
    assert told(clips)["OA_bite_neutral"] == ("neutral", "tess-OAF", "female", None)
    assert len({c.label for c in clips}) == 7


def test_crema_d(tmp_path: Path) -> None:
    record(
        tmp_path,
        *(f"AudioWAV/1001_DFA_{emotion}_XX.wav" for emotion in TABLE["crema-d"]),
        "AudioWAV/1091_IEO_SAD_LO.wav",
        "AudioWAV/1090_IEO_HAP_MD.wav",
        "AudioWAV/1002_IEO_FEA_HI.wav",
        "AudioWAV/1040_ITH_SAD_X.wav",
    )
    found = told(corpora.read("crema-d", tmp_path))
    assert found["1001_DFA_ANG_XX"] == ("angry", "crema-d-1001", "male", None)
    assert found["1091_IEO_SAD_LO"] == ("sad", "crema-d-1091", "female", "low")
    assert found["1090_IEO_HAP_MD"] == ("happy", "crema-d-1090", "male", "medium")
    assert found["1002_IEO_FEA_HI"] == ("fear", "crema-d-1002", "female", "high")
    assert found["1040_ITH_SAD_X"] == ("sad", "crema-d-1040", "male", None)


def test_crema_d_has_43_women_and_48_men(tmp_path: Path) -> None:
    record(tmp_path, *(f"{actor}_DFA_ANG_XX.wav" for actor in range(1001, 1092)))
    assert Counter(c.gender for c in corpora.read("crema-d", tmp_path)) == {
        "female": 43,
        "male": 48,
    }


@pytest.mark.parametrize("name", ["AudioData/{}/{}.wav", "ALL/{}_{}.wav"])
def test_savee(name: str, tmp_path: Path) -> None:
    record(tmp_path, *(name.format("DC", f"{emotion}01") for emotion in TABLE["savee"]))
    record(tmp_path, name.format("KL", "a01"))
    clips = corpora.read("savee", tmp_path)
    assert Counter(c.label for c in clips) == Counter([*TABLE["savee"].values(), "angry"])
    assert {(c.speaker, c.gender, c.language) for c in clips} == {
        ("savee-DC", "male", "en"),
        ("savee-KL", "male", "en"),
    }


def test_emodb(tmp_path: Path) -> None:
    record(tmp_path, *(f"wav/03a01{letter}a.wav" for letter in TABLE["emodb"]), "wav/16b10Td.wav")
    clips = corpora.read("emodb", tmp_path)
    assert told(clips)["03a01Wa"] == ("angry", "emodb-03", "male", None)
    assert told(clips)["16b10Td"] == ("sad", "emodb-16", "female", None)
    assert {c.language for c in clips} == {"de"}
    assert "03a01La" not in told(clips)


@pytest.mark.parametrize(
    ("corpus", "name"),
    [
        ("ravdess", "03-01-09-01-01-01-01.flac"),
        ("ravdess", "03-01-05-01-01-01-25.flac"),
        ("ravdess", "03-01-05-03-01-01-01.flac"),
        ("ravdess", "03-01-05.flac"),
        ("tess", "OAF_back_bored.ogg"),
        ("tess", "XYZ_back_sad.ogg"),
        ("tess", "sad.ogg"),
        ("crema-d", "1092_DFA_ANG_XX.wav"),
        ("crema-d", "1001_DFA_SUR_XX.wav"),
        ("savee", "AB/a01.wav"),
        ("savee", "DC/x01.wav"),
        ("emodb", "01a01Wa.wav"),
        ("emodb", "03a01Xa.wav"),
    ],
)
def test_a_foreign_name_is_refused(corpus: str, name: str, tmp_path: Path) -> None:
    record(tmp_path, name)
    with pytest.raises(DataError, match=f"unexpected file name, expected .*found {name}"):
        corpora.read(corpus, tmp_path)


def test_files_that_are_no_recordings_are_passed_over(tmp_path: Path) -> None:
    record(tmp_path, "wav/03a01Wa.wav")
    write(tmp_path / "wav" / "._03a01Wa.wav", "left by macOS")
    write(tmp_path / "README.md", "read me")
    assert len(corpora.read("emodb", tmp_path)) == 1


def test_a_second_copy_is_refused(tmp_path: Path) -> None:
    record(tmp_path, "wav/03a01Wa.wav", "copy/wav/03a01Wa.wav")
    with pytest.raises(DataError, match="wav/03a01Wa.wav: stands twice, also as .*copy"):
        corpora.read("emodb", tmp_path)


def test_a_corpus_without_our_labels_is_refused(tmp_path: Path) -> None:
    record(tmp_path, "wav/03a01La.wav")
    with pytest.raises(DataError, match="none of its recordings is of neutral"):
        corpora.read("emodb", tmp_path)


def test_folders_behind_links_are_read_once(tmp_path: Path) -> None:
    record(tmp_path, "disk/b/03-01-05-01-02-01-03.wav", "corpus/Actor_04/03-01-05-01-02-01-04.wav")
    corpus = tmp_path / "corpus"
    (corpus / "Actor_03").symlink_to(tmp_path / "disk" / "b")
    (corpus / "0-again").symlink_to(corpus / "Actor_04")
    (tmp_path / "disk" / "b" / "back").symlink_to(corpus)
    clips = corpora.read("ravdess", corpus)
    names = ["Actor_03/03-01-05-01-02-01-03.wav", "Actor_04/03-01-05-01-02-01-04.wav"]
    assert [str(clip.path.relative_to(corpus)) for clip in clips] == names


# --- IEMOCAP


def iemocap(folder: Path, *turns: tuple[str, str]) -> None:
    lines = [
        f"[{n}.2901 - {n}.9]\t{turn}\t{emotion}\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\nC-E3:\tSadness;\t()\nA-E3:\tval 3; act 2; dom  2;\t()\n"
        for n, (turn, emotion) in enumerate(turns)
    ]
    evaluations = folder / "Session2" / "dialog" / "EmoEvaluation"
    write(evaluations / "Ses02F_impro01.txt", "% [START - END] TURN EMOTION [V, A, D]\n", *lines)
    write(evaluations / "._Ses02F_impro01.txt", "left by macOS")
    write(evaluations / "Categorical" / "Ses02F_impro01_e2_cat.txt", "one rater alone")


def iemocap_wav(turn: str) -> str:
    return f"Session2/sentences/wav/Ses02F_impro01/{turn}.wav"


def test_iemocap(tmp_path: Path) -> None:
    turns = [
        (f"Ses02F_impro01_{'FM'[n % 2]}{n:03d}", label) for n, label in enumerate(TABLE["iemocap"])
    ]
    iemocap(tmp_path, *turns)
    record(tmp_path, *(iemocap_wav(turn) for turn, _ in turns))
    clips = corpora.read("iemocap", tmp_path)
    assert Counter(c.label for c in clips) == Counter(
        label for label in TABLE["iemocap"].values() if label
    )
    assert told(clips)["Ses02F_impro01_F000"] == ("neutral", "iemocap-2F", "female", None)
    assert told(clips)["Ses02F_impro01_M001"] == ("happy", "iemocap-2M", "male", None)


def test_iemocap_turn_without_its_recording(tmp_path: Path) -> None:
    iemocap(tmp_path, ("Ses02F_impro01_F000", "neu"))
    with pytest.raises(DataError, match="Ses02F_impro01_F000.wav: no such file"):
        corpora.read("iemocap", tmp_path)


@pytest.mark.parametrize("turn", [("Ses02F_impro01_F000", "joy"), ("speech", "neu")])
def test_iemocap_foreign_turn(turn: tuple[str, str], tmp_path: Path) -> None:
    iemocap(tmp_path, turn)
    with pytest.raises(DataError, match=f"turn {turn[0]} labelled {turn[1]}, expected"):
        corpora.read("iemocap", tmp_path)


# --- THAI-SER


def thai_ser(folder: Path, labels: dict[str, str]) -> None:
    write(
        folder / "emotion_label.json",
        json.dumps(
            {
                f"{name}.flac": [
                    {
                        "assigned_emo": "Sad",
                        "majority_emo": label,
                        "agreement": 0.8,
                        "annotated": [["Sad"], ["Happy"]],
                    }
                ]
                for name, label in labels.items()
            }
        ),
    )


def test_thai_ser(tmp_path: Path) -> None:
    names = [f"s001_con_actor001_impro1_{n}" for n in range(len(TABLE["thai-ser"]))]
    on_zoom = "z002_mic_actor164_script1_1_1a"
    thai_ser(tmp_path, {**dict(zip(names, TABLE["thai-ser"])), on_zoom: "Sad"})
    write(
        tmp_path / "actor_demography.json",
        json.dumps({"data": [{"Actor's ID": "001", "Sex": "Female", "Age": 22}]}),
    )
    record(
        tmp_path,
        *(f"studio1-10/studio001/con/{name}.flac" for name in names),
        "studio1-10/studio001/clip/s001_clip_actor001_impro1_0.flac",  # the same, not labelled
        f"zoom1-10/zoom002/mic/{on_zoom}.flac",
    )
    clips = corpora.read("thai-ser", tmp_path)
    assert Counter(c.label for c in clips) == {"neutral": 1, "happy": 1, "sad": 2, "angry": 1}
    assert told(clips)[names[0]] == ("neutral", "thai-ser-001", "female", None)
    assert told(clips)[on_zoom][1:3] == ("thai-ser-164", None)
    assert {c.language for c in clips} == {"th"}


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ("{", "is no JSON"),
        ("[]", "unexpected contents"),
        ('{"s001_con_actor001_impro1_1.flac": []}', "unexpected contents"),
        ('{"s001_con_actor001_impro1_1.flac": [{"majority_emo": "Joy"}]}', "unexpected contents"),
    ],
)
def test_thai_ser_labels_not_as_published(contents: str, reason: str, tmp_path: Path) -> None:
    write(tmp_path / "emotion_label.json", contents)
    with pytest.raises(DataError, match=f"emotion_label.json: {reason}"):
        corpora.read("thai-ser", tmp_path)


def test_thai_ser_foreign_name(tmp_path: Path) -> None:
    thai_ser(tmp_path, {"s001_con_actor001_impro1_1": "Sad"})
    record(tmp_path, "studio001/speech.flac")
    with pytest.raises(DataError, match="found studio001/speech.flac"):
        corpora.read("thai-ser", tmp_path)


# --- KESDy18


def kesdy18(folder: Path, *rows: tuple[str, str]) -> None:
    write(
        folder / "annotation" / "KESDy18_eval.csv",
        "Segment ID,Total Evaluation,,,Eval01,,",
        ",Emotion,Valence,Arousal,Emotion,Valence,Arousal",
        *(f"{segment},{emotion},3,3,fear,3,3" for segment, emotion in rows),
    )


def test_kesdy18(tmp_path: Path) -> None:
    kesdy18(tmp_path, ("F01_001", "angry"), ("M15_001", "neutral"), ("M15_002", "angry;sad"))
    record(tmp_path, "wav/F01/F01_001.wav", "wav/M15/M15_001.wav", "wav/M15/M15_002.wav")
    clips = corpora.read("kesdy18", tmp_path)
    assert told(clips) == {
        "F01_001": ("angry", "kesdy18-F01", "female", None),
        "M15_001": ("neutral", "kesdy18-M15", "male", None),
    }
    assert {c.language for c in clips} == {"ko"}


@pytest.mark.parametrize(
    ("row", "recording", "reason"),
    [
        (("F01_001", "bored"), "wav/F01/F01_001.wav", "unknown label 'bored'"),
        (("F01_002", "sad"), "wav/F01/F01_001.wav", "no recording of F01_002"),
        (("F01_001", "sad"), "wav/sad/F01_001.wav", "names no speaker"),
    ],
)
def test_kesdy18_not_as_expected(
    row: tuple[str, str], recording: str, reason: str, tmp_path: Path
) -> None:
    kesdy18(tmp_path, row)
    record(tmp_path, recording)
    with pytest.raises(DataError, match=reason):
        corpora.read("kesdy18", tmp_path)


@pytest.mark.parametrize("lines", [[""], ["a,b", "c,d", "1,2"], ["Segment ID,x", ",Emotion", "1"]])
def test_kesdy18_with_other_columns(lines: list[str], tmp_path: Path) -> None:
    write(tmp_path / "annotation" / "KESDy18_eval.csv", *lines)
    record(tmp_path, "wav/F01/F01_001.wav")
    with pytest.raises(DataError, match="expected two lines of column names"):
        corpora.read("kesdy18", tmp_path)


# --- AI-Hub


def aihub_row(wav_id: str, votes: list[str], gender: str = "female") -> str:
    rated = ",".join(f"{vote},1" for vote in votes)
    return f'{wav_id},"그래, 알았어.",anger,{rated},27,{gender}'


def test_aihub(tmp_path: Path) -> None:
    rows = [
        aihub_row("a1", ["Sadness", "sadness", "Neutral", "Angry", "Neutral "]),  # a tie
        aihub_row("a2", ["Sadness", "sadness", "Neutral", "Angry", "Fear"]),
        aihub_row("a3", ["Happiness"] * 5, gender="male"),
    ]
    write(tmp_path / "4차년도.csv", AIHUB_COLUMNS, *rows, encoding="cp949")
    write(tmp_path / "5차년도_2차.csv", AIHUB_COLUMNS, aihub_row("b1", ["surprise"] * 4 + [""]))
    record(tmp_path, *(f"4차년도/a{n}.wav" for n in (1, 2, 3)), "5차년도_2차/wav/b1.wav")
    clips = corpora.read("aihub-korean", tmp_path)
    assert told(clips) == {
        "a2": ("sad", "aihub-korean-female", "female", None),
        "a3": ("happy", "aihub-korean-male", "male", None),
        "b1": ("surprised", "aihub-korean-female", "female", None),
    }


def test_aihub_rows_without_a_recording_are_named(tmp_path: Path, caplog) -> None:
    rows = [aihub_row(wav_id, ["fear"] * 5) for wav_id in ("a1", "a2")]
    write(tmp_path / "4차년도.csv", AIHUB_COLUMNS, *rows, encoding="cp949")
    record(tmp_path, "4차년도/a1.wav")
    with caplog.at_level(logging.WARNING):
        assert len(corpora.read("aihub-korean", tmp_path)) == 1
    assert "no recording of 1 rows: a2" in caplog.text


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["wav_id,발화문", "a1,그래"], "no column 1번 감정"),
        ([AIHUB_COLUMNS], "no row below the column names"),
        ([AIHUB_COLUMNS, "a1,그래"], "line 2 has fewer values than columns"),
        ([AIHUB_COLUMNS, aihub_row("a1", ["bored"] * 5)], "a1 has the label 'bored'"),
        ([AIHUB_COLUMNS, aihub_row("a1", ["fear"] * 5, "x")], "a1 has the gender 'x'"),
    ],
)
def test_aihub_table_not_as_published(lines: list[str], reason: str, tmp_path: Path) -> None:
    write(tmp_path / "5차년도.csv", *lines, encoding="cp949")
    record(tmp_path, "5차년도/a1.wav")
    with pytest.raises(DataError, match=f"5차년도.csv: {reason}"):
        corpora.read("aihub-korean", tmp_path)


def test_aihub_undecodable_table(tmp_path: Path) -> None:
    (tmp_path / "5차년도.csv").write_bytes(b"wav_id\n\xff\xff\n")
    record(tmp_path, "5차년도/a1.wav")
    with pytest.raises(DataError, match="5차년도.csv: is no text in utf-8 or cp949"):
        corpora.read("aihub-korean", tmp_path)


# --- nEMO


NEMO_TSV = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"
NEMO_CSV = "path,emotion,speaker_id,gender,age,normalized_text"


def test_nemo_as_published(tmp_path: Path) -> None:
    emotions = TABLE["nemo-polish"]
    rows = [f"WR0_{emotion}_7\t{emotion}\tTak.\ttak\tWR0\tmale\t23" for emotion in emotions]
    rows.append("EB0_anger_1.wav\tanger\tTak.\ttak\tEB0\tfemale\t27")
    write(tmp_path / "data.tsv", NEMO_TSV, *rows)
    record(tmp_path, *(f"samples/WR0_{e}_7.wav" for e in emotions), "samples/EB0_anger_1.wav")
    clips = corpora.read("nemo-polish", tmp_path)
    assert Counter(c.label for c in clips) == Counter([*emotions.values(), "angry"])
    assert told(clips)["EB0_anger_1"] == ("angry", "nemo-polish-EB0", "female", None)
    assert {c.language for c in clips} == {"pl"}


def test_nemo_with_a_manifest(tmp_path: Path) -> None:
    rows = [f"samples/WR0_fear_{n}.ogg,fear,WR0,male,23,tak" for n in (2, 1)]
    write(tmp_path / "manifest.csv", "\ufeff" + NEMO_CSV, *rows)
    record(tmp_path, "samples/WR0_fear_1.ogg", "samples/WR0_fear_2.ogg")
    clips = corpora.read("nemo-polish", tmp_path)
    assert [c.path.stem for c in clips] == ["WR0_fear_1", "WR0_fear_2"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("samples/WR0_joy_1.wav,joy,WR0,male,23,tak", "labelled joy, male"),
        ("samples/WR0_fear_1.wav,fear,WR0,x,23,tak", "labelled fear, x"),
        ("samples/WR0_fear_1.wav,anger,WR0,male,23,tak", "named otherwise than its row"),
        ("samples/WR0_fear_2.wav,fear,WR0,male,23,tak", "WR0_fear_2.wav: no such file"),
    ],
)
def test_nemo_foreign_row(row: str, reason: str, tmp_path: Path) -> None:
    write(tmp_path / "manifest.csv", NEMO_CSV, row)
    record(tmp_path, "samples/WR0_fear_1.wav")
    with pytest.raises(DataError, match=reason):
        corpora.read("nemo-polish", tmp_path)


# --- the Korean sample

KOREAN_COLUMNS = "path,emotion,speaker_id,text,wording"


def test_korean_angry_and_sad_are_put_right(tmp_path: Path) -> None:
    published = {"00100": "neutral", "00101": "happy", "00201": "angry", "00400": "sad"}
    rows = [f"nea/nea{n}.flac,{e},nea,그래.,emotional" for n, e in published.items()]
    rows.append("emf/emf00203.flac,sad,emf,그래.,neutral")  # a manifest that has been put right
    write(tmp_path / "manifest.csv", KOREAN_COLUMNS, *rows)
    record(tmp_path, *(f"nea/nea{n}.flac" for n in published), "emf/emf00203.flac")
    clips = corpora.read("korean-emotional", tmp_path)
    assert {stem: entry[:3] for stem, entry in told(clips).items()} == {
        "nea00100": ("neutral", "korean-emotional-nea", "female"),
        "nea00101": ("happy", "korean-emotional-nea", "female"),
        "nea00201": ("sad", "korean-emotional-nea", "female"),
        "nea00400": ("angry", "korean-emotional-nea", "female"),
        "emf00203": ("sad", "korean-emotional-emf", "male"),
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nea/nea00501.flac,sad,nea,그래.,emotional", "unexpected file name"),
        ("nea/nea00000.flac,neutral,nea,그래.,emotional", "unexpected file name"),
        ("nea/nea00201.flac,angry,nec,그래.,emotional", "unexpected file name for speaker nec"),
        ("nea/nea00201.flac,happy,nea,그래.,emotional", "labelled happy, but .* are angry"),
        ("nea/nea00202.flac,angry,nea,그래.,emotional", "nea00202.flac: no such file"),
    ],
)
def test_korean_foreign_row(row: str, reason: str, tmp_path: Path) -> None:
    write(tmp_path / "manifest.csv", KOREAN_COLUMNS, row)
    record(tmp_path, "nea/nea00201.flac")
    with pytest.raises(DataError, match=reason):
        corpora.read("korean-emotional", tmp_path)


# --- all readers


def test_an_unknown_corpus_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown corpus 'msp', expected one of ravdess, tess"):
        corpora.read("msp", tmp_path)


@pytest.mark.parametrize("corpus", READERS)
def test_a_wrong_folder_says_what_was_expected_and_what_was_found(
    corpus: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"{tmp_path / 'nowhere'}: no such folder, expected"):
        corpora.read(corpus, tmp_path / "nowhere")
    with pytest.raises(DataError, match=f"^{tmp_path}.*found nothing"):
        corpora.read(corpus, tmp_path)
    record(tmp_path, "holiday.wav")
    with pytest.raises(DataError, match=f"^{tmp_path}.*found .*holiday.wav"):
        corpora.read(corpus, tmp_path)


def test_the_table_covers_every_reader_with_our_labels_only() -> None:
    assert set(TABLE) == set(READERS)
    for labels in TABLE.values():
        assert set(labels.values()) - {None} <= set(LABELS)
        assert len(set(labels.values()) & set(SHIPPED)) >= 4
    assert set(SHIPPED) < set(LABELS)


def test_noise(tmp_path: Path) -> None:
    record(tmp_path, "rain/1-17367-A.ogg", "rooster/5-1-B.wav", "rain/2-1-A-10.wav")
    assert [p.stem for p in corpora.read_noise(tmp_path)] == ["1-17367-A", "2-1-A-10", "5-1-B"]
    record(tmp_path, "rain/shower.wav")
    with pytest.raises(DataError, match="expected names like .*found rain/shower.wav"):
        corpora.read_noise(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        corpora.read_noise(tmp_path / "nowhere")


def test_people_who_read_aloud(tmp_path: Path) -> None:
    names = (
        "2277/149896/2277-149896-0002.flac",
        "84/1272-128104-0001.wav",
        "1272-128104-0000.flac",
    )
    record(tmp_path, *names)
    clips = corpora.read_aloud(tmp_path)
    assert [c.path for c in clips] == sorted(tmp_path / name for name in names)
    assert told(clips) == {
        "1272-128104-0000": ("neutral", "librispeech-1272", None, None),
        "1272-128104-0001": ("neutral", "librispeech-1272", None, None),
        "2277-149896-0002": ("neutral", "librispeech-2277", None, None),
    }
    assert {(c.corpus, c.language) for c in clips} == {("librispeech", "en")}
    assert corpora.read_aloud(tmp_path) == clips


@pytest.mark.parametrize(
    "name",
    [
        "speech.wav",
        "1272-128104-00000.flac",
        "1272-128104.flac",
        "x1272-128104-0000.wav",
        "1272-128104-0000-2.flac",
        "reader-128104-0000.flac",
    ],
)
def test_foreign_names_among_them_are_refused(name: str, tmp_path: Path) -> None:
    record(tmp_path, "1272-128104-0000.flac", f"more/{name}")
    with pytest.raises(DataError, match=f"{tmp_path}: 1 of 2 .* found more/{name}") as caught:
        corpora.read_aloud(tmp_path)
    assert "expected names like 1272-128104-0000.flac" in str(caught.value)


def test_where_nobody_reads_aloud_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path / 'nowhere'}: no such folder, expected .*1272"):
        corpora.read_aloud(tmp_path / "nowhere")
    with pytest.raises(DataError, match=f"{tmp_path}: no recordings in it, .*found nothing"):
        corpora.read_aloud(tmp_path)


# --- overview


def test_overview_names_what_cannot_be_read_and_goes_on(tmp_path: Path) -> None:
    record(tmp_path, "emodb/03a01Wa.wav", "emodb/03a01Na.wav", "emodb/08a01Na.wav")
    record(tmp_path, "ravdess/03-01-02-01-02-01-04.wav")
    write(tmp_path / "emodb" / "09a01Fa.wav", "no sound at all")
    soundfile.write(tmp_path / "emodb" / "10a01Fa.wav", np.zeros(0), SAMPLE_RATE)
    clips = [clip for c in ("emodb", "ravdess") for clip in corpora.read(c, tmp_path / c)]
    clips.append(Clip(tmp_path / "gone.wav", "sad", "emodb-11", "emodb", "de"))
    steps: list[tuple[int, int]] = []
    emodb, ravdess = overview(clips, lambda n, of: steps.append((n, of)))
    assert steps == [(n, 7) for n in range(1, 8)]
    assert (emodb.corpus, emodb.n_clips, emodb.women, emodb.men) == ("emodb", 3, 1, 1)
    assert emodb.counts == {"neutral": 2, "angry": 1}
    assert emodb.hours == pytest.approx(0.6 / 3600)
    assert [path.name for path, _ in emodb.unreadable] == ["09a01Fa.wav", "10a01Fa.wav", "gone.wav"]
    assert (ravdess.languages, ravdess.counts, ravdess.unreadable) == (("en",), {"calm": 1}, ())

    lines = to_text([emodb, ravdess]).splitlines()
    assert lines[0].startswith("| corpus | clips | speakers (women/men) | hours | languages |")
    assert lines[0].endswith("| neutral | calm | angry |")
    assert lines[2] == "| emodb | 3 | 2 (1/1) | 0.00 | de | 2 | 0 | 1 |"
    assert "emodb: 3 files left out that cannot be read:" in lines
    assert f"- {tmp_path / 'gone.wav'}: no such file" in lines
    assert f"- {tmp_path / 'emodb' / '10a01Fa.wav'}: the recording is empty" in lines


def test_overview_counts_speakers_of_untold_gender(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    (found,) = overview([Clip(tmp_path / "a.wav", "sad", "thai-ser-001", "thai-ser", "th")])
    assert (found.women, found.men, found.untold) == (0, 0, 1)
    assert "1 (0/0, 1 not told)" in to_text([found])


# --- the copies beside the project


def whole(corpus: str, shared: Path) -> list[Clip]:
    folder = shared / "corpora" / corpus
    if not folder.is_dir():
        pytest.skip(f"no {corpus} beside the project: {folder} does not exist")
    return corpora.read(corpus, folder)


@pytest.mark.parametrize("corpus", SHARED_COUNTS)
def test_a_whole_corpus(corpus: str, shared: Path) -> None:
    clips = whole(corpus, shared)
    assert (len(clips), len({c.speaker for c in clips})) == SHARED_COUNTS[corpus]
    assert all(c.path.is_file() and c.gender for c in clips)
    assert {c.label for c in clips} == set(TABLE[corpus].values())


@pytest.mark.parametrize(
    ("corpus", "women", "men"),
    [("ravdess", 12, 12), ("tess", 2, 0), ("nemo-polish", 3, 4), ("korean-emotional", 4, 4)],
)
def test_genders_of_a_whole_corpus(corpus: str, women: int, men: int, shared: Path) -> None:
    genders = [gender for _, gender in {(c.speaker, c.gender) for c in whole(corpus, shared)}]
    assert (genders.count("female"), genders.count("male")) == (women, men)


def test_whole_noise(shared: Path) -> None:
    folder = shared / "noise" / "esc10"
    if not folder.is_dir():
        pytest.skip(f"no noise beside the project: {folder} does not exist")
    assert len(corpora.read_noise(folder)) == 400


def test_whole_read_speech(shared: Path) -> None:
    folder = shared / "speech" / "librispeech-dev-clean"
    if not folder.is_dir():
        pytest.skip(f"no read speech beside the project: {folder} does not exist")
    clips = corpora.read_aloud(folder)
    assert all(clip.path.is_file() for clip in clips)
    assert len({clip.speaker for clip in clips}) >= 2
