"""What NeMo offers for captions: facts from each model's card, or nothing where it tells none."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from utils.errors import ModelError
from utils.folders import cache_folder


@dataclass(frozen=True)
class Model:
    """A pretrained model on Hugging Face's hub, for words or for voices.

    Parameters
    ----------
    name : what `models get` takes; the file is `name.nemo`, in the repository and here
    owner : of the repository
    languages : ISO 639-1 codes; empty for a model that tells voices apart
    lookahead_ms : that a streaming model was trained for; empty if it hears whole lines
    parameters_m : millions of parameters
    size_mb : of the file, as the hub lists it (1 MB is 10⁶ bytes); None if not looked up
    errors : word error rate in percent (equal error rate of a model that tells voices apart)
        and the test it was measured on; "" if not looked up
    licence : as the card names it
    note : what else a person who chooses should know
    """

    name: str
    owner: str
    languages: tuple[str, ...]
    lookahead_ms: tuple[int, ...]
    parameters_m: int
    size_mb: int | None
    errors: str
    licence: str
    note: str = ""

    @property
    def repo(self) -> str:
        """Its repository: "nvidia/NAME"."""
        return f"{self.owner}/{self.name}"

    @property
    def streaming(self) -> bool:
        """Whether words appear while they are spoken."""
        return bool(self.lookahead_ms)

    @property
    def about_mb(self) -> int:
        """The file's size, estimated at four bytes a parameter where it is not known."""
        return self.size_mb or 4 * self.parameters_m

    @property
    def wants_gpu(self) -> bool:
        """Whether two processor cores are too slow for it, or leave no room to spare."""
        return self.parameters_m > 250


_CC_BY = "CC BY 4.0"
_OPEN_ASR = "Open ASR Leaderboard"
# As the card of parakeet-tdt-0.6b-v3 names them.
_EUROPEAN = tuple(
    "bg cs da de el en es et fi fr hr hu it lt lv mt nl pl pt ro ru sk sl sv uk".split()
)
# As the hub's tags of nemotron-3.5-asr-streaming-0.6b name them.
_MANY = tuple(
    "ar bg cs da de el en es et fi fr he hi hr hu it ja ko lt lv mt nl no pl pt ro ru sk sl sv th "
    "tr uk vi zh".split()
)

# From the models' cards and file lists at huggingface.co. For each language the better
# ones for live captions on a plain computer come first: the first is what is recommended.
CATALOGUE = (
    Model(
        "stt_en_fastconformer_hybrid_large_streaming_multi", "nvidia", ("en",),
        (0, 80, 480, 1040), 114, 460, "5.4 to 7.0 (LibriSpeech test-other)", _CC_BY,
    ),
    Model(
        "nemotron-speech-streaming-en-0.6b", "nvidia", ("en",), (0, 80, 480, 1040), 600, None,
        f"7.2 to 8.5 ({_OPEN_ASR}), 2.3 (LibriSpeech test-clean)", "NVIDIA Open Model License",
        "punctuation and capitals",
    ),
    Model(
        "stt_en_fastconformer_hybrid_medium_streaming_80ms_pc", "nvidia", ("en",), (80,), 32, 127,
        "7.0 (LibriSpeech), 8.3 (VoxPopuli)", _CC_BY,
        "punctuation and capitals; for weak computers",
    ),
    Model(
        "stt_en_fastconformer_hybrid_medium_streaming_80ms", "nvidia", ("en",), (80,), 32, 127,
        "4.6 (LibriSpeech), 9.2 (VoxPopuli)", _CC_BY, "for weak computers",
    ),
    Model(
        "parakeet-tdt-0.6b-v2", "nvidia", ("en",), (), 600, None, f"6.1 ({_OPEN_ASR})", _CC_BY,
        "punctuation and capitals",
    ),
    Model("stt_kr_conformer_transducer_large", "eesungkim", ("ko",), (), 120, 489, "", _CC_BY),
    Model(
        "stt_de_fastconformer_hybrid_large_pc", "nvidia", ("de",), (), 115, 459, "", _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "stt_it_fastconformer_hybrid_large_pc", "nvidia", ("it",), (), 115, 456, "", _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "stt_nl_fastconformer_hybrid_large_pc", "nvidia", ("nl",), (), 115, None,
        "9.2 (Common Voice), 12.1 (MLS)", _CC_BY, "punctuation and capitals",
    ),
    Model(
        "canary-180m-flash", "nvidia", ("en", "de", "es", "fr"), (), 182, 737, "", _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "canary-1b-flash", "nvidia", ("en", "de", "es", "fr"), (), 883, 3540,
        "2.9 (English, LibriSpeech test-other)", _CC_BY, "punctuation and capitals",
    ),
    Model(
        "parakeet-tdt-0.6b-v3", "nvidia", _EUROPEAN, (), 600, None,
        f"6.3 (English, {_OPEN_ASR})", _CC_BY, "punctuation and capitals",
    ),
    Model(
        "nemotron-3.5-asr-streaming-0.6b", "nvidia", _MANY, (0, 80, 240, 480, 1040), 600, None,
        "", "OpenMDW 1.1", "punctuation and capitals",
    ),
)  # fmt: skip

# These tell voices apart. The facts are from NVIDIA's page of the model at catalog.ngc.nvidia.com.
VOICES = (
    Model(
        "speakerverification_en_titanet_large", "nvidia", (), (), 25, None,
        "0.68 (VoxCeleb1)", _CC_BY,
    ),
)  # fmt: skip


def find(name: str) -> Model | None:
    """The model of that name, with or without its owner ("nvidia/NAME")."""
    known = CATALOGUE + VOICES
    return next((model for model in known if name in {model.name, model.repo}), None)


def get(name: str) -> Model:
    """The model of that name.

    Raises
    ------
    ModelError : unknown; the message lists the names, those alike first
    """
    if model := find(name):
        return model
    names = [model.name for model in CATALOGUE + VOICES]
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
    return next((model for model in CATALOGUE if code in model.languages), None)


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
