from dataclasses import replace

import numpy as np
import pytest
import torch
from chemprop import nn as chemprop_nn
from chemprop.data import BatchMolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.models import MPNN
from rdkit import Chem

from admet.config import ModelConfig
from admet.data.demo import make_demo_panel
from admet.featurize import Unshared, featurize, unfold
from admet.model.chemprop import BondMessagePassing, GraphBatch, GroupedNetwork
from admet.model.chemprop.device import resolve_precision
from admet.model.chemprop.plan import NetworkPlan, disjoint, overlapping

SMILES = [*make_demo_panel(30, seed=5)["SMILES"], "C", "[Na+].[Cl-]"]
AGGREGATIONS = {
    "norm": chemprop_nn.NormAggregation,
    "mean": chemprop_nn.MeanAggregation,
    "sum": chemprop_nn.SumAggregation,
}


def chemprop_model(config: ModelConfig, n_tasks: int) -> MPNN:
    mp, ffn = config.message_passing, config.ffn
    return MPNN(
        chemprop_nn.BondMessagePassing(
            d_h=mp.hidden_size,
            depth=mp.depth,
            dropout=mp.dropout,
            bias=mp.bias,
            activation=mp.activation,
            undirected=mp.undirected,
        ),
        AGGREGATIONS[mp.aggregation](),
        chemprop_nn.RegressionFFN(
            n_tasks=n_tasks,
            input_dim=mp.hidden_size,
            hidden_dim=ffn.hidden_size,
            n_layers=ffn.num_layers,
            dropout=ffn.dropout,
            activation=ffn.activation,
        ),
        batch_norm=mp.batch_norm,
    )


def chemprop_batch() -> BatchMolGraph:
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    return BatchMolGraph([featurizer(Chem.MolFromSmiles(s)) for s in SMILES])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aggregation": "mean"},
        {"aggregation": "sum", "bias": True},
        {"undirected": True, "depth": 4},
        {"depth": 1},
        {"batch_norm": True},
        {"activation": "prelu"},
    ],
    ids=str,
)
def test_one_group_is_chemprop_on_the_same_seed(changes):
    """Same seed, same weights, and outputs and gradients that agree to 1e-6."""
    config = ModelConfig(message_passing={"hidden_size": 60, **changes}, ffn={"hidden_size": 50})
    graphs = featurize(SMILES)
    torch.manual_seed(11)
    ours = GroupedNetwork(config, NetworkPlan.together("abc"), graphs.d_v, graphs.d_e)
    torch.manual_seed(11)
    theirs = chemprop_model(config, 3)
    for a, b in zip(
        ours.encoder.message_passing.parameters(), theirs.message_passing.parameters(), strict=True
    ):
        assert torch.equal(a, b)
    for a, b in zip(ours.heads[0].parameters(), theirs.predictor.ffn.parameters(), strict=True):
        assert torch.equal(a, b)
    rows = np.arange(len(SMILES))
    batch, bmg = GraphBatch.of(ours.batcher(graphs).batch(rows, backward=True)), chemprop_batch()
    ours.train()
    theirs.train()
    a, b = ours(batch), theirs(bmg)
    torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-6)
    a.square().mean().backward()
    b.square().mean().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, atol=1e-6, rtol=1e-5)
    ours.eval()
    theirs.eval()
    torch.testing.assert_close(ours.encoder(batch), theirs.fingerprint(bmg), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(ours(batch), theirs(bmg), atol=1e-6, rtol=1e-6)


def test_weights_go_both_ways():
    graphs = featurize(SMILES)
    ours = GroupedNetwork(ModelConfig(), NetworkPlan.together("a"), graphs.d_v, graphs.d_e)
    theirs = chemprop_nn.BondMessagePassing()
    theirs.load_state_dict(ours.encoder.message_passing.state_dict())
    ours.encoder.message_passing.load_state_dict(theirs.state_dict())


def test_dropout_is_chemprops():
    config = ModelConfig(message_passing={"dropout": 0.4, "hidden_size": 20}, ffn={"dropout": 0.2})
    graphs = featurize(SMILES)
    ours = GroupedNetwork(config, NetworkPlan.together("a"), graphs.d_v, graphs.d_e)
    theirs = chemprop_model(config, 1)
    theirs.message_passing.load_state_dict(ours.encoder.message_passing.state_dict())
    theirs.predictor.ffn.load_state_dict(ours.heads[0].state_dict())
    torch.manual_seed(1)
    batcher = replace(ours.batcher(graphs, training=True), multiple=1)  # no rows but Chemprop's
    a = ours.train()(GraphBatch.of(batcher.batch(np.arange(len(SMILES)), backward=True)))
    torch.manual_seed(1)
    b = theirs.train()(chemprop_batch())
    torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def test_outputs_stand_in_the_order_of_the_tasks():
    graphs = featurize(SMILES)
    config = ModelConfig(message_passing={"hidden_size": 20}, ffn={"hidden_size": 20})
    network = GroupedNetwork(
        config, NetworkPlan.of(disjoint(["ca", "b"]), "abc"), graphs.d_v, graphs.d_e
    ).eval()
    batch = GraphBatch.of(network.batcher(graphs).batch(np.arange(5)))
    Z = network.encoder(batch)
    outputs = network(batch)
    torch.testing.assert_close(outputs[:, [2, 0]], network.heads[0](Z))
    torch.testing.assert_close(outputs[:, [1]], network.heads[1](Z))


def test_a_task_of_one_group_does_not_move_the_head_of_another():
    graphs = featurize(SMILES)
    network = GroupedNetwork(
        ModelConfig(), NetworkPlan.of(disjoint("ab"), "ab"), graphs.d_v, graphs.d_e
    )
    batch = GraphBatch.of(network.batcher(graphs).batch(np.arange(5), backward=True))
    network(batch)[:, 0].sum().backward()
    assert all(p.grad.abs().sum() == 0 for p in network.heads[1].parameters())
    assert all(p.grad.abs().sum() > 0 for p in network.encoder.message_passing.W_i.parameters())


@pytest.mark.parametrize("changes", [{}, {"undirected": True}, {"depth": 1}, {"depth": 5}], ids=str)
def test_sharing_rows_changes_nothing_but_the_number_of_rows(changes):
    """Embeddings and gradients of a batch with shared rows are those of one with a row a bond."""
    config = ModelConfig(message_passing={"hidden_size": 40, **changes})
    graphs = featurize(SMILES)
    torch.manual_seed(0)
    network = GroupedNetwork(config, NetworkPlan.together("ab"), graphs.d_v, graphs.d_e)
    shared = network.batcher(graphs)
    rows = np.arange(len(SMILES))[::-1].copy()
    results = []
    for batcher in (shared, Unshared(shared)):
        network.zero_grad()
        batch = GraphBatch.of(batcher.batch(rows, backward=True))
        outputs = network(batch)
        outputs.square().sum().backward()
        sizes = [len(layer.origin.index) for layer in batch.layers()[0]]
        results.append(
            (
                outputs.detach(),
                [p.grad.clone() for p in network.parameters() if p.grad is not None],
                sizes,
            )
        )
    (a, grad_a, n_a), (b, grad_b, n_b) = results
    torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)
    for p, q in zip(grad_a, grad_b, strict=True):
        torch.testing.assert_close(p, q, atol=1e-5, rtol=1e-4)
    assert all(p < q for p, q in zip(n_a, n_b, strict=True))


