"""What NeMo offers for captions: facts from each model's card, or nothing where it tells none."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from utils.errors import ModelError
from utils.folders import cache_folder


@dataclass(frozen=True)
class Model:
    """A pretrained model on Hugging Face's hub.

    Parameters
    ----------
    name : what `models get` takes; the file is `name.nemo`
    owner : of the repository
    size_mb : of the file, as the hub lists it (1 MB = 10⁶ bytes)
    languages : ISO 639-1 codes
    lookahead_ms : that a streaming model was trained for; empty if it hears whole lines
    licence : as the card names it
    published : word error rate in percent and the test it was measured on
    gpu : needs a GPU to keep up with speech
    """

    name: str
    owner: str
    size_mb: int
    languages: tuple[str, ...]
    lookahead_ms: tuple[int, ...]
    licence: str
    published: str
    gpu: bool = False

    @property
    def repo(self) -> str:
        """Its repository: "nvidia/NAME"."""
        return f"{self.owner}/{self.name}"

    @property
    def file(self) -> str:
        """Its file, in the repository and here."""
        return f"{self.name}.nemo"

    @property
    def streaming(self) -> bool:
        """Whether words appear while they are spoken."""
        return bool(self.lookahead_ms)


# The first that fits a language is the one recommended for it.
CATALOGUE = (
    Model(
        "stt_en_fastconformer_hybrid_large_streaming_multi", "nvidia", 460, ("en",),
        (0, 80, 480, 1040), "CC BY 4.0", "LibriSpeech other 5.4 to 7.0",
    ),
    Model(
        "stt_kr_conformer_transducer_large", "eesungkim", 489, ("ko",), (), "CC BY 4.0", "",
    ),
)  # fmt: skip


def find(name: str) -> Model | None:
    """The model of that name, with or without its owner ("nvidia/NAME")."""
    return next((model for model in CATALOGUE if name in {model.name, model.repo}), None)


def get(name: str) -> Model:
    """The model of that name.

    Raises
    ------
    ModelError : unknown; the message lists the names, those alike first
    """
    if model := find(name):
        return model
    names = [model.name for model in CATALOGUE]
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    alike += [known for known in names if name.lower() in known and known not in alike]
    others = [known for known in names if known not in alike]
    raise ModelError(
        f"{name}: no model of that name. "
        + (f"Did you mean {' or '.join(alike)}? Others: " if alike else "There are: ")
        + ", ".join(others)
    )


def recommended(language: str) -> Model | None:
    """What captions in a language are best begun with; None if NeMo offers nothing.

    Parameters
    ----------
    language : "en", "ko", or a tag such as "en-US"
    """
    code = language.split("-")[0].lower()
    fitting = [model for model in CATALOGUE if code in model.languages]
    return fitting[0] if fitting else None


def models_folder() -> Path:
    """The one folder that models are fetched into: `~/.cache/recognition_helpers/models`."""
    return cache_folder() / "models"


def repository(name: str) -> str:
    """The repository of a name: "org/name" itself, the catalogue's, or else NVIDIA's."""
    if model := find(name):
        return model.repo
    return name if "/" in name else f"nvidia/{name}"


def stem(repo: str) -> str:
    """The name that a repository's model has here: "org--name" where others could share it."""
    owner, name = repo.split("/")
    known = find(name)
    return name if owner == "nvidia" or (known and known.repo == repo) else f"{owner}--{name}"
