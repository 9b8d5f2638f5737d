"""A model from Hugging Face's hub: resumed, checked, and never half of it under its name.

The hub's own client asks, authenticates and follows redirects. Writing the files is done
here, because `hf_hub_download` neither resumes what another run began nor can be stopped,
and tells its progress once in 10 MB.
"""

import errno
import logging
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from utils.errors import ModelError
from utils.folders import free_space
from utils.models.catalogue import models_folder
from utils.models.hub import OWN_FILE, NetworkError, Remote, client, megabytes, plain_errors, url_of

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0  # without a byte
TELL_S = 0.5  # between two reports of progress
SPARE_BYTES = 100_000_000  # of the disk, left to the rest of the machine
REST = 3.0  # a download in the background rests so many times as long as it worked

Progress = Callable[[int, int], None]  # bytes done, bytes in all


class StoppedError(ModelError):
    """`Download.stop` was called."""


class Download:
    """Brings one file to this machine, or several into a folder.

    What has come is kept beside `path` as `NAME.CHECKSUM.part` when the network breaks or
    the download is stopped, and the next one goes on from there, in this process or
    another. Two processes take turns.

    Parameters
    ----------
    remotes : the files, as `look_up` found them, the largest first
    path : where the file is wanted; of several files, the folder
    on_progress : told (bytes done, bytes in all) at most twice a second, and at the end
    gently : rest between blocks, so that captions on the same processor do not wait
    """

    def __init__(
        self, remotes: Sequence[Remote], path: Path, on_progress: Progress, gently: bool = False
    ) -> None:
        self._path = path
        self._name = path.name.removesuffix(".nemo")
        self._part = path.with_name(f"{self._name}.{remotes[0].checksum[:12]}.part")
        several = len(remotes) > 1
        self._parts = {
            remote: self._part / remote.file if several else self._part for remote in remotes
        }
        self.size = sum(remote.size for remote in remotes)
        self._tell = on_progress
        self._gently = gently
        self._stopped = threading.Event()
        self._connection: socket.socket | None = None
        self._told_at = 0.0

    @property
    def done_bytes(self) -> int:
        """Bytes that lie here already, from this download or one before."""
        return sum(part.stat().st_size for part in self._parts.values() if part.is_file())

    def check_space(self) -> int:
        """Free bytes of the disk that the model goes to.

        Raises
        ------
        ModelError : the rest of it does not fit
        """
        return check_space(self._name, self.size - self.done_bytes, self._path)

    def run(self) -> None:
        """Fetch the model, and put it under its name once every checksum is right.

        Raises
        ------
        NetworkError : the connection broke; what has come is kept
        StoppedError : `stop` was called; what has come is kept
        ModelError : no room, no right to write, or a wrong checksum; the file is not kept
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                if not self._path.exists():
                    self._fetch()
        except OSError as err:
            raise self._unwritable(err) from err

    def stop(self) -> None:
        """End `run` at once, from any thread."""
        self._stopped.set()
        if connection := self._connection:
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for a byte

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process fetches the same file; show how far that one is."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._path.with_name(f".{self._name}.lock"))
        while True:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                self._report(self.done_bytes)
                if self._stopped.wait(TELL_S):
                    raise StoppedError(f"fetching {self._name} was stopped") from None
        try:
            yield
        finally:
            lock.release()

    def _fetch(self) -> None:
        self.check_space()
        for old in parts(self._path.parent, self._name):
            if old != self._part:
                delete(old)  # of another version, which the hub no longer has
        for remote, part in self._parts.items():
            self._fetch_file(remote, part)
        os.replace(self._part, self._path)
        self._tell(self.size, self.size)

    def _fetch_file(self, remote: Remote, part: Path) -> None:
        part.parent.mkdir(exist_ok=True)
        resumed = part.exists()
        with part.open("ab", buffering=0) as file:
            right = self._complete(remote, file)
        if not right and resumed:  # what lay here was damaged, as after a power cut
            log.warning("%s was damaged: fetching it anew", part)
            with part.open("wb", buffering=0) as file:
                right = self._complete(remote, file)
        if not right:
            part.unlink()
            raise ModelError(
                f"{self._name} arrived damaged (its checksum is wrong) and was deleted; "
                f"try again, {OWN_FILE}"
            )

    def _complete(self, remote: Remote, file: BinaryIO) -> bool:
        """Append what is missing; return whether the whole has the right checksum."""
        if file.tell() > remote.size:
            _empty(file)
        checksum = self._checksum_of_part(remote)
        if file.tell() < remote.size:
            with plain_errors(remote.repo, remote.file):
                checksum = self._receive(remote, file, checksum)
        os.fsync(file.fileno())  # a power cut must not leave a hole under the final name
        return checksum.hexdigest() == remote.checksum

    def _checksum_of_part(self, remote: Remote) -> Any:
        checksum = remote.hasher()
        with self._parts[remote].open("rb") as part:
            while block := part.read(1 << 20):
                self._check_stopped()
                checksum.update(block)
        return checksum

    def _receive(self, remote: Remote, file: BinaryIO, checksum: Any) -> Any:
        """Write the rest of the file; return the checksum of the whole."""
        hub = client()
        url = url_of(remote.repo, remote.file, remote.commit)
        headers = hub.utils.build_hf_headers() | {"Accept-Encoding": "identity"}
        if file.tell():
            headers["Range"] = f"bytes={file.tell()}-"
        self._check_stopped()
        try:
            with hub.get_session().stream(
                "GET", url, headers=headers, timeout=TIMEOUT_S
            ) as response:
                hub.utils.hf_raise_for_status(response)
                self._connection = response.extensions["network_stream"].get_extra_info("socket")
                whole = response.status_code != 206
                expected = remote.size - (0 if whole else file.tell())
                if int(response.headers.get("Content-Length", expected)) != expected:
                    raise NetworkError(
                        f"{self._name}: something else was sent in its place; does this "
                        "network ask to sign in? Open a web page on this machine, then try again"
                    )
                if whole and file.tell():  # a server that cannot resume
                    _empty(file)
                    checksum = remote.hasher()
                self._write(remote, response.iter_raw(), file, checksum)
        except hub.errors.HTTPError:
            self._check_stopped()  # it was us who closed the connection
            raise
        finally:
            self._connection = None
        return checksum

    def _write(
        self, remote: Remote, blocks: Iterator[bytes], file: BinaryIO, checksum: Any
    ) -> None:
        worked_s = time.thread_time()
        others = self.done_bytes - file.tell()
        for block in blocks:
            self._check_stopped()
            if file.tell() + len(block) > remote.size:
                raise ModelError(f"{remote.repo}: the server sends more than it announced")
            self._save(block, file)
            checksum.update(block)
            self._report(others + file.tell())
            if self._gently:
                self._stopped.wait(REST * (time.thread_time() - worked_s))
                worked_s = time.thread_time()
        self._check_stopped()

    def _save(self, block: bytes, file: BinaryIO) -> None:
        left = memoryview(block)
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as err:
            raise self._unwritable(err) from err

    def _unwritable(self, err: OSError) -> ModelError:
        """What to say when the disk refuses."""
        if err.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            delete(self._part)  # give the room back
            return ModelError(
                f"the disk ran full while {self._name} was fetched, and what had come was "
                f"deleted. It takes {megabytes(self.size)}: make room, then try again"
            )
        return ModelError(
            f"{self._name} cannot be written to {self._path.parent} ({err.strerror}); "
            "set XDG_CACHE_HOME to a folder that can be written"
        )

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise StoppedError(f"fetching {self._name} was stopped")

    def _report(self, done_bytes: int) -> None:
        if time.monotonic() - self._told_at >= TELL_S:
            self._told_at = time.monotonic()
            self._tell(done_bytes, self.size)


def check_space(name: str, missing: int, path: Path) -> int:
    """Free bytes of the disk that a model would go to.

    Parameters
    ----------
    name : of the model, for the message
    missing : bytes that are to come
    path : where it is wanted

    Raises
    ------
    ModelError : so much does not fit
    """
    folder, free = free_space(path.parent)
    if free < missing + SPARE_BYTES:
        raise ModelError(
            f"the disk is too full for {name}: {megabytes(missing)} to fetch, "
            f"{megabytes(free)} free at {folder}, of which {megabytes(SPARE_BYTES)} should "
            "stay free; delete what is not needed, or set XDG_CACHE_HOME to a folder on a "
            "larger disk"
        )
    return free


def parts(folder: Path, name: str) -> list[Path]:
    """What is left there of fetches of a model that were not ended."""
    ours = re.compile(re.escape(name) + r"\.[0-9a-f]{12}\.part")
    return [path for path in folder.glob("*.part") if ours.fullmatch(path.name)]


def part_bytes(name: str) -> int:
    """Bytes that lie in the models' folder of a model that was not fetched to its end."""
    found = parts(models_folder(), name)
    files = [file for part in found for file in ([part] if part.is_file() else part.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())


def delete(path: Path) -> None:
    """Delete a file or a folder, if it is there.

    Raises
    ------
    OSError : it cannot be deleted
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()
