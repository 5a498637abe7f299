"""The composite as a model: its members trained anew, on all molecules."""

import logging
from dataclasses import replace

import numpy as np

from admet.config.study import StudyRun
from admet.data import Panel, Split, folds
from admet.data.scales import decided
from admet.data.splits.chain import newest_apart
from admet.data.splits.folds import most_folds
from admet.errors import WorkerError
from admet.model.chemprop import TargetScaler
from admet.model.chemprop.spec import reading_of, task_specs
from admet.model.composite import CompositePredictor, CompositeSpec
from admet.study.arms import Trained
from admet.study.executors import KEPT, Executor
from admet.study.jobs import Job, keep
from admet.study.material import Material
from admet.study.results import Study

log = logging.getLogger(__name__)

_LEAST = 0.05  # weight below which an arm is not worth its training and its time in predictions
_PARTS = 10  # of which one chooses the best epochs


def refit(study: Study, material: Material, executor: Executor) -> CompositePredictor:
    """Trains the arms that have weight on all molecules of the panel.

    Arms that choose their best epoch take a tenth of them for it, in whole blocks (by time the
    newest; of less than ten blocks one). Weights below 0.05 are dropped, and the others of the task
    share them out.

    Args:
        study: The study, whose weights are taken.
        material: Panel, graphs and inputs.
        executor: Who trains them.

    Returns:
        The model.

    Raises:
        WorkerError: If an arm could not be trained.
    """
    panel, config = material.panel, material.config
    panel = decided(panel, np.arange(len(panel)))
    material = replace(material, panel=panel)
    weights = np.array([study.weights[name].weights for name in panel.task_names]).T  # (A, T)
    weights = np.where(weights < _LEAST, 0, weights)
    weights = weights / weights.sum(axis=0)
    weight_of = dict(zip(study.arms, weights, strict=True))
    jobs = [Job(arm, 0, 0, 0) for arm, own in weight_of.items() if own.any()]
    log.info("Training %d arms on all %d molecules", len(jobs), len(panel))
    if idle := [arm for arm, own in weight_of.items() if not own.any()]:
        log.info("Without weight in the composite: %s", ", ".join(idle))
    found: dict[str, Trained] = {}
    for fit in executor.run(material, [[_split(panel, config)]], jobs, fit=keep):
        if fit.trained is None:
            raise WorkerError(
                f"{fit.job.arm} could not be trained on all molecules: {fit.fault.rstrip('.')}. "
                f"{KEPT} If it fails again, leave {fit.job.arm} out of `study.arms`."
            )
        log.info("%s, all molecules, %.1f s", fit.job.arm, fit.seconds)
        found[fit.job.arm] = fit.trained
    members = [found[job.arm] for job in jobs]
    scaler = TargetScaler.fit(panel.labels.values, panel.kinds, panel.transforms)
    spec = CompositeSpec(
        **reading_of(config.data),
        tasks=tuple(task_specs(panel, scaler.mean, scaler.scale)),
        members=tuple(trained.spec for trained in members),
        weights=tuple(tuple(weight_of[job.arm].tolist()) for job in jobs),
    )
    return CompositePredictor(spec, [trained.member for trained in members])


def _split(panel: Panel, config: StudyRun) -> Split:
    """Takes the molecules apart that choose the best epoch."""
    if config.data.split_type == "time":
        return newest_apart(panel, 1 / _PARTS)
    seed = config.seed if config.data.split_seed is None else config.data.split_seed
    n_folds = most_folds(panel, config.data.split_type, _PARTS)
    first = folds(panel, config.data.split_type, n_folds=n_folds, val_share=0, seed=seed)[0]
    return Split(first.train, first.test, np.empty(0, dtype=np.int64))
