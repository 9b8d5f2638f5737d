"""Several rooms by one set of models: loaded once, by whichever room asks first."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Self

from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.messages import Message


class Common:
    """The engines of several rooms; a context manager that lets the models go at its end.

    Each room gets a pipeline of its own. All see how far loading is, and what went wrong.

    Parameters
    ----------
    load : loads the models, and tells its progress
    """

    def __init__(self, load: Callable[[Progress], Engines]) -> None:
        self._load = load
        self._turns = threading.Lock()
        self._begun = False
        self._telling: list[Progress] = []
        self._loaded: Future[Engines] = Future()

    def __enter__(self) -> Self:
        """Nothing is loaded until a room asks."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the models go; the rooms have ended."""
        if self._loaded.done() and not self._loaded.exception():
            self._loaded.result().captioner.close()

    def engines(self, progress: Progress, first_segment: int) -> Engines:
        """What a room listens with; waits until that is loaded.

        Raises
        ------
        Exception : as what loads
        """
        with self._turns:
            self._telling.append(progress)
            first, self._begun = not self._begun, True
        if first:
            self._run()
        engines = self._loaded.result()
        return replace(engines, captioner=engines.another(first_segment))

    def _run(self) -> None:
        try:
            self._loaded.set_result(self._load(self._tell))
        except Exception as err:  # each room tells of it as of its own
            self._loaded.set_exception(err)

    def _tell(self, done: float, message: Message) -> None:
        for progress in list(self._telling):
            progress(done, message)
