"""What a process and all its descendants cost, from Linux's /proc."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

INTERVAL_S = 0.5
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
    """Resident memory of a process and its descendants; what they share is counted once."""
    kb = 0
    for one in tree(pid):
        with suppress(*GONE):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kb += int(line.split()[1])
    return kb * 1024 / 1e6


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
