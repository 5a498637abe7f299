"""Networks as Chemprop's own modules, checked against ours on a few molecules."""

import numpy as np
import torch
from chemprop import models, nn
from chemprop.data import BatchMolGraph, MoleculeDatapoint, MoleculeDataset

from admet.errors import NumericalError
from admet.exchange.parts import Part
from admet.kinds.regression import REGRESSION
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.predictor import Predictor
from admet.model.chemprop.spec import ModelSpec

TOLERANCE = 1e-5
"""Largest difference between the two predictions of a molecule, as a share of the larger of the
prediction and the scale of the task: Chemprop unscales in float32, admet in float64."""
_PROBES = ("C", "CCO", "c1ccccc1C(=O)NC", "CC(C)(C)OC(=O)N1CCC(CC1)c1ccc(Cl)cc1S(N)(=O)=O")


def as_chemprop(predictor: Predictor, part: Part) -> models.MPNN:
    """Builds a part of a model of Chemprop's modules, with the weights of ours.

    Args:
        predictor: The networks.
        part: Which of their outputs.

    Returns:
        Chemprop's model; its predictions are in the unit of the labels, or probabilities.

    Raises:
        NumericalError: If it does not predict what ours does.
    """
    spec, network = predictor.spec, predictor.networks[part.network]
    passing = spec.model.message_passing
    model = models.MPNN(
        nn.BondMessagePassing(
            d_v=spec.d_v,
            d_e=spec.d_e,
            d_h=passing.hidden_size,
            bias=passing.bias,
            depth=passing.depth,
            dropout=passing.dropout,
            activation=passing.activation,
            undirected=passing.undirected,
        ),
        _aggregation(spec),
        _head(spec, part),
        batch_norm=passing.batch_norm,
    )
    weights = _weights(network, part)
    model.load_state_dict({**model.state_dict(), **weights})
    model.eval()
    _check_same(model, predictor, part)
    return model


def _aggregation(spec: ModelSpec) -> nn.Aggregation:
    """Makes what sums up atoms."""
    passing = spec.model.message_passing
    if passing.aggregation == "norm":
        return nn.NormAggregation(norm=passing.aggregation_norm)
    return nn.MeanAggregation() if passing.aggregation == "mean" else nn.SumAggregation()


def _head(spec: ModelSpec, part: Part) -> nn.Predictor:
    """Makes the head of a part, with the scale of its tasks."""
    ffn = spec.model.ffn
    shape = {
        "n_tasks": len(part.tasks),
        "input_dim": spec.model.message_passing.hidden_size,
        "hidden_dim": ffn.hidden_size,
        "n_layers": ffn.num_layers,
        "dropout": ffn.dropout,
        "activation": ffn.activation,
    }
    if part.kind != REGRESSION.name:
        return nn.BinaryClassificationFFN(**shape)
    mean, scale = [t.mean for t in part.tasks], [t.scale for t in part.tasks]
    return nn.RegressionFFN(**shape, output_transform=nn.UnscaleTransform(mean, scale))


def _weights(network: GroupedNetwork, part: Part) -> dict[str, torch.Tensor]:
    """Gives weights by Chemprop's names; of the head's last layer the outputs of the part."""
    found = {}
    for name, tensor in network.encoder.state_dict().items():
        found[name.replace("batch_norm.", "bn.", 1)] = tensor.detach().cpu().clone()
    head = network.heads[part.head].state_dict()
    last = max(int(name.partition(".")[0]) for name in head)
    for name, tensor in head.items():
        own = tensor.detach().cpu()
        if name in {f"{last}.2.weight", f"{last}.2.bias"}:  # behind activation and dropout
            own = own[list(part.outputs)]
        found[f"predictor.ffn.{name}"] = own.clone()
    return found


def _check_same(model: models.MPNN, predictor: Predictor, part: Part) -> None:
    """Compares the two on a few molecules.

    Raises:
        NumericalError: If they differ by more than `TOLERANCE`.
    """
    data = MoleculeDataset([MoleculeDatapoint.from_smi(smiles) for smiles in _PROBES])
    with torch.inference_mode():
        theirs = model(BatchMolGraph([datum.mg for datum in data])).double().numpy()  # (m, t)
    spec = predictor.spec
    learnt = tuple(task.model_copy(update={"transform": "none"}) for task in spec.tasks)
    on_learnt_scale = Predictor(spec.model_copy(update={"tasks": learnt}), predictor.networks)
    given = on_learnt_scale.predict_smiles(_PROBES).mean
    for column, task in enumerate(part.tasks):
        ours = given[:, spec.task_names.index(task.name)]
        apart = np.abs(theirs[:, column] - ours) / np.maximum(np.abs(ours), task.scale)
        if not (apart <= TOLERANCE).all():
            raise NumericalError(
                f"Chemprop's modules predict {task.name!r} {apart.max():.1e} away from the model, "
                f"as a share of the value; at most {TOLERANCE:.0e} is meant to be. Its mean and "
                f"scale are {task.mean:g} and {task.scale:g}: train it in another unit."
            )
