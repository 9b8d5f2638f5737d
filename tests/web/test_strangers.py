"""Model files from strangers: no code of theirs runs, and none holds the program up."""

import gzip
import io
import json
import os
import pickle
import subprocess
import tarfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.nemo_models import save
from tests.odd_models import (
    CONFIG,
    UNLOADABLE,
    UNREADABLE,
    doubled,
    member,
    nemo,
    weights,
    write_all,
)
from tests.program import run
from tests.whisper_models import whisper as whisper_files
from tests.whisper_models import write
from utils import checkpoint, untrusted
from utils.asr.choose import open_transcriber
from utils.asr.nemo.transcriber import NemoTranscriber
from utils.asr.vosk.transcriber import VoskTranscriber
from utils.asr.whisper.transcriber import WhisperTranscriber
from utils.checkpoint import Format
from utils.errors import ModelError
from utils.models.here import fitting
from utils.models.nemo.archive import check_loadable, check_whole, languages, read_config
from utils.models.nemo.files import find_models, find_voices
from utils.models.whisper.folder import check_readable

HOME = Path(__file__).resolve().parents[2]
MOST_BYTES = 100_000_000  # of memory, for files of a few megabytes


@contextmanager
def little_memory() -> Iterator[None]:
    """What is done takes little memory, however much it is asked for."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_no_model_begins_with_is_left_out(models_here, name):
    [path] = write_all(models_here, {name: UNREADABLE[name]})
    (models_here / "good.nemo").write_bytes(nemo())
    with little_memory():
        assert find_models() == [models_here / "good.nemo"]
        for look in (read_config, languages, check_whole, check_loadable):
            with pytest.raises(ModelError, match="nemo"):
                look(path)


@pytest.mark.parametrize("name", UNLOADABLE)
def test_what_would_come_to_too_much_is_refused_before_it_is_loaded(models_here, name):
    [path] = write_all(models_here, {name: UNLOADABLE[name]})
    with little_memory():
        assert find_models() in ([path], [])
        with pytest.raises(ModelError, match="not a readable .nemo file") as caught:
            check_loadable(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 3000
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ["pipe", "device", "loop", "nowhere", "folder", "hole"])
def test_what_is_no_file_is_not_waited_for(models_here, kind):
    models_here.mkdir(parents=True)
    path = models_here / "odd.nemo"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "hole":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    else:
        path.symlink_to({"device": "/dev/zero", "loop": path, "nowhere": "/nowhere"}[kind])
    assert find_models() == find_voices() == fitting("en") == []
    with pytest.raises(ModelError):
        check_whole(path)


def test_a_model_may_be_packed_and_may_repeat_itself_a_little(tmp_path):
    shared = CONFIG + "a: &a [1, 2, 3]\nb: *a\nc: [*a, *a]\nd: ${a}\n"
    plain = nemo(shared, b"", member("0123_tokenizer.model", os.urandom(100_000)))
    for path, data in ((tmp_path / "a.nemo", plain), (tmp_path / "b.nemo", gzip.compress(plain))):
        path.write_bytes(data)
        assert read_config(path) == shared
        assert check_loadable(path) > 100_000


def test_the_models_that_ship_pass(whisper):
    assert check_loadable(HOME / "model_state_dict/spoken_digits.nemo") > 8_000_000
    assert checkpoint.read(HOME / "model_state_dict/emotion_lstm.pt", Format.EMOTION)
    check_readable(whisper)


@pytest.fixture
def odd_folder(models_here) -> Path:
    """Everything odd at once, with names that no terminal should be sent."""
    write_all(models_here, UNREADABLE | UNLOADABLE)
    os.mkfifo(models_here / "pipe.nemo")
    (models_here / "device.nemo").symlink_to("/dev/zero")
    (models_here / "itself").symlink_to(models_here / "itself")
    (models_here / "\x1b[2J\x07 \udcff.nemo").write_bytes(nemo())
    (models_here / "\x1b]0;owned\x07").mkdir()
    write(models_here / "whisper", whisper_files() | {"config.json": b"[" * 1_000_000})
    write(models_here / "commas", whisper_files() | {"tokenizer.json": b"[" + b"[],[]," * 600_000})
    return models_here


def test_auto_listens_whatever_lies_in_the_folder(odd_folder, whisper):
    assert fitting("en")
    transcriber, told = open_transcriber("auto", None, "en")
    transcriber.close()
    assert transcriber.name == "Whisper tiny.en" and told.code == "ready.not_loaded"


@pytest.mark.parametrize("language", ["en", "ko", "xx"])
def test_the_list_is_printed_whatever_lies_in_the_folder(odd_folder, language):
    done = run(["models", "--language", language], env=os.environ | {"PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    here = done.stdout.partition("ON THIS MACHINE")[2]
    assert "  pipe first.nemo  " in here and "damaged or not for speech" in here
    assert not set(done.stdout) & {"\x1b", "\x07"}
    removed = run(["models", "remove", "nothing"])
    assert removed.returncode == 1 and "Traceback" not in removed.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_a_models_folder_without_rights_is_empty(models_here, mode):
    (models_here / "x").mkdir(parents=True)
    models_here.chmod(mode)
    try:
        assert find_models() == fitting("en") == fitting("ko") == []
        assert run(["models"]).returncode == 0
    finally:
        models_here.chmod(0o700)


@pytest.mark.parametrize("arguments", [[], ["get", "base.en"], ["remove", "base.en"]])
def test_a_file_where_the_models_folder_should_be_is_told(arguments, tmp_path):
    (tmp_path / "file").touch()
    places = {"XDG_CACHE_HOME": str(tmp_path / "file"), "HF_HOME": ""}
    done = run(
        ["models", *arguments], env=os.environ | places | {"HF_ENDPOINT": "http://127.0.0.1:1"}
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if arguments else 0), done.stderr


# Code in pickles: what each would call, with a file's name that it would make.
class Calls:
    """Pickled, it becomes a call."""

    def __init__(self, call: Callable, *arguments: object) -> None:
        self._call = (call, arguments)

    def __reduce__(self) -> tuple:
        return self._call


def _pickles(mark: Path) -> dict[str, bytes]:
    code = f"open({str(mark)!r}, 'w').close()"
    import runpy
    import shutil

    import torch

    objects = {
        "os.system": Calls(os.system, f"touch {mark}"),
        "exec": Calls(exec, code),
        "eval": Calls(eval, code),
        "open": Calls(open, str(mark), "w"),
        "popen": Calls(subprocess.Popen, ["touch", str(mark)]),
        "mkfifo": Calls(os.mkfifo, str(mark)),
        "copy": Calls(shutil.copy, "/etc/hostname", str(mark)),
        "run_path": Calls(runpy.run_path, str(mark)),
        "torch.load": Calls(torch.load, str(mark)),
        "torch.save": Calls(torch.save, 1, str(mark)),
        "import": Calls(__import__, "antigravity"),
        "attribute": Calls(getattr, 1, "real"),
    }
    found = {name: pickle.dumps({"weight": value}, 2) for name, value in objects.items()}
    found["key"] = pickle.dumps({objects["exec"]: 1}, 2)
    found["inst"] = f"(S'touch {mark}'\nios\nsystem\n.".encode()
    return found


PICKLES = [
    "os.system",
    "exec",
    "eval",
    "open",
    "popen",
    "mkfifo",
    "copy",
    "run_path",
    "torch.load",
    "torch.save",
    "import",
    "attribute",
    "key",
    "inst",
]


@pytest.mark.parametrize("attack", PICKLES)
def test_no_code_runs_from_a_checkpoint(attack, tmp_path):
    mark, path = tmp_path / "mark", tmp_path / "x.pt"
    content = _pickles(mark)[attack]
    for data in (weights(content), content, weights(content, packed=True)):
        path.write_bytes(data)
        with pytest.raises(ModelError, match="x.pt"):
            checkpoint.read(path, Format.EMOTION)
    assert not mark.exists()


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return save("ctc", tmp_path_factory.mktemp("model"))


def edited(path: Path, to: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A copy of a `.nemo` file with its parts changed."""
    with tarfile.open(path) as source, tarfile.open(to, "w") as target:
        for part in source:
            content = source.extractfile(part)  # None of a folder
            data = content.read() if content else b""
            data = change(Path(part.name).name, data)
            part.size = len(data)
            target.addfile(part, io.BytesIO(data))
    return to


