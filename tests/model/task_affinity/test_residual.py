import numpy as np
import pandas as pd
import pytest
import torch

from admet.config import DataConfig, ModelConfig, TaskAffinityConfig
from admet.data import build_panel, table_from_frame
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.featurize import featurize, unfold
from admet.kinds import BINARY, REGRESSION
from admet.model.chemprop import GraphBatch
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper
from admet.model.chemprop.task_affinity.estimators.halves import HalvedSums
from admet.model.chemprop.task_affinity.problems import FOLDS, MoleculeProblem
from admet.model.chemprop.task_affinity.problems.directions import residual_directions, summed_folds
from admet.model.chemprop.task_affinity.problems.heads_fit import fit_heads

SMALL = ModelConfig(message_passing={"hidden_size": 16})
COLUMNS = ["LogD", "KSOL", "PAMPA", "hERG"]
FIRST = (0, 1)


def estimate(frame, columns=COLUMNS, model=SMALL, **keys):
    panel = build_panel(table_from_frame(frame), DataConfig(target_columns=columns))
    config = TaskAffinityConfig(estimator="residual", **keys)
    return TaskAffinityComputer(config, model).compute(panel)


def profiled(Z, y, kind):
    """A task's loss with the head that is best at the embeddings, the head being held."""
    W, _ = fit_heads(Z.detach(), y, np.array([0, len(y)]), [kind])
    scores = (Z - Z.detach().mean(dim=0)) @ W[0]
    with torch.no_grad():
        rest = kind.residual(scores.double(), y.double()).to(Z.dtype)
    return -(rest @ (Z @ W[0])) / len(y)


def test_a_look_is_the_gradient_of_the_profiled_loss(demo_frame):
    panel = build_panel(table_from_frame(demo_frame), DataConfig(target_columns=COLUMNS))
    problem = MoleculeProblem.of(panel, featurize(panel.smiles), SMALL, torch.device("cpu"))
    torch.manual_seed(0)
    network = problem.network().eval()
    whole, one, other, *without = problem.labelled(2000, 0).look_at_residuals(network, [], FIRST)
    assert {own.shape for own in (one, other, *without)} == {whole.shape}
    assert len(without) == FOLDS
    (alone,) = problem.labelled(2000, 0).look_at_residuals(network, [], None)
    torch.testing.assert_close(alone, whole)
    parameters = list(network.encoder.parameters())
    for task, kind in enumerate(problem.kinds):
        rows = np.flatnonzero(~np.isnan(problem.targets[:, task]))
        batch = GraphBatch.of(unfold(problem.graphs, 3).batch(rows, backward=True))
        y = torch.tensor(problem.targets[rows, task], dtype=torch.float32)
        goal = profiled(network.encoder(batch), y, kind)
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(goal, parameters)])
        torch.testing.assert_close(whole[task], expected, atol=2e-5, rtol=1e-2)


def test_regression_residuals_are_those_of_the_squared_error():
    """By the envelope theorem: the derivative of the loss whose head is fitted anew."""
    torch.manual_seed(1)
    Z = torch.randn(200, 3, dtype=torch.float64, requires_grad=True)
    y = 2 * Z.detach()[:, 0] + torch.randn(200, dtype=torch.float64)
    centred = Z - Z.mean(dim=0)
    w = torch.linalg.solve(centred.T @ centred, centred.T @ (y - y.mean()))
    loss = ((y - y.mean() - centred @ w) ** 2).sum() / 2 / len(y)
    (expected,) = torch.autograd.grad(loss, Z)
    starts, fold = np.array([0, 200]), np.arange(200) % FOLDS
    found = residual_directions(Z, y, starts, fold, [REGRESSION], FIRST)[0]
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-2)  # but for the penalty


