"""What libraries are told before they load, by the only way they ask: environment variables.

What is set already stays, so that an operator has the last word; but for what would let a model's
file run code.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from utils.folders import cache_folder

# Nothing about who uses the program, or how, leaves this computer.
SILENT = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime: looks its maker up, and keeps a database
    "HF_HUB_DISABLE_TELEMETRY": "1",  # Hugging Face's client
    "DISABLE_TELEMETRY": "1",  # its older name
    "DO_NOT_TRACK": "1",  # what most others ask by now
    "OTEL_SDK_DISABLED": "true",  # OpenTelemetry, which comes with NeMo
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray, which may be installed for many recordings
    "WANDB_MODE": "disabled",  # experiment trackers that come with NeMo
}

FRUGAL = {
    # oneDNN, in PyTorch and CTranslate2, keeps the code that it makes for each size of input:
    # 1,024 of them by itself, and Whisper hears another size each time. 110 MB in a minute of
    # speech, for no time that could be measured.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
    # OpenMP's idle threads sleep instead of spinning, or another busy process stalls a step for
    # seconds on a small machine.
    "OMP_WAIT_POLICY": "PASSIVE",
}


# PyTorch then reads files without `weights_only` as its older versions did, where NeMo asks it to.
UNSAFE = ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD",)

N_THREADS = "OMP_NUM_THREADS"  # of one process; OpenMP's own, which Ray and clusters set, too

NO_HOME = "/nonexistent"  # what Debian names as the home of who has none


def prepare() -> None:
    """Set them all. Only what loads afterwards heeds them."""
    for name, value in (SILENT | FRUGAL).items():
        os.environ.setdefault(name, value)
    for name in UNSAFE:
        os.environ.pop(name, None)
    if os.path.expanduser("~") == "~":  # a user whom the system does not know, as in a container
        os.environ["HOME"] = NO_HOME  # a folder that cannot be written to is no reason to end
    # Matplotlib's list of fonts, which it would write to the user's home.
    os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))


def cores() -> int:
    """Processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def n_threads() -> int:
    """Threads for the sums of this process: one for each core, or fewer if it is to take fewer."""
    told = os.environ.get(N_THREADS, "")
    return min(cores(), int(told)) if told.isdecimal() and int(told) else cores()


@contextmanager
def sharing(n_processes: int) -> Iterator[None]:
    """Share the cores out among so many processes that start here; else each takes all of them."""
    before = os.environ.get(N_THREADS)  # somebody's own choice stays
    os.environ[N_THREADS] = before or str(max(1, cores() // n_processes))
    try:
        yield
    finally:
        if before is None:
            del os.environ[N_THREADS]
        else:
            os.environ[N_THREADS] = before
