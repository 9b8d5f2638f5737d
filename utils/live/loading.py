"""What captions are made with, loaded: recogniser, detector, and what is said beside the words."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from utils.asr import Transcriber, Tuning
from utils.asr.choose import open_embedded, open_transcriber
from utils.asr.phrases import read_phrases
from utils.asr.registry import open_voices
from utils.captions.pipeline import Captioner
from utils.captions.vad import VoiceActivity
from utils.config import Settings
from utils.errors import ModelError, NoMemoryError
from utils.language import two_letters
from utils.live.engines import Better, Engines, optional
from utils.live.loader import Progress
from utils.live.mending.remembered import Remembered, remembered_list
from utils.live.takeover import offered, takeover
from utils.messages import Message, say
from utils.models.memory import (
    EMOTION_ADDRESSES,
    EMOTION_BYTES,
    PICTURES_BYTES,
    VOICES_BYTES,
    WHISPER_BYTES,
    WORDS_ADDRESSES,
    check_addresses,
    check_spare,
)
from utils.sounds import SoundModel
from utils.tags import Tag
from utils.tags.emotion import SHOWN, EmotionPredictor, EmotionTag
from utils.tags.loudness import LoudnessTag
from utils.tags.of_words import Reads
from utils.tags.text_emotion import TextEmotionTag
from utils.tags.translation import Translates, TranslationTag
from utils.tags.voices import NEMO, Likeness, SpeakerTag, VoiceModel, VoicesTag

if TYPE_CHECKING:  # it imports torch
    from utils.emotion.encoder import Encoder
    from utils.models import text_emotion
    from utils.models.translation.package import Package
    from utils.text_emotion.desk import TextEmotionDesk
    from utils.translation.desk import Desk
    from utils.translation.translator import Translator

log = logging.getLogger(__name__)


class EmotionModel(EmotionPredictor, Protocol):
    """What is to be known of an emotion model before it is used live."""

    labels: tuple[str, ...]
    encoder: "Encoder | None"


Model = TypeVar("Model", bound=EmotionModel)
Shared = TypeVar("Shared")
OpenEmotion = Callable[[Path | None], EmotionModel]  # of a checkpoint; None for the one that ships


def load_engines(
    settings: Settings,
    progress: Progress,
    open_emotion: OpenEmotion,
    first_segment: int = 0,
    live: bool = True,
    rooms: int = 1,
) -> Engines:
    """Load what captions need, telling how far it is.

    Parameters
    ----------
    first_segment : number of the first line
    live : somebody waits for captions, so that what loads fast listens first
    rooms : how many listen by what is loaded; where they are several, no other recogniser takes
        over later, as that would be for all of them

    Raises
    ------
    AppError : a model is missing or does not fit
    """
    live = live and rooms == 1
    progress(0.1, say("loading.recogniser"))
    check_addresses("captioning", WORDS_ADDRESSES)
    _import_torch()
    transcriber, ready, better = _open_recogniser(settings, progress, live, rooms)
    progress(0.5, say("loading.detector"))
    detector = VoiceActivity()
    missing: list[Message] = []  # of what comes last, so that it takes no memory from the words
    emotions = sounds = None
    if settings.emotion:
        progress(0.6, say("loading.emotion"))
        opening = partial(open_live, settings.emotion_model, open_emotion)
        emotions = optional(opening, "emotion.missing", missing)
    voices = optional(_open_voices, "voices.missing", missing)
    desk = _open_translation(settings, missing)
    if settings.sounds:
        sounds = optional(lambda: _open_sounds(emotions), "sounds.missing", missing)
    texts = _open_text_emotion(settings, desk, missing)
    models = _Models(transcriber, detector, emotions, voices, sounds, desk, texts)
    offer = offered(*choice(settings)) if live else None
    captioner = models.captioner(first_segment)
    return Engines(captioner, ready, better, offer, tuple(missing), models.twin)


def _import_torch() -> None:
    """Begin to import PyTorch, which feelings and voices need: its two seconds pass meanwhile."""
    try:
        check_spare("PyTorch", WHISPER_BYTES + EMOTION_BYTES, 2 * EMOTION_ADDRESSES)
    except NoMemoryError:
        return  # where there is so little of it, the words come first

    def work() -> None:
        with suppress(Exception):  # who needs it tries again, and tells why it cannot be had
            import_module("torch")

    with suppress(RuntimeError):  # no thread can be begun
        Thread(target=work, name="torch", daemon=True).start()


@dataclass(frozen=True)
class _Models:
    """What a pipeline asks; what could not be opened is None."""

    transcriber: Transcriber
    detector: VoiceActivity
    emotions: EmotionModel | None
    voices: tuple[VoiceModel, Likeness] | None
    sounds: SoundModel | None
    desk: Translates | None
    texts: Reads | None

    def captioner(self, first_segment: int) -> Captioner:
        tags: list[Tag] = [LoudnessTag()]
        voices = VoicesTag(*self.voices) if self.voices else None
        if voices:
            tags += [voices, SpeakerTag(voices)]
        if self.emotions:
            tags.append(EmotionTag(self.emotions, voices))  # asks whose line it is
        if self.desk:
            tags.append(TranslationTag(self.desk))
        if self.texts:
            tags.append(TextEmotionTag(self.texts))
        captioner = Captioner(self.transcriber, tags, first_segment, self.detector)
        captioner.sounds.model = self.sounds
        return captioner

    def twin(self, first_segment: int) -> Captioner:
        """A pipeline beside the first, whose end lets go of no model."""
        models = replace(
            self,
            transcriber=self.transcriber.twin(),
            detector=self.detector.twin(),
            voices=self.voices and (_lent(self.voices[0]), self.voices[1]),
            desk=self.desk and _lent(self.desk),
            texts=self.texts and _lent(self.texts),
        )
        return models.captioner(first_segment)


class _Lent:
    """What others use as well: all of it but its end."""

    def __init__(self, model: object) -> None:
        self._model = model

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def close(self) -> None:
        """Others go on."""


def _lent(model: Shared) -> Shared:
    return cast(Shared, _Lent(model))


def _open_translation(settings: Settings, missing: list[Message]) -> "Desk | None":
    """What translates finished lines, where somebody asked for it and there are models."""
    if not settings.translations:
        return None
    from utils.models.translation.files import find_translations, route

    source, packages = two_letters(settings.language), find_translations()
    routes = {target: route(source, target, packages) for target in settings.translations}
    if none := [target for target, way in routes.items() if not way]:
        targets, name = ", ".join(none), f"{source}-{none[0]}"
        missing.append(say("translation.none", source=source, targets=targets, name=name))
    here = {target: way for target, way in routes.items() if way}
    if not here:
        return None
    return optional(lambda: _open_desk(here), "translation.missing", missing)


def _open_desk(routes: "dict[str, tuple[Package, ...]]") -> "Desk":
    models = {package for way in routes.values() for package in way}
    check_spare("translation", sum(model.needed_bytes for model in models), 0)
    from utils.translation.desk import Desk

    return Desk(routes)


def _open_text_emotion(
    settings: Settings, desk: "Desk | None", missing: list[Message]
) -> "TextEmotionDesk | None":
    """What reads the emotion of words, where somebody asked for it and there are models.

    What translates to English is asked of the desk that translates lines, where it has it.
    """
    if not settings.text_emotion:
        return None
    from utils.models.catalogue import TEXT_EMOTIONS
    from utils.models.text_emotion import find_text_emotions
    from utils.models.translation.files import find_translations, route

    found, source = find_text_emotions(), two_letters(settings.language)
    if not found:
        missing.append(say("text_emotion.none", name=TEXT_EMOTIONS[0].name))
        return None
    way = () if source == "en" else route(source, "en", find_translations())
    if source != "en" and not way:
        missing.append(say("text_emotion.untranslated", source=source, name=f"{source}-en"))
        return None
    loaded = desk.translators if desk else {}
    return optional(lambda: _open_texts(found, way, loaded), "text_emotion.missing", missing)


def _open_texts(
    found: "list[text_emotion.Package]",
    way: "tuple[Package, ...]",
    loaded: "Mapping[Path, Translator]",
) -> "TextEmotionDesk":
    new = [model.needed_bytes for model in way if model.path not in loaded]
    needed = found[0].needed_bytes + sum(new)
    check_spare("the emotion of words", needed, 0)
    from utils.text_emotion.desk import TextEmotionDesk

    return TextEmotionDesk(found, way, loaded)


def _open_voices() -> tuple[VoiceModel, Likeness]:
    """What tells voices apart: NeMo's speaker model where there is one, else the one that ships."""
    if nemo := open_voices():
        return nemo, NEMO
    check_spare("voices", VOICES_BYTES, 0)
    from utils.tags.voice_encoder import LIKENESS, VoiceEncoder

    return VoiceEncoder(), LIKENESS


