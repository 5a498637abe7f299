"""The main job: a table becomes a run directory."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from admet.config import TrainConfig, warn_of_idle_keys
from admet.config.targets import check_tasks
from admet.data import Panel, Split, check_learnable, load_panel, split_panel
from admet.data.scales import decided
from admet.errors import ConfigError
from admet.featurize import PackedGraphs
from admet.featurize.cache import cache_of, cached_graphs
from admet.model.chemprop.device import resolve_device
from admet.model.chemprop.plan import Plan
from admet.model.chemprop.start import Start
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.groups import group_tasks
from admet.model.chemprop.task_affinity.outputs import AffinityFiles
from admet.model.trained_model import TrainedModel
from admet.run_directory import (
    Files,
    RunDirectoryWriter,
    load_model,
    write_doubt,
    write_json,
    write_model,
)
from admet.table_files import write_table
from admet.training.arms import plan_of
from admet.training.doubt import doubt_of
from admet.training.ensemble import fit_ensemble
from admet.training.extra_inputs import (
    check_extra_inputs,
    compute_extra_inputs,
    packages_of,
)
from admet.training.fit_model import precision_of
from admet.training.outputs import log_to, write_config, write_records, write_split, write_tests
from admet.training.provenance import PhaseClock, describe_run, peak_memory_mib
from admet.training.start import following, origin_of, read_start
from admet.training.torch_state import own_torch_state
from admet.training.tracking import Tracker, Tracking, end_metrics, followed
from admet.training.unfinished import Unfinished

log = logging.getLogger(__name__)


def train(config: TrainConfig, *, overwrite: bool = False, resume: bool = False) -> TrainedModel:
    """Measures the affinity, groups the tasks, trains, tests, and writes the run directory.

    Threads and random states of the caller's torch are restored afterwards.

    Args:
        config: The configuration.
        overwrite: Whether a run directory, or an unfinished run, that is there may be replaced.
        resume: Whether to go on with an unfinished run of the same configuration, to the same
            weights as if it had never stopped. A finished run is left as it is; if there is none,
            a new one begins.

    Returns:
        The model; its `run_dir` is the folder that holds it.

    Raises:
        AdmetError: If the configuration, the table or the machine does not allow it. Nothing is
            left behind then, unless an epoch was finished: `resume` goes on from there.
        KeyboardInterrupt: If the user stops it before the training of networks has begun, or twice.
            A first interrupt during the training leaves a usable run directory with what was
            trained so far.
    """
    writer = RunDirectoryWriter(config.save_dir, overwrite=overwrite, resume=resume)
    device = resolve_device(config.training.device, "training.device")
    if resume and writer.is_finished:
        model = load_model(config.save_dir, device)  # which checks that it is whole
        writer.tidy()
        log.info("Nothing to resume: %s is finished", config.save_dir)
        return model
    _check_before_reading(config)
    start = read_start(config)
    tracking = Tracking.of(config)
    state = own_torch_state(config.training.threads, device)
    with (
        state,
        writer,
        log_to(writer.path / Files.LOG),
        followed(tracking, _noted(config), again=resume) as tracker,
    ):
        model = _run(config, writer, device, start, tracker)
    log.info("Run directory: %s", config.save_dir)
    return replace(model, run_dir=config.save_dir)


def _noted(config: TrainConfig) -> dict[str, Any]:
    """Gives what a tracker keeps of the configuration."""
    return config.only(TrainConfig).model_dump(mode="json")


def _run(
    config: TrainConfig,
    writer: RunDirectoryWriter,
    device: torch.device,
    start: Start | None,
    tracker: Tracker | None,
) -> TrainedModel:
    """Does the work, phase by phase, and writes what each gives."""
    clock, folder = PhaseClock(), writer.path
    config = following(config, start)
    _hint_at_idle_keys(config)
    with clock.phase("read"):
        panel = load_panel(config.data_path, config.data)
        check_tasks(config, panel.task_names)
        provenance = describe_run(config.data_path, packages_of(config.model.extra_inputs))
        provenance |= origin_of(start)
    unfinished = Unfinished.open(writer.checkpoints, config, provenance)
    write_records(folder, panel)
    with clock.phase("split"):
        split = split_panel(panel, config.data, config.seed)
    check_learnable(panel, split.train, panel.task_names)
    panel = decided(panel, split.train)
    write_split(folder, panel, split)
    with clock.phase("featurize"):
        cache = cache_of(config.data)
        graphs = cached_graphs(panel.smiles, cache)
        inputs = compute_extra_inputs(config.model.extra_inputs, panel.smiles, cache)
    if unfinished.plan is None:
        plan = _choose_plan(config, panel, split, graphs, folder, clock)
        unfinished.keep_plan(plan)
    else:
        plan = unfinished.plan_of(panel.task_names)
    with clock.phase("training"):
        model = fit_ensemble(
            panel,
            split,
            graphs,
            config,
            plan,
            unfinished.checkpoint_of,
            inputs=inputs,
            start=start,
            progress=True,
            tracker=tracker,
        )
    with clock.phase("test"):
        scores = write_tests(folder, model, panel, split, graphs, inputs)
        if tracker is not None:
            for side, own in scores.items():
                tracker.metrics(end_metrics(own, side), config.training.epochs)
        doubt = doubt_of(model, panel, split, graphs, inputs)
        if doubt is not None:
            write_doubt(folder, doubt)
            model = replace(model, doubt=doubt)
    write_model(folder, model)
    write_table(folder / Files.HISTORY, pd.DataFrame(list(model.history)))
    write_config(folder / Files.CONFIG, config)
    run = provenance | {
        "seed": config.seed,
        "precision": precision_of(config, device),
        "interrupted": model.interrupted,
        "resumed": unfinished.n_resumed,
        "rejected_rows": len(panel.rejected),
        "changed_structures": len(panel.structures),
        "seconds": clock.seconds,
        "peak_memory_mib": peak_memory_mib(),
    }
    write_json(folder / Files.RUN, run)
    if panel.rejected:
        log.info("Rows left out stand in %s", config.save_dir / Files.REJECTED)
    if panel.structures:
        log.info("Structures changed or merged stand in %s", config.save_dir / Files.STRUCTURES)
    if panel.notes:
        log.info("Labels read otherwise than they stand: %s", config.save_dir / Files.LABELS)
    log.info("Seconds: %s", ", ".join(f"{k} {v:.1f}" for k, v in clock.seconds.items()))
    return model


def _choose_plan(
    config: TrainConfig,
    panel: Panel,
    split: Split,
    graphs: PackedGraphs,
    folder: Path,
    clock: PhaseClock,
) -> Plan:
    """Plans by the affinity of the training side, which is measured and kept; or plans as told."""
    if not config.task_affinity.enabled:
        plan = plan_of(config, panel.task_names)
        shown = "; ".join(", ".join(group.tasks) for group in plan.groups)
        log.info("Groups (%s): %s", plan.arm, shown)
        return plan
    with clock.phase("affinity"):
        computer = TaskAffinityComputer(
            config.task_affinity, config.model, cache=cache_of(config.data)
        )
        estimate = computer.compute(panel.subset(split.train), graphs.subset(split.train))
        grouping = group_tasks(estimate, panel.task_names, config.task_affinity)
    with clock.phase("pictures"):
        AffinityFiles.in_folder(folder).write(estimate, grouping)
    return plan_of(config, panel.task_names, grouping.groups)


def _check_before_reading(config: TrainConfig) -> None:
    """Checks what needs no table."""
    if config.data_path.resolve().is_relative_to(config.save_dir.resolve()):
        raise ConfigError(
            f"`data_path` {str(config.data_path)!r} lies in `save_dir`, which is replaced as a "
            "whole. Move the table, or name another folder."
        )
    split_from = config.data.split_from
    if split_from is not None and split_from.resolve() == config.save_dir.resolve():
        raise ConfigError(
            f"`data.split_from` {str(split_from)!r} is `save_dir`, which is replaced as a whole. "
            "Name another folder for this run."
        )
    check_extra_inputs(config)
    if config.task_affinity.enabled:
        resolve_device(config.task_affinity.device, "task_affinity.device")
    if config.data.target_columns and config.data.names_its_targets:
        check_tasks(config, config.data.target_columns)


def _hint_at_idle_keys(config: TrainConfig) -> None:
    """Names keys that were changed but have no effect; the affinity phase names its own later."""
    idle = config.idle_keys()
    if config.task_affinity.enabled:
        idle = {key: why for key, why in idle.items() if not key.startswith("task_affinity.")}
    warn_of_idle_keys(idle)
