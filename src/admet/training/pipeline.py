"""The main job: a table becomes a run directory."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save

from admet.config import TrainConfig, warn_of_idle_keys
from admet.data import Panel, load_panel, rejected_frame, split_panel
from admet.errors import ConfigError, DataError
from admet.featurize import PackedGraphs
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.chemprop import TargetScaler
from admet.model.chemprop.device import resolve_device, resolve_precision
from admet.model.chemprop.task_affinity import (
    TaskAffinityComputer,
)
from admet.model.chemprop.task_affinity.computer import group_tasks
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate
from admet.model.chemprop.task_affinity.stability import Grouping
from admet.run_directory import (
    Files,
    ModelSpec,
    RunDirectoryWriter,
    TaskSpec,
    TrainedModel,
    build_networks,
    network_plans,
    read_spec,
    write_json,
)
from admet.spreadsheet import harmless
from admet.training.checkpoint import fitting
from admet.training.fit import fit
from admet.training.groups import Groups, check_groups, groups_without_affinity, plan_networks
from admet.training.outputs import log_to, write_affinity, write_config, write_split, write_tests
from admet.training.provenance import PhaseClock, describe_run, peak_memory_mib
from admet.training.unfinished import Unfinished

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Prepared:
    """The panel with its split and graphs."""

    panel: Panel
    sides: np.ndarray
    graphs: PackedGraphs
    device: torch.device


@dataclass(frozen=True)
class _Plan:
    """The networks to train.

    Attributes:
        arm: Where the groups come from.
        networks: For each network its groups.
        serves: For tasks in several groups the one that serves them, counted through all networks.
    """

    arm: str
    networks: list[Groups]
    serves: dict[str, int]

    @classmethod
    def of(cls, arm: str, grouping: Grouping, *, share_encoder: bool) -> "_Plan":
        """Plans one network for all groups, or one each."""
        networks = plan_networks(grouping.groups, share_encoder=share_encoder)
        return cls(arm, networks, grouping.serves)

    def cut(self, n_networks: int) -> "_Plan":
        """Gives the plan of the first networks, which then serve what they hold."""
        networks = self.networks[:n_networks]
        groups = [group for network in networks for group in network]
        first = {name: i for i, group in reversed(list(enumerate(groups))) for name in group}
        serves = {
            name: index if index < len(groups) else first[name]
            for name, index in self.serves.items()
            if name in first
        }
        return _Plan(self.arm, networks, serves)


def train(config: TrainConfig, *, overwrite: bool = False, resume: bool = False) -> Path:
    """Measures the affinity, groups the tasks, trains, tests, and writes the run directory.

    Args:
        config: The configuration.
        overwrite: Whether a run directory, or an unfinished run, that is there may be replaced.
        resume: Whether to go on with an unfinished run of the same configuration, to the same
            weights as if it had never stopped. A finished one is left as it is; where there is
            none, it begins.

    Returns:
        The run directory.

    Raises:
        AdmetError: If the configuration, the table or the machine does not allow it. Nothing is
            left behind then, unless an epoch was finished: `resume` goes on from there.
        KeyboardInterrupt: If the user stops it before the training proper has begun. Later, an
            interrupt leaves a usable run directory with what was trained so far.
    """
    clock = PhaseClock()
    writer = RunDirectoryWriter(config.save_dir, overwrite=overwrite, resume=resume)
    if resume and writer.is_finished:
        read_spec(config.save_dir)  # whole
        writer.tidy()
        log.info("Nothing to resume: %s is finished", config.save_dir)
        return config.save_dir
    device = resolve_device(config.training.device, "training.device")
    _check_before_reading(config)
    with writer, log_to(writer.path / Files.LOG):
        _hint_at_idle_keys(config)
        with clock.phase("read"):
            panel = load_panel(config.data_path, config.data)
            provenance = describe_run(config.data_path)
        unfinished = Unfinished.open(writer.checkpoints, config, provenance)
        harmless(rejected_frame(panel)).to_csv(writer.path / Files.REJECTED, index=False)
        seed = config.seed if config.data.split_seed is None else config.data.split_seed
        with clock.phase("split"):
            sides = split_panel(panel, config.data, seed)
        _check_training_labels(panel, sides)
        write_split(writer.path, panel, sides)
        with clock.phase("featurize"):
            folder = cache_folder(config.data.cache_dir) if config.data.cache else None
            graphs = cached_graphs(panel.smiles, folder)
            prepared = _Prepared(panel, sides, graphs, device)
        if unfinished.groups is None:
            with clock.phase("affinity"):
                arm, grouping, estimate = _choose_groups(config, prepared)
            if estimate is not None:
                with clock.phase("pictures"):
                    write_affinity(writer.path, estimate, panel.task_names, grouping)
            unfinished.keep_groups(arm, grouping)
        else:
            arm, grouping = unfinished.groups_of(panel.task_names)
        plan = _Plan.of(arm, grouping, share_encoder=config.model.shares_encoder)
        model, history, interrupted = _train_networks(config, prepared, plan, unfinished, clock)
        with clock.phase("test"):
            write_tests(writer.path, model, panel, sides, graphs)
        (writer.path / Files.WEIGHTS).write_bytes(save(model.weights()))
        write_json(writer.path / Files.MODEL, model.spec.model_dump(mode="json"))
        harmless(pd.DataFrame(history)).to_csv(writer.path / Files.HISTORY, index=False)
        write_config(writer.path / Files.CONFIG, config)
        run = provenance | {
            "seed": config.seed,
            "precision": _precision(config, device),
            "interrupted": interrupted,
            "resumed": unfinished.n_resumed,
            "rejected_rows": len(panel.rejected),
            "seconds": clock.seconds,
            "peak_memory_mib": peak_memory_mib(),
        }
        write_json(writer.path / Files.RUN, run)
        if panel.rejected:
            log.info("Rows left out stand in %s", config.save_dir / Files.REJECTED)
        log.info("Seconds: %s", ", ".join(f"{k} {v:.1f}" for k, v in clock.seconds.items()))
    log.info("Run directory: %s", config.save_dir)
    return config.save_dir


def _check_before_reading(config: TrainConfig) -> None:
    """Checks what needs no table, and takes the threads."""
    if config.data_path.resolve().is_relative_to(config.save_dir.resolve()):
        raise ConfigError(
            f"`data_path` {str(config.data_path)!r} lies in `save_dir`, which is replaced as a "
            "whole. Move the table, or name another folder."
        )
    if config.task_affinity.enabled:
        resolve_device(config.task_affinity.device, "task_affinity.device")
    if config.data.target_columns:
        check_groups(config, config.data.target_columns)
    if config.training.threads is not None:
        torch.set_num_threads(config.training.threads)


def _check_training_labels(panel: Panel, sides: np.ndarray) -> None:
    """Refuses a split that leaves a task nothing to learn from."""
    learnable = (~np.isnan(panel.labels[sides == 0])).any(axis=0)
    bare = [task.name for task, has in zip(panel.tasks, learnable, strict=True) if not has]
    if bare:
        raise DataError(
            f"No label on the training side of the split for: {', '.join(bare)}. Choose another "
            "data.split_type, or remove these targets."
        )


def _hint_at_idle_keys(config: TrainConfig) -> None:
    """Names keys that were changed but have no effect; the affinity, once measured, its own."""
    idle = config.idle_keys()
    if config.task_affinity.enabled:
        idle = {key: why for key, why in idle.items() if not key.startswith("task_affinity.")}
    warn_of_idle_keys(idle)


def _choose_groups(
    config: TrainConfig, prepared: _Prepared
) -> tuple[str, Grouping, AffinityEstimate | None]:
    """Measures the affinity on the training side and groups by it, or takes the groups given."""
    panel = prepared.panel
    if not config.task_affinity.enabled:
        arm, groups = groups_without_affinity(config, panel.task_names)
        log.info("Groups (%s): %s", arm, "; ".join(", ".join(group) for group in groups))
        return arm, Grouping(groups), None
    rows = np.flatnonzero(prepared.sides == 0)
    estimate = TaskAffinityComputer(config.task_affinity, config.model).compute(
        panel.subset(rows), prepared.graphs.subset(rows)
    )
    grouping = group_tasks(estimate, panel.task_names, config.task_affinity)
    return "task_affinity", grouping, estimate


def _train_networks(
    config: TrainConfig,
    prepared: _Prepared,
    plan: _Plan,
    unfinished: Unfinished,
    clock: PhaseClock,
) -> tuple[TrainedModel, list[dict[str, Any]], bool]:
    """Trains every network; after an interrupt those that never finished an epoch are left out."""
    panel, sides = prepared.panel, prepared.sides
    kinds = [task.kind for task in panel.tasks]
    scaler = TargetScaler.fit(panel.labels[sides == 0], kinds)
    targets = scaler.scale_labels(panel.labels)
    spec = _spec(config, prepared, plan, scaler)
    torch.manual_seed(config.seed)
    networks = build_networks(spec)
    log.info(
        "Training %d network(s), %d parameters, on %s, %s",
        len(networks),
        sum(p.numel() for network in networks for p in network.parameters()),
        prepared.device,
        _precision(config, prepared.device),
    )
    if config.training.warmup_epochs >= config.training.epochs:
        log.warning(
            "training.warmup_epochs (%g) is not below training.epochs (%d): the rate never falls",
            config.training.warmup_epochs,
            config.training.epochs,
        )
    state = unfinished.state
    trained, interrupted = 0, False
    with clock.phase("training"):
        for index, (network, own) in enumerate(zip(networks, network_plans(spec), strict=True)):
            if index < len(state.finished):
                with fitting(unfinished.checkpoint):
                    network.load_state_dict(state.finished[index])
                trained += 1
                continue
            columns = [panel.task_names.index(task) for task in own.names]
            name = ", ".join(own.names) if len(networks) > 1 else "network"
            fitted = fit(
                network,
                prepared.graphs,
                targets[:, columns],
                sides,
                [kinds[c] for c in columns],
                config.training,
                name=name,
                seed=config.seed,
                device=prepared.device,
                served=[own.names.index(task) for task in own.names if task in own.served],
                names=own.names,
                checkpoint=unfinished.checkpoint,
                state=state,
            )
            state.next_network(network.state_dict())
            log.info("%s: best epoch %d", name, fitted.best_epoch)
            trained += 1
            if fitted.interrupted:
                interrupted = True
                break
    if trained < len(networks):
        spec = _spec(config, prepared, plan.cut(trained), scaler)
        log.warning("Interrupted: the model holds only %s", ", ".join(spec.task_names))
    history = [{k: v for k, v in row.items() if k != "network_index"} for row in state.history]
    return TrainedModel(spec, networks[:trained], prepared.device), history, interrupted


def _precision(config: TrainConfig, device: torch.device) -> str:
    """Names the precision of the training, `auto` resolved."""
    width = config.model.message_passing.hidden_size
    return resolve_precision(config.training.precision, device, width)


def _spec(config: TrainConfig, prepared: _Prepared, plan: _Plan, scaler: TargetScaler) -> ModelSpec:
    kept = {name for groups in plan.networks for group in groups for name in group}
    tasks = [
        {"name": task.name, "kind": task.kind, "mean": float(mean), "scale": float(scale)}
        for task, mean, scale in zip(prepared.panel.tasks, scaler.mean, scaler.scale, strict=True)
        if task.name in kept
    ]
    return ModelSpec(
        arm=plan.arm,
        smiles_column=config.data.smiles_column,
        standardize=config.data.standardize,
        tasks=tuple(TaskSpec(**task) for task in tasks),
        networks=tuple(tuple(tuple(group) for group in groups) for groups in plan.networks),
        served_by=plan.serves,
        model=config.model,
        d_v=prepared.graphs.d_v,
        d_e=prepared.graphs.d_e,
    )
