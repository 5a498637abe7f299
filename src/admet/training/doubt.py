"""What a training knows of the errors of its model: those on the validation side."""

import numpy as np

from admet.data import Panel, Split
from admet.featurize import PackedGraphs
from admet.model.doubt import Calibration, Doubt, Evidence, Neighbours
from admet.model.molecules import Molecules
from admet.model.trained_model import TrainedModel


def doubt_of(model: TrainedModel, panel: Panel, split: Split, graphs: PackedGraphs) -> Doubt | None:
    """Calibrates a model by the validation side, from whose molecules it has not learnt.

    The best epoch was chosen there, so errors are a little smaller than elsewhere.

    Args:
        model: The model.
        panel: n molecules and their labels.
        split: Their sides.
        graphs: Their graphs.

    Returns:
        What it knows; None without a validation side.
    """
    if not len(split.val):
        return None
    names = model.task_names
    labels = panel.labels.columns([panel.task_names.index(name) for name in names])
    learnt = labels.subset(split.train)
    neighbours = Neighbours.of(panel.smiles[split.train], learnt.values, learnt.limits)
    smiles = panel.smiles[split.val]
    prediction = model.predictor.predict_molecules(Molecules(smiles, graphs.subset(split.val)))
    spread = prediction.learnt_spread
    judged = labels.subset(split.val)
    y = judged.values if judged.limits is None else np.where(judged.limits, np.nan, judged.values)
    distance = neighbours.nearest(smiles).distance
    kinds, transforms = model.spec.kinds, model.spec.transforms
    evidence = [
        Evidence(
            transform.apply(y[:, column]),
            transform.apply(prediction.mean[:, column]),
            np.zeros(len(y)) if spread is None else spread[:, column],
            distance[:, column],
        )
        for column, transform in enumerate(transforms)
    ]
    return Doubt(tuple(names), Calibration.fit(evidence, kinds, transforms), neighbours)
