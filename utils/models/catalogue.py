"""What there is for captions: facts from each model's card, or nothing where it tells none."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from utils.errors import ModelError
from utils.folders import cache_folder
from utils.language import two_letters

# Kinds of model: a `.nemo` file, folders in CTranslate2's form with a Whisper, and with an OPUS-MT
# that translates, and a folder in the form of transformers that tells the emotion of words.
NEMO, WHISPER, TRANSLATION, TEXT_EMOTION = "nemo", "whisper", "translation", "text emotion"
# Of a parameter in the file: float32, float16.
_BYTES = {NEMO: 4, WHISPER: 2, TRANSLATION: 2, TEXT_EMOTION: 4}
_GPU_M = {
    NEMO: 250,
    WHISPER: 100,
    TRANSLATION: 250,
    TEXT_EMOTION: 250,
}  # millions of parameters; a Whisper hears a line many times


@dataclass(frozen=True)
class Model:
    """A pretrained model on Hugging Face's hub: for words, voices, translation or what words say.

    Parameters
    ----------
    name : what `models get` takes; here the file is `name.nemo`, or the folder `name`
    owner : of the repository
    languages : ISO 639-1 codes, Whisper's own for a Whisper; empty for a model that tells
        voices apart; from which to which a model translates
    lookahead_ms : that a streaming model was trained for; empty if it hears whole lines
    parameters_m : millions of parameters
    size_mb : of the file or files, as the hub lists them (1 MB is 10⁶ bytes); None if not
        looked up
    errors : word error rate in percent (equal error rate of a model that tells voices apart)
        and the test it was measured on; "" if not looked up
    licence : as the card names it
    note : what else a person who chooses should know
    kind : NEMO, WHISPER, TRANSLATION or TEXT_EMOTION
    repo_name : of the repository, where it is not `name`
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
    kind: str = NEMO
    repo_name: str = ""

    @property
    def repo(self) -> str:
        """Its repository: "nvidia/NAME"."""
        return f"{self.owner}/{self.repo_name or self.name}"

    @property
    def streaming(self) -> bool:
        """Whether words appear while they are spoken."""
        return bool(self.lookahead_ms)

    @property
    def about_mb(self) -> int:
        """The size on disk, estimated from the number of parameters where it is not known."""
        return self.size_mb or _BYTES[self.kind] * self.parameters_m

    @property
    def wants_gpu(self) -> bool:
        """Whether two processor cores are too slow for it, or leave no room to spare."""
        return self.parameters_m > _GPU_M[self.kind]


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
        "stt_en_fastconformer_hybrid_large_streaming_multi",
        "nvidia",
        ("en",),
        (0, 80, 480, 1040),
        114,
        460,
        "5.4 to 7.0 (LibriSpeech test-other)",
        _CC_BY,
    ),
    Model(
        "nemotron-speech-streaming-en-0.6b",
        "nvidia",
        ("en",),
        (0, 80, 480, 1040),
        600,
        None,
        f"7.2 to 8.5 ({_OPEN_ASR}), 2.3 (LibriSpeech test-clean)",
        "NVIDIA Open Model License",
        "punctuation and capitals",
    ),
    Model(
        "stt_en_fastconformer_hybrid_medium_streaming_80ms_pc",
        "nvidia",
        ("en",),
        (80,),
        32,
        127,
        "7.0 (LibriSpeech), 8.3 (VoxPopuli)",
        _CC_BY,
        "punctuation and capitals; for weak computers",
    ),
    Model(
        "stt_en_fastconformer_hybrid_medium_streaming_80ms",
        "nvidia",
        ("en",),
        (80,),
        32,
        127,
        "4.6 (LibriSpeech), 9.2 (VoxPopuli)",
        _CC_BY,
        "for weak computers",
    ),
    Model(
        "parakeet-tdt-0.6b-v2",
        "nvidia",
        ("en",),
        (),
        600,
        None,
        f"6.1 ({_OPEN_ASR})",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model("stt_kr_conformer_transducer_large", "eesungkim", ("ko",), (), 120, 489, "", _CC_BY),
    Model(
        "stt_de_fastconformer_hybrid_large_pc",
        "nvidia",
        ("de",),
        (),
        115,
        459,
        "",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "stt_it_fastconformer_hybrid_large_pc",
        "nvidia",
        ("it",),
        (),
        115,
        456,
        "",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "stt_nl_fastconformer_hybrid_large_pc",
        "nvidia",
        ("nl",),
        (),
        115,
        None,
        "9.2 (Common Voice), 12.1 (MLS)",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "canary-180m-flash",
        "nvidia",
        ("en", "de", "es", "fr"),
        (),
        182,
        737,
        "",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "canary-1b-flash",
        "nvidia",
        ("en", "de", "es", "fr"),
        (),
        883,
        3540,
        "2.9 (English, LibriSpeech test-other)",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "parakeet-tdt-0.6b-v3",
        "nvidia",
        _EUROPEAN,
        (),
        600,
        None,
        f"6.3 (English, {_OPEN_ASR})",
        _CC_BY,
        "punctuation and capitals",
    ),
    Model(
        "nemotron-3.5-asr-streaming-0.6b",
        "nvidia",
        _MANY,
        (0, 80, 240, 480, 1040),
        600,
        None,
        "",
        "OpenMDW 1.1",
        "punctuation and capitals",
    ),
)

