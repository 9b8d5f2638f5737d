"""Another process of this Python, for work that may end, or hold up, the process that does it."""

import os
import subprocess
import sys
from pathlib import Path

_HOME = Path(__file__).resolve().parents[1]


def run_python(*words: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run a Python that fetches no model, from the program's folder, and wait until it has ended.

    Parameters
    ----------
    words : what follows `python` on its command line
    timeout_s : after which it is ended

    Raises
    ------
    OSError : no process can be had
    subprocess.TimeoutExpired : it did not come to an end
    """
    return subprocess.run(
        [sys.executable, *words],
        cwd=_HOME,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
    )