def open_live(checkpoint: str, open_emotion: Callable[[Path | None], Model]) -> Model:
    """An emotion model whose feelings the page can show.

    Parameters
    ----------
    checkpoint : its file; "" for the one that ships

    Raises
    ------
    ModelError : it is missing, does not fit, or tells what the page has no word for
    """
    own = Path(checkpoint) if checkpoint else None
    size = own.stat().st_size if own and own.is_file() else 0
    check_spare("emotion", EMOTION_BYTES + (size and PICTURES_BYTES + 2 * size), EMOTION_ADDRESSES)
    model = open_emotion(own)
    if own and (unknown := set(model.labels) - set(SHOWN)):
        raise ModelError(
            f"{own} tells {', '.join(sorted(unknown))}, which the page cannot show; expected some "
            f"of {', '.join(SHOWN)}: `python -m training train` makes such a checkpoint"
        )
    return model


def _open_sounds(emotions: EmotionModel | None) -> SoundModel:
    """What names sounds; it hears through the same encoder as emotion, where that has one."""
    check_spare("sounds", 0 if emotions else EMOTION_BYTES, 0 if emotions else EMOTION_ADDRESSES)
    from utils.emotion.encoder_here import find_encoder
    from utils.sounds.head import EverydaySounds

    return EverydaySounds.open((emotions and emotions.encoder) or find_encoder())


