"""ADMET-AI: what its ten networks say of a molecule, and two of their hidden layers."""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import torch

from admet.config import NetworkConfig
from admet.errors import ConfigError
from admet.featurize import featurize
from admet.model.chemprop.chemprop_file import ChempropFile, read_chemprop_file
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.plan import NetworkPlan
from admet.model.inputs.minimol_graphs import package_file

PACKAGE = "admet_ai"
KINDS = ("classification", "regression")
N_MODELS = 5
N_OUTPUTS = 41
N_HIDDEN = 600
_BATCH = 256


def outputs(smiles: Sequence[str]) -> np.ndarray:
    """Gives the mean outputs of ADMET-AI, shape (n, 41), float32.

    31 probabilities of classes, then 10 values in the unit of their set; the columns are
    `output_names()`.

    Source: Swanson et al., Bioinformatics 2024, 40, btae416; weights from the package admet-ai.

    Raises:
        ConfigError: If the package is not installed.
    """
    return _run(tuple(map(str, smiles)))[0]


def hidden(smiles: Sequence[str]) -> np.ndarray:
    """Gives the hidden layer of the head of the first network of each kind, shape (n, 600).

    They are Chemprop's learned representation before the activation.

    Raises:
        ConfigError: If the package is not installed.
    """
    return _run(tuple(map(str, smiles)))[1]


def output_names() -> list[str]:
    """Names the 41 outputs."""
    return [name for kind in KINDS for name in _file(kind, 0).outputs]


@lru_cache(maxsize=1)  # outputs and hidden layers are asked for one after the other
def _run(smiles: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    said = [np.empty((0, N_OUTPUTS), np.float32)]
    layers = [np.empty((0, N_HIDDEN), np.float32)]
    networks = {kind: [_network(kind, index) for index in range(N_MODELS)] for kind in KINDS}
    for start in range(0, len(smiles), _BATCH):
        graphs = featurize(smiles[start : start + _BATCH])
        # The networks have the same depth, so that their batches are the same.
        batcher = networks[KINDS[0]][0].batcher(graphs)
        batch = GraphBatch.of(batcher.batch(np.arange(len(graphs))))
        with torch.inference_mode():
            found = {kind: [_pass(net, batch) for net in networks[kind]] for kind in KINDS}
        means = []
        for kind, results in found.items():
            values = torch.stack([value for value, _ in results])  # (5, n, T)
            if kind == "classification":
                values = values.sigmoid()
            else:
                mean, scale = _scale(kind)
                values = values * scale + mean
            means.append(values.mean(dim=0))
        said.append(torch.cat(means, dim=1).numpy())
        layers.append(torch.cat([found[kind][0][1] for kind in KINDS], dim=1).numpy())
    return np.concatenate(said), np.concatenate(layers)


def _pass(network: GroupedNetwork, batch: GraphBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Gives the outputs of a network and the hidden layer before them."""
    *first, last = network.heads[0].children()
    layer = network.encoder(batch)
    for block in first:
        layer = block(layer)
    return last(layer), layer


@cache
def _file(kind: str, index: int) -> ChempropFile:
    return read_chemprop_file(
        package_file(PACKAGE, f"resources/models/admet_{kind}/model_{index}.pt")
    )


@cache
def _network(kind: str, index: int) -> GroupedNetwork:
    """Builds one of the networks with its weights."""
    file = _file(kind, index)
    if file.ffn is None or not file.outputs:
        raise ConfigError(f"The package {PACKAGE} holds an encoder without a head; reinstall it.")
    config = NetworkConfig(message_passing=file.encoder, ffn=file.ffn)
    network = GroupedNetwork(config, NetworkPlan.together(file.outputs), file.d_v, file.d_e)
    network.encoder.message_passing.load_state_dict(file.of("message_passing"))
    network.heads[0].load_state_dict(file.of("predictor.ffn"))
    return network.eval()


@cache
def _scale(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Gives mean and scale of the outputs, shape (5, 1, T): each network has its own."""
    parts = [_file(kind, index).of("predictor.output_transform") for index in range(N_MODELS)]
    return torch.stack([p["mean"] for p in parts]), torch.stack([p["scale"] for p in parts])
