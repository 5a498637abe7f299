"""The computer on a small MLP and a plain list of batches."""

import logging
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from torch import nn

from admet.config import NetworkConfig, TaskAffinityConfig
from admet.errors import AffinityWarning, ConfigError, DataError, NoGradientStepsError
from admet.kinds import kind_of
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper
from admet.model.chemprop.task_affinity.problems import FOLDS, LoaderProblem
from admet.model.chemprop.task_affinity.problems.heads_fit import fit_heads

PLANTED = [0, 0, 0, 1, 1, 1]
NAMES = [f"t{i}" for i in range(6)]
KINDS = ["regression", "regression", "binary", "regression", "regression", "binary"]

KINDS_OF_TASKS = tuple(kind_of(name) for name in KINDS)


class Perceptron(nn.Module):
    """An encoder and a head, and nothing of chemistry."""

    def __init__(self, body="encoder", dropout=0.0):
        super().__init__()
        self.body = body
        layers = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Dropout(dropout))
        self.add_module(body, layers)
        self.head = nn.Linear(32, 6)

    def forward(self, x):
        return self.head(self.get_submodule(self.body)(x))


@pytest.fixture
def loader():
    """Six tasks in two groups, two labels in three missing; every third task is binary."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 20))
    latent = np.tanh(X @ rng.standard_normal((20, 2)) / 3)
    Y = latent[:, PLANTED] + 0.3 * rng.standard_normal((600, 6))
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    Y[:, [2, 5]] = Y[:, [2, 5]] > 0
    mask = torch.from_numpy(rng.random(Y.shape) < 1 / 3)
    X, Y = torch.from_numpy(X).float(), torch.from_numpy(Y).float()
    return [(X[i : i + 50], Y[i : i + 50], mask[i : i + 50]) for i in range(0, 600, 50)]


def computer(**keys):
    return TaskAffinityComputer(TaskAffinityConfig(log_affinity_matrix=False, **keys))


def test_planted_groups_of_an_mlp_are_found(loader):
    found = computer().compute_from_loader(Perceptron, loader, NAMES, kinds=KINDS)
    groups = TaskGrouper("auto").cluster(found.matrix, NAMES)
    label = [next(i for i, g in enumerate(groups) if n in g) for n in NAMES]
    assert adjusted_rand_score(label, PLANTED) == 1.0
    present = torch.cat([mask for _, _, mask in loader])
    assert found.n_common[0, 1] == int((present[:, 0] & present[:, 1]).sum())


def test_a_loader_leaves_the_choice_of_the_estimator_open_for_molecules(loader):
    own = computer()
    before = own.config, type(own.estimator)
    own.compute_from_loader(Perceptron, loader, NAMES, kinds=KINDS)
    assert (own.config, type(own.estimator)) == before


@pytest.mark.parametrize("estimator", ["residual", "aligned", "gradient", "lookahead"])
def test_every_estimator_takes_it_and_leaves_the_network_alone(loader, estimator):
    torch.manual_seed(0)
    network = Perceptron("trunk", dropout=0.5)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    runs = [
        computer(estimator=estimator).compute_from_loader(
            network, loader, NAMES, kinds=KINDS, encoder="trunk"
        )
        for _ in range(2)
    ]
    assert np.isfinite(runs[0].matrix).all()
    assert np.array_equal(runs[0].matrix, runs[1].matrix)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
    assert network.trunk[2].p == 0.5


def test_a_look_is_its_definition(loader):
    torch.manual_seed(0)
    problem = LoaderProblem(Perceptron, loader, KINDS_OF_TASKS, torch.device("cpu"))
    network = problem.network()
    found = problem.labelled(10_000, 0).look(network, [])
    assert found.shape[:2] == (6, FOLDS)
    X, Y, mask = (torch.cat(part) for part in zip(*loader, strict=True))
    for task in range(6):
        Z = network.encoder(X[mask[:, task]])
        y = Y[mask[:, task], task]
        W, centred = fit_heads(Z, y, np.array([0, len(y)]), [KINDS_OF_TASKS[task]])
        goal = -(centred @ (Z @ W[0])) / len(y)
        parts = torch.autograd.grad(goal, list(network.encoder.parameters()))
        expected = torch.cat([g.flatten() for g in parts])
        torch.testing.assert_close(found[task].sum(dim=0), expected, atol=1e-5, rtol=1e-3)


def test_labels_of_a_task_are_capped(loader):
    problem = LoaderProblem(Perceptron, loader, KINDS_OF_TASKS, torch.device("cpu"))
    examples = problem.labelled(7, 0)
    assert [len(rows) for rows in examples._rows] == [7] * 6


def test_keys_that_a_loader_silences_are_named(loader, caplog):
    with caplog.at_level(logging.WARNING):
        computer(affinity_runs=1).compute_from_loader(Perceptron, loader, NAMES)
    assert not caplog.messages
    keys = {"affinity_batch_size": 8, "affinity_hidden_size": 32, "lookahead_lr": 1.0}
    config = TaskAffinityConfig(log_affinity_matrix=False, affinity_runs=1, **keys)
    shape = NetworkConfig(message_passing={"depth": 2})
    TaskAffinityComputer(config, shape).compute_from_loader(Perceptron, loader, NAMES)
    whole = ["affinity_hidden_size", "model.message_passing.depth"]
    assert caplog.messages == [
        "estimator is residual, so these do nothing: lookahead_lr",
        f"the network comes as it is, so these do nothing: {', '.join(whole)}",
        "the batches are the loader's, so these do nothing: affinity_batch_size",
    ]


def test_inputs_may_be_nested(loader):
    class Wrapped(Perceptron):
        def __init__(self):
            super().__init__()
            inner = self.encoder
            self.encoder = Nested(inner)

    class Nested(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, inputs):
            return self.inner(inputs["x"][0])

    nested = [({"x": [X]}, y, m) for X, y, m in loader]
    plain = computer().compute_from_loader(Perceptron, loader, NAMES)
    same = computer().compute_from_loader(Wrapped, nested, NAMES)
    np.testing.assert_array_equal(plain.matrix, same.matrix)


def test_batches_may_move_in_place_and_tuples_have_names(loader):
    """As Chemprop's `BatchMolGraph`, whose `to` gives nothing back."""

    class InPlace:
        def __init__(self, X):
            self.X = X

        def to(self, device):
            self.X = self.X.to(device)

    class Named(NamedTuple):
        graph: InPlace

    class Wrapped(Perceptron):
        def __init__(self):
            super().__init__()
            self.encoder = Opened(self.encoder)

    class Opened(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, inputs):
            return self.inner(inputs.graph.X)

    moved = [(Named(InPlace(X)), y, m) for X, y, m in loader]
    plain = computer().compute_from_loader(Perceptron, loader, NAMES)
    same = computer().compute_from_loader(Wrapped, moved, NAMES)
    np.testing.assert_array_equal(plain.matrix, same.matrix)


