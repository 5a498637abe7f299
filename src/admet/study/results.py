"""What a study found, as tables."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from admet.config.study import MULTI, SINGLE, StudyRun
from admet.data import Panel, Split
from admet.data.scales import decided
from admet.evaluation import score_tasks
from admet.study.arms import ARMS
from admet.study.budget import Round, rounds_of
from admet.study.composite import Evidence, Mixture, choose_weights, nested_mixture
from admet.study.jobs import Fit, Job
from admet.study.statistics import Contrast, contrast, known_mean
from admet.study.tukey import Tukey, all_pairs
from admet.study.verdict import Verdict, html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPOSITE = "composite"
ALL = "all endpoints"
_METRIC = {"regression": "MAE", "binary": "AUROC"}
_SEVERAL = 2  # arms, from which they can be mixed


@dataclass(frozen=True, eq=False)
class Study:
    """The outcome of a study.

    Attributes:
        config: What was asked for.
        panel: n molecules and their labels.
        splits: For each repeat its folds.
        fits: The fits that were done.
        left_out: Arm → why it is not compared.
        path: The folder that holds it; None for a study in memory.
        rounds: The repeats and seeds whose fits all of these arms have done; None for all that the
            configuration asks for.
    """

    config: StudyRun
    panel: Panel
    splits: list[list[Split]]
    fits: tuple[Fit, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    rounds: tuple[Round, ...] | None = None

    @property
    def arms(self) -> list[str]:
        """The arms that are compared, in the order that was asked for."""
        return [name for name in self.config.study.arms if name not in self.left_out]

    @cached_property
    def by_job(self) -> dict[Job, Fit]:
        """The fits by their jobs."""
        return {fit.job: fit for fit in self.fits}

    @cached_property
    def out_of_fold(self) -> dict[tuple[str, int, int], np.ndarray]:
        """Arm, repeat and seed → predictions of all molecules by fits that had not seen them.

        Each has shape (n, T), in the unit of the labels. The composite's come from weights that the
        other folds of the same repeat chose.
        """
        shape = self.panel.labels.values.shape
        found = {}
        for repeat, seed in self.done_rounds:
            for arm in self.arms:
                values = np.full(shape, np.nan)
                for fold, split in enumerate(self.splits[repeat]):
                    outcome = self.by_job[Job(arm, repeat, fold, seed)].outcome
                    assert outcome is not None  # noqa: S101 - failed arms are left out
                    values[split.test] = outcome.mean
                found[arm, repeat, seed] = values
            if len(self.arms) >= _SEVERAL:
                found[COMPOSITE, repeat, seed] = self._composite(found, repeat, seed)
        return found

    @property
    def done_rounds(self) -> list[Round]:
        """The repeats and seeds that count."""
        return rounds_of(self.config.study) if self.rounds is None else list(self.rounds)

    @cached_property
    def scaled(self) -> Panel:
        """The panel with transforms decided, for mixing on the scale that is learnt."""
        return decided(self.panel, np.arange(len(self.panel)))

    def _composite(
        self, found: dict[tuple[str, int, int], np.ndarray], repeat: int, seed: int
    ) -> np.ndarray:
        folds = [split.test for split in self.splits[repeat]]
        mixed = nested_mixture(self._evidence(found, repeat, seed), folds)
        columns = zip(self.scaled.transforms, mixed.T, strict=True)
        return np.stack([transform.undo(column) for transform, column in columns], axis=1)

    def _evidence(
        self, found: dict[tuple[str, int, int], np.ndarray], repeat: int, seed: int
    ) -> list[Evidence]:
        """Gives what mixing needs to know of each task."""
        labels, tasks = self.panel.labels, []
        for column, (name, kind) in enumerate(
            zip(self.panel.task_names, self.panel.kinds, strict=True)
        ):
            transform = self.scaled.transforms[column]
            given = np.stack([found[arm, repeat, seed][:, column] for arm in self.arms])
            y = transform.apply(labels.values[:, column])
            errors = np.abs(y - np.nanmean(y)) if kind.scaled else (y - np.nanmean(y)) ** 2
            limits = None if labels.limits is None else labels.limits[:, column]
            scale = float(np.nanmean(errors))
            assert scale > 0, name  # noqa: S101 - no task is constant
            tasks.append(Evidence(y, transform.apply(given), scale, limits, not kind.scaled))
        return tasks

    @cached_property
    def weights(self) -> dict[str, Mixture]:
        """Task → weights of the arms in the composite that is served, chosen by all folds."""
        names = self.panel.task_names
        if len(self.arms) < _SEVERAL:
            return {name: Mixture(np.ones(1), 0) for name in names}
        rounds = [choose_weights(self._evidence(self.out_of_fold, *r)) for r in self.done_rounds]
        return {
            name: Mixture(np.mean([own[task].weights for own in rounds], axis=0), rounds[0][task].n)
            for task, name in enumerate(names)
        }

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row per task, arm, fold, repeat, seed and metric.

        The columns are task, arm, fold, repeat, seed, metric and value.
        """
        rows = []
        kinds = [kind.name for kind in self.panel.kinds]
        for (arm, repeat, seed), predicted in self.out_of_fold.items():
            for fold, split in enumerate(self.splits[repeat]):
                labels = self.panel.labels.subset(split.test)
                scores = score_tasks(
                    labels.values,
                    predicted[split.test],
                    self.panel.task_names,
                    kinds,
                    limits=labels.limits,
                    n_bootstrap=0,
                )
                rows += [
                    (task, arm, fold, repeat, seed, metric, value.value)
                    for task, scored in scores.tasks.items()
                    for metric, value in scored.values.items()
                    if value.value is not None
                ]
        names = ["task", "arm", "fold", "repeat", "seed", "metric", "value"]
        return pd.DataFrame(rows, columns=names)

    @property
    def predictions(self) -> pd.DataFrame:
        """One row per molecule, task, arm, repeat and seed, for cells with a label.

        The columns are SMILES, task, arm, repeat, seed, label and prediction.
        """
        rows, columns = np.nonzero(self.panel.labels.present)
        names = np.array(self.panel.task_names, dtype=object)
        cells = {
            "SMILES": self.panel.smiles[rows],
            "task": names[columns],
            "label": self.panel.labels.values[rows, columns],
        }
        parts = [
            pd.DataFrame(cells).assign(
                arm=arm, repeat=repeat, seed=seed, prediction=values[rows, columns]
            )
            for (arm, repeat, seed), values in self.out_of_fold.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def losses(self, arm: str, task: str) -> np.ndarray:
        """Gives the loss of an arm in one task, or in all, for each fold, repeat and seed.

        Args:
            arm: The arm, or "composite".
            task: A task, or "all endpoints": the mean over tasks, each divided by the loss of
                always predicting the mean of its labels (0.5 for 1 − AUROC).

        Returns:
            Shape (folds · repeats · seeds,), the lower the better: MAE or 1 − AUROC; NaN where a
            fold does not say.
        """
        table = self._losses.xs(arm, level="arm")
        if task != ALL:
            return np.asarray(table[task].to_numpy(), dtype=float)
        naive = np.array(list(self._naive.values()))
        return known_mean(table.to_numpy(dtype=float) / naive, axis=1)

    @cached_property
    def _naive(self) -> dict[str, float]:
        found = {}
        for name, kind, y in zip(
            self.panel.task_names, self.panel.kinds, self.panel.labels.values.T, strict=True
        ):
            known = y[~np.isnan(y)]
            found[name] = float(np.abs(known - known.mean()).mean()) if kind.scaled else 0.5
        return found

    @cached_property
    def _losses(self) -> pd.DataFrame:
        """Losses by arm, repeat, seed and fold (rows) and task (columns)."""
        kinds = {task.name: task.kind.name for task in self.panel.tasks}
        table = self.results[self.results["metric"] == self.results["task"].map(kinds).map(_METRIC)]
        table = table.assign(
            loss=np.where(table["metric"] == "MAE", table["value"], 1 - table["value"])
        )
        rows = ["arm", "repeat", "seed", "fold"]
        wide = table.pivot_table(index=rows, columns="task", values="loss")
        # A fold that does not say is a gap, not a shorter list.
        folds, arms = range(self.config.study.folds), sorted({a for a, _, _ in self.out_of_fold})
        every = pd.MultiIndex.from_tuples(
            [(arm, *own, fold) for arm in arms for own in self.done_rounds for fold in folds],
            names=rows,
        )
        return wide.reindex(index=every, columns=self.panel.task_names)

    def contrast(self, arm: str, other: str, task: str = ALL) -> Contrast:
        """Compares two arms in one task, or in all; see `admet.study.statistics.contrast`."""
        study = self.config.study
        return contrast(
            self.losses(arm, task), self.losses(other, task), 1 / study.folds, study.equivalence
        )

    def all_pairs(self, task: str = ALL) -> Tukey:
        """Compares all arms and the composite at once, in one task or in all."""
        names = list(dict.fromkeys(arm for arm, _, _ in self.out_of_fold))
        losses = {arm: self.losses(arm, task) for arm in names}
        return all_pairs(losses, 1 / self.config.study.folds)

    def tukey(self, task: str = ALL) -> pd.DataFrame:
        """Compares every two of them; for the columns see `admet.study.tukey.Pair`."""
        return self.all_pairs(task).frame

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """Every two arms in each task and in all; the columns are task and those of `tukey`."""
        parts = {task: self.tukey(task) for task in [*self.panel.task_names, ALL]}
        return pd.concat(parts, names=["task"]).reset_index("task").reset_index(drop=True)

    def plot(self, name: str = "differences", page: int = 1) -> "Figure":
        """Draws a picture of the study; see `admet.study.pictures.draw`."""
        from admet.study.pictures import draw  # noqa: PLC0415 - matplotlib takes a second

        return draw(self, name, page)

    def _repr_html_(self) -> str:
        return html(self.verdicts)

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per task, then one for all of them."""
        return tuple(self._verdict(task) for task in [*self.panel.task_names, ALL])

    def _verdict(self, task: str) -> Verdict:
        means = {arm: float(known_mean(self.losses(arm, task))) for arm in self.arms}
        best = min(means, key=lambda arm: (not np.isfinite(means[arm]), means[arm]))
        served = COMPOSITE if len(self.arms) >= _SEVERAL else best
        baselines = {base: self.contrast(served, base, task) for base in self.baselines}
        labels = self.panel.labels.present
        n = labels.sum() if task == ALL else labels[:, self.panel.task_names.index(task)].sum()
        return Verdict(
            task, int(n), best, ARMS[best].alone, self.partners(best, task), means, served,
            float(known_mean(self.losses(served, task))), baselines,
        )  # fmt: skip

    @property
    def baselines(self) -> list[str]:
        """Those of single-task and multi-task that are compared."""
        return [name for name in (SINGLE, MULTI) if name in self.arms]

    def partners(self, arm: str, task: str) -> list[str]:
        """Lists the tasks that an arm trains with a task in more than half of its fits."""
        if task == ALL:
            return []
        fits = [fit.outcome for fit in self.fits if fit.job.arm == arm and fit.outcome is not None]
        together: Counter[str] = Counter()
        for outcome in fits:
            for group in outcome.groups:
                if task in group:
                    together.update(name for name in group if name != task)
        return [name for name in self.panel.task_names if together[name] > len(fits) / 2]

    @property
    def verdict(self) -> pd.DataFrame:
        """The verdicts as a table, one row per task and one for all."""
        return pd.DataFrame([entry.row() for entry in self.verdicts])

    frame = verdict  # as all results name their table
