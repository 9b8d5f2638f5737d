"""The settings as the presenter has chosen them: what holds now, and where each is from."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from utils import config
from utils.asr.choose import check_choice
from utils.asr.phrases import read_phrases
from utils.config import Gathered, Origin, Settings
from utils.errors import AppError, DataError, RequestError
from utils.messages import say
from utils.setup.settings_file import SettingsFile

# What can be chosen on the page; everything else is for who starts the program.
ON_THE_PAGE = ("microphone", "language", "model", "listen", "save", "clear_after", "room", "host")
ABOVE: tuple[Origin, ...] = ("flag", "environment")  # they win over the file


@dataclass(frozen=True)
class Kept:
    """What became of a choice on the disk.

    Parameters
    ----------
    not_kept : why it holds until the program ends only; "" where it is kept
    aside : name of the file that stood there and could not be read; "" for none
    """

    not_kept: str = ""
    aside: str = ""


class Choices:
    """The settings now; two who choose at once take turns.

    Parameters
    ----------
    gathered : as the program was started
    file : where choices are kept
    """

    def __init__(self, gathered: Gathered, file: SettingsFile) -> None:
        self.settings = gathered.settings
        self.file = file
        self._origins = dict(gathered.origins)
        self._turns = threading.RLock()

    def state(self) -> dict[str, dict[str, object]]:
        """Each setting of the page: its value, where it is from, and what it is called there."""
        return {
            name: {
                "value": getattr(self.settings, name),
                "origin": self._origins.get(name, "built in"),
                "by": self._called(name),
            }
            for name in ON_THE_PAGE
        }

    def choose(self, values: Mapping[str, str], apply: Callable[[Settings], None]) -> Kept:
        """Take what the presenter has chosen; it holds from now on, and is kept.

        Parameters
        ----------
        values : as text, by name
        apply : has it take effect; where that raises, nothing is chosen

        Raises
        ------
        RequestError : no setting of the page, or one that was set where the program is started
        ConfigError, ModelError : a value that cannot be, or that the others forbid
        """
        with self._turns:
            typed: dict[str, Any] = {}
            for name, text in values.items():
                self._check_free(name)
                typed[name] = config.check(name, text)
            settings = replace(self.settings, **typed)
            if {"language", "model"} & typed.keys():
                check_choice(settings.asr, settings.model or None, settings.language)
            before, self.settings = self.settings, settings
            try:
                apply(settings)
            except BaseException:
                self.settings = before
                raise
            self._origins |= dict.fromkeys(typed, "file")
            try:
                aside = self.file.put(typed)
            except DataError as err:
                return Kept(not_kept=str(err))
            return Kept(aside=aside.name if aside else "")

    def is_free(self, name: str) -> bool:
        """Whether a setting can be chosen here."""
        return name in ON_THE_PAGE and self._origins.get(name) not in ABOVE

    def _check_free(self, name: str) -> None:
        if name not in ON_THE_PAGE:
            reason = f"{name!r:.40}; expected {', '.join(ON_THE_PAGE)}"
            raise RequestError(say("refused.value", reason=reason))
        if not self.is_free(name):
            raise RequestError(say("refused.fixed", by=self._called(name)))

    def _called(self, name: str) -> str:
        """The flag or variable that a setting is from; "" where it is from neither."""
        origin = self._origins.get(name)
        if origin == "flag":
            return f"--{name.replace('_', '-')}"
        return config.ENVIRONMENT_PREFIX + name.upper() if origin == "environment" else ""


def usable(gathered: Gathered) -> Gathered:
    """The settings without those of the file by which no recogniser can be found.

    What was chosen once may be gone: a model that was deleted, an engine that is not installed.

    Raises
    ------
    ConfigError, ModelError : flags and variables alone ask for what cannot be
    """
    settings, problems = gathered.settings, list(gathered.problems)
    for name in ("model", "asr", "language", "phrases"):
        try:
            _check(settings)
            break
        except AppError as err:
            if gathered.origins.get(name) == "file":
                problems.append(f"{name} is left out: {err}")
                settings = replace(settings, **{name: getattr(Settings(), name)})
    else:
        _check(settings)
    return replace(gathered, settings=settings, problems=tuple(problems))


def _check(settings: Settings) -> None:
    check_choice(settings.asr, settings.model or None, settings.language)
    if settings.phrases:
        read_phrases(settings.phrases)
