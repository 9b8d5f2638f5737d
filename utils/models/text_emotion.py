"""A model that tells the emotion of English words: its folder, looked through before it is read.

The form is that of transformers: a RoBERTa that sorts texts (`RobertaForSequenceClassification`),
as `j-hartmann/emotion-english-distilroberta-base` is. No code of such a folder is run, no pickle is
believed, and of `config.json` nothing is used but the sizes and classes that are checked here.
"""

import logging
import math
import os
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils import untrusted
from utils.errors import ModelError
from utils.models.catalogue import TEXT_EMOTION, TEXT_EMOTIONS
from utils.models.memory import TEXT_EMOTION_BYTES
from utils.models.places import check_name, damaged, folders_here, take
from utils.untrusted_torch import check_torch

log = logging.getLogger(__name__)

CONFIG, VOCABULARY, MERGES = "config.json", "vocab.json", "merges.txt"
SAFE, PICKLED = "model.safetensors", "pytorch_model.bin"  # weights; the first that is there
ARCHITECTURE = "RobertaForSequenceClassification"
EXPECTED = (
    f"expected a folder with {CONFIG}, {VOCABULARY}, {MERGES} and {SAFE} or {PICKLED}, such as "
    f"`.venv/bin/python app.py models get {TEXT_EMOTIONS[0].name}` fetches"
)
# What models call their classes, and the page's words for them.
CALLED = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprised",
}
# From where to where a size may be; RoBERTa-large has 24 layers of 1,024, and 50,265 tokens.
_SIZES = {
    "vocab_size": (5, 100_000),
    "hidden_size": (1, 1_024),
    "num_hidden_layers": (1, 24),
    "num_attention_heads": (1, 16),
    "intermediate_size": (1, 4_096),
    "max_position_embeddings": (8, 1_026),
    "type_vocab_size": (1, 2),
    "pad_token_id": (0, 4),
}
_MOST_BYTES = 2_000_000_000  # of the weights
_MOST_TEXT = 10_000_000  # bytes of another file
_MOST_MERGES = 200_000


@dataclass(frozen=True)
class Package:
    """A model that tells the emotion of words.

    Parameters
    ----------
    path : its folder
    labels : the page's words for its classes, in the order of its logits
    sizes : of the network, by their names in `config.json`
    epsilon : of its normalisation
    weights : the file
    """

    path: Path
    labels: tuple[str, ...]
    sizes: Mapping[str, int]
    epsilon: float
    weights: Path

    @property
    def needed_bytes(self) -> int:
        """Memory that it takes."""
        return TEXT_EMOTION_BYTES + self.weights.stat().st_size


def find_text_emotions() -> list[Package]:
    """The models on this machine that tell the emotion of words, those that were fetched first.

    Looked for in `models_folder()`, then in Hugging Face's cache. Damaged ones and other kinds of
    model are left out.
    """
    found = []
    for path in folders_here():
        try:
            if (path / CONFIG).is_file():
                found.append(look_into(path))
        except (ModelError, OSError) as err:
            log.debug("left out: %s", err)
    return found


def is_text_emotion(path: Path) -> bool:
    """Whether a folder says that it sorts texts."""
    try:
        return ARCHITECTURE in (_config(path).get("architectures") or ())
    except (ModelError, TypeError):
        return False


def look_into(path: Path) -> Package:
    """What a model tells; the weights are not read.

    Raises
    ------
    ModelError : no such folder, damaged, or none that tells the emotion of words
    """
    found = _config(path)
    if found.get("architectures") != [ARCHITECTURE] or found.get("model_type") != "roberta":
        raise ModelError(f"{path} tells no emotion of words: it is no {ARCHITECTURE}; {EXPECTED}")
    sizes = {name: _size(path, found, name) for name in _SIZES}
    if sizes["hidden_size"] % sizes["num_attention_heads"]:
        raise damaged(path, f"its {CONFIG} has sizes that do not fit each other")
    if found.get("hidden_act", "gelu") != "gelu":
        raise ModelError(f"{path} is a RoBERTa of another kind: its hidden_act is not gelu")
    epsilon = found.get("layer_norm_eps", 1e-5)
    if not isinstance(epsilon, float) or not 0 < epsilon < 0.1:
        raise damaged(path, f"its {CONFIG} has a layer_norm_eps that cannot be")
    for name in (VOCABULARY, MERGES):
        if not os.path.isfile(path / name):
            raise damaged(path, f"it has no {name}")
    weights = next((path / n for n in (SAFE, PICKLED) if os.path.isfile(path / n)), None)
    if weights is None:
        raise damaged(path, f"it has neither {SAFE} nor {PICKLED}")
    return Package(path, _labels(path, found), sizes, epsilon, weights)


def check_whole(path: Path) -> Package:
    """Refuse a model that was cut short or is damaged.

    Raises
    ------
    ModelError : as `look_into`, and where its tokens or weights are not what they should be
    """
    package = look_into(path)
    read_tokens(package)
    try:
        with untrusted.opened(package.weights) as file:
            size = package.weights.stat().st_size
            if size > _MOST_BYTES:
                raise ValueError("it is far too large")
            if package.weights.name == SAFE:
                _check_safe(file.read(8), file.read, size)
            else:
                check_torch(file)
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or err
        raise damaged(path, f"its {package.weights.name} cannot be read ({reason})") from err
    return package


