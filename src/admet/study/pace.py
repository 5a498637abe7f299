"""How far the fits of a study are, and how long the others will take."""

import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from admet.config.duration import spoken
from admet.progress import NotebookLine, drawn, in_notebook
from admet.study.jobs import Fit, Job

log = logging.getLogger(__name__)


class Pace:
    """The mean time of a fit of each arm, from the fits that were done."""

    def __init__(self, n_workers: Callable[[], int] = lambda: 1) -> None:
        """Stores who works.

        Args:
            n_workers: Gives how many fits are done at once.
        """
        self._n_workers = n_workers
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, fit: Fit) -> None:
        """Counts a fit that was done."""
        if fit.outcome is not None:
            self._seconds[fit.job.arm].append(fit.seconds)

    def seconds(self, jobs: Iterable[Job]) -> float | None:
        """Estimates how long fits take; an arm that is not known yet takes the mean of the others.

        Args:
            jobs: The fits.

        Returns:
            Seconds; None where no fit was done yet.
        """
        means = {arm: sum(own) / len(own) for arm, own in self._seconds.items()}
        if not means:
            return None
        usual = sum(means.values()) / len(means)
        return sum(means.get(job.arm, usual) for job in jobs) / self._n_workers()


class FitProgress:
    """Shows each fit that ends: a bar on a terminal and in a notebook, elsewhere a log line."""

    def __init__(
        self,
        jobs: Iterable[Job],
        kept: Iterable[Fit],
        pace: Pace,
        time_left: Callable[[], float | None] = lambda: None,
        console: Console | None = None,
    ) -> None:
        """Counts what was kept.

        Args:
            jobs: All fits.
            kept: Those that an earlier run has kept.
            pace: What it learns from the fits.
            time_left: Gives the seconds after which no fit begins; None where there is no limit.
            console: Where a bar is drawn; None draws one where somebody watches.
        """
        self._waiting = dict.fromkeys(jobs)
        self._total = len(self._waiting)
        self._pace, self._time_left = pace, time_left
        for fit in kept:
            self._waiting.pop(fit.job)
            pace.add(fit)
        self._line = NotebookLine() if console is None and in_notebook() else None
        if console is None and self._line is None and sys.stderr.isatty():
            console = Console(stderr=True)
        self._bar = None if console is None or not self._waiting else _bar(console)
        if self._bar is not None:
            self._task = self._bar.add_task("Fits", total=self._total, left=self.left)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._show()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def left(self) -> str:
        """Says how long the fits that wait will take; empty where nothing is known."""
        seconds, budget = self._pace.seconds(self._waiting), self._time_left()
        if budget is not None and (seconds is None or budget < seconds):
            return f"about {spoken(budget)} left of the time budget"
        if seconds is None or not self._waiting:
            return ""
        return f"about {spoken(seconds)} left"

    def add(self, fit: Fit) -> None:
        """Shows a fit that has ended."""
        self._waiting.pop(fit.job)
        self._pace.add(fit)
        failed = f", failed: {fit.fault}" if fit.fault else ""
        line = f"{fit.job.arm}, fold {fit.job.fold + 1}{failed}"
        if self._bar is not None:
            self._show()
            if failed:
                self._bar.console.print(line, markup=False, highlight=False)
            return
        n, left = self._total - len(self._waiting), self.left
        if self._line is not None:
            text = f"Fits {drawn(n, self._total)} {n} of {self._total}"
            self._line.show(f"{text}, {left}" if left else text, at_once=n == self._total)
            if failed:
                log.warning("%s", line)
            return
        end = f"; {left}" if left else ""
        log.info("%d of %d: %s, %.1f s%s", n, self._total, line, fit.seconds, end)

    def _show(self) -> None:
        assert self._bar is not None  # noqa: S101 - who calls it has looked
        done = self._total - len(self._waiting)
        self._bar.update(self._task, completed=done, left=self.left)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
