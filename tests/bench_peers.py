"""This program beside others on the same sound: `make bench ARGS=peers`.

Each peer is a process of its own, with the Python of an environment that is made for it under
`.cache/peers` on first use. All hear the same takes at the pace of speech, one peer after the
other, loaded before the clock starts. A take is an utterance with quiet around it; where a peer
is not done when that ends, it hears up to 8 s more of quiet.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.measuring import HOME, Take, table, takes
from tests.process_tree import Watch
from tests.scoring import (
    Event,
    appearance_delays,
    churn,
    final_text,
    growing_text,
    pages,
    tiny_en,
    word_errors,
)
from utils.audio import SAMPLE_RATE

DRIVERS = HOME / "tests" / "peers"
CACHE = HOME / ".cache" / "peers"
INSTALL_LIMIT_S = 1800
LOAD_LIMIT_S = 180
LATE_S = 10  # for each take, beyond its own length


@dataclass(frozen=True)
class Peer:
    """A name for the table, the driver, and the environment it runs in."""

    name: str
    driver: str
    environment: str | None  # None: this program's own


PEERS = (
    Peer("this program", "own", None),
    Peer("Moonshine 0.0.73, tiny", "moonshine", "moonshine"),
    Peer("WhisperLiveKit 0.2.26, AlignAtt", "whisper_live_kit", "whisper"),
    Peer("WhisperLiveKit 0.2.26, LocalAgreement", "whisper_live_kit_agreement", "whisper"),
    Peer("RealtimeSTT 1.1.2", "realtime_stt", "whisper"),
    Peer("record, then transcribe", "record_then_transcribe", "whisper"),
)


@dataclass
class Run:
    """What a peer showed, take by take, and what it cost."""

    events: dict[int, list[Event]] = field(default_factory=dict)
    load_s: float = 0.0
    heard_s: float = 0.0
    cpu_s: float = 0.0
    most_mb: float = 0.0


class PeerFailed(Exception):
    """Why a peer has no row of figures."""


def bench_peers(every: int) -> None:
    """Print the table; each peer takes as long as the sound lasts."""
    heard = list(takes(every))
    folder = CACHE / "takes"
    _write(heard, folder)
    sound_s = sum(len(take.samples) for take in heard) / SAMPLE_RATE
    n_words = sum(len(take.words) for take in heard)
    what = f"{len(heard)} utterances, {n_words} words, {sound_s / 60:.1f} minutes"
    load = f"{os.cpu_count()} processors, load before {os.getloadavg()[0]:.1f}"
    table(f"Peers: {what} at the pace of speech; {load}", [])
    print(HEADER, flush=True)
    for peer in PEERS:
        try:
            run = _play(peer, folder, len(heard) * LATE_S + sound_s)
            print(_row(peer.name, heard, run), flush=True)
        except PeerFailed as err:
            print(f"  {peer.name:<38} left out: {err}", flush=True)


def _write(takes: list[Take], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, take in enumerate(takes):
        with wave.open(str(folder / f"{number:04d}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            pcm = np.clip(np.round(take.samples * 32_768), -32_768, 32_767)
            file.writeframes(pcm.astype("<i2").tobytes())


# ---- running


Command = list[str | Path]


def _python(peer: Peer) -> str:
    """The Python that has the peer's packages, which are installed where they are not yet."""
    if peer.environment is None:
        return sys.executable
    requirements = DRIVERS / f"requirements-{peer.environment}.txt"
    folder = CACHE / peer.environment
    installed = folder / f".installed-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]}"
    if not installed.exists():
        print(f"  (installing what {requirements.name} lists into {folder} …)", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        log = CACHE / f"{peer.environment}-install.log"
        log.unlink(missing_ok=True)
        pip: Command = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "-r",
            requirements,
        ]
        venv: Command = [sys.executable, "-m", "venv", folder]
        for command in (venv, pip):
            _install(command, log)
        installed.touch()
    return str(folder / "bin" / "python")


def _install(command: Command, log: Path) -> None:
    with open(log, "a") as file:
        try:
            done = subprocess.run(command, stdout=file, stderr=file, timeout=INSTALL_LIMIT_S)
        except subprocess.TimeoutExpired as err:
            raise PeerFailed(f"not installed within {INSTALL_LIMIT_S} s; see {log}") from err
    if done.returncode:
        raise PeerFailed(f"could not be installed: {_reason(log)}")


