"""From a panel to its affinity matrix, and on to groups."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from admet.config import NetworkConfig, TaskAffinityConfig, warn_of_idle_keys
from admet.config.data import is_pattern
from admet.config.task_affinity import WITHOUT_MOLECULES
from admet.data import Panel
from admet.errors import ConfigError
from admet.featurize import PackedGraphs, featurize
from admet.kinds import KINDS, REGRESSION
from admet.model.chemprop.device import resolve_device
from admet.model.chemprop.task_affinity.estimators import (
    ESTIMATORS,
    AffinityEstimate,
    AffinityEstimator,
)
from admet.model.chemprop.task_affinity.frames import columns_of, panel_from_frame
from admet.model.chemprop.task_affinity.groups import check_n_groups, group_tasks
from admet.model.chemprop.task_affinity.outputs import folder_files
from admet.model.chemprop.task_affinity.problems import (
    AffinityProblem,
    LoaderProblem,
    MoleculeProblem,
    Triple,
)
from admet.model.chemprop.task_affinity.report import log_doubt, log_matrix, warn_of_unknown

log = logging.getLogger(__name__)


_COMES_WHOLE = "the network comes as it is"
_UNREAD_BESIDE_A_LOADER = {
    "affinity_batch_size": "the batches are the loader's",
    "affinity_hidden_size": _COMES_WHOLE,
}


class TaskAffinityComputer:
    """Measures the affinity of the tasks of a panel, or of the tasks of any network.

    Attributes:
        affinity_matrix: The matrix of the last computation, shape (T, T); None before the first,
            and after one that failed.
        task_names: Its T names; None likewise.
    """

    affinity_matrix: np.ndarray | None
    task_names: list[str] | None

    def __init__(
        self,
        config: TaskAffinityConfig | None = None,
        model: NetworkConfig | None = None,
        estimator: AffinityEstimator | None = None,
        *,
        cache: Path | None = None,
    ) -> None:
        """Stores how to measure.

        Args:
            config: The `task_affinity` section; None takes the defaults.
            model: Shape of the network; None takes the defaults.
            estimator: What measures; None takes the one that `config.estimator` names.
            cache: Folder that keeps what the estimators `coregionalization` and `measured` compute
                of molecules; None keeps nothing.

        Raises:
            ConfigError: If `config` or `model` is no such section.
        """
        self.config = TaskAffinityConfig() if config is None else config
        self.model = NetworkConfig() if model is None else model
        for name, value, wanted in (
            ("config", self.config, TaskAffinityConfig),
            ("model", self.model, NetworkConfig),
        ):
            if not isinstance(value, wanted):
                raise ConfigError(
                    f"`{name}` must be a {wanted.__name__}; got {type(value).__name__}. Write "
                    f"{wanted.__name__}(…)."
                )
        self.estimator = ESTIMATORS[self.config.measured_by]() if estimator is None else estimator
        self._cache = cache
        self._by_name = estimator is None  # what another one reads of the section is not known
        self._forget()

    def _forget(self) -> None:
        self.affinity_matrix = self.task_names = None

    def compute_from_dataframe(
        self, df: pd.DataFrame, smiles_col: str, target_cols: Sequence[str]
    ) -> tuple[np.ndarray, list[str]]:
        """Measures the affinity of the target columns of a frame.

        Args:
            df: Molecules × endpoints; it is not changed.
            smiles_col: Name of the SMILES column.
            target_cols: Names of T target columns.

        Returns:
            The matrix, shape (T, T), float64, NaN for pairs of which nothing was seen (with
            gradients: that never had labels in one batch); and the T names.

        Raises:
            DataError: If a column is missing or its labels cannot be used.
            NoGradientStepsError: If no label or no valid SMILES is there at all.
        """
        self._forget()
        panel = panel_from_frame(df, smiles_col, target_cols)
        self._warn_of_unread()
        return self.compute(panel).matrix, panel.task_names

    def _warn_of_unread(self) -> None:
        """Names the keys of the network's shape that the estimator does not read."""
        if self._by_name:
            unread = self.config.unread_of_network(self.model)
            warn_of_idle_keys(_of_model(self.model.idle_keys(unread)))

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
            NoGradientStepsError: If there was no label to learn from.
        """
        self._forget()
        config = self.config
        device = resolve_device(config.device, "task_affinity.device")
        if self._by_name:
            warn_of_idle_keys(config.idle_keys())
        started = time.perf_counter()
        graphs = featurize(panel.smiles) if graphs is None else graphs
        if config.takes_steps and config.affinity_batch_size > len(panel):
            log.warning(
                "affinity_batch_size %d exceeds the %d molecules: each epoch is one step",
                config.affinity_batch_size,
                len(panel),
            )
        problem = MoleculeProblem.of(panel, graphs, self.model, device, self._cache)
        return self._estimate(problem, panel.task_names, started, config, self.estimator)

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

        `affinity_batch_size`, `affinity_hidden_size` and the shape of a network are not read here:
        the batches are the loader's, and the network is as it comes.

        Args:
            network: A function or class that makes a network with fresh weights, called once per
                run; or a network, which is not changed and from copies of which every run starts.
                `network(inputs)` gives outputs of shape (b, T), its encoder embeddings of shape
                (b, d_h).
            loader: Gives batches of b examples, (inputs, targets, mask), anew at every pass. The
                inputs are as the network takes them; targets and mask have shape (b, T), and the
                mask is true where there is a label. Targets of regression tasks should be scaled to
                unit variance; those of binary tasks are 0 and 1.
            task_names: T names.
            kinds: T kinds, "regression" or "binary"; None means regression.
            encoder: Name of the submodule that is the encoder.

        Returns:
            The estimate, with a warning (`AffinityWarning`) for pairs that stay unknown.

        Raises:
            ConfigError: If there is no such submodule, if its embeddings have another shape, if
                `encoder_param_patterns` selects nothing, if the names and kinds do not fit, or if
                the estimator reads molecules (`coregionalization`, `measured`).
            DataError: If a batch is no such triple.
            DeviceError: If the device is not there.
            NoGradientStepsError: If there was no label to learn from.
        """
        self._forget()
        started = time.perf_counter()
        device = resolve_device(self.config.device, "task_affinity.device")
        whole = dict.fromkeys(type(self.model).model_fields, _COMES_WHOLE)
        config, estimator = self.config, self.estimator
        if self._by_name and config.estimator == "auto":  # there are no molecules
            config = config.model_copy(update={"estimator": WITHOUT_MOLECULES})
            estimator = ESTIMATORS[WITHOUT_MOLECULES]()
        idle = config.idle_keys(_UNREAD_BESIDE_A_LOADER)
        if self._by_name:
            warn_of_idle_keys(idle | _of_model(self.model.idle_keys(whole)))
        names = list(task_names)
        if not names or len(set(names)) < len(names):
            raise ConfigError(
                f"`task_names` must name each task once, and at least one; got {names}. Correct it."
            )
        named = [REGRESSION.name] * len(names) if kinds is None else list(kinds)
        if len(named) != len(names) or set(named) - set(KINDS):
            raise ConfigError(
                f"`kinds` must hold {' or '.join(map(repr, KINDS))} for each of the {len(names)} "
                f"names in `task_names`; got {named}."
            )
        known = tuple(KINDS[name] for name in named)
        problem = LoaderProblem(network, loader, known, device, encoder)
        return self._estimate(problem, names, started, config, estimator)

    def _estimate(
        self,
        problem: AffinityProblem,
        names: list[str],
        started: float,
        config: TaskAffinityConfig,
        estimator: AffinityEstimator,
    ) -> AffinityEstimate:
        """Measures a problem and logs what came out."""
        device = problem.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(config.seed)
            estimate = replace(estimator.estimate(problem, config), names=tuple(names))
        warn_of_unknown(estimate, names)
        if config.log_affinity_matrix:
            log_matrix(estimate.matrix, names)
            if estimate.doubt is not None:
                log_doubt(estimate, names)
        seconds = time.perf_counter() - started
        log.info("Affinity phase: %.1f s", seconds)
        self.affinity_matrix, self.task_names = estimate.matrix, names
        return estimate


