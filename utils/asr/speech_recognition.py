"""Any engine of the SpeechRecognition package that the user has set up: `sr:NAME`.

Each segment is recognised whole, by `Recognizer.recognize_NAME`. The package loads a
local model anew for every segment, so expect it to be slower than the engine itself.
"""

import importlib.util
import inspect
import logging
import os
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from utils.asr import Engine, Transcriber, Tuning
from utils.audio import SAMPLE_RATE, pcm16
from utils.errors import ConfigError, ModelError
from utils.events import Transcription
from utils.faults import model_error
from utils.language import two_letters
from utils.messages import Message, say
from utils.models.check import check_given
from utils.models.hub import is_offline

log = logging.getLogger(__name__)

LEAVES = "audio leaves this machine"

# Engines that run here; every other one is taken to send the audio to a service.
LOCAL = {"sphinx", "whisper", "faster_whisper", "vosk"}

# Not for dictation: job queues (amazon, assemblyai), chat bots (api, lex), single words.
UNSUITED = {"amazon", "assemblyai", "api", "lex", "tensorflow"}

# What an engine needs besides SpeechRecognition: module, package, environment variable.
NEEDS = {
    "sphinx": ("pocketsphinx", "pocketsphinx", None),
    "whisper": ("whisper", "SpeechRecognition[whisper-local]", None),
    "faster_whisper": ("faster_whisper", "SpeechRecognition[faster-whisper]", None),
    "vosk": ("vosk", "SpeechRecognition[vosk]", None),
    "openai": ("openai", "SpeechRecognition[openai]", "OPENAI_API_KEY"),
    "groq": ("groq", "SpeechRecognition[groq]", "GROQ_API_KEY"),
    "cohere_api": ("cohere", "SpeechRecognition[cohere-api]", "CO_API_KEY"),
    "google_cloud": ("google.cloud.speech", "SpeechRecognition[google-cloud]", None),
}

# Engines that take the language as "en"; the signatures of most do not name it.
TWO_LETTERS = {"whisper", "faster_whisper", "openai", "groq", "cohere_api"}
TAGS = {"en": "en-US", "ko": "ko-KR"}


class SpeechRecognitionTranscriber(Transcriber):
    """One of the `recognize_…` methods of SpeechRecognition.

    Parameters
    ----------
    name : the method's name without `recognize_`
    language : "en", "ko" or a tag such as "en-GB"

    Attributes
    ----------
    leaves_machine : the audio is sent to a service
    notice : what to tell the user about that, or None

    Raises
    ------
    ModelError : unknown name, or a package, model or key is missing
    """

    def __init__(self, name: str, language: str = "en") -> None:
        self._package = _import_package()
        self._recognize, self._arguments = _prepared(self._package, name, language)
        self.name = f"SpeechRecognition {name}"
        self.leaves_machine = name not in LOCAL
        self.notice = LEAVES if self.leaves_machine else None
        if not self.leaves_machine:
            log.info("%s: trying it on a second of silence", self.name)
            self.transcribe(np.zeros(SAMPLE_RATE, np.float32))

    def stream(self, growing: bool = True) -> "SpeechRecognitionStream":
        """Begin a segment."""
        return SpeechRecognitionStream(self)

    def close(self) -> None:
        """Nothing is held between segments."""

    def transcribe(self, samples: np.ndarray) -> Transcription:
        """Recognise float32 (n,) at 16 kHz, whole.

        Raises
        ------
        ModelError : the engine or its service failed
        """
        pcm = pcm16(samples).tobytes()
        audio = self._package.AudioData(pcm, SAMPLE_RATE, 2)
        try:
            text = self._recognize(audio, **self._arguments)
        except self._package.UnknownValueError:  # heard no words
            return Transcription("")
        except self._package.RequestError as err:
            what = "check the network and the key" if self.leaves_machine else "check its set-up"
            raise ModelError(f"{self.name}: {err}; {what}") from err
        # Each engine brings its own library with its own errors (openai, groq, vosk, …).
        except Exception as err:
            otherwise = f"{self.name} failed: {type(err).__name__}: {err}"
            raise model_error(err, self.name, otherwise) from err
        return Transcription(str(text).strip())