def _play(peer: Peer, takes: Path, limit_s: float) -> Run:
    """Run a peer's driver over the takes.

    Raises
    ------
    PeerFailed : it cannot be installed, ends early, or is not done in time
    """
    limit_s += LOAD_LIMIT_S
    log = CACHE / f"{peer.driver}.log"
    command: Command = [_python(peer), DRIVERS / f"{peer.driver}.py", takes, tiny_en()]
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": "" if peer.environment else str(HOME),
    }
    with (
        open(log, "w") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=HOME,
            env=environment,
        ) as process,
    ):
        watch = Watch(process.pid)
        end = threading.Timer(limit_s, watch.kill)
        began = time.monotonic()  # before the timer, which so ends nothing within the limit
        end.start()
        try:
            run = _read(process, watch, CACHE / f"{peer.driver}.jsonl")
        finally:
            end.cancel()
            watch.kill()
    if run is not None:
        return run
    if time.monotonic() - began > limit_s:
        raise PeerFailed(f"not done after {limit_s:.0f} s; see {log}")
    raise PeerFailed(f"ended early: {_reason(log)}; see {log}")


def _read(process: subprocess.Popen, watch: Watch, kept: Path) -> Run | None:
    """What the driver tells until all is heard, `kept` too; None where it ends before."""
    run, loaded_cpu_s = Run(), 0.0
    with open(kept, "w") as file:
        for line in process.stdout or ():
            file.write(line)
            if not line.endswith("\n"):
                break  # killed in the middle
            told = json.loads(line)
            if "loaded" in told:
                run.load_s, loaded_cpu_s = told["loaded"], watch.cpu_s()
            elif "heard" in told:
                run.heard_s = told["heard"]
                run.cpu_s, run.most_mb = watch.cpu_s() - loaded_cpu_s, watch.most_mb
                return run
            else:
                shown = (told["t"], told["text"], told["final"])
                run.events.setdefault(told["take"], []).append(shown)
    return None


def _reason(log: Path) -> str:
    """The last line of a log that speaks of an error, else its last."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no reason was given"])[-1][:200]


# ---- figures

COLUMNS = (
    ("words wrong", 11),
    ("growing", 8),
    ("first word", 10),
    ("word said to shown", 18),
    ("end to final", 14),
    ("churn", 7),
    ("cpu s/s", 7),
    ("MB", 5),
    ("loaded", 7),
)
HEADER = f"  {'':<38}" + "".join(f"  {name:>{width}}" for name, width in COLUMNS)


def _row(name: str, takes: list[Take], run: Run) -> str:
    """A line of the table."""
    errors = growing_errors = n_words = n_changed = n_shown = 0
    first, delays, final = [], [], []
    grew = False
    for number, take in enumerate(takes):
        events = sorted(run.events.get(number, []), key=lambda event: event[0])
        shown = pages(events)
        wrong, n = word_errors(take.text, final_text(events))
        errors, n_words = errors + wrong, n_words + n
        growing_errors += word_errors(take.text, growing_text(events))[0]
        grew = grew or any(not event[2] for event in events)
        delays += appearance_delays(shown, take.words)
        first += [t - take.begins_s for t, text in shown if text][:1]
        final += [t - take.ends_s for t, text, is_final in events if is_final and text][-1:]
        changes = churn(shown)
        n_changed, n_shown = n_changed + changes[0], n_shown + changes[1]
    values = (
        f"{errors / n_words:.1%}",
        f"{growing_errors / n_words:.1%}" if grew else "none",
        _seconds(first, [50]),
        _seconds(delays, [50, 95]),
        _seconds(final, [50, 95]),
        f"{n_changed / max(n_shown, 1):.1%}",
        f"{run.cpu_s / run.heard_s:.2f}",
        f"{run.most_mb:.0f}",
        f"{run.load_s:.1f} s",
    )
    cells = zip(values, COLUMNS, strict=True)
    return f"  {name:<38}" + "".join(f"  {value:>{width}}" for value, (_, width) in cells)


def _seconds(values: list[float], percentiles: list[int]) -> str:
    """Median, and where asked the 95th percentile behind it."""
    if not values:
        return "none"
    found = [f"{value:.2f}" for value in np.percentile(values, percentiles)]
    return f"{found[0]} s" + "".join(f" ({value})" for value in found[1:])
