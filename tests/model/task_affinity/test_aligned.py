import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

from admet.config import DataConfig, ModelConfig, TaskAffinityConfig
from admet.data import build_panel, table_from_frame
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.featurize import featurize, unfold
from admet.model.chemprop import GraphBatch
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper
from admet.model.chemprop.task_affinity.problems import FOLDS, MoleculeProblem
from admet.model.chemprop.task_affinity.problems.heads_fit import fit_heads

SMALL = ModelConfig(message_passing={"hidden_size": 16})
COLUMNS = ["LogD", "KSOL", "PAMPA", "hERG"]


@pytest.fixture
def plain_frame(demo_frame):
    """Endpoints that are plain descriptors: a head reads them off an untrained encoder."""
    frame = demo_frame.copy()
    rng = np.random.default_rng(1)
    mols = [Chem.MolFromSmiles(text) for text in frame["SMILES"]]
    values = np.array(
        [
            (
                Crippen.MolLogP(mol),
                Descriptors.TPSA(mol) + 10 * rdMolDescriptors.CalcNumHBD(mol),
                rdMolDescriptors.CalcFractionCSP3(mol),
            )
            for mol in mols
        ]
    )
    basis = np.linalg.qr((values - values.mean(axis=0)) / values.std(axis=0))[0]
    for latent, tasks in zip(basis.T, PLANTED_GROUPS, strict=True):
        for task in tasks:
            sign = -1 if task == "KSOL" else 1
            value = sign * latent / latent.std() + 0.4 * rng.normal(size=len(frame))
            value = (value > np.median(value)).astype(float) if task == "hERG" else value
            frame[task] = np.where(frame[task].isna(), np.nan, value)
    return frame


def problem_of(frame, columns=COLUMNS):
    panel = build_panel(table_from_frame(frame), DataConfig(target_columns=columns))
    return MoleculeProblem.of(panel, featurize(panel.smiles), SMALL, torch.device("cpu"))


def estimate(frame, columns=COLUMNS, model=SMALL, **keys):
    panel = build_panel(table_from_frame(frame), DataConfig(target_columns=columns))
    return TaskAffinityComputer(
        TaskAffinityConfig(**{"estimator": "aligned", "affinity_runs": 4, **keys}), model
    ).compute(panel)


def test_a_look_is_its_definition(demo_frame):
    """Σ over a task's molecules of d(−y · Z w)/dθ / n, by autograd on each task's own batch."""
    problem = problem_of(demo_frame)
    torch.manual_seed(0)
    network = problem.network().eval()
    molecules = problem.labelled(2000, 0)
    found = molecules.look(network, [])
    assert found.shape[:2] == (4, FOLDS)
    parameters = list(network.encoder.parameters())
    for task in range(4):
        rows = np.flatnonzero(~np.isnan(problem.targets[:, task]))
        batch = GraphBatch.of(unfold(problem.graphs, 3).batch(rows, backward=True))
        Z = network.encoder(batch)
        y = torch.tensor(problem.targets[rows, task], dtype=torch.float32)
        W, centred = fit_heads(Z, y, np.array([0, len(rows)]), [problem.kinds[task]])
        goal = -(centred @ (Z @ W[0])) / len(rows)
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(goal, parameters)])
        torch.testing.assert_close(found[task].sum(dim=0), expected, atol=1e-6, rtol=1e-3)


def test_seeds_agree_where_the_plain_estimator_does_not(plain_frame):
    def agreement(**keys):
        upper = np.triu_indices(len(TASKS), 1)
        a, b = (estimate(plain_frame, TASKS, seed=seed, **keys).matrix[upper] for seed in (0, 1))
        return np.corrcoef(a, b)[0, 1]

    assert agreement() > 0.9 > agreement(estimator="gradient")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_planted_groups_are_found_at_the_defaults(seed):
    found = estimate(make_demo_panel(), TASKS, seed=seed)
    for n_groups in (3, "auto"):
        groups = TaskGrouper(n_groups).cluster(found.matrix, TASKS)
        assert {frozenset(g) for g in groups} == {frozenset(g) for g in PLANTED_GROUPS}


def test_doubt_counts_orders_and_flags(plain_frame):
    frame = plain_frame.copy()
    rng = np.random.default_rng(0)
    frame["noise"] = rng.standard_normal(len(frame))
    frame.loc[frame.index[30:], "noise"] = np.nan
    columns = ["LogD", "KSOL", "noise"]
    found = estimate(frame, columns)
    doubt, matrix = found.doubt, found.matrix
    assert (doubt.low <= matrix).all()
    assert (matrix <= doubt.high).all()
    known = frame[columns].notna().to_numpy()
    assert found.n_common[0, 1] == (known[:, 0] & known[:, 1]).sum()
    assert found.n_common[2, 2] == 30
    assert doubt.components.shape == (FOLDS + 4, 3, 3)
    assert doubt.too_few_labels().tolist() == [False, False, True]
    assert doubt.high[0, 2] - doubt.low[0, 2] > doubt.high[0, 1] - doubt.low[0, 1]


@pytest.mark.slow
def test_more_molecules_leave_less_doubt():
    whole = make_demo_panel(1200, seed=3)
    few, many = (estimate(whole.head(n), COLUMNS, ModelConfig()).doubt for n in (150, 1200))
    upper = np.triu_indices(4, 1)
    assert (few.high - few.low)[upper].mean() > (many.high - many.low)[upper].mean()
    assert few.reliability.mean() < many.reliability.mean()


def test_a_task_with_fewer_labels_than_folds_is_looked_at_all_the_same(demo_frame):
    frame = demo_frame.copy()
    frame.loc[frame["PAMPA"].notna().cumsum() > 3, "PAMPA"] = np.nan
    found = estimate(frame, ["LogD", "PAMPA"])
    assert np.isfinite(found.matrix).all()


def test_labels_of_a_task_are_capped_and_blocks_do_not_show(demo_frame, monkeypatch):
    whole = estimate(demo_frame)
    capped = estimate(demo_frame, affinity_max_labels=40)
    assert not np.array_equal(whole.matrix, capped.matrix)
    monkeypatch.setattr("admet.model.chemprop.task_affinity.problems.molecules._BLOCK", 50)
    np.testing.assert_allclose(estimate(demo_frame).matrix, whole.matrix, atol=1e-5)


def test_one_task_is_its_own_company():
    frame = pd.DataFrame({"SMILES": ["C" * (i + 1) for i in range(20)], "A": np.arange(20.0)})
    assert estimate(frame, ["A"]).matrix.tolist() == [[1.0]]


def test_draws_have_the_spread_of_the_intervals(plain_frame):
    found = estimate(plain_frame.head(200))
    doubt, upper = found.doubt, np.triu_indices(4, 1)
    draws = np.stack(list(doubt.draws(found.matrix, 2000, 0)))
    assert np.abs(draws).max() <= 1
    assert (draws[:, range(4), range(4)] == 1).all()
    low, high = (np.quantile(draws, q, axis=0)[upper] for q in (0.025, 0.975))
    np.testing.assert_allclose(low, doubt.low[upper], atol=0.05)
    np.testing.assert_allclose(high, doubt.high[upper], atol=0.05)
