"""A recording behind an address: fetched by yt-dlp, heard from a temporary file, then deleted."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from utils.errors import AudioError, ConfigError
from utils.faults import of_machine

EXTRAS = "utils/command_line/emotion/analyze.txt"
SILENCE_S = 20.0  # of a server, after which it is given up
TRIES = 2


def is_address(text: str) -> bool:
    """Whether it is an address of the web, and no file."""
    return re.match("https?://", text, re.IGNORECASE) is not None


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """A file with the sound behind an address, as long as the block lasts.

    What is asked goes to that address, and to where it says that its sound lies; nothing of it is
    kept, and nothing of this machine is told but what a browser tells.

    Raises
    ------
    ConfigError : yt-dlp is not installed
    AudioError : there is no network, no such address, or no recording behind it
    """
    try:
        import yt_dlp
    except ImportError as err:
        raise ConfigError(
            f"{address}: an address needs yt-dlp; install it with: "
            f".venv/bin/pip install -r {EXTRAS}, or give a file"
        ) from err
    with tempfile.TemporaryDirectory(prefix="emotion-") as folder, _Bar() as bar:
        try:
            with yt_dlp.YoutubeDL(_settings(Path(folder), bar)) as loader:
                found = loader.extract_info(address, download=False)
                _check(address, found)
                loader.process_ie_result(found, download=True)
        except (yt_dlp.utils.YoutubeDLError, OSError, ValueError) as err:
            raise _error(address, err) from err
        bar.close()
        paths = [path for path in Path(folder).iterdir() if path.suffix != ".part"]
        if len(paths) != 1:
            raise AudioError(f"{address}: nothing came that can be heard; download it to a file")
        yield paths[0]


def _settings(folder: Path, bar: "_Bar") -> dict[str, Any]:
    return {
        "format": "bestaudio/best",
        "outtmpl": str(folder / "recording.%(ext)s"),
        "noplaylist": True,
        "cachedir": False,
        "fixup": "never",  # we read what came as it is
        "logger": _Silent(),
        "noprogress": True,
        "progress_hooks": [bar.update],
        "socket_timeout": SILENCE_S,
        "retries": TRIES,
        "extractor_retries": TRIES,
    }


def _check(address: str, found: Mapping[str, Any] | None) -> None:
    """Raise AudioError where there is not one recording with an end."""
    if not found or found.get("_type") in ("playlist", "multi_video"):
        raise AudioError(
            f"{address}: holds several recordings, or none; give the address of one of them"
        )
    if found.get("is_live") or found.get("live_status") in ("is_live", "is_upcoming"):
        raise AudioError(f"{address}: is live, and has no end yet; record it to a file first")


def _error(address: str, err: Exception) -> AudioError:
    if fault := of_machine(err, tempfile.gettempdir()):
        return AudioError(f"{address}: cannot be fetched: {fault}")
    reason = re.sub(r"\x1b\[[0-9;]*m", "", str(err)).removeprefix("ERROR: ")
    for noise in (r"^\[[^]]*\] ([^:]*: )?", r" \(caused by .*", r"; please report .*", r"\.?\s*$"):
        reason = re.sub(noise, "", reason.partition("\n")[0])
    return AudioError(
        f"{address}: cannot be fetched ({reason}); check the address and the network, or download "
        "it to a file"
    )


class _Silent:
    """A log that nobody reads: what matters is raised."""

    def debug(self, _: str) -> None:
        """Left out."""

    info = warning = error = debug


class _Bar:
    """How much has come, on a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, told: Mapping[str, Any]) -> None:
        """What yt-dlp tells of its progress."""
        done, total = told.get("downloaded_bytes"), told.get("total_bytes")
        if done is None:
            return
        if self._bar is None:
            self._bar = tqdm(
                desc="fetching", total=total, unit="B", unit_scale=True, disable=None, leave=False
            )
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
