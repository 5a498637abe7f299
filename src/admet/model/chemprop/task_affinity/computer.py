"""From a panel to its affinity matrix, and on to groups."""

import logging
import time
import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from admet.config import DataConfig, NetworkConfig, TaskAffinityConfig, warn_of_idle_keys
from admet.data import Panel, build_panel, table_from_frame
from admet.data.chemistry import read_molecules
from admet.data.label_columns import read_labels
from admet.data.scales import decided
from admet.data.table import require_columns
from admet.errors import AffinityWarning, ConfigError, NoGradientStepsError
from admet.featurize import PackedGraphs, featurize
from admet.kinds import KINDS, REGRESSION
from admet.model.chemprop.device import resolve_device
from admet.model.chemprop.plan import overlapping
from admet.model.chemprop.scaling import TargetScaler
from admet.model.chemprop.task_affinity.aligned import AlignedAffinity
from admet.model.chemprop.task_affinity.any_network import LoaderProblem
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate, AffinityEstimator
from admet.model.chemprop.task_affinity.gradient import GradientAffinity
from admet.model.chemprop.task_affinity.grouping import TaskGrouper, check_n_groups, n_draws
from admet.model.chemprop.task_affinity.lookahead import LookaheadAffinity
from admet.model.chemprop.task_affinity.matrix import log_doubt, log_matrix
from admet.model.chemprop.task_affinity.molecules import MoleculeProblem
from admet.model.chemprop.task_affinity.problem import AffinityProblem, Triple
from admet.model.chemprop.task_affinity.stability import STABLE, Grouping
from admet.model.chemprop.task_affinity.sums import NO_STEPS

log = logging.getLogger(__name__)

ESTIMATORS: dict[str, Callable[[], AffinityEstimator]] = {
    "aligned": AlignedAffinity,
    "gradient": GradientAffinity,
    "lookahead": LookaheadAffinity,
}


_COMES_WHOLE = "the network comes as it is"
_UNREAD_BESIDE_A_LOADER = {
    "affinity_batch_size": "the batches are the loader's",
    "affinity_hidden_size": _COMES_WHOLE,
}


