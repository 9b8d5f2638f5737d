"""Whether a model from a stranger can be used at all, found out in a process of its own.

What the weights say of themselves can be checked, not what CTranslate2 makes of it: arrays that do
not fit one another are read beyond their ends, and that ends the process. So it is another one.
"""

import subprocess
from textwrap import indent

from utils.beside import run_python
from utils.errors import ModelError

_SCRIPT = """
import sys
from pathlib import Path
from utils.errors import ModelError
try:
{work}
except (ModelError, RuntimeError, ValueError, LookupError, TypeError) as err:
    sys.exit(" ".join(str(err).split())[:300])
"""


def check_usable(work: str, *given: str, timeout_s: float, shown: str, remedy: str) -> None:
    """Load what CTranslate2 reads and let it work, where it can do no harm.

    Parameters
    ----------
    work : Python that does it, with `sys.argv[1:]`
    given : to `work`
    timeout_s : after which it is given up
    shown : the model, for the message
    remedy : what to do where it cannot be used

    Raises
    ------
    ModelError : it cannot be loaded, ends the process, or never comes to an end
    """
    script = _SCRIPT.format(work=indent(work.strip(), "    "))
    try:
        tried = run_python("-c", script, *given, timeout_s=timeout_s)
    except subprocess.TimeoutExpired as err:
        why = f"it does not load within {timeout_s} s"
        raise ModelError(f"{shown} cannot be used ({why}); {remedy}") from err
    except OSError as err:
        raise ModelError(f"{shown} cannot be tried ({err.strerror}); try again") from err
    if tried.returncode:
        said = tried.stderr.strip().splitlines()
        ended = tried.returncode < 0 or not said
        why = "CTranslate2 ends the process that loads it" if ended else said[-1]
        raise ModelError(f"{shown} cannot be used ({why}); {remedy}")
