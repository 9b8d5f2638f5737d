"""Where a search is kept: Optuna's storage, and what tells one search from another."""

import json
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from utils.errors import ConfigError, DataError
from utils.folders import check_writable
from utils.untrusted import opened

SQLITE, JOURNAL = "sqlite:///", "journal:///"
HEARTBEAT_S = 60  # between signs of life of a trial; after two without one it is tried again
MOST_RETRIES = 3
WAIT_S = 60  # for another process that is writing to the same SQLite file
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
PRUNERS = ("median", "hyperband", "none")
WHOLE_FIRST = 5  # trials that the median pruner lets go to their end before it compares


def open_study(url: str, name: str, about: Mapping[str, str]) -> Study:
    """The search of that name, made where there is none.

    Parameters
    ----------
    url : of Optuna's storage: sqlite:///FILE, postgresql://…, mysql://…, or journal:///FILE, which
        may lie in a folder that several machines share
    about : what is searched; that of a study that is there has to be the same

    Raises
    ------
    ConfigError : an unknown kind of storage, one whose driver is missing, or a study of
        something else
    DataError : a file that is no study, or is broken, or that others are opening all the time; a
        server that does not answer
    """
    with storage_errors(url), _alone(url):
        storage = _storage(url)
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
        )
        if not study.get_trials(deepcopy=False):
            # new, or just made by another process, which may have ended before it had told all
            for key in about.keys() - study.user_attrs.keys():
                study.set_user_attr(key, about[key])
    _check_same(study, about, url)
    return study


def check_place(url: str) -> None:
    """See, before hours of work, that a search can be kept where there is none yet.

    Raises
    ------
    DataError : no file can be made there
    """
    with storage_errors(url), _alone(url):
        pass


def check_file(url: str) -> bool:
    """Whether the storage is a file that is there, of which nothing is changed.

    Raises
    ------
    DataError : it is broken, or something else
    """
    (kind,) = [kind for kind in (SQLITE, JOURNAL) if url.startswith(kind)] or [""]
    path = Path(url.removeprefix(kind))
    remedy = "move it away, or give another --storage"
    if not kind:
        return False
    try:
        with opened(path) as file:  # nothing but a file: a device may have no end
            for line in file if kind == JOURNAL else ():
                json.loads(line)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as err:  # such as a name that is too long
        raise DataError(f"{path}: cannot be read ({err.strerror}); {remedy}") from err
    except ValueError as err:
        raise DataError(f"{path}: cannot be read as a journal ({err}); {remedy}") from err
    if kind == JOURNAL:
        return True
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            (state,) = file.execute("PRAGMA quick_check(1)").fetchone()
            tables = {row for (row,) in file.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as err:
        raise DataError(f"{path}: cannot be read as a study ({err}); {remedy}") from err
    if state != "ok":
        raise DataError(f"{path}: the study is damaged ({state}); {remedy}")
    if tables and "studies" not in tables:
        raise DataError(f"{path}: a database of something else than studies; {remedy}")
    return bool(tables)


def pruner_of(name: str, epochs: int, folds: int) -> BasePruner:
    """One of `PRUNERS`, for trials that report after each epoch of each fold."""
    if name == "hyperband":
        return HyperbandPruner(min_resource=max(1, epochs // 4), max_resource=epochs * folds)
    if name == "median":
        return MedianPruner(n_startup_trials=WHOLE_FIRST, n_warmup_steps=epochs // 2)
    return NopPruner()


def n_finished(study: Study) -> int:
    """Trials that went to their end, or were pruned."""
    return len(study.get_trials(deepcopy=False, states=FINISHED))


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Say what is wrong with a storage, without the password that its address may hold."""
    try:
        yield
    except ImportError as err:
        raise ConfigError(f"{hidden(url)}: its driver is missing ({err}); install it") from err
    except ArgumentError as err:
        raise ConfigError(
            f"{hidden(url)}: no address of a storage, expected {SQLITE}FILE, "
            f"postgresql://…, mysql://… or {JOURNAL}FILE"
        ) from err
    except (SQLAlchemyError, StorageInternalError) as err:
        cause = err.__cause__ if isinstance(err, StorageInternalError) else err
        reason = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
        raise DataError(
            f"{hidden(url)}: the storage fails ({reason}); what was kept stays, and the same "
            "command goes on when it is back"
        ) from err


def hidden(url: str) -> str:
    """An address without its password."""
    with suppress(ArgumentError):
        return make_url(url).render_as_string(hide_password=True)
    return url.rpartition("@")[2]


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """While a file is opened, and told what it is of: searches begun at once take turns.

    Without it both make its tables, and tell of their own what the other has not told yet.
    """
    path = _file(url)
    if path is None:
        yield
        return
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=WAIT_S)
    try:
        check_writable(path.parent)  # the lock waits for a file that cannot be made, as in /proc
        lock.acquire()
    except Timeout as err:
        raise DataError(
            f"{path}: another search has been opening it for {WAIT_S} s; try again"
        ) from err
    except OSError as err:
        raise DataError(
            f"{path}: no search can be kept there, as no file can be made beside it "
            f"({err.strerror}); give another --storage or --runs"
        ) from err
    try:
        yield
    finally:
        lock.release()


def _file(url: str) -> Path | None:
    """The file of a storage; None of a database on a server, and of one in memory."""
    if url.startswith(JOURNAL):
        return Path(url.removeprefix(JOURNAL))
    address = make_url(url)
    name = address.database or ":memory:"
    on_disk = address.get_backend_name() == "sqlite" and not name.startswith((":", "file:"))
    return Path(name) if on_disk else None


def _storage(url: str) -> BaseStorage:
    if url.startswith(JOURNAL):
        try:
            return JournalStorage(JournalFileBackend(url.removeprefix(JOURNAL)))
        except OSError as err:
            raise DataError(
                f"{url}: cannot be written ({err.strerror}); is its folder there?"
            ) from err
    scheme = make_url(url).get_backend_name()
    waiting = {"connect_args": {"timeout": WAIT_S}} if scheme == "sqlite" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # signs of life
        again = optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=MOST_RETRIES)
        return RDBStorage(
            url,
            engine_kwargs=waiting,
            heartbeat_interval=HEARTBEAT_S,
            heartbeat_stale_trial_callback=again,
        )


def _check_same(study: Study, about: Mapping[str, str], url: str) -> None:
    found = study.user_attrs
    other = [key for key, value in about.items() if found.get(key) != value]
    if other:
        told = "; ".join(f"{key} is {found.get(key)!r}, asked {about[key]!r}" for key in other)
        raise ConfigError(
            f"the study {study.study_name!r} in {hidden(url)} is of another search: {told}. Give "
            "the arguments that it was begun with, or another --study NAME"
        )