class TaskAffinityComputer:
    """Measures the affinity of the tasks of a panel with a freshly initialised network."""

    def __init__(
        self,
        config: TaskAffinityConfig | None = None,
        model: NetworkConfig | None = None,
        estimator: AffinityEstimator | None = None,
    ) -> None:
        """Stores how to measure.

        Args:
            config: The `task_affinity` section; None takes the defaults.
            model: Shape of the network; None takes the defaults.
            estimator: What measures; None takes the one that `config.estimator` names.
        """
        self.config = config or TaskAffinityConfig()
        self.model = model or NetworkConfig()
        self.estimator = estimator or ESTIMATORS[self.config.estimator]()

    def compute_from_dataframe(
        self, df: pd.DataFrame, smiles_column: str, target_columns: Sequence[str]
    ) -> tuple[np.ndarray, list[str]]:
        """Measures the affinity of the target columns of a frame.

        Args:
            df: Molecules × endpoints; it is not changed.
            smiles_column: Name of the SMILES column.
            target_columns: Names of T target columns.

        Returns:
            The matrix, shape (T, T), float64, NaN for pairs that never had labels in one batch; and
            the T names.

        Raises:
            DataError: If a column is missing or its labels cannot be used.
            NoGradientStepsError: If no label or no valid SMILES is there at all.
        """
        data = DataConfig(smiles_column=smiles_column, target_columns=tuple(target_columns))
        panel, estimate = self.compute_frame(df, data)
        return estimate.matrix, panel.task_names

    def compute_frame(self, df: pd.DataFrame, data: DataConfig) -> tuple[Panel, AffinityEstimate]:
        """Makes a panel of a frame and measures the affinity of its tasks.

        Args:
            df: Molecules × endpoints; it is not changed.
            data: Names of its columns.

        Returns:
            The panel and the estimate.

        Raises:
            DataError: If a column is missing or its labels cannot be used.
            NoGradientStepsError: If no label or no valid SMILES is there at all.
        """
        panel = _panel_from_frame(df, data)
        unread = self.config.unread_of_network(self.model)
        warn_of_idle_keys(_of_model(self.model.idle_keys(unread)))
        return panel, self.compute(panel)

    def compute(self, panel: Panel, graphs: PackedGraphs | None = None) -> AffinityEstimate:
        """Measures the affinity of the tasks of a panel.

        Args:
            panel: The panel; all its molecules are used.
            graphs: Its graphs, where they are there already.

        Returns:
            The estimate, with a warning (`AffinityWarning`) for pairs that stay unknown.

        Raises:
            ConfigError: If `encoder_param_patterns` selects nothing.
            DeviceError: If the device is not there.
            NoGradientStepsError: If no batch held a label.
        """
        config = self.config
        device = resolve_device(config.device, "task_affinity.device")
        warn_of_idle_keys(config.idle_keys())
        started = time.perf_counter()
        graphs = featurize(panel.smiles) if graphs is None else graphs
        panel = decided(panel, np.arange(len(panel)))
        labels = panel.labels
        scaler = TargetScaler.fit(labels.values, panel.kinds, panel.transforms)
        targets = scaler.scale_labels(labels.values)
        if config.affinity_batch_size > len(panel):
            log.warning(
                "affinity_batch_size %d exceeds the %d molecules: each epoch is one step",
                config.affinity_batch_size,
                len(panel),
            )
        problem = MoleculeProblem(
            graphs, targets, panel.kinds, self.model, device, limits=labels.limits
        )
        return self._estimate(problem, panel.task_names, started)

    def compute_from_loader(
        self,
        network: nn.Module | Callable[[], nn.Module],
        loader: Iterable[Triple],
        task_names: Sequence[str],
        *,
        kinds: Sequence[str] | None = None,
        encoder: str = "encoder",
    ) -> AffinityEstimate:
        """Measures the affinity of the tasks of any network with an encoder and a head.

        `affinity_batch_size`, `affinity_hidden_size` and the shape of a network say nothing here:
        the batches are the loader's, and the network is as it comes.

        Args:
            network: What makes a network with fresh weights, called once a run; or a network, from
                copies of which every run starts and which is not changed. `network(inputs)` gives
                outputs of shape (b, T), its encoder embeddings of shape (b, d_h).
            loader: Gives (inputs, targets, mask) of b examples each time, anew at every pass: the
                inputs as the network takes them, targets and mask of shape (b, T), the mask true
                where there is a label. Targets of regression tasks should be scaled to unit
                variance; those of binary tasks are 0 and 1.
            task_names: T names.
            kinds: T kinds, "regression" or "binary"; None means regression.
            encoder: Name of the submodule that is the encoder.

        Returns:
            The estimate, with a warning (`AffinityWarning`) for pairs that stay unknown.

        Raises:
            ConfigError: If there is no such submodule, its embeddings have another shape,
                `encoder_param_patterns` selects nothing, or the names and kinds do not fit.
            DataError: If a batch is no such triple.
            DeviceError: If the device is not there.
            NoGradientStepsError: If no batch held a label.
        """
        started = time.perf_counter()
        device = resolve_device(self.config.device, "task_affinity.device")
        whole = dict.fromkeys(type(self.model).model_fields, _COMES_WHOLE)
        idle = self.config.idle_keys(_UNREAD_BESIDE_A_LOADER)
        warn_of_idle_keys(idle | _of_model(self.model.idle_keys(whole)))
        names = list(task_names)
        named = [REGRESSION.name] * len(names) if kinds is None else list(kinds)
        if len(named) != len(names) or set(named) - set(KINDS):
            raise ConfigError(
                f"`kinds` must hold {' or '.join(map(repr, KINDS))} for each of the {len(names)} "
                f"names in `task_names`; got {named}."
            )
        known = tuple(KINDS[name] for name in named)
        problem = LoaderProblem(network, loader, known, device, encoder)
        return self._estimate(problem, names, started)

    def _estimate(
        self, problem: AffinityProblem, names: list[str], started: float
    ) -> AffinityEstimate:
        """Measures a problem and logs what came out."""
        config, device = self.config, problem.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(config.seed)
            estimate = self.estimator.estimate(problem, config)
        _warn_of_unknown(estimate, names, config.estimator)
        if config.log_affinity_matrix:
            log_matrix(estimate.matrix, names)
            if estimate.doubt is not None:
                log_doubt(estimate, names)
        seconds = time.perf_counter() - started
        log.info("Affinity phase: %d steps in %.1f s", estimate.n_steps, seconds)
        return estimate