class SpeechRecognitionStream:
    """One segment, heard once its end is known."""

    def __init__(self, transcriber: SpeechRecognitionTranscriber) -> None:
        self._transcriber = transcriber

    def grow(self, samples: np.ndarray) -> str:
        """Nothing: the text is known only at the end."""
        return ""

    def work_ahead(self) -> None:
        """Nothing: a guess that proves early would cost a paid request, or the processor."""

    def finish(self, samples: np.ndarray) -> Transcription:
        """The text of float32 (n,).

        Raises
        ------
        ModelError : the engine or its service failed
        """
        return self._transcriber.transcribe(samples) if len(samples) else Transcription("")


def _import_package() -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports modules that Python has deprecated
            import speech_recognition
    except ImportError as err:
        raise ModelError(
            f"SpeechRecognition is not installed ({err}); install it with: "
            ".venv/bin/pip install -r requirements.txt"
        ) from err
    return speech_recognition


def _prepared(
    package: ModuleType, name: str, language: str
) -> tuple[Callable[..., Any], dict[str, str]]:
    """What recognises, and what it is told beside the sound; nothing is loaded.

    Raises
    ------
    ModelError : unknown name, or a package or key is missing
    """
    names = _names(package)
    if name not in names:
        raise ModelError(f"--asr sr:{name}: no such engine; choose from {', '.join(names)}")
    _check_needs(name)
    recognize = getattr(package.Recognizer(), f"recognize_{name}")
    return recognize, _arguments(name, recognize, language)


def _names(package: ModuleType) -> list[str]:
    methods = [name for name in dir(package.Recognizer) if name.startswith("recognize_")]
    return sorted({name.removeprefix("recognize_") for name in methods} - UNSUITED)


def _check_needs(name: str) -> None:
    module, package, variable = NEEDS.get(name, (None, None, None))
    if module and not _installed(module):
        raise ModelError(
            f"sr:{name} needs the package {module}; install it with: "
            f".venv/bin/pip install '{package}'"
        )
    if variable and not os.environ.get(variable):
        raise ModelError(f"sr:{name} needs a key in the environment variable {variable}")


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False


def _arguments(name: str, recognize: Any, language: str) -> dict[str, str]:
    """Language and keys in the form that the engine takes.

    Keys that a method requires are read from the environment: AZURE_KEY, WIT_KEY, …
    """
    tag = TAGS.get(language, language)
    parameters = inspect.signature(recognize).parameters
    arguments: dict[str, str] = {}
    if name in TWO_LETTERS:
        arguments["language"] = two_letters(language)
    elif name == "google_cloud":
        arguments["language_code"] = tag
    elif "language" in parameters:
        arguments["language"] = tag
    for parameter in list(parameters.values())[1:]:  # the first is the audio
        plain = parameter.kind is not inspect.Parameter.VAR_KEYWORD
        if plain and parameter.default is parameter.empty and parameter.name not in arguments:
            variable = f"{name}_{parameter.name}".upper()
            if not os.environ.get(variable):
                raise ModelError(f"sr:{name} needs the environment variable {variable}")
            arguments[parameter.name] = os.environ[variable]
    return arguments


def _check(asr: str, model: str | None, language: str) -> None:
    check_given(model)
    if model is not None:
        raise ConfigError(
            f"--model {model} is for NeMo, Whisper and Vosk, not for --asr {asr}; leave one of "
            "them away"
        )
    name = asr.removeprefix("sr:")
    _prepared(_import_package(), name, language)
    if is_offline() and name not in LOCAL:
        raise ModelError(
            f"--asr {asr} sends the sound to a service, which --offline forbids; choose another "
            "recogniser, or leave --offline away"
        )


def _open(
    asr: str, model: str | None, language: str, tuning: Tuning
) -> tuple[Transcriber, Message]:
    transcriber = SpeechRecognitionTranscriber(asr.removeprefix("sr:"), language)
    if not transcriber.leaves_machine:
        return transcriber, say("ready.asked", engine=transcriber.name, option=f"--asr {asr}")
    return transcriber, say("ready.service", engine=transcriber.name, option=f"--asr {asr}")


ENGINE = Engine(_check, _open)
