"""What a study found, as tables."""

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
from admet.evaluation.predicted import signs
from admet.study.budget import Round, rounds_of
from admet.study.composite import Mixture, choose_weights
from admet.study.curve import curve_of
from admet.study.jobs import Fit, Job
from admet.study.judge import partners, verdict_of
from admet.study.mixing import errors_of_mean, evidence_of, mixed_out_of_fold
from admet.study.sides import known_before, test_share, tested
from admet.study.statistics import Contrast, contrast, known_mean
from admet.study.tukey import Tukey, all_pairs
from admet.study.verdict import ALL, COMPOSITE, SEVERAL, Verdict, html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ALL", "COMPOSITE", "Study"]

_METRIC = {"regression": "MAE", "binary": "AUROC"}


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
        curve_fits: The fits of the learning curve, on parts of the training sides.
    """

    config: StudyRun
    panel: Panel
    splits: list[list[Split]]
    fits: tuple[Fit, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    rounds: tuple[Round, ...] | None = None
    curve_fits: tuple[Fit, ...] = ()

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

        Each has shape (n, T), in the unit of the labels; NaN for molecules that no fold tests. The
        composite's come from weights that the other folds of the same repeat chose, by time the
        earlier ones.
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
            if len(self.arms) >= SEVERAL:
                found[COMPOSITE, repeat, seed] = mixed_out_of_fold(self, found, repeat, seed)
        return found

    @property
    def done_rounds(self) -> list[Round]:
        """The repeats and seeds that count."""
        return rounds_of(self.config.study) if self.rounds is None else list(self.rounds)

    @cached_property
    def scaled(self) -> Panel:
        """The panel with transforms decided, for mixing on the scale that is learnt."""
        return decided(self.panel, np.arange(len(self.panel)))

    @property
    def tested(self) -> np.ndarray:
        """Which molecules the folds test, shape (n,); by time the oldest are not."""
        return tested(self.splits[0], len(self.panel))

    def known_before(self, repeat: int) -> list[np.ndarray]:
        """Gives for each fold the molecules whose tests may choose something for it, masks (n,)."""
        forward = self.config.data.split_type == "time"
        return known_before(self.splits[repeat], len(self.panel), forward=forward)

    @property
    def test_share(self) -> float:
        """The share of the molecules that a fold tests, of those that it knows or tests."""
        if self.config.data.split_type == "time":
            return test_share(self.splits[0])
        return 1 / self.config.study.folds

    @cached_property
    def weights(self) -> dict[str, Mixture]:
        """Task → weights of the arms in the composite that is served, chosen by all folds."""
        names = self.panel.task_names
        if len(self.arms) < SEVERAL:
            return {name: Mixture(np.ones(1), 0) for name in names}
        rounds = [choose_weights(evidence_of(self, self.out_of_fold, *r)) for r in self.done_rounds]
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
        """One row per molecule, task, arm, repeat and seed, for tested cells with a label.

        The columns are SMILES, task, label, limit ("<" or ">" where the label is one, else empty),
        arm, repeat, seed and prediction.
        """
        rows, columns = np.nonzero(self.panel.labels.present & self.tested[:, None])
        names = np.array(self.panel.task_names, dtype=object)
        cells = {
            "SMILES": self.panel.smiles[rows],
            "task": names[columns],
            "label": self.panel.labels.values[rows, columns],
            "limit": signs(self.panel.labels.every_limit[rows, columns]),
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
        naive = np.array(list(self.naive.values()))
        return known_mean(table.to_numpy(dtype=float) / naive, axis=1)

    @cached_property
    def naive(self) -> dict[str, float]:
        """Task → loss of always predicting the mean of its tested labels; NaN for none.

        A limit that the mean keeps is no error, as everywhere.
        """
        found = {}
        labels = self.panel.labels.subset(np.flatnonzero(self.tested))
        for column, (name, kind) in enumerate(
            zip(self.panel.task_names, self.panel.kinds, strict=True)
        ):
            y = labels.values[:, column]
            limits = None if labels.limits is None else labels.limits[:, column]
            error = float(known_mean(errors_of_mean(y, limits)))
            found[name] = (error or np.nan) if kind.scaled else 0.5
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
            self.losses(arm, task), self.losses(other, task), self.test_share, study.equivalence
        )

    def all_pairs(self, task: str = ALL) -> Tukey:
        """Compares all arms and the composite at once, in one task or in all."""
        names = list(dict.fromkeys(arm for arm, _, _ in self.out_of_fold))
        losses = {arm: self.losses(arm, task) for arm in names}
        return all_pairs(losses, self.test_share)

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
        return tuple(verdict_of(self, task) for task in [*self.panel.task_names, ALL])

    @cached_property
    def curve(self) -> pd.DataFrame:
        """The learning curve; see `admet.study.curve.curve_of`."""
        return curve_of(self)

    @property
    def baselines(self) -> list[str]:
        """Those of single-task and multi-task that are compared."""
        return [name for name in (SINGLE, MULTI) if name in self.arms]

    def partners(self, arm: str, task: str) -> list[str]:
        """Lists the tasks that an arm trains with a task in more than half of its fits."""
        return partners(self, arm, task)

    @property
    def verdict(self) -> pd.DataFrame:
        """The verdicts as a table, one row per task and one for all."""
        return pd.DataFrame([entry.row() for entry in self.verdicts])

    frame = verdict  # as all results name their table