def test_a_task_without_labels_stays_unknown(loader):
    for _, _, mask in loader:
        mask[:, 3] = False
    with pytest.warns(AffinityWarning, match="t0 – t3"):
        found = computer().compute_from_loader(Perceptron, loader, NAMES)
    assert np.isnan(found.matrix[3]).all()


def test_what_does_not_fit_is_named(loader):
    call = computer().compute_from_loader
    with pytest.raises(ConfigError, match="`encoder` must name a submodule.*encoder, head"):
        call(Perceptron, loader, NAMES, encoder="mpnn")
    with pytest.raises(ConfigError, match="`task_names` must name each task once"):
        call(Perceptron, loader, [*NAMES[:5], NAMES[0]])
    with pytest.raises(ConfigError, match="`kinds` must hold"):
        call(Perceptron, loader, NAMES, kinds=["regression"])
    with pytest.raises(DataError, match=r"shape \(b, 5\).*\(50, 6\)"):
        call(Perceptron, loader, NAMES[:5])
    with pytest.raises(DataError, match="triples .* is a tuple of 2. Wrap"):
        call(Perceptron, [loader[0][:2]], NAMES)
    X, y, mask = loader[1]
    bad = torch.where(mask, torch.nan, y)
    with pytest.raises(DataError, match="batch 1 holds NaN"):
        call(Perceptron, [loader[0], (X, bad, mask)], NAMES)
    with pytest.raises(DataError, match="must give its batches anew at every pass"):
        call(Perceptron, iter(loader), NAMES)
    with pytest.raises(NoGradientStepsError):
        call(Perceptron, [], NAMES)

    class Rows(Perceptron):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(self.encoder, nn.Unflatten(1, (8, 4)))
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(32, 6))

    with pytest.raises(ConfigError, match=r"shape \(50, d_h\); got shape \(50, 8, 4\)"):
        call(Rows, loader, NAMES)
