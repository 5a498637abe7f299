"""Fits all networks of a plan, in memory."""

import logging

import numpy as np
import torch

from admet.config import TrainConfig
from admet.data import Panel, Split, check_learnable
from admet.data.scales import decided
from admet.errors import ConfigError, near_names
from admet.featurize import PackedGraphs
from admet.model.chemprop import TargetScaler
from admet.model.chemprop.device import resolve_device, resolve_precision
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.plan import Plan
from admet.model.chemprop.predictor import Predictor, build_networks
from admet.model.chemprop.spec import ModelSpec, reading_of, task_specs
from admet.model.chemprop.start import Start
from admet.model.frozen.scaling import InputScaler
from admet.model.trained_model import TrainedModel
from admet.training.checkpoint import Checkpoint, fitting
from admet.training.extra_inputs import given_or_computed
from admet.training.fit import fit
from admet.training.lesson import Lesson
from admet.training.start import following, read_start
from admet.training.torch_state import own_torch_state
from admet.training.tracking import Tracker, of_part

log = logging.getLogger(__name__)


def fit_model(
    panel: Panel,
    split: Split,
    graphs: PackedGraphs,
    config: TrainConfig,
    plan: Plan,
    *,
    inputs: np.ndarray | None = None,
    start: Start | None = None,
    checkpoint: Checkpoint | None = None,
    progress: bool = False,
    tracker: Tracker | None = None,
) -> TrainedModel:
    """Trains the networks of a plan on the training side of a split.

    Nothing is read or written except the checkpoint, if there is one. Torch's threads and random
    states are restored afterwards. The training side decides the transforms that are left to the
    labels, and the scale of targets and extra inputs. The validation side decides the best epoch of
    each network. The test side is not looked at.

    Args:
        panel: Molecules and labels.
        split: The molecules of each side; they need not be all of the panel.
        graphs: The graphs of the panel's molecules, in its order.
        config: The configuration; only `training`, `model`, `seed` and the keys of `data` that a
            model keeps are read.
        plan: The networks, and which tasks they learn and serve.
        inputs: The frozen inputs of `model.extra_inputs` of the panel's molecules, side by side,
            shape (n, d), in its order; None computes them.
        start: The file of `model.init_from`, where it was read already; None reads it.
        checkpoint: How far an earlier, interrupted run of the same training came, and the file that
            keeps this. None begins anew, and keeps nothing.
        progress: Whether to show a progress bar where there is somebody to see it.
        tracker: Takes losses as they come; names of several networks are `network_1/…` and so on.

    Returns:
        The model. After an interrupt it holds the networks that have finished an epoch, or the
        first network as far as it came.

    Raises:
        ConfigError: If the graphs, the inputs or the plan do not fit the panel, a package that
            computes an input is missing, or `model.init_from` cannot be used.
        DataError: If a task of the plan does not have two different labels on the training side.
        DeviceError: If `training.device` is not there.
        NumericalError: If a loss or a gradient is no longer finite.
        RunDirectoryError: If the checkpoint does not fit.
    """
    device = resolve_device(config.training.device, "training.device")
    _check(panel, graphs, plan)
    check_learnable(panel, split.train, {n for network in plan.networks for n in network.tasks})
    checkpoint = Checkpoint() if checkpoint is None else checkpoint
    start = start or read_start(config)
    config = following(config, start)
    extra = given_or_computed(config.model.extra_inputs, panel.smiles, inputs)
    panel = decided(panel, split.train)
    with own_torch_state(config.training.threads, device):
        scaler = TargetScaler.fit(panel.labels.values[split.train], panel.kinds, panel.transforms)
        targets = scaler.scale_labels(panel.labels.values)
        spec = _spec(panel, graphs, config, plan, scaler, extra)
        torch.manual_seed(config.seed)
        scale = None if extra is None else InputScaler.fit(extra[split.train])
        networks = _fresh_networks(spec, start, scale)
        _announce(networks, config, device)
        done = checkpoint.network  # those that an earlier run has finished
        with fitting(checkpoint.path):
            history = [row for row in checkpoint.history if row["network_index"] < done]
            for network, weights in zip(networks, checkpoint.finished, strict=False):
                network.load_state_dict(weights)
        interrupted = False
        for number, network in enumerate(networks[done:], start=done + 1):
            columns = [panel.task_names.index(name) for name in network.plan.tasks]
            kinds = tuple(panel.kinds[column] for column in columns)
            name = ", ".join(network.plan.tasks) if len(networks) > 1 else "network"
            own = panel.labels.columns(columns).limits
            lesson = Lesson.of(
                network.plan, graphs, targets[:, columns], kinds, split, name, own, extra
            )
            fitted = fit(
                network,
                lesson,
                config.training,
                config.seed,
                device,
                checkpoint,
                progress=progress,
                tracker=of_part(tracker, "network", number, len(networks), network.plan.tasks),
            )
            if fitted.cut and checkpoint.network:
                interrupted = True
                break  # a few steps are no training
            history += fitted.history
            checkpoint.next_network(network.state_dict())
            log.info("%s: best epoch %d", name, fitted.best_epoch)
            if interrupted := fitted.interrupted:
                break
        trained = checkpoint.network
        if trained < len(networks):
            spec = _spec(panel, graphs, config, plan.cut(trained), scaler, extra)
            log.warning("Interrupted: the model holds only %s", ", ".join(spec.task_names))
    rows = tuple({k: v for k, v in row.items() if k != "network_index"} for row in history)
    return TrainedModel(Predictor(spec, networks[:trained], device), rows, interrupted)


