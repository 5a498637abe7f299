"""What a test of a model gives: metrics of each task with their intervals, and macro means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from admet.errors import DataError
from admet.evaluation.metrics import BY_KIND
from admet.evaluation.stored import below, finite_or_none, mapping, member, must_be, text, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MACRO = "macro mean"
"""What stands in the place of a task's name where a row is the mean over the tasks of a kind."""


@dataclass(frozen=True)
class Value:
    """A metric's value with its 95 % interval; None where undefined or not asked for.

    Attributes:
        value: The value.
        low: Lower end of the interval.
        high: Upper end.
        reason: Why there is no value; empty where there is one.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Gives `value`, `low` and `high`, and a `reason` where there is no value."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return numbers | ({"reason": self.reason} if self.reason else {})

    @classmethod
    def from_json(cls, content: Any, place: str) -> Self:
        """Reads what `to_json` gave; see `Scores.from_json`."""
        value, low, high = (
            finite_or_none(member(content, name, place), below(place, name))
            for name in ("value", "low", "high")
        )
        return cls(value, low, high, text(content.get("reason", ""), below(place, "reason")))


@dataclass(frozen=True)
class TaskScores:
    """The metrics of one task.

    Attributes:
        kind: "regression" or "binary".
        n: Number of labels.
        values: Metric → value.
        n_limits: How many of the labels are limits.
        scale: Name of the transform whose values the model learnt; empty where it learnt the labels
            themselves.
        learnt: Metric → value on that scale, for metrics that do not depend on ranks alone.
    """

    kind: str
    n: int
    values: Mapping[str, Value]
    n_limits: int = 0
    scale: str = ""
    learnt: Mapping[str, Value] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Gives `kind`, `n`, and for each metric an object of `value`, `low` and `high`.

        Where labels are limits, `limits` counts them. Where the model learnt a transform of the
        labels, `learnt` holds its name as `scale` and the metrics on that scale.
        """
        cells = {name: value.to_json() for name, value in self.values.items()}
        more: dict[str, Any] = {"limits": self.n_limits} if self.n_limits else {}
        if self.scale:
            on_scale = {name: value.to_json() for name, value in self.learnt.items()}
            more["learnt"] = {"scale": self.scale, **on_scale}
        return {"kind": self.kind, "n": self.n, **more, **cells}

    @classmethod
    def from_json(cls, content: Any, place: str) -> Self:
        """Reads what `to_json` gave; see `Scores.from_json`."""
        kind = text(member(content, "kind", place), below(place, "kind"))
        if kind not in BY_KIND:
            raise must_be(f"one of {', '.join(BY_KIND)}", kind, below(place, "kind"))
        values = {
            text(name, place): Value.from_json(cell, below(place, name))
            for name, cell in mapping(content, place).items()
            if name not in ("kind", "n", "limits", "learnt")
        }
        n = whole(member(content, "n", place), below(place, "n"))
        n_limits = whole(content.get("limits", 0), below(place, "limits"))
        if "learnt" not in content:
            return cls(kind, n, values, n_limits)
        at = below(place, "learnt")
        scale = text(member(content["learnt"], "scale", at), below(at, "scale"))
        learnt = {
            text(name, at): Value.from_json(cell, below(at, name))
            for name, cell in content["learnt"].items()
            if name != "scale"
        }
        return cls(kind, n, values, n_limits, scale, learnt)


@dataclass(frozen=True)
class Scores:
    """The metrics of all tasks.

    Attributes:
        tasks: Task → its metrics.
        macro: Kind → metric → mean over the tasks of that kind where it is defined; None where it
            is defined for none, and for a metric in the unit of the labels where the tasks have
            several units or unknown ones; see `may_average`.
    """

    tasks: Mapping[str, TaskScores]
    macro: Mapping[str, Mapping[str, float | None]]

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each task and metric, then one for each kind and metric.

        Metrics on a scale that the model learnt are named after it, as in "MAE of log10".

        Columns task, kind, metric, n, value, low, high; NaN where a value is None. Rows of task
        "macro mean" average over the tasks of a kind; their n counts the labels of the tasks
        averaged, and they have no interval.
        """
        names = ["task", "kind", "metric", "n", "value", "low", "high"]
        frame = pd.DataFrame(list(self._rows()), columns=names)
        kinds = [str, str, str, int, float, float, float]
        return frame.astype(dict(zip(names, kinds, strict=True)))

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for task, scores in self.tasks.items():
            for metric, cell in scores.values.items():
                yield task, scores.kind, metric, scores.n, cell.value, cell.low, cell.high
            for metric, cell in scores.learnt.items():
                name = f"{metric} of {scores.scale}"
                yield task, scores.kind, name, scores.n, cell.value, cell.low, cell.high
        for kind, means in self.macro.items():
            members = self.of_kind(kind).values()
            for metric, mean in means.items():
                n = sum(task.n for task in members if task.values[metric].value is not None)
                yield MACRO, kind, metric, n, mean, None, None

    def plot(self, metric: str | None = None) -> "Figure":
        """Draws a metric of each task with its 95 % interval; see `Evaluation.plot`."""
        from admet.evaluation.display import scores_plot  # noqa: PLC0415 - it reads this module

        return scores_plot(self, "Scores", metric)

    def _repr_html_(self) -> str:
        from admet.evaluation.display import scores_html  # noqa: PLC0415 - it reads this module

        return scores_html(self)

    def of_kind(self, kind: str) -> dict[str, TaskScores]:
        """Gives the tasks of a kind."""
        return {name: task for name, task in self.tasks.items() if task.kind == kind}

    def to_json(self) -> dict[str, Any]:
        """Gives what `metrics.json` and a result hold: `tasks` and `macro`."""
        return {
            "tasks": {name: task.to_json() for name, task in self.tasks.items()},
            "macro": {kind: dict(means) for kind, means in self.macro.items()},
        }

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Reads what `to_json` gave.

        Which metrics there are is left to the file: it may be older than one of them.

        Raises:
            DataError: If a member is missing, is of another type or is not finite, a kind is
                unknown, there is no task, or the tasks of a kind and their means hold different
                metrics.
        """
        tasks = {
            text(name, "tasks"): TaskScores.from_json(task, f"tasks.{name}")
            for name, task in mapping(member(content, "tasks"), "tasks").items()
        }
        macro = {
            kind: {
                name: finite_or_none(mean, f"macro.{kind}.{name}")
                for name, mean in mapping(means, f"macro.{kind}").items()
            }
            for kind, means in mapping(member(content, "macro"), "macro").items()
        }
        scores = cls(tasks, macro)
        scores._check()
        return scores

    def _check(self) -> None:
        if not self.tasks:
            raise must_be("an object of at least one task", self.tasks, "tasks")
        kinds = {task.kind for task in self.tasks.values()}
        if kinds != self.macro.keys():
            raise must_be(f"an object of {', '.join(sorted(kinds))}", dict(self.macro), "macro")
        for name, task in self.tasks.items():
            expected = self.macro[task.kind]
            if task.values.keys() != expected.keys():
                raise DataError(
                    f"`tasks.{name}` must hold the metrics of `macro.{task.kind}`, "
                    f"{', '.join(expected)}; got {', '.join(task.values)}."
                )