def read_tokens(package: Package) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The tokens with their numbers, and which pairs of them become one, the first first.

    Raises
    ------
    ModelError : they are not what they should be
    """
    path = package.path
    try:
        vocabulary = untrusted.parse_json(_text(path, VOCABULARY).encode())
        # as editors of Windows write it, too
        rows = _text(path, MERGES).replace("\r\n", "\n").split("\n")
    except ValueError as err:
        raise damaged(path, f"its tokens are not what they should be ({err})") from err
    most = package.sizes["vocab_size"]
    if (
        not isinstance(vocabulary, dict)
        or not {"<s>", "</s>"} <= vocabulary.keys()
        or any(type(n) is not int or not 0 <= n < most for n in vocabulary.values())
    ):
        raise damaged(path, f"its {VOCABULARY} is none of a RoBERTa")
    rows = [row for row in rows if row and row[:9] != "#version:"]
    pairs = [(first, second) for first, _, second in (row.partition(" ") for row in rows)]
    if len(pairs) > _MOST_MERGES or any(
        first + second not in vocabulary or first not in vocabulary or second not in vocabulary
        for first, second in pairs
    ):
        raise damaged(path, f"its {MERGES} does not fit its {VOCABULARY}")
    return vocabulary, pairs


def add(path: Path) -> Path:
    """Take a model that somebody has downloaded into `models_folder()`; return where it lies.

    Raises
    ------
    ModelError : it is damaged, none that tells the emotion of words, or one of its name is there
        or belongs to another kind
    DataError : it cannot be written
    """
    package, name = check_whole(path), path.resolve().name
    check_name(path, name, TEXT_EMOTION)
    files = [path / CONFIG, path / VOCABULARY, path / MERGES, package.weights]

    def copy(to: Path) -> None:
        to.mkdir(parents=True)
        for file in files:
            shutil.copyfile(file, to / file.name)

    return take(path, name, sum(file.stat().st_size for file in files), copy)


def _config(path: Path) -> dict[str, Any]:
    try:
        if not path.is_dir():
            raise ModelError(f"{path}: no such folder; {EXPECTED}")
        if not (path / CONFIG).is_file():
            raise ModelError(f"{path} tells no emotion of words: it has no {CONFIG}; {EXPECTED}")
    except OSError as err:  # such as a name that is too long, or a folder that nobody may look into
        raise ModelError(f"{path} cannot be read ({err.strerror or err}); {EXPECTED}") from err
    try:
        found = untrusted.parse_json(_text(path, CONFIG).encode())
    except ValueError as err:
        raise damaged(path, f"its {CONFIG} is not what it should be ({err})") from err
    if not isinstance(found, dict):
        raise damaged(path, f"its {CONFIG} is not what it should be")
    return found


def _text(path: Path, name: str) -> str:
    try:
        return untrusted.read_text(path / name, _MOST_TEXT)
    except OSError as err:
        raise damaged(path, f"its {name} cannot be read ({err.strerror or err})") from err


def _size(path: Path, found: Mapping[str, Any], name: str) -> int:
    least, most = _SIZES[name]
    value = found.get(name)
    if type(value) is not int or not least <= value <= most:
        raise damaged(path, f"its {CONFIG} has no {name} from {least} to {most}")
    return value


def _labels(path: Path, found: Mapping[str, Any]) -> tuple[str, ...]:
    """The page's words for the classes."""
    named = found.get("id2label")
    if not isinstance(named, dict) or not 2 <= len(named) <= len(CALLED):
        raise ModelError(
            f"{path} tells no emotion of words: its {CONFIG} has no id2label of 2 to {len(CALLED)} "
            f"classes; {EXPECTED}"
        )
    names = [named.get(str(number)) for number in range(len(named))]
    labels = [CALLED.get(name.lower(), "") if isinstance(name, str) else "" for name in names]
    if "" in labels or len({*labels}) < len(labels):
        raise ModelError(
            f"{path} tells {', '.join(f'{name!s:.20}' for name in names)}; expected classes among "
            f"{', '.join(CALLED)}, each once"
        )
    return tuple(labels)


def _check_safe(first: bytes, read: Any, size: int) -> None:
    """Raise ValueError unless a file of safetensors holds all that its head tells.

    The form: eight bytes with the length of the head, the head in JSON with each array's place,
    the arrays (huggingface/safetensors, README, "Format").
    """
    try:
        (length,) = struct.unpack("<Q", first)
    except struct.error as err:
        raise ValueError("it is cut short") from err
    if length > min(_MOST_TEXT, size - 8):
        raise ValueError("it is cut short, or no file of safetensors")
    head = untrusted.parse_json(read(length))
    if not isinstance(head, dict):
        raise ValueError("no file of safetensors")
    try:
        ends = [math.ceil(each["data_offsets"][1]) for n, each in head.items() if n[0] != "_"]
    except (LookupError, TypeError, ValueError, OverflowError) as err:
        raise ValueError("no file of safetensors") from err
    if max(ends, default=0) != size - 8 - length:
        raise ValueError("it is cut short")
