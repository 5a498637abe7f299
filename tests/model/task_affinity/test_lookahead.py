import numpy as np
import pandas as pd
import pytest
import torch

from admet.config import DataConfig, ModelConfig, TaskAffinityConfig
from admet.data import build_panel, table_from_frame
from admet.featurize import featurize
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.problems import MoleculeProblem

SMALL = ModelConfig(message_passing={"hidden_size": 16}, ffn={"hidden_size": 16, "num_layers": 1})
COLUMNS = ["LogD", "KSOL", "PAMPA", "hERG"]


def measure(frame, columns=COLUMNS, **keys):
    config = TaskAffinityConfig(**{"estimator": "lookahead", "affinity_batch_size": 32, **keys})
    return TaskAffinityComputer(config, SMALL).compute_from_dataframe(frame, "SMILES", columns)[0]


def test_the_first_step_is_equation_1(demo_frame):
    """By the definition, with a network copied and moved by hand, on the one batch there is."""
    config = TaskAffinityConfig(estimator="lookahead", affinity_batch_size=1000)
    matrix = measure(demo_frame, affinity_batch_size=1000)
    panel = build_panel(table_from_frame(demo_frame), DataConfig(target_columns=COLUMNS))
    problem = MoleculeProblem.of(panel, featurize(panel.smiles), SMALL, torch.device("cpu"))
    torch.manual_seed(config.seed)
    network, loss = problem.network(), TaskLoss(panel.kinds)
    ((inputs, y, mask, _),) = problem.batches(network, 1000, config.seed)

    def losses(moved):
        return loss.per_task(moved(inputs), y, mask)

    expected = np.zeros((4, 4))
    for i in range(4):
        before = losses(network)
        gradient = torch.autograd.grad(before[i], list(network.encoder.parameters()))
        torch.manual_seed(config.seed)
        other = problem.network()
        with torch.no_grad():
            for p, g in zip(other.encoder.parameters(), gradient, strict=True):
                p.sub_(config.lookahead_lr * g)
            expected[i] = (1 - losses(other) / before.detach()).numpy()
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


def test_it_is_directed_and_a_task_helps_itself(demo_frame):
    matrix = measure(demo_frame)
    assert not np.allclose(matrix, matrix.T)
    assert (np.diag(matrix) > 0).all()
    assert np.array_equal(matrix, measure(demo_frame))


def test_pairs_never_seen_together_stay_unknown():
    frame = pd.DataFrame(
        {
            "SMILES": ["C" * (i + 1) for i in range(20)],
            "A": [float(i) if i % 2 else None for i in range(20)],
            "B": [float(i * i) if i % 2 == 0 else None for i in range(20)],
        }
    )
    with pytest.warns(match="unknown"):
        matrix = measure(frame, ["A", "B"], affinity_batch_size=1)
    assert np.isnan(matrix[0, 1])
    assert np.isnan(matrix[1, 0])
    assert np.isfinite(np.diag(matrix)).all()


def test_nothing_to_learn_from_says_so(demo_frame):
    with pytest.raises(RuntimeError, match="No gradient steps were performed"):
        measure(demo_frame.assign(SMILES="xx"))
