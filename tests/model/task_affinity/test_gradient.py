import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from admet.config import DataConfig, ModelConfig, TrainConfig, load_yaml_config
from admet.data import build_panel, table_from_frame
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.errors import AffinityWarning, ConfigError, DataError, DeviceError
from admet.featurize import featurize
from admet.model.chemprop import BatchLoader, GraphBatch, GroupedNetwork, TargetScaler, TaskLoss
from admet.model.chemprop.plan import NetworkPlan, disjoint
from admet.model.chemprop.task_affinity import (
    TaskAffinityComputer,
    TaskAffinityConfig,
    compute_task_affinity,
)
from admet.model.chemprop.task_affinity.estimators import ESTIMATORS
from admet.model.chemprop.task_affinity.problems import MoleculeProblem
from admet.model.chemprop.task_affinity.problems.parameters import select_encoder_parameters

SMALL = ModelConfig(message_passing={"hidden_size": 16}, ffn={"hidden_size": 16, "num_layers": 1})
COLUMNS = ["LogD", "KSOL", "PAMPA", "hERG"]


def plain(**keys):
    return TaskAffinityConfig(**{"estimator": "gradient", **keys})


def measure(frame, columns=COLUMNS, **keys):
    computer = TaskAffinityComputer(plain(**keys), SMALL)
    return computer.compute_from_dataframe(frame, "SMILES", columns)[0]


def naive(frame: pd.DataFrame, config: TaskAffinityConfig) -> np.ndarray:
    """The definition, in NumPy: one backward pass a task a step, all gradients kept."""
    panel = build_panel(table_from_frame(frame), DataConfig(target_columns=COLUMNS))
    graphs = featurize(panel.smiles)
    kinds = [task.kind for task in panel.tasks]
    targets = TargetScaler.fit(panel.labels.values, kinds).scale_labels(panel.labels.values)
    torch.manual_seed(config.seed)
    network = GroupedNetwork(SMALL, NetworkPlan.together(COLUMNS), graphs.d_v, graphs.d_e)
    loader = BatchLoader(
        network.batcher(graphs),
        np.arange(len(panel)),
        targets,
        config.affinity_batch_size,
        shuffle=True,
        seed=config.seed,
        backward=True,
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=config.affinity_lr)
    loss = TaskLoss(kinds)
    steps = []
    for batch in loader:
        gradients = {}
        for t in range(4):
            if batch.mask[:, t].any():
                network.zero_grad()
                loss.per_task(network(batch.graphs), batch.targets, batch.mask)[t].backward()
                gradients[t] = np.concatenate(
                    [p.grad.double().numpy().ravel() for p in network.encoder.parameters()]
                )
        steps.append(gradients)
        optimizer.zero_grad()
        losses = loss.per_task(network(batch.graphs), batch.targets, batch.mask)
        losses[list(gradients)].mean().backward()
        optimizer.step()
    matrix = np.full((4, 4), np.nan)
    for i in range(4):
        for j in range(4):
            pairs = [(s[i], s[j]) for s in steps if i in s and j in s]
            if not pairs:
                continue
            dots = [a @ b for a, b in pairs]
            norms = [np.linalg.norm(a) * np.linalg.norm(b) for a, b in pairs]
            if config.normalize_gradients:
                matrix[i, j] = np.mean([d / n for d, n in zip(dots, norms, strict=True)])
            elif config.affinity_type == "cosine":
                matrix[i, j] = sum(dots) / sum(norms)
            else:
                squares = sum(a @ a for a, _ in pairs) * sum(b @ b for _, b in pairs)
                matrix[i, j] = sum(dots) / np.sqrt(squares)
    return matrix


@pytest.mark.parametrize("kind", ["cosine", "dot_product"])
@pytest.mark.parametrize("normalize", [True, False])
def test_the_matrix_is_its_definition(demo_frame, kind, normalize):
    config = plain(affinity_type=kind, normalize_gradients=normalize, affinity_batch_size=16)
    computer = TaskAffinityComputer(config, SMALL)
    matrix, _ = computer.compute_from_dataframe(demo_frame, "SMILES", COLUMNS)
    np.testing.assert_allclose(matrix, naive(demo_frame, config), atol=1e-4)


