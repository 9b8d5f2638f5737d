"""Recordings captioned by the machines of a Ray cluster, or by a Ray of this computer alone.

Every machine needs this program in the same folder, and the recordings and captions under the
same paths, as on a shared disk.
"""

import logging
import socket
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from utils.command_line.batch.plan import Job, Outcome
from utils.command_line.batch.work import Work, worker
from utils.errors import AppError, ConfigError

ATTEMPTS = 3  # at a recording, whose worker may die
ANSWER_S = 10.0  # for a cluster to let itself be connected to
AHEAD = 2  # tasks for each core, so that none waits for the next
HERE = "local"  # the address of a Ray that is begun for this alone
_HOME = Path(__file__).resolve().parents[3]


def run(
    work: Work, jobs: Sequence[Job], address: str, n_workers: int | None, said: set[str]
) -> Iterator[Outcome]:
    """Caption recordings on a cluster; yield what became of each.

    Parameters
    ----------
    address : of the cluster, such as "auto" or "ray://head:10001", or "local"
    n_workers : at once, at the most; None for what the cluster has
    said : gets the sentences that the engines have to say

    Raises
    ------
    AppError : there is no Ray, no such cluster, engines cannot be loaded, or captions written
    """
    try:
        import ray
    except ImportError as err:
        raise ConfigError(
            f"--ray needs Ray ({err}); install it on every machine with: .venv/bin/pip install "
            "-r utils/command_line/batch/ray.txt"
        ) from err
    _connect(ray, address, n_workers)
    try:
        yield from _tasks(ray, work, jobs, n_workers, said)
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, n_workers: int | None) -> None:
    here: dict[str, Any] = (
        {"num_cpus": n_workers, "include_dashboard": False} if address == HERE else {}
    )
    try:
        host, colon, port = address.rpartition("ray://")[2].rpartition(":")
        if colon:  # Ray itself asks for minutes
            socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
        ray.init(
            address,
            runtime_env={"env_vars": {"PYTHONPATH": str(_HOME)}},
            logging_level=logging.ERROR,
            log_to_driver=False,
            **here,
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as err:
        raise ConfigError(
            f"--ray {address}: no cluster answers there ({err}); give auto, ray://HEAD:10001 or "
            "local"
        ) from err


def _tasks(
    ray: Any, work: Work, jobs: Sequence[Job], n_workers: int | None, said: set[str]
) -> Iterator[Outcome]:
    task = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_caption)
    given = ray.put(work)
    rest = iter(jobs)
    most = AHEAD * int(n_workers or ray.cluster_resources().get("CPU", 1))
    under_way = {task.remote(given, job): job for job in islice(rest, most)}
    while under_way:
        ready, _ = ray.wait(list(under_way))
        for reference in ready:
            job = under_way.pop(reference)
            try:
                found = ray.get(reference)
            except ray.exceptions.RayError as err:
                reason = str(err).strip().splitlines()[-1]
                found = Outcome(job.name, False, problem=f"{job.path}: {reason}"), []
            if isinstance(found, AppError):
                raise found
            outcome, sentences = found
            said.update(sentences)
            yield outcome
            under_way |= {task.remote(given, job): job for job in islice(rest, 1)}


def _caption(work: Work, job: Job) -> tuple[Outcome, list[str]] | AppError:
    """On a machine of the cluster; its workers keep their engines from one task to the next."""
    try:
        mine = worker(work)
        return mine.caption(job), mine.said
    except AppError as err:
        return err
