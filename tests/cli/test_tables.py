import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from admet.cli._tables import print_comparison, print_metrics
from admet.cli._verdict import print_verdicts
from admet.evaluation import Predicted, compare, score_tasks
from admet.study.statistics import Contrast
from admet.study.verdict import Verdict

NAMES = {
    "short": lambda i: f"T{i}",
    "long": lambda i: f"log10_human_hepatocyte_clearance_uL_per_min_{i}_of_10e6_cells",
    "wide": lambda i: f"肝細胞クリアランスの測定値と水溶性の測定値{i}番",
    "markup": lambda i: f"[bold]:warning: {i}[/bold] <script>",
}


@pytest.fixture(params=[3, 40, 200])
def n_tasks(request):
    return request.param


@pytest.fixture(params=NAMES)
def names(request, n_tasks):
    return [NAMES[request.param](i) for i in range(n_tasks)]


def panel(names, scale=1.0):
    rng = np.random.default_rng(0)
    y = rng.normal(0, scale, (30, len(names)))
    kinds = ["binary" if i == 1 else "regression" for i in range(len(names))]
    y[:, 1] = y[:, 1] > 0
    return y, y + rng.normal(0, scale, y.shape), kinds


def printed(capsys):
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    return lines


def rows_of(lines, n):
    first = [line.split("  ")[0] for line in lines]
    return len(set(first)) >= n


@pytest.mark.parametrize("scale", [1.0, 1e7])
def test_tables_of_metrics_fit_80_columns_and_tell_tasks_apart(names, scale, capsys):
    y, predicted, kinds = panel(names, scale)
    print_metrics(score_tasks(y, predicted, names, kinds, n_bootstrap=10), "Test")
    lines = printed(capsys)
    assert rows_of(lines, len(names))
    said = " ".join(lines)
    for metric in ("MAE", "RAE", "RMSE", "Pearson", "AUROC", "MCC"):
        assert metric in said  # shown, or named as not shown


def test_tables_of_comparisons_fit_80_columns(names, capsys):
    y, predicted, kinds = panel(names)
    smiles = [f"{'C' * (i + 1)}" for i in range(len(y))]
    models = [
        Predicted(smiles, dict(zip(names, kinds, strict=True)), y, own, None, None, {})
        for own in (predicted, (predicted + y) / 2)
    ]
    arms = [
        "models/a_long_name_of_a_run_directory/one",
        "models/a_long_name_of_a_run_directory/two",
    ]
    print_comparison(compare(arms, models, n_bootstrap=10))
    assert rows_of(printed(capsys), len(names))


def test_tables_of_verdicts_fit_80_columns(names, capsys):
    far = Contrast(-0.4, -1.2, 0.4, 0.3, 0.3, 0.4)
    verdicts = [
        Verdict(name, 1_000_000, "frozen_own_heads", True, [], {}, "composite", 1234.5,
                {"single_task": far, "multi_task": far}, "alone")
        for name in [*names, "all endpoints"]
    ]  # fmt: skip
    console = Console(width=80, highlight=False, markup=False, emoji=False)
    print_verdicts(console, verdicts, ["single_task", "multi_task"])
    assert rows_of(printed(capsys), len(names))
