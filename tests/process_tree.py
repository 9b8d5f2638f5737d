"""What a process and all its descendants cost, from Linux's /proc."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

INTERVAL_S = 0.5
MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+) (\S+) (\d+)")  # of smaps
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


def tree(pid: int) -> list[int]:
    """A process and all its descendants that run."""
    found = [pid]
    for parent in found:  # grows on the way
        with suppress(*GONE):
            for task in Path(f"/proc/{parent}/task").iterdir():
                with suppress(*GONE):
                    found += map(int, (task / "children").read_text().split())
    return found


def cpu_s(pid: int) -> float:
    """Processor time of a process and its descendants, also of those that have ended."""
    ticks = 0
    for one in tree(pid):
        with suppress(*GONE):
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its descendants; what they share is counted once.

    What they share with other programs, such as libraries, counts in full: who those are is chance.
    """
    kb = 0
    files_kb: dict[str, int] = {}  # of each part of a file, the most that one of them holds
    for one in tree(pid):
        with suppress(*GONE):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss_Anon:", "Pss_Shmem:")):  # shared within a tree alone
                    kb += int(line.split()[1])
            for part, file_kb in _files(Path(f"/proc/{one}/smaps").read_text()):
                files_kb[part] = max(file_kb, files_kb.get(part, 0))
    return (kb + sum(files_kb.values())) * 1024 / 1e6


def _files(smaps: str) -> Iterator[tuple[str, int]]:
    """Each mapped part of a file, and what of it is in memory as it is on the disk, in kB, proc(5)."""
    part, resident_kb = "", 0
    for line in smaps.splitlines():
        if found := MAPPING.match(line):
            offset, device, inode = found.groups()
            part = f"{device} {inode} {offset}" if inode != "0" else ""
        elif line.startswith("Rss:"):
            resident_kb = int(line.split()[1])
        elif line.startswith("Anonymous:") and part:
            yield part, resident_kb - int(line.split()[1])


class Watch:
    """Looks at a process and its descendants until it is killed.

    Attributes
    ----------
    most_mb : the most memory that they held together
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.most_mb = pid, 0.0
        self._over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._over.wait(INTERVAL_S):
            self.most_mb = max(self.most_mb, memory_mb(self.pid))

    def cpu_s(self) -> float:
        """Processor time so far, in seconds."""
        return cpu_s(self.pid)

    def kill(self) -> None:
        """End them all."""
        self._over.set()
        for one in tree(self.pid):
            with suppress(*GONE):
                os.kill(one, signal.SIGKILL)
