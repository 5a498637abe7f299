"""How far long work is, and how long the rest takes: a bar where somebody watches, else lines."""

import logging
import math
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Self

from admet.config.duration import spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.progress import Progress

log = logging.getLogger(__name__)

_EVERY = 10.0  # seconds between two lines where there is no bar
_MOMENT = 0.2  # seconds for which a line in a notebook stays
_CELLS = 20  # of a bar of text


def in_notebook() -> bool:
    """Tells whether the code runs in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


class NotebookLine:
    """One line of text in a notebook, which is replaced and never added to; needs no widgets."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = -math.inf

    def show(self, text: str, *, at_once: bool = False) -> None:
        """Replaces the line, unless it was replaced a moment ago.

        Args:
            text: The new line.
            at_once: Whether it must be shown all the same.
        """
        now = time.perf_counter()
        if now - self._shown < _MOMENT and not at_once:
            return
        self._shown = now
        content = {"text/plain": text}
        if self._handle is None:
            from IPython import display  # noqa: PLC0415 - there only in a notebook

            shown: Any = display.display  # which has no types
            self._handle = shown(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def drawn(done: int, total: int) -> str:
    """Draws a bar of text."""
    full = _CELLS * done // max(total, 1)
    return "█" * full + "░" * (_CELLS - full)


class Work:
    """Shows how far work of several kinds is, each of which takes a time of its own.

    On a terminal it is a bar that goes away at the end, in a notebook one line that is updated;
    elsewhere a log line every ten seconds. Where the log is muted, nothing is shown.
    """

    def __init__(self, name: str, parts: Mapping[str, int]) -> None:
        """Counts what there is to do.

        Args:
            name: What is being done.
            parts: Kind of part → how many there are.
        """
        self._name = name
        self._waiting = dict(parts)
        self._total = sum(parts.values())
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._bar: Progress | None = None
        self._line: NotebookLine | None = None
        self._began = self._told = self._last = time.perf_counter()

    def __enter__(self) -> Self:
        self._began = self._told = self._last = time.perf_counter()
        if not log.isEnabledFor(logging.WARNING):
            return self
        if in_notebook():
            self._line = NotebookLine()
        elif sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self._name, total=self._total, left="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._line is not None:
            took = spoken(time.perf_counter() - self._began)
            n = sum(self._waiting.values())
            end = took if not n else f"stopped after {took}"
            self._line.show(
                f"{self._name} {drawn(self._total - n, self._total)} {end}", at_once=True
            )

    @property
    def left(self) -> str:
        """Says how long the rest will take; empty where a kind of part was not done yet."""
        waiting = {kind: n for kind, n in self._waiting.items() if n > 0}
        if not waiting or any(not self._seconds[kind] for kind in waiting):
            return ""
        means = {kind: sum(own) / len(own) for kind, own in self._seconds.items() if own}
        return f"about {spoken(sum(n * means[kind] for kind, n in waiting.items()))} left"

    def done(self, kind: str) -> None:
        """Counts a part that was done since the last one."""
        now = time.perf_counter()
        self._seconds[kind].append(now - self._last)
        self._last = now
        self._waiting[kind] = max(self._waiting.get(kind, 0) - 1, 0)
        done = self._total - sum(self._waiting.values())
        if self._bar is not None:
            self._bar.update(self._task, completed=done, left=self.left)
        elif self._line is not None:
            self._line.show(f"{self._name} {drawn(done, self._total)} {self.left}")
        elif now - self._told >= _EVERY and done < self._total:
            self._told = now
            left = self.left
            log.info("%s: %.0f %%%s", self._name, 100 * done / self._total, left and f", {left}")


def _bar() -> "Progress":
    from rich.console import Console  # noqa: PLC0415 - only where there is a bar
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=Console(stderr=not in_notebook()),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
