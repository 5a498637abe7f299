"""Trains the same plan several times, from other seeds."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from admet.config import TrainConfig
from admet.config.base import LARGEST_SEED
from admet.data import Panel, Split
from admet.featurize import PackedGraphs
from admet.model.chemprop.plan import Plan
from admet.model.chemprop.spec import PanelSpec
from admet.model.chemprop.start import Start
from admet.model.composite import CompositePredictor, CompositeSpec, MemberSpec, NetworkMember
from admet.model.trained_model import TrainedModel
from admet.training.checkpoint import Checkpoint
from admet.training.fit_model import fit_model
from admet.training.tracking import Tracker, of_part

log = logging.getLogger(__name__)


def fit_ensemble(
    panel: Panel,
    split: Split,
    graphs: PackedGraphs,
    config: TrainConfig,
    plan: Plan,
    checkpoint_of: Callable[[int], Checkpoint],
    *,
    inputs: np.ndarray | None = None,
    start: Start | None = None,
    progress: bool = False,
    tracker: Tracker | None = None,
) -> TrainedModel:
    """Trains `training.ensemble` models with the seeds `seed`, `seed` + 1, …, and averages them.

    Args:
        panel: Molecules and labels.
        split: The molecules of each side.
        graphs: The graphs of the panel's molecules, in its order.
        config: The configuration.
        plan: The networks of each model.
        checkpoint_of: Gives for each model how far an earlier, interrupted run came.
        inputs: Extra inputs as `fit_model` takes them.
        start: What encoders start from, likewise.
        progress: Whether to show a progress bar where there is somebody to see it.
        tracker: Takes losses; their names begin with `training_1/` and so on.

    Returns:
        The model; one of a single training where only one is asked for. After an interrupt it holds
        the trainings that were finished, or the first one as far as it came.

    Raises:
        AdmetError: As `fit_model` does.
    """
    n_models = config.training.ensemble
    done: list[TrainedModel] = []
    history: list[dict[str, Any]] = []
    for index in range(n_models):
        own = config.model_copy(update={"seed": (config.seed + index) % (LARGEST_SEED + 1)})
        if n_models > 1:
            log.info("Training %d of %d, seed %d", index + 1, n_models, own.seed)
        model = fit_model(
            panel,
            split,
            graphs,
            own,
            plan,
            inputs=inputs,
            start=start,
            checkpoint=checkpoint_of(index),
            progress=progress,
            tracker=of_part(tracker, "training", index + 1, n_models),
        )
        if n_models == 1:
            return model
        history += [{"training": index + 1} | row for row in model.history]
        if model.interrupted and done:
            log.warning("Interrupted: the model averages %d of %d trainings", len(done), n_models)
            break
        done.append(model)
        if model.interrupted:
            break
    interrupted = len(done) < n_models or done[-1].interrupted
    return TrainedModel(mean_of(done, plan), tuple(history), interrupted)


def mean_of(models: list[TrainedModel], plan: Plan) -> CompositePredictor:
    """Makes one predictor of several models of the same plan: their mean."""
    first = models[0].networks.spec
    shared = {name: getattr(first, name) for name in PanelSpec.model_fields}
    spec = CompositeSpec(
        **shared,
        members=tuple(
            MemberSpec(arm=plan.arm, kind="network", network=model.networks.spec)
            for model in models
        ),
        weights=((1 / len(models),) * len(first.tasks),) * len(models),
    )
    return CompositePredictor(spec, [NetworkMember(model.networks) for model in models])
