"""A model of which no word could ever come is refused, and the cause is told."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nemo_models import LABELS, save
from tests.web.test_strangers import edited
from tests.whisper_models import write
from utils.asr.nemo.transcriber import NemoTranscriber
from utils.asr.vosk.transcriber import VoskTranscriber
from utils.asr.whisper.transcriber import WhisperTranscriber
from utils.errors import ModelError

END = 50_256  # in the vocabulary of tiny.en; all text lies before it


def changed(whisper: Path, folder: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The packaged Whisper with one of its files changed."""
    folder.mkdir()
    for path in whisper.iterdir():
        if path.name != name:
            (folder / path.name).symlink_to(path)
    (folder / name).write_bytes(change((whisper / name).read_bytes()))
    return folder


def _json(change: Callable[[dict], object]) -> Callable[[bytes], bytes]:
    def changed_text(text: bytes) -> bytes:
        content = json.loads(text)
        change(content)
        return json.dumps(content).encode()

    return changed_text


def _number(file: bytes) -> bytes:
    """The weights with a number in them that is none."""
    name = b"decoder/layer_norm/gamma\0"
    at = file.index(name) + len(name) + 1 + 4 + 1 + 4  # behind rank, shape, type and bytes
    nan = {4: b"\0\0\xc0\x7f", 2: b"\0\x7e"}[{0: 4, 4: 2}[file[at - 5]]]
    return file[:at] + nan * 100 + file[at + 100 * len(nan) :]


def _spells_nothing(content: dict) -> None:
    content["model"]["vocab"] = {f"#{i}": i for i in range(END)}
    content["model"]["merges"] = []


def _ends_first(content: dict) -> None:
    content["added_tokens"][0]["id"] = 0


WHISPERS = {
    "all text is suppressed": (
        "config.json",
        _json(lambda c: c.update(suppress_ids=list(range(END)))),
        "too few tokens",
    ),
    "everything is suppressed": (
        "config.json",
        _json(lambda c: c.update(suppress_ids=list(range(51_864)))),
        "too few tokens",
    ),
    "no beginning is allowed": (
        "config.json",
        _json(lambda c: c.update(suppress_ids_begin=list(range(END)))),
        "too few",
    ),
    "no end is allowed": (
        "config.json",
        _json(lambda c: c["suppress_ids"].append(END)),
        "ever end",
    ),
    "the end lies elsewhere": (
        "vocabulary.txt",
        lambda t: t.replace(b"<|endoftext|>", b"-"),
        "place",
    ),
    "all tokens are empty": ("vocabulary.txt", lambda t: re.sub(rb".+", b"", t), "the same"),
    "no token has a letter": ("tokenizer.json", _json(_spells_nothing), "spells no words"),
    "all is behind the end": ("tokenizer.json", _json(_ends_first), "another place"),
    "weights that are no numbers": ("model.bin", _number, "gamma are no numbers"),
}


@pytest.mark.parametrize("case", WHISPERS)
def test_a_whisper_that_cannot_write_is_refused(case, whisper, tmp_path):
    name, change, why = WHISPERS[case]
    folder = changed(whisper, tmp_path / "odd", name, change)
    with pytest.raises(ModelError, match=f"odd.*{why}"):
        WhisperTranscriber(folder)


def test_a_whisper_that_writes_no_digits_is_taken(whisper, tmp_path):
    """As people set it who want numbers in words."""
    listed = (whisper / "vocabulary.txt").read_text().split("\n")
    digits = [i for i, token in enumerate(listed[:END]) if re.search(r"\d", token)]
    change = _json(lambda c: c.update(suppress_ids=sorted({*c["suppress_ids"], *digits})))
    assert len(digits) > 1_000
    WhisperTranscriber(changed(whisper, tmp_path / "words", "config.json", change)).close()


@pytest.fixture(scope="module")
def rnnt(tmp_path_factory) -> Path:
    return save("rnnt", tmp_path_factory.mktemp("rnnt"))


def test_a_nemo_model_without_a_letter_is_refused(tmp_path):
    path = save("ctc", tmp_path)
    blank = "".join(f"- {letter}\n" for letter in LABELS[1:3])

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("yaml"):
            return data
        text = re.sub(r"(?m)^(\s*- )['\"]?[a-z'](?:''')?['\"]?$", r"\1'#'", data.decode())
        assert text != data.decode() and blank not in text
        return text.encode()

    path = edited(path, tmp_path / "x.nemo", change)
    with pytest.raises(ModelError, match="x.nemo: there is no letter in its vocabulary"):
        NemoTranscriber(str(path))


def test_a_nemo_model_that_may_write_nothing_is_refused(rnnt, tmp_path):
    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("yaml"):
            return data
        assert b"max_symbols: 2" in data
        return data.replace(b"max_symbols: 2", b"max_symbols: 0")

    with pytest.raises(ModelError, match="x.nemo: it is told to write no more than 0 letters"):
        NemoTranscriber(str(edited(rnnt, tmp_path / "x.nemo", change)))


def test_a_nemo_model_whose_weights_are_no_numbers_is_refused(rnnt, tmp_path):
    import io

    import torch

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("ckpt"):
            return data
        weights = torch.load(io.BytesIO(data), weights_only=True)
        next(value for value in weights.values() if value.dim() > 1)[0] = float("nan")
        buffer = io.BytesIO()
        torch.save(weights, buffer)
        return buffer.getvalue()

    with pytest.raises(ModelError, match="x.nemo: some of its weights are no numbers"):
        NemoTranscriber(str(edited(rnnt, tmp_path / "x.nemo", change)))


@pytest.mark.parametrize("words", [b"", b"<eps> 0\n!SIL 1\n#0 2\n", b"\xff\xfe 0\n"])
def test_a_vosk_model_without_a_word_is_refused(words, tmp_path):
    pytest.importorskip("vosk")
    write(tmp_path / "model/am", {"final.mdl": b"x"})
    write(tmp_path / "model/conf", {"model.conf": b""})
    write(tmp_path / "model/graph", {"words.txt": words})
    with pytest.raises(ModelError, match="words.txt is damaged .it has no words"):
        VoskTranscriber(tmp_path / "model")