@pytest.mark.parametrize("attack", PICKLES)
def test_no_code_runs_from_the_weights_of_a_model(attack, model, tmp_path):
    mark = tmp_path / "mark"
    content = weights(_pickles(mark)[attack])
    path = edited(
        model, tmp_path / "x.nemo", lambda name, data: content if name.endswith("ckpt") else data
    )
    with pytest.raises(ModelError, match="x.nemo: NeMo .* cannot load this EncDecCTCModel"):
        NemoTranscriber(str(path))
    assert not mark.exists()


TARGET = "target: nemo.collections.asr.models.ctc_models.EncDecCTCModel"


@pytest.mark.parametrize(
    "old, new",
    [
        (TARGET, "target: os.system"),
        (TARGET, "x:\n  target: nemo.collections.asr.models.EncDecCTCModel\n'target': os.system"),
        (
            TARGET,
            "target: nemo.collections.asr.models.EncDecCTCModel\n"
            "_target_: os.system\ncommand: touch MARK",
        ),
        ("nemo.collections.asr.modules.ConformerEncoder", "os.system\n  command: touch MARK"),
        (
            "nemo.collections.asr.modules.ConformerEncoder",
            "subprocess.Popen\n  args: [touch, MARK]",
        ),
        (
            "nemo.collections.asr.modules.ConformerEncoder",
            "builtins.exec\n  _args_: [\"open('MARK', 'w')\"]",
        ),
        ("sample_rate: 16000\n", "sample_rate: !!python/object/apply:os.system ['touch MARK']\n"),
        ("sample_rate: 16000\n", "sample_rate: 16000\nx: !!python/name:os.system\n"),
    ],
)
def test_no_code_runs_from_a_configuration(old, new, model, tmp_path):
    mark = tmp_path / "mark"

    def change(name: str, data: bytes) -> bytes:
        if name != "model_config.yaml":
            return data
        assert old.encode() in data
        return data.replace(old.encode(), new.replace("MARK", str(mark)).encode(), 1)

    path = edited(model, tmp_path / "x.nemo", change)
    try:
        NemoTranscriber(str(path)).close()
    except ModelError as err:
        assert "x.nemo" in str(err)
    assert not mark.exists()