# Whisper's own codes of languages; Cantonese ("yue") is new in large-v3.
_ALL = tuple(
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he "
    "hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne "
    "nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk "
    "ur uz vi yi yo zh".split()
)


def _whisper(
    name: str,
    languages: tuple[str, ...],
    parameters_m: int,
    size_mb: int,
    errors: str,
    note: str = "",
) -> Model:
    """A Whisper as Systran has converted it for CTranslate2."""
    base = name.removeprefix("distil-")
    repo_name = f"faster-{'distil-' if base != name else ''}whisper-{base}"
    return Model(
        name,
        "Systran",
        languages,
        (),
        parameters_m,
        size_mb,
        errors,
        "MIT",
        note,
        WHISPER,
        repo_name,
    )


_LIBRI = "(LibriSpeech test-clean, test-other)"
_CARD = "(mean of several tests, short recordings)"

# The smaller first: those are what a plain computer keeps up with. Errors on LibriSpeech from
# the Whisper paper (Radford et al. 2022, arXiv 2212.04356, appendix D.1.1, greedy), in English;
# the others from the cards of Distil-Whisper.
WHISPERS = (
    _whisper("tiny.en", ("en",), 39, 78, f"5.6, 14.6 {_LIBRI}"),
    _whisper("base.en", ("en",), 74, 148, f"4.2, 10.2 {_LIBRI}"),
    _whisper("small.en", ("en",), 244, 486, f"3.1, 7.4 {_LIBRI}"),
    _whisper("medium.en", ("en",), 769, 1530, f"3.1, 6.3 {_LIBRI}"),
    _whisper("distil-small.en", ("en",), 166, 335, f"12.1 {_CARD}"),
    _whisper("distil-medium.en", ("en",), 394, 792, f"11.1 {_CARD}"),
    _whisper("distil-large-v3", ("en",), 756, 1510, f"9.7 {_CARD}"),
    _whisper("tiny", _ALL, 39, 78, f"7.6, 16.9 {_LIBRI}"),
    _whisper("base", _ALL, 74, 148, f"5.0, 12.4 {_LIBRI}"),
    _whisper(
        "small", _ALL, 244, 486, f"3.4, 7.6 {_LIBRI}", "for languages that NeMo does not know"
    ),
    _whisper("medium", _ALL, 769, 1530, f"2.9, 5.9 {_LIBRI}"),
    _whisper("large-v3", (*_ALL, "yue"), 1550, 3090, f"8.4 {_CARD}"),
)

