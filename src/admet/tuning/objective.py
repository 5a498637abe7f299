"""What a trial is judged by: the loss of a training on each fold."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from admet.config.tune import TuneRun
from admet.data import Panel, Split, folds, split_panel
from admet.errors import DataError
from admet.evaluation import score_tasks
from admet.featurize import PackedGraphs
from admet.featurize.cache import cache_of, cached_graphs
from admet.model.chemprop.plan import Plan
from admet.model.chemprop.start import Start
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.groups import group_tasks
from admet.study.jobs import quiet
from admet.study.statistics import known_mean
from admet.training import fit_model, plan_of
from admet.training.extra_inputs import compute_extra_inputs, molecules_of

_AUROC_OF_CHANCE = 0.5


@dataclass(frozen=True, eq=False)
class Objective:
    """The molecules that a search may see, and their folds.

    Attributes:
        panel: n molecules of the training and the validation side, and their labels.
        graphs: Their graphs.
        inputs: Their extra inputs, shape (n, d); None where networks read none.
        splits: The folds; one that tests the validation side, where the split makes one division.
        start: What encoders start from; None for fresh weights.
        n_held_out: Molecules on the test side, which nothing here sees.
    """

    panel: Panel
    graphs: PackedGraphs
    inputs: np.ndarray | None
    splits: list[Split]
    start: Start | None
    n_held_out: int

    @classmethod
    def of(cls, config: TuneRun, whole: Panel, start: Start | None) -> Self:
        """Divides a panel as `admet train` does, and what is not on the test side into folds.

        A split by time, or by a column, makes one division. There the validation side is tested by
        what was trained on the training side, a tenth of which, the last by time, chooses the
        epoch.

        Args:
            config: The search.
            whole: The panel.
            start: What encoders start from.

        Raises:
            DataError: If there are too few molecules or labels.
        """
        data = config.data
        with quiet():
            sides = split_panel(whole, data, config.seed)
        rows = sides.known
        panel = whole.subset(rows)
        seed = config.seed if data.split_seed is None else data.split_seed
        if config.makes_folds:
            splits = folds(panel, data.split_type, n_folds=config.tune.folds, seed=seed)
        else:
            splits = [_one_division(config, whole, sides, rows)]
        cache = cache_of(data)
        graphs = cached_graphs(whole.smiles, cache).subset(rows)
        inputs = compute_extra_inputs(config.model.extra_inputs, panel.smiles, cache)
        return cls(panel, graphs, inputs, splits, start, len(sides.test))

    def loss(self, config: TuneRun, fold: int) -> float:
        """Trains on a fold as `admet train` does, and tests on what was left out.

        Args:
            config: The configuration with the values of a trial.
            fold: Which fold, from 0.

        Returns:
            Mean over tasks of MAE or 1 − AUROC, each divided by that of always predicting the mean.

        Raises:
            AdmetError: If the training fails.
            KeyboardInterrupt: If the user stops it.
        """
        split = self.splits[fold]
        with quiet():
            plan = self._plan(config, split)
            model = fit_model(
                self.panel,
                split,
                self.graphs,
                config,
                plan,
                inputs=self.inputs,
                start=self.start,
            )
        if model.interrupted:
            raise KeyboardInterrupt
        molecules = molecules_of(
            self.panel.smiles, self.graphs, model.extra_inputs, self.inputs, split.test
        )
        return self._score(split, model.predictor.predict_molecules(molecules).mean)

    def _plan(self, config: TuneRun, split: Split) -> Plan:
        """Plans as told, or by the affinity of the training side."""
        names, train = self.panel.task_names, split.train
        if not config.task_affinity.enabled:
            return plan_of(config, names)
        computer = TaskAffinityComputer(
            config.task_affinity, config.model, cache=cache_of(config.data)
        )
        estimate = computer.compute(self.panel.subset(train), self.graphs.subset(train))
        groups = group_tasks(estimate, names, config.task_affinity).groups
        return plan_of(config, names, groups)

    def _score(self, split: Split, predicted: np.ndarray) -> float:
        panel = self.panel
        labels = panel.labels.subset(split.test)
        kinds = [kind.name for kind in panel.kinds]
        scores = score_tasks(
            labels.values,
            predicted,
            panel.task_names,
            kinds,
            limits=labels.limits,
            n_bootstrap=0,
        )
        found = []
        for name, kind, y in zip(panel.task_names, panel.kinds, panel.labels.values.T, strict=True):
            value = scores.tasks[name].values["MAE" if kind.scaled else "AUROC"].value
            if value is None:
                found.append(np.nan)
            elif kind.scaled:
                found.append(value / np.nanmean(np.abs(y - np.nanmean(y))))
            else:
                found.append((1 - value) / _AUROC_OF_CHANCE)
        loss = float(known_mean(np.array(found)))
        if not np.isfinite(loss):
            raise DataError(
                "No task has enough labels in a fold to be judged by. Lower tune.folds, or choose "
                "another data.split_type."
            )
        return loss


def _one_division(config: TuneRun, whole: Panel, sides: Split, rows: np.ndarray) -> Split:
    """Gives the split that tests the validation side.

    Args:
        config: The search.
        whole: The panel.
        sides: Its sides.
        rows: The rows that the search sees, to which the split refers.

    Raises:
        DataError: If there is no validation side.
    """
    data = config.data
    if not len(sides.val):
        raise DataError(
            f"`data.split_type` {data.split_type} leaves no molecule on the validation side, by "
            "which a search would judge. Give it a share, or choose another type."
        )
    by_time = data.split_type == "time"
    ratios = {"split_ratios": (0.9, 0.1, 0.0), "split_from": None}
    cut = data.model_copy(update=ratios if by_time else ratios | {"split_type": "random"})
    with quiet():
        inner = split_panel(whole.subset(sides.train), cut, config.seed)
    parts = sides.train[inner.train], sides.train[inner.val], sides.val
    return Split(*(np.searchsorted(rows, part) for part in parts))
