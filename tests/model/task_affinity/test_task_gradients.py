import numpy as np
import pytest
import torch

from admet.config import ModelConfig
from admet.data.demo import make_demo_panel
from admet.featurize import featurize, unfold
from admet.featurize.arrays import stack
from admet.model.chemprop import GraphBatch, GroupedNetwork
from admet.model.chemprop.plan import NetworkPlan
from admet.model.chemprop.task_affinity.problems.task_gradients import TaskBlocks, task_gradients

SMILES = [*make_demo_panel(40, seed=2)["SMILES"], "C", "[Na+].[Cl-]"]
MEMBERS = [np.arange(20), np.array([1, 41, 3, 40]), np.arange(10, 42), np.array([40, 41])]


def blocks_of(graphs, depth, undirected=False):
    unfolding = unfold(graphs, depth, undirected)
    stacked = stack([unfolding.batch(rows, backward=True) for rows in MEMBERS])
    return TaskBlocks(GraphBatch.of(stacked.arrays), stacked), unfolding


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ""),
        ({"bias": True}, ""),
        ({"undirected": True, "depth": 4}, ""),
        ({"depth": 1}, ""),
        ({"aggregation": "mean"}, "W_h"),
        ({"bias": True}, "bias"),
        ({"activation": "prelu"}, ""),
        ({"batch_norm": True}, ""),
    ],
    ids=str,
)
def test_one_pass_gives_what_a_pass_a_task_gives(changes, names):
    """Against autograd on each task's own batch; PReLU and batch norm take the general way."""
    graphs = featurize(SMILES)
    config = ModelConfig(message_passing={"hidden_size": 24, **changes})
    torch.manual_seed(0)
    plan = NetworkPlan.together(["a"])
    encoder = GroupedNetwork(config, plan, graphs.d_v, graphs.d_e).encoder.eval()
    parameters = [p for name, p in encoder.named_parameters() if names in name]
    blocks, unfolding = blocks_of(
        graphs, config.message_passing.depth, config.message_passing.undirected
    )
    tape = []
    Z = encoder(blocks.graphs, tape)
    direction = torch.randn(Z.shape, generator=torch.Generator().manual_seed(1))
    found = task_gradients(encoder, parameters, blocks, Z, tape, direction)
    for task, rows in enumerate(MEMBERS):
        own = encoder(GraphBatch.of(unfolding.batch(rows, backward=True)))
        i, j = blocks.molecules[task : task + 2]
        torch.testing.assert_close(own, Z[i:j], atol=1e-6, rtol=1e-5)
        expected = torch.autograd.grad(own, parameters, direction[i:j], allow_unused=True)
        flat = torch.cat(
            [
                (torch.zeros_like(p) if g is None else g).flatten()
                for g, p in zip(expected, parameters, strict=True)
            ]
        )
        torch.testing.assert_close(found[task], flat, atol=1e-5, rtol=1e-4)