def test_a_key_of_tuples_within_tuples_does_not_hang(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(weights(doubled(200)))
    with pytest.raises(ModelError, match="far too much"):
        checkpoint.read(path, Format.EMOTION)
    path.write_bytes(weights(doubled(5)))
    with pytest.raises(ModelError, match="expected 'recognition-helpers"):
        checkpoint.read(path, Format.EMOTION)


def test_lists_within_lists_are_not_gone_through(tmp_path):
    import torch

    lists: list = []
    for _ in range(60):
        lists = [lists, lists]
    torch.save({"format": lists}, tmp_path / "x.pt")
    with pytest.raises(ModelError, match="far too much"):
        checkpoint.read(tmp_path / "x.pt", Format.EMOTION)


@pytest.mark.parametrize(
    "change, why",
    [
        ({"format": [1, 2]}, "format list"),
        ({"format": {}}, "format dict"),
        ({"format": "\x1b[2J\udcff" * 9}, "format '"),
        ({"format": "TENSOR"}, "format Tensor"),
        ({"model": {"n_listeners": 10**9}}, "1000000000 listeners"),
        ({"model": {"n_listeners": 0}}, "0 listeners"),
        ({"model": {"n_listeners": "a"}}, "not fit"),
        ({"model": {"hidden": 10**15}}, "not fit"),
        ({"model": {"n_heard": -1}}, "not fit"),
        ({"model": {"n_components": 10**15}}, "not fit"),
        ({"model": {"kind": "transformer"}}, "not fit"),
        ({"features": {"n_fft": 10**9}}, "n_fft"),
        ({"features": {"n_mels": float("nan")}}, "n_mels"),
        ({"labels": "TENSOR"}, "not fit"),
        ({"weights": {"\x1b[2J" * 100_000: "TENSOR"}}, "not fit"),
        ({"weights": []}, "not fit"),
        ({"judgement": {"temperature": float("nan")}}, "temperature"),
        ({"judgement": {"temperature": "TENSOR"}}, "not fit"),
        ({"judgement": []}, "not fit"),
        ({"judgement": {"sure": {"sad": 0.5}}}, "thresholds sure"),
        ({"unaided": {"likely": "TENSOR"}}, "not fit"),
        ({"unaided": {"likely": 10**9}}, "not fit"),
        ({"training": "TENSOR"}, "not fit"),
    ],
)
def test_a_checkpoint_that_says_what_cannot_be_is_told_as_such(change, why, tmp_path):
    import torch

    from emotion_model import EmotionRecognizer
    from tests.training.made_recognizer import untrained

    untrained().save(tmp_path / "good.pt")
    content = checkpoint.read(tmp_path / "good.pt", Format.EMOTION)
    for name, new in change.items():
        parts = new if isinstance(new, dict) and name != "format" else {}
        parts = {key: torch.ones(2) if value == "TENSOR" else value for key, value in parts.items()}
        whole = torch.ones(2) if new == "TENSOR" else new
        content[name] = {**content[name], **parts} if parts else whole
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(ModelError, match=f"x.pt: .*{why}") as caught:
        EmotionRecognizer.load(tmp_path / "x.pt")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 3000


@pytest.mark.parametrize("dtype", ["float64", "int64", "complex64", "bool"])
def test_weights_of_another_type_are_refused(dtype, tmp_path):
    import torch

    from emotion_model import EmotionRecognizer
    from tests.training.made_recognizer import untrained

    untrained().save(tmp_path / "good.pt")
    content = checkpoint.read(tmp_path / "good.pt", Format.EMOTION)
    name = next(iter(content["weights"]))
    content["weights"][name] = content["weights"][name].to(getattr(torch, dtype))
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(ModelError, match="x.pt: does not fit: weights .* are not finite"):
        EmotionRecognizer.load(tmp_path / "x.pt")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "nowhere"])