def compute_task_affinity(
    df_train: pd.DataFrame,
    smiles_col: str,
    target_cols: Sequence[str],
    config: TaskAffinityConfig | None = None,
    model: NetworkConfig | None = None,
    *,
    save_path: str | Path | None = None,
) -> tuple[np.ndarray, list[str], list[list[str]]]:
    """Measures the affinity of the target columns of a frame and groups them.

    Args:
        df_train: Molecules × endpoints; it is not changed.
        smiles_col: Name of the SMILES column.
        target_cols: Names of T target columns.
        config: The `task_affinity` section; None takes the defaults.
        model: Shape of the network; None takes the defaults.
        save_path: A folder, made where it is missing, for `affinity.npz` with its tables, and the
            pictures `affinity.png` and `affinity_clustered.png`; None keeps nothing.

    Returns:
        The matrix, shape (T, T); the T names; the groups, each a list of names. With
        `network_selection` groups may overlap; `TaskGrouper.serves` tells which one serves a task.

    Raises:
        ConfigError: If `n_groups` exceeds the number of targets, or `save_path` is no folder for
            these files or holds some that no earlier measurement wrote.
        DataError: If a column is missing or its labels cannot be used.
        NoGradientStepsError: If no label or no valid SMILES is there at all.
    """
    computer = TaskAffinityComputer(config, model)
    config = computer.config
    if not any(is_pattern(str(name)) for name in columns_of(target_cols)):
        check_n_groups(config.n_groups, len(target_cols))
    files = None if save_path is None else folder_files(save_path)
    panel = panel_from_frame(df_train, smiles_col, target_cols)
    computer._warn_of_unread()
    estimate = computer.compute(panel)
    grouping = group_tasks(estimate, panel.task_names, config)
    if files is not None:
        files.write(estimate, grouping)
        files.write_records(panel)
    return estimate.matrix, panel.task_names, [list(group.tasks) for group in grouping.groups]


def _of_model(idle: dict[str, str]) -> dict[str, str]:
    """Writes `model.` before the keys of a network's shape."""
    return {f"model.{key}": why for key, why in idle.items()}
