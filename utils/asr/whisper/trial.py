"""Whether a Whisper from a stranger can be used at all."""

from pathlib import Path

from utils.models import trial

TRIAL_S = 300  # that it may take; the largest Whisper needs a minute on a slow disk
_WORK = """
from utils.models.whisper.folder import check_numbers
from utils.asr.whisper.model import WhisperModel
check_numbers(Path(sys.argv[1]))
WhisperModel(Path(sys.argv[1]), sys.argv[2], 2).check_speaks()
"""


def check_usable(folder: Path, language: str) -> None:
    """Load a Whisper and let it hear silence, where it can do no harm.

    Parameters
    ----------
    folder : checked already, see `utils.models.whisper.folder`
    language : two letters

    Raises
    ------
    ModelError : as `utils.models.trial.check_usable`
    """
    trial.check_usable(
        *(_WORK, str(folder.resolve()), language),
        timeout_s=TRIAL_S,
        shown=str(folder),
        remedy="fetch it again, or choose another model "
        "(.venv/bin/python app.py models lists them)",
    )