def test_the_gradients_are_those_of_finite_differences(demo_frame):
    """Autograd's encoder gradient of one task's loss against central differences, in float64."""
    panel = build_panel(table_from_frame(demo_frame), DataConfig(target_columns=COLUMNS))
    graphs = featurize(panel.smiles[:12])
    torch.manual_seed(0)
    network = GroupedNetwork(SMALL, NetworkPlan.together(COLUMNS), graphs.d_v, graphs.d_e).double()
    batch = GraphBatch.of(network.batcher(graphs).batch(np.arange(12), backward=True))
    batch = replace(batch, X=batch.X.double(), V=batch.V.double())
    targets = torch.randn(12, 4, dtype=torch.float64)
    mask = torch.rand(12, 4) > 0.3
    loss = TaskLoss([task.kind for task in panel.tasks]).double()
    weight = network.encoder.message_passing.W_h.weight

    def value() -> torch.Tensor:
        return loss.per_task(network(batch), targets.clamp(0, 1), mask)[3]

    (gradient,) = torch.autograd.grad(value(), weight)
    step = 1e-6
    for i, j in [(0, 0), (3, 5), (15, 2)]:
        with torch.no_grad():
            weight[i, j] += step
            up = value()
            weight[i, j] -= 2 * step
            down = value()
            weight[i, j] += step
        assert gradient[i, j].item() == pytest.approx(((up - down) / (2 * step)).item(), abs=1e-8)


def test_the_matrix_is_symmetric_bounded_and_one_on_the_diagonal(demo_frame):
    matrix = measure(demo_frame)
    assert np.array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 1).all()
    assert (np.abs(matrix) <= 1).all()


def test_the_same_seed_gives_the_same_bits_and_another_does_not(demo_frame):
    assert np.array_equal(measure(demo_frame), measure(demo_frame))
    assert not np.array_equal(measure(demo_frame), measure(demo_frame, seed=7))


def test_the_global_random_state_is_left_alone(demo_frame):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    measure(demo_frame)
    assert torch.equal(torch.rand(1), expected)


def test_the_unit_of_a_target_changes_nothing(demo_frame):
    scaled = demo_frame.assign(LogD=demo_frame["LogD"] * 1024)  # a power of two: no rounding
    assert np.allclose(measure(demo_frame), measure(scaled), atol=1e-6)