@pytest.mark.parametrize("kind", [REGRESSION, BINARY])
def test_parts_know_nothing_of_each_other(kind):
    torch.manual_seed(2)
    Z = torch.randn(60, 4)
    y = (Z[:, 0] + 0.5 * torch.randn(60) > 0).float()
    starts, fold = np.array([0, 60]), np.arange(60) % FOLDS
    parts = residual_directions(Z, y, starts, fold, [kind], FIRST)[1]
    other = y.clone()
    second = ~np.isin(fold, FIRST)
    other[second] = (Z[second][:, 1] > 0).float()
    changed = residual_directions(Z, other, starts, fold, [kind], FIRST)[1]
    torch.testing.assert_close(parts[~second], changed[~second])
    assert not torch.allclose(parts[second], changed[second])


def test_what_is_left_out_leaves_no_trace():
    torch.manual_seed(2)
    Z, y = torch.randn(60, 4), torch.randn(60)
    starts, fold = np.array([0, 60]), np.arange(60) % FOLDS
    other = torch.where(torch.from_numpy(fold == 3), y + 5, y)
    a, b = (residual_directions(Z, v, starts, fold, [REGRESSION], FIRST)[2 + 3] for v in (y, other))
    torch.testing.assert_close(a, b)
    assert (a[fold == 3] == 0).all()


def test_a_task_with_one_label_in_a_part_has_no_part_there():
    Z, y = torch.randn(4, 3), torch.tensor([0.0, 1.0, 2.0, 3.0])
    fold = np.array([0, 2, 3, 4])  # one of them in the first part
    whole, parts, *_ = residual_directions(Z, y, np.array([0, 4]), fold, [REGRESSION], FIRST)
    assert (parts[0] == 0).all()
    assert torch.isfinite(whole).all()


def test_reliability_is_that_of_two_halves():
    """Gradients of a common part and noise: Spearman and Brown say what all of them are worth."""
    rng = torch.Generator().manual_seed(0)
    n = 200_000
    signal, noise = torch.randn(n, generator=rng), torch.randn(FOLDS, n, generator=rng)
    G = signal / FOLDS + noise * (0.5 / FOLDS) ** 0.5  # the noise of all folds: half the signal's
    sums = HalvedSums(1, torch.device("cpu"), 1)
    total = G.sum(dim=0)[None]
    parts = summed_folds(1, G[None], FIRST)
    sums.add([total, *parts, *[total] * FOLDS], FIRST, [0], 0)
    assert sums.reliability[0] == pytest.approx(1 / 1.5, abs=0.03)


def test_doubt_orders_and_flags(demo_frame):
    frame = demo_frame.copy()
    rng = np.random.default_rng(0)
    frame["noise"] = rng.standard_normal(len(frame))
    frame.loc[frame.index[30:], "noise"] = np.nan
    found = estimate(frame, ["LogD", "KSOL", "noise"])
    doubt = found.doubt
    assert (doubt.low <= found.matrix).all()
    assert (found.matrix <= doubt.high).all()
    assert doubt.components.shape == (FOLDS + 8, 3, 3)
    assert doubt.too_few_labels()[2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_planted_groups_are_found_at_the_defaults(seed):
    found = estimate(make_demo_panel(), TASKS, ModelConfig(), seed=seed)
    groups = TaskGrouper(3).cluster(found.matrix, TASKS)
    assert {frozenset(g) for g in groups} == {frozenset(g) for g in PLANTED_GROUPS}


def test_sister_assays_agree_where_what_is_explained_does_not():
    """Two noisy readings of one property, on molecules that they do not share."""
    frame = make_demo_panel(1200, seed=2)
    rng = np.random.default_rng(0)
    twin = rng.random(len(frame)) < 0.5
    frame["CLhep"] = frame["CLint"].where(twin)
    frame["CLint"] = frame["CLint"].where(~twin)
    columns = ["LogD", "PAMPA", "CLint", "CLhep"]
    matrix = estimate(frame, columns, ModelConfig()).matrix
    assert matrix[2, 3] > 0
    assert matrix[2, 3] == max(matrix[2, [0, 1, 3]])


def test_one_task_is_its_own_company():
    frame = pd.DataFrame({"SMILES": ["C" * (i + 1) for i in range(20)], "A": np.arange(20.0)})
    assert estimate(frame, ["A"]).matrix.tolist() == [[1.0]]
