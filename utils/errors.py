"""The error tree. A message says what was given, what was expected and what to do."""

from utils.messages import Message

LONGEST = 2_000  # characters of a message; a name in a file can have millions


def printable(text: str) -> str:
    """Text without what a file's name can hold and a terminal would obey or cannot show."""
    return "".join(
        c if c.isprintable() or c in "\n\t\N{NO-BREAK SPACE}" else "\ufffd" for c in text
    )


class AppError(Exception):
    """Base of every error that the program raises on purpose.

    Parameters
    ----------
    message : as `printable` leaves it, and no longer than a screen
    """

    def __init__(self, message: str) -> None:
        shown = message if len(message) <= LONGEST else f"{message[:LONGEST]}…"
        super().__init__(printable(shown))


class AudioError(AppError):
    """A recording or an array of samples cannot be used."""


class CaptureError(AppError):
    """The microphone cannot be opened or has stopped delivering sound."""


class ModelError(AppError):
    """A recogniser or a checkpoint cannot be loaded or does not fit."""


class NoMemoryError(ModelError):
    """No memory is left for a model, or for what it does; less in memory would help."""


class DataError(AppError):
    """A corpus folder or a label is not what its reader expects."""


class ConfigError(AppError):
    """A setting has an unknown or impossible value."""


class RequestError(AppError):
    """A page asks for what it may not have, or for what cannot be.

    Parameters
    ----------
    message : what the page is told: a `utils.messages.Message`
    """

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message
