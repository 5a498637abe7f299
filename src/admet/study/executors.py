"""Where the fits of a study are done: on this machine, or on the workers of a cluster."""

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Self

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from admet.config.study import StudyConfig
from admet.data import Split
from admet.errors import ConfigError, WorkerError
from admet.study.jobs import Fit, Job, do
from admet.study.material import Material
from admet.workers import n_cores

KEPT = "The fits that were done are kept: the same command goes on with the others."

FitFunction = Callable[[Material, Split, Job], Fit]
Stop = Callable[[], bool]


class Executor(ABC):
    """Does fits, one thread each; a context, so that what it opens is closed."""

    def __enter__(self) -> Self:
        """Makes ready; what cannot work is said here, before any long work.

        Raises:
            ConfigError: If what the configuration names is not there, or does not fit.
        """
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    @abstractmethod
    def n_workers(self) -> int:
        """How many fits it does at once."""

    @abstractmethod
    def run(
        self,
        material: Material,
        splits: list[list[Split]],
        jobs: Sequence[Job],
        stop: Stop | None = None,
        fit: FitFunction = do,
    ) -> Iterator[Fit]:
        """Does fits.

        Args:
            material: What they share; it is handed out once.
            splits: For each repeat its folds.
            jobs: The fits, in the order in which they are begun.
            stop: Is asked before a fit is begun; once it says yes, no further one is.
            fit: Does one fit.

        Yields:
            The fits as they end, in any order.

        Raises:
            WorkerError: If the processes that do them are gone.
        """


class LocalExecutor(Executor):
    """Processes of this machine; with one worker, this process."""

    def __init__(self, n_workers: int | None = None) -> None:
        """Stores the size.

        Args:
            n_workers: Number of processes; None takes one per core.
        """
        self._n_workers = n_workers or n_cores()

    @property
    def n_workers(self) -> int:
        """The number of processes."""
        return self._n_workers

    def run(
        self,
        material: Material,
        splits: list[list[Split]],
        jobs: Sequence[Job],
        stop: Stop | None = None,
        fit: FitFunction = do,
    ) -> Iterator[Fit]:
        """Does fits; see `Executor.run`."""
        begun = takewhile(lambda _: stop is None or not stop(), jobs)
        n_workers = min(self._n_workers, len(jobs))
        if n_workers <= 1:
            for job in begun:
                yield fit(material, splits[job.repeat][job.fold], job)
            return
        # A job is taken when a process is free for it, so that `stop` is asked in time.
        parallel = joblib.Parallel(
            n_workers,
            return_as="generator_unordered",
            max_nbytes="100K",
            pre_dispatch="n_jobs",
            batch_size=1,
        )
        try:
            yield from parallel(
                joblib.delayed(fit)(material, splits[job.repeat][job.fold], job) for job in begun
            )
        except TerminatedWorkerError:
            raise WorkerError(
                f"A process that does fits died, as it does where memory runs out. {KEPT} Fewer "
                "`study.workers` need less memory."
            ) from None


def executor_of(study: StudyConfig) -> Executor:
    """Gives the executor that a configuration asks for.

    Raises:
        ConfigError: If it is a cluster, and the package for it is not installed.
    """
    if study.scheduler is None:
        return LocalExecutor(study.workers)
    if importlib.util.find_spec("distributed") is None:
        raise ConfigError(
            f"`study.scheduler` {study.scheduler!r} needs the package `distributed`, which the "
            "extra `cluster` brings: pip install 'admet-grouping[cluster]'."
        )
    from admet.study.cluster import ClusterExecutor  # noqa: PLC0415 - only where it is asked for

    return ClusterExecutor(study.scheduler)
