"""Recordings captioned by processes of this computer; one that is killed loses nothing."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from utils.command_line.batch.plan import Job, Outcome
from utils.command_line.batch.work import Work, worker
from utils.environment import sharing
from utils.errors import AppError, ModelError

ATTEMPTS = 3  # at a recording, after which it is taken to be what ends the processes
_CONTEXT = multiprocessing.get_context("spawn")  # a fork would share the engines' locks


@dataclass
class _Process:
    """A process that captions, and what it is at."""

    process: BaseProcess
    pipe: Connection
    job: Job | None = None
    loaded: bool = False


def run(work: Work, jobs: Sequence[Job], n_workers: int, said: set[str]) -> Iterator[Outcome]:
    """Caption recordings, as many at a time as there are workers; yield what became of each.

    Parameters
    ----------
    said : gets the sentences that the engines have to say

    Raises
    ------
    AppError : the engines cannot be loaded, or captions cannot be written
    """
    waiting, attempts = deque(jobs), dict.fromkeys(jobs, 0)
    n_workers = min(n_workers, len(jobs))
    processes = [_begin(work, n_workers) for _ in range(n_workers)]
    try:
        while waiting or any(one.job for one in processes):
            ready = wait([one.pipe for one in processes])
            for one in [one for one in processes if one.pipe in ready]:
                told = _told(one)
                if isinstance(told, Outcome):
                    yield told
                elif told is not None:
                    said.update(told)
                else:
                    processes.remove(one)
                    if (outcome := _again(one, waiting, attempts)) is not None:
                        yield outcome
                    if waiting:
                        processes.append(_begin(work, n_workers))
                    continue
                _give(one, waiting)
    finally:
        for one in processes:
            _end(one)


def _begin(work: Work, n_workers: int) -> _Process:
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_serve, args=(work, there), daemon=True)
    with sharing(n_workers):
        process.start()
    there.close()
    return _Process(process, here)


def _told(one: _Process) -> Outcome | list[str] | None:
    """What a process has to tell; None where it has ended without a word."""
    try:
        told = one.pipe.recv()
    except (EOFError, OSError):
        return None
    if isinstance(told, AppError):
        raise told
    one.loaded = True
    return told


def _give(one: _Process, waiting: "deque[Job]") -> None:
    """Give a process that is free the next recording, if there is one."""
    one.job = waiting.popleft() if waiting else None
    with suppress(OSError):  # it has ended, and is found so when it is waited for
        one.pipe.send(one.job)


def _again(one: _Process, waiting: "deque[Job]", attempts: dict[Job, int]) -> Outcome | None:
    """A process has ended without a word: have its recording done by another, or give it up.

    Raises
    ------
    ModelError : it had not come to a recording yet
    """
    _end(one)
    job, status = one.job, one.process.exitcode
    if job is None and one.loaded:
        return None  # it had nothing more to do
    if job is None:
        raise ModelError(
            f"a process ended while it loaded its models (status {status}); take fewer --workers, "
            "so that each has its memory"
        )
    attempts[job] += 1
    if attempts[job] < ATTEMPTS:
        waiting.appendleft(job)
        return None
    problem = f"{job.path}: the process that captions it ended {ATTEMPTS} times (status {status})"
    return Outcome(job.name, written=False, problem=problem)


def _end(one: _Process) -> None:
    one.pipe.close()
    one.process.terminate()
    one.process.join()


def _serve(work: Work, pipe: Connection) -> None:
    """In the other process: caption what comes, until nothing does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that waits
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, OSError):  # nobody waits any more
        try:
            mine = worker(work)
            pipe.send(mine.said)
            while (job := pipe.recv()) is not None:
                pipe.send(mine.caption(job))
        except AppError as err:
            pipe.send(err)
        pipe.recv()  # until it is told to end
    os._exit(0)  # engines' threads may take their time