def test_atom_descriptors_are_chemprops():
    graphs = featurize(SMILES)
    torch.manual_seed(2)
    ours = BondMessagePassing(d_h=30, d_vd=5)
    torch.manual_seed(2)
    theirs = chemprop_nn.BondMessagePassing(d_h=30, d_vd=5)
    bmg = chemprop_batch()
    V_d = torch.randn(len(bmg.V), 5)
    batch = GraphBatch.of(unfold(graphs, 3).batch(np.arange(len(SMILES)), backward=True))
    a, b = ours(batch, V_d), theirs(bmg, V_d)
    torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-6)
    a.square().sum().backward()
    b.square().sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match=r"`V_d` must have shape"):
        ours(batch, V_d[:-1])
    with pytest.raises(ValueError, match="be built with that `d_vd`"):
        BondMessagePassing(d_h=30)(batch, V_d)


def test_molecules_without_bonds_have_embeddings():
    graphs = featurize(["C", "[Na+].[Cl-]", "O"])
    network = GroupedNetwork(ModelConfig(), NetworkPlan.together("a"), graphs.d_v, graphs.d_e)
    batch = GraphBatch.of(network.batcher(graphs).batch(np.arange(3), backward=True))
    outputs = network(batch)
    outputs.sum().backward()
    assert torch.isfinite(outputs).all()
    assert torch.isfinite(network.encoder.message_passing.W_o.weight.grad).all()


def test_bfloat16_stays_near_float32():
    graphs = featurize(SMILES)
    torch.manual_seed(0)
    network = GroupedNetwork(ModelConfig(), NetworkPlan.together("ab"), graphs.d_v, graphs.d_e)
    batch = GraphBatch.of(network.batcher(graphs).batch(np.arange(len(SMILES)), backward=True))
    exact = network.encoder(batch)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = network.encoder(batch)
    assert rounded.dtype == torch.float32
    assert (exact - rounded).abs().max() < 0.02 * exact.abs().max()


@pytest.mark.parametrize(
    ("name", "width", "known", "precision"),
    [
        ("auto", 300, {"avx512_bf16": True}, "bf16-mixed"),
        ("auto", 300, {"amx_bf16": True}, "bf16-mixed"),
        ("auto", 300, {"avx512_f": True}, "32-true"),
        ("auto", 64, {"amx_bf16": True}, "32-true"),
        ("32", 300, {"amx_bf16": True}, "32-true"),
        ("bf16-mixed", 64, {}, "bf16-mixed"),
    ],
)
def test_precision_follows_the_processor(monkeypatch, name, width, known, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert resolve_precision(name, torch.device("cpu"), width) == precision


def test_a_task_in_two_groups_is_learnt_by_both_heads_and_served_by_one():
    graphs = featurize(SMILES)
    config = ModelConfig(message_passing={"hidden_size": 20}, ffn={"hidden_size": 20})
    plan = NetworkPlan.of(overlapping(["ab", "bc"], {"b": 1}), "abc")
    network = GroupedNetwork(config, plan, graphs.d_v, graphs.d_e)
    network.eval()
    batch = GraphBatch.of(network.batcher(graphs).batch(np.arange(5)))
    slots, outputs = network.slot_outputs(batch), network(batch)
    assert plan.slots == [0, 1, 1, 2]
    assert network.serving == [0, 2, 3]
    torch.testing.assert_close(outputs, slots[:, [0, 2, 3]])
    torch.testing.assert_close(slots[:, :2], network.heads[0](network.encoder(batch)))
