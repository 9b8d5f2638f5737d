"""The files beside a Whisper's weights: that they are whole, small, and fit the weights.

CTranslate2 and the tokenizer believe what these files say: a token that the weights lack is looked
up beyond their memory, which ends the process, and a rule of the tokenizer can turn a word into
gigabytes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from utils import untrusted
from utils.errors import ModelError
from utils.faults import model_error

# What the folder must have; of several names the first that is there.
FILES = (
    ("model.bin",),
    ("config.json",),
    ("tokenizer.json",),
    ("vocabulary.json", "vocabulary.txt"),
)
MELS = "preprocessor_config.json"  # tells of another number of mel bands than USUAL_MELS
USUAL_MELS = 80

_MAX_BYTES = 8_000_000  # the largest tokenizer.json has 2.5 MB
_MOST_HEADS = 20  # of a layer: the largest Whisper's
_SILENCED = ("suppress_ids", "suppress_ids_begin")  # tokens that are never written, in config.json
_TOKENS = (*_SILENCED, "lang_ids")
MOST_SILENCED = 0.5  # of all tokens; Whispers' own are 90, and all with digits are a few thousand
END, BEGIN = "<|endoftext|>", "<|startoftranscript|>"  # which CTranslate2 looks up by name
# openai/whisper, whisper/audio.py; all of them are the same for every Whisper.
_SOUND = {"sampling_rate": 16_000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
# What Whisper's tokenizers have in these places; others have rules that can run for ever.
_RULES: dict[str, set[str | None]] = {
    "normalizer": {None},
    "truncation": {None},
    "padding": {None},
    "pre_tokenizer": {None, "ByteLevel"},
    "decoder": {None, "ByteLevel"},
    "model": {None, "BPE"},
}

REMEDY = "delete the folder and fetch it again (.venv/bin/python app.py models get NAME)"


def names() -> str:
    """The files that a folder must have, as people read them."""
    return ", ".join(" or ".join(each) for each in FILES)


def damaged(path: Path, why: str) -> ModelError:
    """What is said of a file that is not as it should be."""
    return ModelError(f"{path} is damaged: {why}; {REMEDY}")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file of the folder, for reading; a pipe or a device is not waited for.

    Raises
    ------
    ModelError : there is none, or it cannot be read
    """
    try:
        with untrusted.opened(path) as file:
            yield file
    except FileNotFoundError as err:
        raise ModelError(
            f"{path.parent}: no {path.name} inside, so not a whole Whisper in CTranslate2's "
            f"form, which has {names()}; {REMEDY}"
        ) from err
    except OSError as err:
        otherwise = f"{path} cannot be read ({err.strerror}); {REMEDY}"
        raise model_error(err, str(path), otherwise) from err


def check_texts(folder: Path, tokens: int, mels: int, layers: int) -> None:
    """Refuse a folder whose files do not fit the weights.

    Parameters
    ----------
    tokens, mels : tokens and mel bands that the weights are for
    layers : of the decoder

    Raises
    ------
    ModelError : one is missing, damaged, far too large, or says what cannot be
    """
    special = _check_tokenizer(folder / FILES[2][0], tokens)
    _check_config(folder / FILES[1][0], tokens, layers, special.get(END))
    _check_vocabulary(folder, tokens, special)
    if mels != USUAL_MELS or (folder / MELS).exists():
        _check_sound(folder / MELS, mels)


def _check_config(path: Path, tokens: int, layers: int, end: int | None) -> None:
    config = _read_object(path)
    for name in _TOKENS:
        if not _are_below(config.get(name) or [], tokens):
            raise damaged(path, f"its {name} are not all among the {tokens} tokens")
    for name in _SILENCED:
        if len(set(config.get(name) or ())) > MOST_SILENCED * tokens:
            raise damaged(path, f"its {name} leave too few tokens to write words with")
    if end in (config.get("suppress_ids") or ()):
        raise damaged(path, f"its suppress_ids have {END}, and no text would ever end")
    # Word times are read off these heads; CTranslate2 reads beyond its memory for others.
    heads = config.get("alignment_heads", [])
    if not isinstance(heads, list) or not all(_is_head(head, layers) for head in heads):
        raise damaged(path, "its alignment_heads are not in the decoder")
    if len(heads) > len({tuple(head) for head in heads}):  # each is worked out as often
        raise damaged(path, "its alignment_heads name one more than once")


def _are_below(found: Any, most: int) -> bool:
    """Whether something is a list of whole numbers from 0 to under `most`."""
    return isinstance(found, list) and all(type(n) is int and 0 <= n < most for n in found)


def _is_head(head: Any, n_layers: int) -> bool:
    if not isinstance(head, list) or len(head) != 2 or not all(type(n) is int for n in head):
        return False
    return 0 <= head[0] < n_layers and 0 <= head[1] < _MOST_HEADS


def _check_tokenizer(path: Path, tokens: int) -> dict[str, int]:
    """The places of the tokens that are no text."""
    found = _read_object(path)
    for name, known in _RULES.items():
        part = found.get(name)
        usual = "BPE" if name == "model" else "?"
        kind = part.get("type", usual) if isinstance(part, Mapping) else part
        if not isinstance(kind, str | None) or (kind if part else None) not in known:
            raise damaged(path, f"its {name} is not one of Whisper's")
    added = found.get("added_tokens") or []
    model = found.get("model") or {}
    vocabulary = model.get("vocab") or {} if isinstance(model, Mapping) else None
    if not isinstance(added, list) or not isinstance(vocabulary, Mapping):
        raise damaged(path, "it is not what it should be")
    numbers = [token.get("id") if isinstance(token, Mapping) else None for token in added]
    if not _are_below([*numbers, *vocabulary.values()], tokens):
        raise damaged(path, f"its tokens are not all among the {tokens} of the weights")
    return {str(token.get("content")): token["id"] for token in added}


def _check_vocabulary(folder: Path, tokens: int, special: Mapping[str, int]) -> None:
    path, as_text = (folder / name for name in FILES[3])
    listed: Any
    if path.exists():
        listed = _read_json(path)
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise damaged(path, "it is not a list of tokens")
    else:
        path = as_text
        text = _read(path).decode("utf-8", "replace")
        listed = text.removesuffix("\n").split("\n")
    if len(listed) != tokens:
        raise damaged(path, f"it lists {len(listed)} tokens, and the weights are for {tokens}")
    if len(set(listed)) < MOST_SILENCED * tokens:
        raise damaged(path, "most of its tokens are the same")
    for name in (END, BEGIN):
        if name in special and listed[special[name]] != name:
            raise damaged(path, f"it has {name} in another place than tokenizer.json")


def _check_sound(path: Path, mels: int) -> None:
    found = _read_object(path)
    for name, expected in (_SOUND | {"feature_size": mels}).items():
        if (given := found.get(name, expected)) != expected:
            shown = given if isinstance(given, int | str) else "something else"
            raise damaged(path, f"its {name} is {str(shown)[:40]}, expected {expected}")
    if mels != USUAL_MELS and "feature_size" not in found:
        raise damaged(path, f"it has no feature_size, and the weights are for {mels} mel bands")


def _read_object(path: Path) -> dict[str, Any]:
    found = _read_json(path)
    if not isinstance(found, dict):
        raise damaged(path, "it is not what it should be")
    return found


def _read_json(path: Path) -> Any:
    try:
        return untrusted.parse_json(_read(path))
    except ValueError as err:
        raise damaged(path, str(err)) from err


def _read(path: Path) -> bytes:
    with opened(path) as file:
        text = file.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise damaged(path, "it is far too large")
    return text