def test_two_tasks_with_one_head_row_and_one_label_are_at_one(demo_frame, monkeypatch):
    """With equal labels and equal output weights, two gradients are the same vector."""
    fresh = MoleculeProblem.network

    def with_equal_heads(problem):
        network = fresh(problem)
        last = network.heads[0][-1][-1]
        with torch.no_grad():
            last.weight[1] = last.weight[0]
            last.bias[1] = last.bias[0]
        return network

    monkeypatch.setattr(MoleculeProblem, "network", with_equal_heads)
    frame = demo_frame[["SMILES", "CLint", "PAMPA"]].assign(twin=demo_frame["CLint"])
    computer = TaskAffinityComputer(TaskAffinityConfig(estimator="gradient"), SMALL)
    matrix, _ = computer.compute_from_dataframe(frame, "SMILES", ["CLint", "twin", "PAMPA"])
    assert matrix[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert matrix[0, 2] < 0.9


def test_pairs_never_seen_together_are_nan_with_a_warning():
    frame = pd.DataFrame(
        {
            "SMILES": ["C" * (i + 1) for i in range(20)],
            "A": [float(i) if i % 2 else None for i in range(20)],
            "B": [float(i * i) if i % 2 == 0 else None for i in range(20)],
        }
    )
    with pytest.warns(AffinityWarning, match=r"1 pair\(s\).*unknown \(NaN\): A – B"):
        matrix = measure(frame, ["A", "B"], affinity_batch_size=1)
    assert np.isnan(matrix[0, 1])
    assert matrix[0, 0] == matrix[1, 1] == 1.0


def test_the_mean_is_over_the_steps_that_both_had(demo_frame):
    """pair_steps counts them, and a task in half of the molecules is in fewer steps."""
    frame = demo_frame.copy()
    frame.loc[frame.index[20:], "PAMPA"] = np.nan
    panel = build_panel(table_from_frame(frame), DataConfig(target_columns=COLUMNS))
    config = plain(affinity_batch_size=8)
    estimate = TaskAffinityComputer(config, SMALL).compute(panel)
    assert estimate.n_steps == -(-len(panel) // 8)
    assert estimate.pair_steps[0, 2] < estimate.pair_steps[0, 1] <= estimate.n_steps
    assert estimate.pair_steps[0, 2] <= estimate.pair_steps[2, 2]


def test_nothing_to_learn_from_says_so(demo_frame):
    empty = demo_frame.assign(LogD=np.nan, KSOL=np.nan)
    with pytest.raises(RuntimeError, match="No gradient steps were performed.*missing.*SMILES"):
        measure(empty, ["LogD", "KSOL"])
    with pytest.raises(RuntimeError, match="No gradient steps were performed"):
        measure(demo_frame.assign(SMILES="xx"))


def test_a_batch_larger_than_the_panel_is_one_step(demo_frame, caplog):
    matrix = measure(demo_frame, affinity_batch_size=1000)
    assert np.isfinite(matrix).all()
    assert "affinity_batch_size 1000 exceeds the" in caplog.text


def test_wrong_arguments_are_named(demo_frame):
    with pytest.raises(DataError, match="Target column 'logd' .* Nearest: 'LogD'"):
        measure(demo_frame, ["logd", "KSOL"])
    with pytest.raises(DataError, match="SMILES column 'smi'"):
        TaskAffinityComputer().compute_from_dataframe(demo_frame, "smi", COLUMNS)
    with pytest.raises(ValueError, match=r"between 1 and the number of tasks \(2\); got 3"):
        compute_task_affinity(demo_frame, "SMILES", ["LogD", "KSOL"])
    with pytest.raises(DeviceError, match="task_affinity.device"):
        measure(demo_frame, device="cuda:99")


def test_parameters_are_chosen_by_name():
    plan = NetworkPlan.of(disjoint([["a"], ["b"]]), ["a", "b"])
    network = GroupedNetwork(SMALL, plan, 72, 14)
    default = select_encoder_parameters(network, [])
    assert list(default) == [
        "encoder.message_passing.W_i.weight",
        "encoder.message_passing.W_h.weight",
        "encoder.message_passing.W_o.weight",
        "encoder.message_passing.W_o.bias",
    ]
    assert list(select_encoder_parameters(network, ["encoder", "mpnn", "bond_message"])) == list(
        default
    )
    assert list(select_encoder_parameters(network, ["w_H"])) == [
        "encoder.message_passing.W_h.weight"
    ]
    with pytest.raises(ConfigError, match=r"selects nothing.*encoder.message_passing.W_i.weight"):
        select_encoder_parameters(network, ["gru"])


def test_a_chosen_pattern_changes_the_matrix(demo_frame):
    whole, part = measure(demo_frame), measure(demo_frame, encoder_param_patterns=["W_o"])
    assert not np.array_equal(whole, part)


def test_other_estimators_can_join(demo_frame):
    class Constant:
        def estimate(self, problem, config):
            return replace(ESTIMATORS["gradient"]().estimate(problem, config), matrix=np.eye(4))

    computer = TaskAffinityComputer(TaskAffinityConfig(), SMALL, Constant())
    assert np.array_equal(
        computer.compute_from_dataframe(demo_frame, "SMILES", COLUMNS)[0], np.eye(4)
    )


def test_the_log_has_the_format_of_the_contract(demo_frame, caplog):
    caplog.set_level("INFO", "admet")
    matrix = measure(demo_frame)
    lines = [record.getMessage() for record in caplog.records]
    start = lines.index("Task affinity matrix computed:")
    expected = "  LogD: [" + " ".join(f"{v:.3f}" for v in matrix[0]) + "]"
    assert lines[start + 1] == expected
    caplog.clear()
    measure(demo_frame, log_affinity_matrix=False)
    assert "matrix computed" not in caplog.text


@pytest.mark.slow
def test_a_script_without_logging_sees_the_matrix(capsys):
    code = (
        "from admet.model.chemprop.task_affinity.report import log_matrix\n"
        "log_matrix([[1.0, 0.5], [0.5, 1.0]], ['A', 'B'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "Task affinity matrix computed:\n  A: [1.000 0.500]\n  B: [0.500 1.000]\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [42, 0])
def test_the_planted_groups_are_found(seed):
    """With the settings of configs/demo.yaml, on the panel of `make demo`."""
    path = Path(__file__).parents[3] / "configs" / "demo.yaml"
    config = load_yaml_config(path, TrainConfig)
    affinity = TaskAffinityConfig(**dict(config.task_affinity) | {"seed": seed})
    frame = make_demo_panel()
    _, _, groups = compute_task_affinity(frame, "SMILES", TASKS, affinity, config.model)
    assert {frozenset(group) for group in groups} == {frozenset(g) for g in PLANTED_GROUPS}
    free = affinity.model_copy(update={"n_groups": "auto"})
    assert compute_task_affinity(frame, "SMILES", TASKS, free, config.model)[2] == groups