def compute_task_affinity(
    df_train: pd.DataFrame,
    smiles_col: str,
    target_cols: Sequence[str],
    config: TaskAffinityConfig | None = None,
    model: NetworkConfig | None = None,
) -> tuple[np.ndarray, list[str], list[list[str]]]:
    """Measures the affinity of the target columns of a frame and groups them.

    Args:
        df_train: Molecules × endpoints; it is not changed.
        smiles_col: Name of the SMILES column.
        target_cols: Names of T target columns.
        config: The `task_affinity` section; None takes the defaults.
        model: Shape of the network; None takes the defaults.

    Returns:
        The matrix, shape (T, T); the T names; the groups, each a list of names. With
        `network_selection` groups may overlap; `TaskGrouper.serves` tells which one serves a task.

    Raises:
        ConfigError: If `n_groups` exceeds the number of targets.
        DataError: If a column is missing or its labels cannot be used.
        NoGradientStepsError: If no label or no valid SMILES is there at all.
    """
    config = TaskAffinityConfig() if config is None else config
    if not isinstance(config, TaskAffinityConfig):
        raise ConfigError(
            f"`config` must be a TaskAffinityConfig; got {type(config).__name__}. Write "
            "TaskAffinityConfig(n_groups=…)."
        )
    if target_cols is None or isinstance(target_cols, str):
        raise ConfigError(f"`target_cols` must be a list of column names; got {target_cols!r}.")
    check_n_groups(config.n_groups, len(target_cols))
    data = DataConfig(smiles_column=smiles_col, target_columns=tuple(target_cols))
    panel, estimate = TaskAffinityComputer(config, model).compute_frame(df_train, data)
    names = panel.task_names
    return (
        estimate.matrix,
        names,
        [list(g.tasks) for g in group_tasks(estimate, names, config).groups],
    )


def group_tasks(
    estimate: AffinityEstimate, names: Sequence[str], config: TaskAffinityConfig
) -> Grouping:
    """Groups tasks as the `task_affinity` section says, and logs the groups.

    Args:
        estimate: The affinity of T tasks.
        names: T names.
        config: The section.

    Returns:
        The groups, which of them serves a task that is in several, and how often tasks came
        together over draws of the affinity, where the estimate knows its doubt.
    """
    grouper = TaskGrouper(
        config.n_groups, config.clustering_method, config.seed, config.singleton_score
    )
    doubt, n = estimate.doubt, n_draws(len(names), config.clustering_method)
    draws: Iterable[np.ndarray] = ()
    if doubt is not None and doubt.n_runs > 1:
        draws = doubt.draws(estimate.matrix, n, config.seed)
    elif doubt is not None:
        log.info("How stable the groups are cannot be known from one run; raise affinity_runs")
    groups = grouper.cluster(estimate.matrix, names, draws, estimate.n_common.diagonal())
    log.info("Task groups formed:")
    for index, group in enumerate(groups):
        log.info("  Group %d: %s", index, ", ".join(group))
    held = [name for group in groups for name in group]
    serves = {name: index for name, index in grouper.serves.items() if held.count(name) > 1}
    for name, index in serves.items():
        log.info("  %s is served by group %d", name, index)
    grouping = Grouping(overlapping(groups, serves), grouper.co_assignment, grouper.agreement)
    if grouping.co_assignment is None:
        return grouping
    sure = "stable" if grouping.agreement >= STABLE else "not stable"
    log.info(
        "The grouping is %s: two measurements would agree at an adjusted Rand index of %.2f",
        sure,
        grouping.agreement,
    )
    for index, share in enumerate(grouping.stability(names)):
        sure = "stable" if share >= STABLE else "not stable"
        log.info("  Group %d is %s: %.2f", index, sure, share)
    return grouping


def _of_model(idle: dict[str, str]) -> dict[str, str]:
    """Writes `model.` before the keys of a network's shape."""
    return {f"model.{key}": why for key, why in idle.items()}


def _panel_from_frame(df: pd.DataFrame, data: DataConfig) -> Panel:
    """Checks a frame; where nothing at all can be learnt from, says so in the affinity's words."""
    table = table_from_frame(df)
    require_columns(table, [data.smiles_column], "SMILES")
    names = list(data.target_columns)
    reading = read_labels(table, names, [data.rules_of(name) for name in names])
    if not reading.labels.present.any():
        raise NoGradientStepsError(NO_STEPS)
    molecules = read_molecules(table.frame[data.smiles_column].tolist(), standardize=False)
    if all(molecule.smiles is None for molecule in molecules):
        raise NoGradientStepsError(NO_STEPS)
    return build_panel(table, data)


def _warn_of_unknown(estimate: AffinityEstimate, names: Sequence[str], estimator: str) -> None:
    why = (
        "A task has fewer than two labels there, or only equal ones. Add labels, or leave it out."
        if estimator == "aligned"
        else "They never had labels in one batch. Raise affinity_batch_size or affinity_epochs."
    )
    unseen = (estimate.pair_steps == 0) | (estimate.pair_steps == 0).T
    unknown = np.argwhere(np.triu(unseen, k=1))
    if not len(unknown):
        return
    shown = "; ".join(f"{names[i]} – {names[j]}" for i, j in unknown[:5])
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    warnings.warn(
        f"The affinity of {len(unknown)} pair(s) of tasks is unknown (NaN): {shown}{more}. {why}",
        AffinityWarning,
        stacklevel=3,
    )
