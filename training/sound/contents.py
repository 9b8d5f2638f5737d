"""What files hold, told by a hash that is remembered while a file stays as it is."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from training.sound import shards


class Contents:
    """Hashes of files, kept in the JSON file `memory` with each file's size and time."""

    def __init__(self, memory: Path) -> None:
        self._memory = Path(memory)
        try:
            known = json.loads(self._memory.read_bytes())
        except (OSError, ValueError):  # not there yet, or damaged: files are hashed again
            known = {}
        self._known: dict[str, list] = known if isinstance(known, dict) else {}

    def of(self, paths: Iterable[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
        """SHA-256 of each file, and for those that cannot be read the reason."""
        hashes: dict[Path, str] = {}
        refused: dict[Path, str] = {}
        new: list[tuple[Path, list[int]]] = []
        for path in dict.fromkeys(paths):
            try:
                state = path.stat()
            except OSError as err:
                refused[path] = err.strerror or str(err)
                continue
            known = self._known.get(str(path.absolute()))
            stamp = [state.st_size, state.st_mtime_ns]
            hashes[path] = known[2] if known and known[:2] == stamp else ""
            if not hashes[path]:
                new.append((path, stamp))
        shown = None if new else True  # None: no bar where there is no terminal
        for path, stamp in tqdm(new, "hashing", unit="file", disable=shown, mininterval=1):
            try:
                hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
                self._known[str(path.absolute())] = [*stamp, hashes[path]]
            except OSError as err:
                refused[path] = err.strerror or str(err)
                del hashes[path]
        if new:
            shards.replace(self._memory, json.dumps(self._known).encode())
        return hashes, refused
