import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.cells import cell_len

from admet.cli.__main__ import COMMANDS, main
from admet.cli._common import execute, parse
from admet.cli._completion import SHELLS, schema_of
from admet.cli._levels import NEEDED, flags_of
from admet.config import TrainCommand, TrainConfig
from admet.config.base import Section
from admet.data.demo import TASKS
from admet.run_directory import Files, read_spec


def leaves(section: type[Section], prefix: str = ""):
    for name, field in section.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from leaves(annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


SCHEMAS = {command: schema_of(command) for command in COMMANDS}


@pytest.mark.parametrize("level", ["--help", "-h", "--help-all"])
@pytest.mark.parametrize("command", SCHEMAS)
def test_both_levels_of_help_fit_80_columns_and_name_their_flags(
    command, level, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([command, level]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: admet {command} ")
    assert max(map(cell_len, text.splitlines())) <= 80
    every = [flag for flag, _ in flags_of(SCHEMAS[command])]
    named = NEEDED.get(command, every) if level != "--help-all" else every
    shown = set(re.findall(r"^..--([a-z][a-z.-]+)", text, re.MULTILINE))
    assert shown == set(named)
    assert (
        level == "--help-all"
        or command not in NEEDED
        or f"shows all {len(every)}." in (" ".join(text.split()))
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands_and_flags(shell, capsys):
    assert main(["--tyro-print-completion", shell]) == 0
    script = capsys.readouterr().out
    for command in COMMANDS:
        assert command in script
    assert "--task-affinity.n-groups" in script
    assert main(["--tyro-print-completion", f"{shell}x"]) == 2
    assert f"Nearest: '{shell}'" in capsys.readouterr().err
    assert main(["--tyro-print-completion"]) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_takes_the_completion_script(tmp_path):
    path = tmp_path / "admet.bash"
    assert main(["--tyro-write-completion", "bash", str(path)]) == 0
    words = "COMP_WORDS=(admet train --data.target-c); COMP_CWORD=2"
    script = f"source {path}; {words}; _tyro_admet; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--data.target-columns"]


def test_the_short_help_needs_no_more_than_a_dozen_flags():
    assert all(5 <= len(flags) <= 12 for flags in NEEDED.values())


def test_help_of_a_command_with_a_file_shows_what_the_file_sets(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text("training: {epochs: 77}\n")
    assert main(["train", "--config", str(path), "--help"]) == 0
    assert "(default: 77)" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_module_and_starts_without_torch(command):
    code = (
        "import sys, runpy\n"
        "sys.argv = ['x', '--help']\n"
        "try:\n"
        f"    runpy.run_module('admet.cli.{command}', run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code, stop.code\n"
        "heavy = {'torch', 'chemprop', 'rdkit', 'pandas', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_import_of_the_package_is_free():
    code = "import sys; n = len(sys.modules); import admet; sys.exit(len(sys.modules) - n > 1)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_yaml_key_is_a_flag_with_dashes_and_underscores(capsys):
    main(["train", "--help-all"])
    shown = capsys.readouterr().out
    for key in leaves(TrainConfig):
        assert f"--{key.replace('_', '-')}" in shown, key
    for words in (["--task-affinity.n-groups", "5"], ["--task_affinity.n_groups", "5"]):
        assert parse(TrainCommand, words, "x").task_affinity.n_groups == 5


@pytest.mark.parametrize(
    ("words", "path", "value"),
    [
        (["--task-affinity.enabled", "true"], "task_affinity.enabled", True),
        (["--task-affinity.enabled", "False"], "task_affinity.enabled", False),
        (["--task-affinity.n-groups", "auto"], "task_affinity.n_groups", "auto"),
        (["--data.target-columns", "A (%)", "B, C", "µ"], "data.target_columns",
         ("A (%)", "B, C", "µ")),
        (["--data.split-ratios", "0.7", "0.2", "0.1"], "data.split_ratios", (0.7, 0.2, 0.1)),
        (["--training.learning-rate", "1e-4"], "training.learning_rate", 1e-4),
        (["--training.patience", "None"], "training.patience", None),
        (["--data.target-columns", "A", "B", "--data.task-kinds", "A", "binary"],
         "data.task_kinds", {"A": "binary"}),
        (["--model.groups", '[["A"], ["B"]]'], "model.groups", (("A",), ("B",))),
        (["--model.groups", "single_task"], "model.groups", "single_task"),
        (["--model.share-encoder", "false"], "model.share_encoder", False),
        (["--task-affinity.encoder-param-patterns", "W_h", "W_o"],
         "task_affinity.encoder_param_patterns", ["W_h", "W_o"]),
        (["--seed", "7"], "seed", 7),
        (["--overwrite"], "overwrite", True),
        (["--overwrite", "--seed", "7"], "overwrite", True),
        (["--task_affinity.enabled", "--seed", "7"], "task_affinity.enabled", True),
    ],
)  # fmt: skip
def test_flags_reach_the_configuration(words, path, value):
    config = parse(TrainCommand, words, "x")
    for part in path.split("."):
        config = getattr(config, part)
    assert config == value


def test_yaml_holds_no_flags_of_the_command(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text("config: other.yaml\noverwrite: true\n")
    assert main(["train", "--config", str(path)]) == 2
    shown = capsys.readouterr().err
    assert "Unknown key `config`" in shown
    assert "Unknown key `overwrite`" in shown


def test_an_output_below_a_file_is_refused_at_once(demo_csv, capsys):
    words = ["train", "--data-path", str(demo_csv), "--data.target-columns", "LogD"]
    assert main([*words, "--save-dir", str(demo_csv / "run")]) == 2
    assert "lies below" in capsys.readouterr().err


def test_flags_override_the_yaml_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("seed: 3\ntraining:\n  epochs: 9\n  batch_size: 8\n")
    config = parse(TrainCommand, ["--config", str(path), "--training.epochs", "4"], "x")
    assert (config.seed, config.training.epochs, config.training.batch_size) == (3, 4, 8)
    config = parse(TrainCommand, [f"--config={path}"], "x")
    assert config.training.epochs == 9


def test_a_section_knows_which_keys_were_named(tmp_path):
    section = parse(TrainCommand, ["--training.max-lr", "0.01"], "x").training
    assert section.model_fields_set == {"max_lr"}
    assert section.peak_lr == 0.01
    path = tmp_path / "c.yaml"
    path.write_text("training: {max_lr: 0.02, epochs: 50}\n")
    config = parse(TrainCommand, ["--config", str(path), "--training.batch-size", "8"], "x")
    assert config.training.model_fields_set == {"max_lr", "epochs", "batch_size"}
    assert config.training.peak_lr == 0.02


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--training.epoch", "3"], "--training.epochs"),
        (["train", "--task-affinity.enabled", "yes"], "must be true or false; got 'yes'"),
        (["train", "--task-affinity.affinity-lr", "-1"], "`affinity_lr` should be greater than 0"),
        (["train", "--data.split-type", "magic"], "magic"),
        (["train", "--data-path", "nowhere.csv", "--data.target-columns", "A"], "does not exist"),
        (["train", "--config", "nowhere.yaml"], "Config file 'nowhere.yaml' does not exist"),
        (["evaluate", "--data-path", "x.csv"], "--model-dir"),
        (["evaluate", "--model-dir", "none", "--data-path", "x.csv"], "Run directory 'none'"),
        (["predict", "--model-dir", "none", "--data-path", "x.csv", "--output", "y.csv"], "'none'"),
        (["compare_models"], "Name either --model-dirs (with --test-data) or --result-files"),
        (["compare_models", "--model-dirs", "a", "b"], "--model-dirs needs --test-data"),
        (["compare_models", "--result-files", "a.json"], "at least two models; got 1"),
        (["compare_models", "--result-files", "a.json", "b.json"], "'a.json' does not exist"),
        (["compare_models", "--result-files", "a", "b", "--split", "test"], "go with --model-dirs"),
        (["evaluate", "--model-dir", "m", "--data-path", "d", "--device", "foo"], "must be auto,"),
        (["predict", "--model-dir", "m", "--data-path", "d", "--output", "."], "is a folder"),
        (["evaluate", "--model-dir", "m", "--data-path", "d", "--output", "."], "is a folder"),
        (["compute_task_affinity", "--save-path", "a.csv"], "`save_path` must end in .npz"),
        (["compute_task_affinity", "--plot-heatmap", "a.xyz"], "`plot_heatmap` must end in"),
        (["compute_task_affinity", "--data-path", "nowhere.csv", "--target-columns", "A", "B",
          "C"], "Data file 'nowhere.csv' does not exist"),
        (["compute_task_affinity", "--target-columns", "A"], "`n_groups` must be between 1 and"),
        (["compute_task_affinity", "--enabled", "false"], "`enabled` cannot be false here"),
        (["compute_task_affinity", "--model.groups", "single_task"], "Unrecognized options"),
        (["train", "--training.max-lr", "0.1", "--training.learning-rate", "0.001"], "must agree;"),
        (["trian"], "unknown command 'trian'. Nearest: 'train'"),
    ],
)  # fmt: skip
def test_bad_usage_is_one_message_and_exit_two(words, message, capsys, tmp_path):
    with_cwd = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert main(words) == 2
    finally:
        os.chdir(with_cwd)
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert message in shown
    assert "Traceback" not in shown
    assert not list(tmp_path.iterdir())


def test_a_device_that_is_not_there_is_refused_before_the_table_is_read(demo_csv, capsys):
    words = ["--task-affinity.device", "cuda:99", "--task-affinity.enabled", "true"]
    table = ["--data-path", str(demo_csv), "--data.target-columns", *TASKS]
    assert main(["train", *table, *words]) == 2
    assert "Set it to auto or cpu" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["train", "--data.split-type", "scafold"],
            "--data.split-type scafold: Nearest: 'scaffold'",
        ),
        (["train", "--data.split_type=scafold"], "--data.split-type scafold: Nearest: 'scaffold'"),
        (["study", "--study.arms", "kernel", "multitask"], "multitask: Nearest: 'multi_task'"),
        (["compute_task_affinity", "--estimator", "residul"], "Nearest: 'residual'"),
        (["evaluate", "--split", "tests"], "Nearest: 'test'"),
    ],
)
def test_a_mistyped_value_brings_the_nearest(words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_flags_that_say_nothing_are_named(capsys):
    words = ["--result-files", "a.json", "b.json", "--device", "cpu", "--seed", "3"]
    assert main(["compare_models", *words]) == 2  # there is no a.json
    shown = capsys.readouterr().err
    assert "warning: result_files hold predictions already, so these do nothing: device\n" in shown


def test_a_bug_is_exit_one_with_its_trace(capsys):
    class Nothing(Section):
        """Takes nothing."""

    def body(_: Nothing) -> None:
        raise ZeroDivisionError("oops")

    assert execute(Nothing, body, [], "admet x") == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: oops" in shown
    assert "this is a bug" in shown


def test_an_interrupt_before_training_is_exit_130(capsys):
    class Nothing(Section):
        """Takes nothing."""

    def body(_: Nothing) -> None:
        raise KeyboardInterrupt

    assert execute(Nothing, body, [], "admet x") == 130
    assert "no result was written" in capsys.readouterr().err


@pytest.mark.slow
def test_affinity_command_writes_its_files(demo_csv, tmp_path, capsys, small_flags):
    code = main(
        ["compute-task-affinity", "--data-path", str(demo_csv), "--target-columns", *TASKS,
         "--n-groups", "auto", "--save-path", str(tmp_path / "r" / "a.npz"),
         "--plot-heatmap", str(tmp_path / "r" / "a.png"),
         "--plot-clustered", str(tmp_path / "r" / "c.png"), *small_flags]
    )  # fmt: skip
    assert code == 0
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == [
        "a.csv", "a.npz", "a.png", "a_pairs.csv", "c.png"
    ]  # fmt: skip
    captured = capsys.readouterr()
    assert "Task affinity matrix computed:\n  LogD: [1.000 " in captured.err
    assert "Heatmap:" in captured.out


@pytest.mark.slow
def test_the_path_of_a_user(trained, tmp_path, capsys):
    panel = trained.parent / "panel.csv"
    run = str(trained)
    out = tmp_path / "e.json"
    assert main(["evaluate", "--model-dir", run, "--data-path", str(panel), "--split", "test",
                 "--n-bootstrap", "20", "--output", str(out)]) == 0  # fmt: skip
    shown = capsys.readouterr().out
    for word in ("LogD", "MAE", "Kendall", "RAE", "AUROC", "MCC", "macro mean"):
        assert word in shown
    assert set(json.loads(out.read_text())) >= {"tasks", "macro", "predictions", "data_path"}
    table = tmp_path / "c.csv"
    assert main(["compare_models", "--model-dirs", run, run, "--test-data", str(panel), "--split",
                 "test", "--n-bootstrap", "20", "--output", str(table)]) == 0  # fmt: skip
    assert set(pd.read_csv(table).columns) == {
        "task", "metric", "model", "n", "value", "difference", "low", "high", "better",
    }  # fmt: skip
    assert main(["predict", "--model-dir", run, "--data-path", str(panel), "--output",
                 str(tmp_path / "p.csv")]) == 0  # fmt: skip
    assert len(pd.read_csv(tmp_path / "p.csv")) == len(pd.read_csv(panel))
    assert read_spec(trained).plan.arm == "task_affinity"
    assert (trained / Files.HEATMAP).exists()


def test_make_demo_panel_does_not_overwrite(tmp_path):
    path = tmp_path / "p.csv"
    assert main(["make_demo_panel", "--output", str(path), "--n-molecules", "60"]) == 0
    assert main(["make_demo_panel", "--output", str(path)]) == 2
    assert len(pd.read_csv(path)) == 60
    assert main(["make_demo_panel", "--output", str(path), "--n-molecules", "99999",
                 "--overwrite", "true"]) == 2  # fmt: skip
    assert len(pd.read_csv(path)) == 60
