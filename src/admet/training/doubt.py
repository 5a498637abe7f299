"""What a training knows of the errors of its model: those on the validation side."""

import numpy as np

from admet.data import Panel, Split
from admet.featurize import PackedGraphs
from admet.model.doubt import Calibration, Doubt, Evidence, Neighbours
from admet.model.trained_model import TrainedModel
from admet.training.extra_inputs import molecules_of


def doubt_of(
    model: TrainedModel,
    panel: Panel,
    split: Split,
    graphs: PackedGraphs,
    inputs: np.ndarray | None = None,
) -> Doubt | None:
    """Calibrates a model by the validation side, from whose molecules it has not learnt.

    The best epoch was chosen there, so errors are a little smaller than elsewhere.

    Args:
        model: The model.
        panel: n molecules and their labels.
        split: Their sides.
        graphs: Their graphs.
        inputs: Their extra inputs, shape (n, d), for a model that reads some.

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
    molecules = molecules_of(panel.smiles, graphs, model.extra_inputs, inputs, split.val)
    prediction = model.predictor.predict_molecules(molecules)
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
