"""Threads that take jobs from one line: as many as are needed, up to a number, and all gone when the work is over."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

Job = TypeVar("Job")

logger = logging.getLogger(__name__)


class Hands(Generic[Job]):
    """`work` does one job and says itself how it went; what it raises is logged, and the thread takes the next. `leaving` is
    called in each thread as its last act."""

    def __init__(self, most: int, name: str, work: Callable[[Job], object], leaving: Callable[[], object]) -> None:
        self.most, self.name, self.work, self.leaving = most, name, work, leaving
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.open = 0
        self.lock = threading.Lock()

    def give(self, job: Job) -> None:
        """Puts a job into the line, and a thread to it if all are at work. Not after finish()."""
        with self.lock:
            self.open += 1
            if len(self.threads) < min(self.open, self.most):
                thread = threading.Thread(target=self._run, name=f"{self.name}-{len(self.threads)}", daemon=True)
                self.threads.append(thread)
                thread.start()
        self.jobs.put(job)

    def finish(self) -> None:
        """Returns when every job is done and every thread has left."""
        for _ in self.threads:
            self.jobs.put(None)
        for thread in self.threads:
            thread.join()

    def _run(self) -> None:
        try:
            while (job := self.jobs.get()) is not None:
                try:
                    self.work(job)
                except Exception:
                    logger.exception("A job of %s could not be done.", self.name)
                finally:
                    with self.lock:
                        self.open -= 1
        finally:
            self.leaving()