# These tell voices apart. The facts are from NVIDIA's page of the model at catalog.ngc.nvidia.com.
VOICES = (
    Model(
        "speakerverification_en_titanet_large",
        "nvidia",
        (),
        (),
        25,
        None,
        "0.68 (VoxCeleb1)",
        _CC_BY,
    ),
)

# OPUS-MT, as they have been converted for CTranslate2: a model for each pair of languages, of which
# the hub has many. Sizes and licence as the pages of en-fr, de-fr and zh-en there tell them.
TRANSLATION_OWNER = "gaudi"
_PAIR = re.compile("([a-z]{2,3})-([a-z]{2,3})")
_PAIR_REPO = re.compile(rf"{TRANSLATION_OWNER}/opus-mt-({_PAIR.pattern})-ctranslate2")


def pair(name: str) -> Model | None:
    """The model that translates, of a name such as "en-fr" or a repository; None for another name.

    Whether the hub has it is not known before it is asked.
    """
    if found := _PAIR_REPO.fullmatch(name):
        name = found[1]
    codes = _PAIR.fullmatch(name)
    if not codes:
        return None
    return Model(
        name,
        TRANSLATION_OWNER,
        codes.groups(),
        (),
        75,
        None,
        "",
        "Apache 2.0",
        kind=TRANSLATION,
        repo_name=f"opus-mt-{name}-ctranslate2",
    )


# The emotion of English words. Size and files as the hub lists them; its card names no licence.
TEXT_EMOTIONS = (
    Model(
        "emotion-english-distilroberta-base",
        "j-hartmann",
        ("en",),
        (),
        82,
        329,
        "",
        "not named by its authors",
        kind=TEXT_EMOTION,
    ),
)

ALL = CATALOGUE + WHISPERS + VOICES + TEXT_EMOTIONS


def find(name: str) -> Model | None:
    """The model of that name, with or without its owner ("nvidia/NAME")."""
    return next((model for model in ALL if name in {model.name, model.repo}), None) or pair(name)


def get(name: str, models: tuple[Model, ...] = ALL) -> Model:
    """The model of that name, among those given.

    Raises
    ------
    ModelError : unknown; the message lists the names, those alike first
    """
    model = find(name)
    if model and (model in models or (models is ALL and model.kind == TRANSLATION)):
        return model
    names = [model.name for model in models]
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    alike += [known for known in names if name.lower() in known and known not in alike]
    others = [known for known in names if known not in alike]
    raise ModelError(
        f"{name}: no model of that name. "
        + (f"Did you mean {' or '.join(alike)}? Others: " if alike else "There are: ")
        + ", ".join(others)
    )


def recommended(language: str) -> Model | None:
    """What captions in a language are best begun with; None if there is nothing for it.

    That is a Whisper where NeMo offers nothing.

    Parameters
    ----------
    language : "en", "ko", or a tag such as "en-US"
    """
    code = two_letters(language)
    known = (*CATALOGUE, get("small"), get("large-v3"))
    return next((model for model in known if code in model.languages), None)


def models_folder() -> Path:
    """The one folder that models are fetched into: `~/.cache/recognition_helpers/models`."""
    return cache_folder() / "models"


def repository(name: str) -> str:
    """The repository of a name: "org/name" itself, the catalogue's, or else NVIDIA's."""
    if model := find(name):
        return model.repo
    return name if "/" in name else f"nvidia/{name}"


def stem(repo: str) -> str:
    """The name that a repository's model has here, with its owner's where others could share it.

    >>> stem("nvidia/parakeet"), stem("somebody/parakeet")
    ('parakeet', 'somebody--parakeet')
    """
    if model := find(repo):
        return model.name
    owner, name = repo.split("/")
    return name if owner == "nvidia" else f"{owner}--{name}"