def _check(panel: Panel, graphs: PackedGraphs, plan: Plan) -> None:
    """Checks that graphs and plan fit the panel."""
    if len(graphs) != len(panel):
        raise ConfigError(
            f"`graphs` must be those of the panel's {len(panel)} molecules, in its order; got "
            f"{len(graphs)}. Featurise `panel.smiles`."
        )
    for name in [name for network in plan.networks for name in network.tasks]:
        if name not in panel.task_names:
            raise ConfigError(
                f"`plan` names {name!r}, which the panel does not have. "
                f"{near_names(name, panel.task_names)}"
            )


def _fresh_networks(
    spec: ModelSpec, start: Start | None, scale: InputScaler | None
) -> list[GroupedNetwork]:
    """Builds the networks as they are before any training.

    Args:
        spec: Their description.
        start: The file whose weights the encoders take; None leaves them random.
        scale: Scale of the extra inputs; None where there are none.
    """
    networks = build_networks(spec)
    if start is not None:
        log.info("Encoders start from %s, SHA-256 %s…", start.path, start.sha256[:12])
    for network in networks:
        if start is not None:
            start.put_into(network.encoder)
        if network.inputs is not None and scale is not None:
            network.inputs.take(scale)
    return networks


def _announce(networks: list[GroupedNetwork], config: TrainConfig, device: torch.device) -> None:
    """Logs what is trained where, and warns if the rate never falls."""
    log.info(
        "Training %d network(s), %d parameters, on %s, %s",
        len(networks),
        sum(p.numel() for network in networks for p in network.parameters()),
        device,
        precision_of(config, device),
    )
    if config.training.warmup_epochs >= config.training.epochs:
        log.warning(
            "training.warmup_epochs (%g) is not below training.epochs (%d): the rate never falls",
            config.training.warmup_epochs,
            config.training.epochs,
        )


def precision_of(config: TrainConfig, device: torch.device) -> str:
    """Names the precision of a training, `auto` resolved."""
    width = config.model.message_passing.hidden_size
    return resolve_precision(config.training.precision, device, width)


def _spec(
    panel: Panel,
    graphs: PackedGraphs,
    config: TrainConfig,
    plan: Plan,
    scaler: TargetScaler,
    extra: np.ndarray | None,
) -> ModelSpec:
    """Describes the model of a plan, which may leave out tasks of the panel."""
    kept = {name for network in plan.networks for name in network.tasks}
    tasks = task_specs(panel, scaler.mean, scaler.scale)
    return ModelSpec(
        **reading_of(config.data),
        tasks=tuple(task for task in tasks if task.name in kept),
        plan=plan,
        model=config.model.network,
        d_v=graphs.d_v,
        d_e=graphs.d_e,
        inputs=config.model.extra_inputs,
        n_inputs=0 if extra is None else extra.shape[1],
    )
