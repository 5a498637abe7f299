"""The composite as a model: its members trained anew, on all molecules."""

import logging
from dataclasses import replace

import numpy as np

from admet.config.study import StudyRun
from admet.data import Panel, Split, folds
from admet.data.scales import decided
from admet.data.splits.chain import newest_apart
from admet.model.chemprop import TargetScaler
from admet.model.chemprop.spec import reading_of, task_specs
from admet.model.composite import CompositePredictor, CompositeSpec
from admet.study.arms import ARMS
from admet.study.jobs import quiet
from admet.study.material import Material
from admet.study.results import Study

log = logging.getLogger(__name__)

_LEAST = 0.05  # weight below which an arm is not worth its training and its time in predictions
_PARTS = 10  # of which one chooses the best epochs


def refit(study: Study, material: Material) -> CompositePredictor:
    """Trains the arms that have weight on all molecules of the panel.

    Networks take a tenth of them, in whole blocks (by time the newest), to choose their best epoch.
    Weights below 0.05 are dropped, and the others of the task share them out.

    Args:
        study: The study, whose weights are taken.
        material: Panel, graphs and inputs.

    Returns:
        The model.
    """
    panel, config = material.panel, material.config
    panel = decided(panel, np.arange(len(panel)))
    material = replace(material, panel=panel)
    split = _split(panel, config)
    weights = np.array([study.weights[name].weights for name in panel.task_names]).T  # (A, T)
    weights = np.where(weights < _LEAST, 0, weights)
    weights = weights / weights.sum(axis=0)
    members, specs, kept = [], [], []
    for arm, own in zip(study.arms, weights, strict=True):
        if not own.any():
            log.info("%s has no weight in the composite", arm)
            continue
        log.info("Training %s on all %d molecules", arm, len(panel))
        with quiet():
            trained = ARMS[arm].train(material, split, config.seed)
        members.append(trained.member)
        specs.append(trained.spec)
        kept.append(tuple(own.tolist()))
    scaler = TargetScaler.fit(panel.labels.values, panel.kinds, panel.transforms)
    spec = CompositeSpec(
        **reading_of(config.data),
        tasks=tuple(task_specs(panel, scaler.mean, scaler.scale)),
        members=tuple(specs),
        weights=tuple(kept),
    )
    return CompositePredictor(spec, members)


def _split(panel: Panel, config: StudyRun) -> Split:
    """Takes the molecules apart that choose the best epoch."""
    if config.data.split_type == "time":
        return newest_apart(panel, 1 / _PARTS)
    seed = config.seed if config.data.split_seed is None else config.data.split_seed
    first = folds(panel, config.data.split_type, n_folds=_PARTS, val_share=0, seed=seed)[0]
    return Split(first.train, first.test, np.empty(0, dtype=np.int64))
