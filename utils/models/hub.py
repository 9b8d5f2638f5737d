"""What Hugging Face's hub says of a file, and its errors in plain sentences."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.errors import ModelError
from utils.folders import cache_folder

OFFLINE = "HF_HUB_OFFLINE"  # the environment variable; Hugging Face's client obeys it too
OWN_FILE = (
    "or start with a model that you have downloaded: .venv/bin/python app.py --model FILE.nemo "
    "(or the FOLDER of a Whisper)"
)
TIMEOUT_S = 5.0  # for the hub's answer to a question


class NetworkError(ModelError):
    """The network or the hub failed: the same may succeed a little later."""


class MissingError(ModelError):
    """There is no repository of that name, or no file of that name in it."""


@dataclass(frozen=True)
class Remote:
    """A file on the hub, of `size` bytes, at one commit of its repository.

    Parameters
    ----------
    checksum : SHA-256 in hex digits; of a small file the SHA-1 that git gives it
    """

    repo: str
    file: str
    size: int
    checksum: str
    commit: str

    def hasher(self) -> Any:
        """What the file's bytes go through for `checksum`."""
        if len(self.checksum) == 64:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)


def forbid_network() -> None:
    """Make every later question to the hub fail, here, in NeMo, and in child processes."""
    os.environ[OFFLINE] = "1"


def is_offline() -> bool:
    """Whether the network is forbidden, by `forbid_network` or from outside."""
    return os.environ.get(OFFLINE, "").upper() in {"1", "TRUE", "YES", "ON"}


def megabytes(n_bytes: int) -> str:
    """A size as people read it.

    >>> megabytes(459_000_000), megabytes(2_470_000_000)
    ('459 MB', '2.5 GB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 999.5e6 else f"{n_bytes / 1e6:.0f} MB"


def client() -> Any:
    """Hugging Face's client, which is not to ask who is calling it, however it began."""
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError as err:
        raise ModelError(
            f"huggingface_hub is not installed ({err}); install it with: "
            ".venv/bin/pip install -r requirements.txt"
        ) from err
    constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


def hub_folder() -> Path:
    """Where Hugging Face's client keeps its downloads."""
    home = os.environ.get("HF_HOME") or cache_folder().with_name("huggingface")
    return Path(os.path.expanduser(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub"))


def repository_of(path: Path) -> str:
    """The repository that a path within the client's downloads is of; "" elsewhere.

    >>> repository_of(Path("hub/models--org--a-name/snapshots/0f3"))
    'org/a-name'
    """
    folders = [part for part in path.parts if part.startswith("models--")]
    return folders[-1].removeprefix("models--").replace("--", "/", 1) if folders else ""


def url_of(repo: str, file: str, revision: str = "main") -> str:
    """Where the hub serves a file; `HF_ENDPOINT` names a mirror."""
    endpoint = os.environ.get("HF_ENDPOINT")
    return client().hf_hub_url(repo, file, revision=revision, endpoint=endpoint)


def look_up(repo: str, file: str, revision: str = "main") -> Remote:
    """Ask the hub for a file's size and checksum; one short question without retries.

    Raises
    ------
    NetworkError : no network, one that asks to sign in first, or the hub is in trouble
    MissingError : no such repository or file
    ModelError : offline, or a repository that needs an account
    """
    if is_offline():
        raise ModelError(
            f"{repo} is not on this machine, and --offline or {OFFLINE} forbids to fetch it; "
            f"leave that away, {OWN_FILE}"
        )
    hub = client()
    with plain_errors(repo, file):
        found = hub.get_hf_file_metadata(url_of(repo, file, revision), timeout=TIMEOUT_S)
    if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", found.etag or "") or not found.size:
        raise NetworkError(
            f"{repo} could not be fetched: the answer is not Hugging Face's. Does this network "
            f"ask to sign in on a page of its own? Open a web page on this machine, {OWN_FILE}"
        )
    return Remote(repo, file, found.size, found.etag, found.commit_hash or revision)


@contextmanager
def plain_errors(repo: str, file: str) -> Iterator[None]:
    """Turn the client's errors into sentences."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as err:
        raise ModelError(
            f"{repo} needs a Hugging Face account: accept its terms at "
            f"https://huggingface.co/{repo}, then run .venv/bin/hf auth login"
        ) from err
    except (errors.RepositoryNotFoundError, errors.RemoteEntryNotFoundError) as err:
        library = "nemo" if file.endswith(".nemo") else "ctranslate2"
        raise MissingError(
            f"{repo}: Hugging Face knows no {file} by that name; check the spelling at "
            f"https://huggingface.co/models?library={library} {OWN_FILE}"
        ) from err
    except (NotADirectoryError, IsADirectoryError, PermissionError) as err:
        raise ModelError(
            f"{repo} cannot be asked for: {err.filename} cannot be read ({err.strerror}); mend it, "
            f"or name another folder with HF_HOME, {OWN_FILE}"
        ) from err
    except (errors.HTTPError, ConnectionError, ValueError) as err:  # ValueError: no valid name
        status = getattr(getattr(err, "response", None), "status_code", 0)
        cause = re.sub(r"^\[Errno -?\d+\] ", "", str(err).strip()).splitlines()
        cause = [f"the server answered {status}"] if status else cause or [type(err).__name__]
        final = isinstance(err, ValueError) or status in {400, 401, 403, 451}
        raise (ModelError if final else NetworkError)(
            f"{repo} is not on this machine and could not be fetched ({cause[0]}); check the "
            f"network, {OWN_FILE}"
        ) from err