def test_a_path_to_what_is_no_file_is_told_as_such(kind, tmp_path):
    path = tmp_path / "odd.nemo"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    why = "no such file" if kind == "nowhere" else "not a file|Is a directory"
    with pytest.raises(ModelError, match=f"odd.nemo: .*({why})"):
        NemoTranscriber(str(path))
    with pytest.raises(ModelError, match=f"odd.nemo: .*({why})"):
        checkpoint.read(path, Format.EMOTION)


def test_a_model_that_changes_while_it_is_loaded_is_told_as_such(model, tmp_path, monkeypatch):
    from utils.asr.nemo import load as nemo_load

    path, check = tmp_path / "x.nemo", nemo_load.check_loadable
    path.write_bytes(model.read_bytes())

    def check_and_change(path: Path) -> int:
        n_bytes = check(path)
        path.write_bytes(nemo())
        return n_bytes

    monkeypatch.setattr(nemo_load, "check_loadable", check_and_change)
    with pytest.raises(ModelError, match="x.nemo: was changed while it was loaded"):
        NemoTranscriber(str(path))


@pytest.mark.parametrize("text", [b"[" * 10_000_000, b"[" + b"{}," * 2_000_000, b"9" * 10_000_000])
def test_json_is_counted_before_it_is_parsed(text):
    with little_memory(), pytest.raises(ValueError, match="not JSON|more than"):
        untrusted.parse_json(text)


WHISPER_ODD: dict[str, list[object]] = {
    "config.json": [
        {"suppress_ids": list(range(30_000))},
        {"suppress_ids": list(range(51_864))},
        {"suppress_ids_begin": list(range(50_000))},
        {"suppress_ids": [51_864]},
        {"suppress_ids": [-1]},
        {"suppress_ids": [10**12]},
        {"suppress_ids_begin": [220, 10**6]},
        {"lang_ids": [2**31]},
        {"suppress_ids": "all"},
        {"suppress_ids": [[0]]},
        {"alignment_heads": [[9, 9]]},
        {"alignment_heads": [[1, 1]] * 100_000},
    ],
    "tokenizer.json": [
        {"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x" * 1000}},
        {"padding": {"strategy": {"Fixed": 10**9}}},
        {"truncation": {"max_length": 10**9}},
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}}},
        {"model": {"type": "BPE", "vocab": {"x": 10**9}}},
        {"added_tokens": [{"id": 10**9, "content": "<|startoftranscript|>"}]},
        {"added_tokens": [7]},
        {"model": 7},
        {"decoder": [7]},
    ],
    "preprocessor_config.json": [
        {"n_fft": 10**9},
        {"chunk_length": 10**9},
        {"feature_size": 10**9},
        {"hop_length": 0},
        {"sampling_rate": [16_000]},
    ],
    "vocabulary.json": [
        {str(i): 0 for i in range(51_864)},
        [0] * 51_864,
        [""] * 51_864,
        ["a", "b"] * 25_932,
    ],
}


