import json
import shutil

import pytest
from rich.cells import cell_len

from admet.cli.__main__ import main
from admet.names import number, short_names


@pytest.mark.slow
def test_a_run_is_shown_in_80_columns(trained, capsys):
    assert main(["show", str(trained)]) == 0
    shown = capsys.readouterr().out
    for words in ("LogD", "regression", "binary", "task_affinity", "group 3", "seed 42", "torch"):
        assert words in shown
    assert f"admet train --repeat {trained}" in " ".join(shown.split())
    own = [line for line in shown.splitlines() if str(trained.parent) not in line]
    assert max(map(cell_len, own)) <= 80


@pytest.mark.slow
def test_what_is_shown_of_labels_and_scores_is_what_the_run_holds(trained, capsys):
    metrics = json.loads((trained / "metrics.json").read_text())["test"]["tasks"]
    assert main(["show", str(trained)]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.split()}
    for name, own in metrics.items():
        primary = "MAE" if own["kind"] == "regression" else "AUROC"
        assert number(own[primary]["value"]) in rows[name]
        assert f" {own['n']} " in rows[name]


@pytest.mark.slow
@pytest.mark.parametrize("absent", ["model.json", "run.json", "model.safetensors", "split.csv"])
def test_a_half_written_run_is_one_clear_error(trained, tmp_path, absent, capsys):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    (folder / absent).unlink()
    assert main(["show", str(folder)]) == 2
    shown = capsys.readouterr().err
    assert absent in shown
    assert "Traceback" not in shown


def test_what_is_no_run_is_told_apart(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / ".unfinished.part").mkdir()
    (tmp_path / "table.csv").write_text("a\n")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.json").write_text('{"schema_version": 1, "config": {}}')
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.json").write_text("[")
    for name, words in (
        ("rum", "Nearest: 'run'"),
        ("run", "neither a run directory nor a study"),
        ("unfinished", "--resume"),
        ("table.csv", "is a file"),
        ("study", "is not finished: it has no verdict.csv; 0 fits"),
        ("broken", "cannot be read as JSON"),
    ):
        assert main(["show", str(tmp_path / name)]) == 2
        assert words in capsys.readouterr().err
    assert main(["show"]) == 2


@pytest.mark.parametrize("width", [8, 12, 20, 40])
@pytest.mark.parametrize("n", [3, 200])
def test_short_names_fit_and_are_told_apart(width, n):
    kinds = [
        [f"log10_human_hepatocyte_clearance_uL_per_min_{i}" for i in range(n)],
        [f"{i}_log10_human_hepatocyte_clearance_uL_per_min" for i in range(n)],
        [f"log10_human_hepatocyte_{i}_clearance_uL_per_min_10_6_cells" for i in range(n)],
        [f"水溶性の測定値と肝臓クリアランスの長い名前{i}" for i in range(n)],
        [f"a\n\x1b[31m{i}" for i in range(n)],
        [f"x{i}" for i in range(n)],
        ["y" * (i + 1) for i in range(n)],
    ]
    for names in kinds:
        short = short_names(names, width)
        assert len(set(short)) == len(names)
        assert max(map(cell_len, short)) <= width
        assert all(text.isprintable() for text in short)


def test_a_name_that_fits_stays_as_it_is():
    assert short_names(["LogD", "hERG [µM]"], 12) == ["LogD", "hERG [µM]"]
