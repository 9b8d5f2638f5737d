"""Small disks to fill and to pull out, where this user may mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DISK_BYTES = 32 * 1024 * 1024


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


class Powered:
    """A disk of its own, whose power can be cut: what had not reached it by then is gone.

    Its blocks lie in a file. What a program has written and the system not yet handed on is not in
    that file, so a copy of it is what a computer finds that lost its power.

    Parameters
    ----------
    folder : where it and its file lie

    Attributes
    ----------
    at : where it is mounted
    """

    def __init__(self, folder: Path) -> None:
        self.at = folder / "disk"
        self._image, self._copy = folder / "image", folder / "copy"

    def __enter__(self) -> "Powered":
        """Make and mount it; skips where that cannot be done."""
        self.at.mkdir()
        with open(self._image, "wb") as file:
            file.truncate(DISK_BYTES)
        try:
            subprocess.run(["mkfs.ext4", "-q", self._image], check=True, capture_output=True)
            self._mount()
        except (OSError, subprocess.CalledProcessError) as err:
            pytest.skip(f"only the administrator may mount a disk ({err})")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self.at], capture_output=True)

    def cut(self) -> None:
        """Cut its power, and let it come back."""
        shutil.copyfile(self._image, self._copy)
        subprocess.run(["umount", "-l", self.at], check=True)
        self._image, self._copy = self._copy, self._image
        self._mount()

    def _mount(self) -> None:
        mount = ["mount", "-o", "loop", str(self._image), str(self.at)]
        subprocess.run(mount, check=True, capture_output=True)


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
