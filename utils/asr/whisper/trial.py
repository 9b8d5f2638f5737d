"""Whether a Whisper from a stranger can be used at all, found out in a process of its own.

What the weights say of themselves can be checked, not what CTranslate2 makes of it: arrays that do
not fit one another are read beyond their ends, and that ends the process. So it is another one.
"""

import subprocess
from pathlib import Path

from utils.beside import run_python
from utils.errors import ModelError

TRIAL_S = 300  # that it may take; the largest Whisper needs a minute on a slow disk
_TRIAL = """
import sys
from pathlib import Path
from utils.models.whisper.folder import check_numbers
from utils.asr.whisper.model import WhisperModel
from utils.errors import ModelError
try:
    check_numbers(Path(sys.argv[1]))
    WhisperModel(Path(sys.argv[1]), sys.argv[2], 2).check_speaks()
except (ModelError, RuntimeError, ValueError, LookupError, TypeError) as err:
    sys.exit(" ".join(str(err).split())[:300])
"""


def check_usable(folder: Path, language: str) -> None:
    """Load a Whisper and let it hear silence, where it can do no harm.

    Parameters
    ----------
    folder : checked already, see `utils.models.whisper.folder`
    language : two letters

    Raises
    ------
    ModelError : it cannot be loaded, ends the process, or never comes to an end
    """
    try:
        tried = run_python("-c", _TRIAL, str(folder.resolve()), language, timeout_s=TRIAL_S)
    except subprocess.TimeoutExpired as err:
        raise ModelError(_unusable(folder, f"it does not load within {TRIAL_S} s")) from err
    except OSError as err:
        raise ModelError(f"{folder}: it cannot be tried ({err.strerror}); try again") from err
    if tried.returncode:
        said = tried.stderr.strip().splitlines()
        ended = tried.returncode < 0 or not said
        raise ModelError(
            _unusable(folder, "CTranslate2 ends the process that loads it" if ended else said[-1])
        )


def _unusable(folder: Path, why: str) -> str:
    return (
        f"{folder} cannot be used ({why}); fetch it again, or choose another model "
        "(.venv/bin/python app.py models lists them)"
    )