def _open_recogniser(
    settings: Settings, progress: Progress, live: bool, rooms: int
) -> tuple[Transcriber, Message, Better | None]:
    """What listens, what to say of it, and what brings the one that is to take over."""

    def on_fetch(name: str, done_bytes: int, total_bytes: int) -> None:
        done_mb, total_mb = done_bytes // 1_000_000, total_bytes // 1_000_000
        progress(0.1, say("loading.fetch", name=name, done_mb=done_mb, total_mb=total_mb))

    asr, model, language, how = choice(settings)
    how = replace(how, rooms=rooms)
    if live and (better := takeover(asr, model, language, how)):
        try:
            transcriber = open_embedded(language, how)
        except ModelError as err:  # then the other one is waited for
            log.warning("%s", err)
        else:
            return transcriber, say("ready.until", engine=transcriber.name), better
    return *open_transcriber(asr, model, language, how, on_fetch), None


def choice(settings: Settings) -> tuple[str, str | None, str, Tuning]:
    """Which recogniser is asked for, its model and language, and how it is to be used.

    Raises
    ------
    ConfigError : the list of phrases cannot be used
    """
    phrases = read_phrases(settings.phrases) if settings.phrases else ()
    tuning = Tuning(settings.pace, phrases, Remembered(remembered_list()).phrases)
    return settings.asr, settings.model or None, settings.language, tuning