@pytest.mark.parametrize(
    "name, content", [(name, each) for name, some in WHISPER_ODD.items() for each in some]
)
def test_a_whisper_whose_files_do_not_fit_the_weights_is_refused(name, content, tmp_path):
    folder = write(tmp_path / "odd", whisper_files() | {name: json.dumps(content).encode()})
    with pytest.raises(ModelError, match=f"odd/{name} is damaged"):
        check_readable(folder)


def test_weights_that_name_their_arrays_for_ever_are_refused(tmp_path):
    folder = write(tmp_path / "odd", whisper_files())
    data = bytearray((folder / "model.bin").read_bytes())
    at = data.index(b"decoder/projection/weight") - 6  # the number of other names
    data[at : at + 4] = b"\xff\xff\xff\xff"
    with (folder / "model.bin").open("wb") as file:
        file.write(data)
        file.truncate(1 << 40)  # zeros without end, each of them an empty name
    with pytest.raises(ModelError, match="damaged"):
        check_readable(folder)


@pytest.mark.parametrize("which", ["encoder", "decoder"])
def test_weights_that_end_the_process_end_another_one(which, whisper, tmp_path):
    """No heads, by whose number CTranslate2 divides."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for path in whisper.iterdir():
        (folder / path.name).symlink_to(path)
    data = (whisper / "model.bin").read_bytes()
    name = f"{which}/num_heads\0".encode()
    at = data.index(name) + len(name) + 6  # behind the rank, the type and the number of bytes
    (folder / "model.bin").unlink()
    (folder / "model.bin").write_bytes(data[:at] + bytes(2) + data[at + 2 :])
    check_readable(folder)
    before = threading.active_count()
    with pytest.raises(ModelError, match="odd cannot be used .CTranslate2 ends the process"):
        WhisperTranscriber(folder)
    assert threading.active_count() == before


@pytest.mark.parametrize("kind", ["pipe", "device", "nowhere", "huge"])
def test_a_vosk_folder_with_what_is_no_file_is_refused(kind, tmp_path):
    pytest.importorskip("vosk")
    write(tmp_path / "model/am", {"final.mdl": b"x"})
    write(tmp_path / "model/conf", {"model.conf": b""})
    path = tmp_path / "model/conf/mfcc.conf"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_bytes(b"#" * 2_000_000)
    else:
        path.symlink_to({"device": "/dev/zero", "nowhere": "/nowhere"}[kind])
    with pytest.raises(ModelError, match="the Vosk model at .* is damaged"):
        VoskTranscriber(tmp_path / "model")


@pytest.mark.parametrize(
    "old, new",
    [
        ("preprocessor:\n", "preprocessor: []\nx:\n"),
        ("encoder:\n", "encoder: null\nx:\n"),
        ("sample_rate: 16000\n", "sample_rate: []\n"),
        ("sample_rate: 16000\n", "rate: 1\n"),
        ("n_heads: 4", "n_heads: 0"),
        ("window_stride: 0.01", "window_stride: 0"),
        ("n_layers: 2", "n_layers: -1"),
        ("feat_in: 40", "feat_in: .nan"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_told_as_such(old, new, model, tmp_path):
    def change(name: str, data: bytes) -> bytes:
        return data.replace(old.encode(), new.encode()) if name.endswith("yaml") else data

    path = edited(model, tmp_path / "x.nemo", change)
    assert path.read_bytes() != model.read_bytes()
    try:
        NemoTranscriber(str(path)).close()
    except ModelError as err:
        assert "x.nemo" in str(err) or "NeMo x " in str(err)
