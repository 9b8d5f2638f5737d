"""Small disks to fill and to pull out, where this user may mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[Path]:
    """A disk of its own at a new folder; skips where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only the administrator may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True)


def fill(disk: Path) -> None:
    """Leave no byte free on a disk."""
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def make_read_only(disk: Path) -> None:
    """Let nobody write to a disk, the administrator neither."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)


def pull_out(disk: Path) -> None:
    """Take a disk away while it is in use, as a stick is pulled."""
    subprocess.run(["umount", "-l", disk], check=True)
