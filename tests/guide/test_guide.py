"""Every command line, script and Python example of the user contract, on a small panel.

The commands stand here as the contract prints them; only settings that make them quick are appended
(a small network, few epochs), which the command line itself allows.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from admet.cli.__main__ import main
from admet.data.demo import make_demo_panel

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.guide

QUICK = shlex.split(
    "--model.message-passing.hidden-size 16 --model.ffn.hidden-size 16 --model.ffn.num-layers 1"
)
SHORT = ["--training.epochs", "2", "--training.warmup-epochs", "1"]

COMMANDS = [
    """train --config configs/chemprop_task_affinity.yaml --data-path data/admet_train.csv
       --save-dir models/chemprop_task_affinity""",
    """train --config configs/chemprop.yaml --task-affinity.enabled true
       --task-affinity.n-groups 3 --task-affinity.affinity-epochs 2
       --task-affinity.clustering-method agglomerative --data-path data/admet_train.csv
       --save-dir models/chemprop_affinity_3groups""",
    *(
        f"""train --config configs/chemprop_task_affinity.yaml --task-affinity.n-groups {n}
       --save-dir models/affinity_{n}groups"""
        for n in (2, 3, 4, 5)
    ),
    *(
        f"""train --config configs/chemprop_task_affinity.yaml
       --task-affinity.clustering-method {method} --save-dir models/affinity_{method}"""
        for method in ("agglomerative", "spectral")
    ),
    """compute_task_affinity --data-path data/admet_train.csv --smiles-column SMILES
       --target-columns LogD KSOL PAMPA hERG CLint --affinity-epochs 1 --affinity-batch-size 64
       --save-path results/task_affinity.npz --plot-heatmap results/task_affinity_heatmap.png""",
    """train --config configs/chemprop_task_affinity.yaml --task-affinity.enabled true
       --task-affinity.n-groups 3 --task-affinity.affinity-epochs 1
       --data-path data/admet_full_train.csv --save-dir models/production/chemprop_affinity
       --seed 42 --training.epochs 100""",
    """train --config configs/chemprop_task_affinity.yaml --data-path data/admet_train.csv
       --save-dir models/affinity_analysis --task-affinity.log-affinity-matrix true""",
    """compute_task_affinity --data-path data/admet_train.csv --smiles-column SMILES
       --target-columns LogD KSOL PAMPA Papp hERG CYP3A4 CLint CLhep --affinity-epochs 2
       --affinity-batch-size 64 --clustering-method agglomerative
       --save-path results/initial_affinity.npz
       --plot-heatmap results/initial_affinity_heatmap.png""",
    """train --config configs/chemprop_task_affinity_production.yaml
       --data-path data/admet_full_train.csv --task-affinity.enabled true
       --task-affinity.n-groups 3 --task-affinity.affinity-epochs 1
       --task-affinity.affinity-batch-size 64 --training.epochs 100
       --save-dir models/production/chemprop_affinity_v1 --seed 42""",
    """train --config configs/chemprop_single_task.yaml --data-path data/admet_train.csv
       --save-dir models/baseline/single_task""",
    """train --config configs/chemprop.yaml --data-path data/admet_train.csv
       --task-affinity.enabled false --save-dir models/baseline/multi_task""",
    """train --config configs/chemprop_task_affinity.yaml --data-path data/admet_train.csv
       --task-affinity.enabled true --task-affinity.n-groups 3
       --save-dir models/affinity/multi_head""",
    """compare_models --model-dirs models/baseline/single_task models/baseline/multi_task
       models/affinity/multi_head --test-data data/admet_test.csv
       --output results/final_comparison.csv""",
]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the configs, the scripts and the tables that the contract names."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (folder / "data").mkdir()
    panel = make_demo_panel(160, seed=2)
    panel.to_csv(folder / "data" / "admet_full_train.csv", index=False)
    panel[:130].to_csv(folder / "data" / "admet_train.csv", index=False)
    panel[130:].to_csv(folder / "data" / "admet_test.csv", index=False)
    for name in ("admet_small", "admet_large", "admet_diverse"):
        panel[:60].to_csv(folder / "data" / f"{name}.csv", index=False)
    (folder / "results").mkdir()
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def quick(words):
    """Appends the settings that make a command quick; the last value of a flag counts."""
    if words[0] == "train":
        return [*drop(words, "--training.epochs"), *QUICK, *SHORT]
    return [*words, *QUICK] if words[0] == "compute_task_affinity" else words


def drop(words, flag):
    if flag not in words:
        return words
    at = words.index(flag)
    return [*words[:at], *words[at + 2 :]]


def test_every_command_works(workplace, capsys):
    for command in COMMANDS:
        words = shlex.split(command)
        assert main(quick(words)) == 0, capsys.readouterr().err
        for flag in ("--save-dir", "--save-path", "--plot-heatmap", "--output"):
            if flag in words:
                assert Path(words[words.index(flag) + 1]).exists(), command
    table = pd.read_csv("results/final_comparison.csv")
    assert set(table["model"]) == {"single_task", "multi_task", "multi_head"}


def test_the_scripts_work(workplace, tmp_path):
    """As printed, through `python -m admet.cli.X`, with a stand-in that shortens trainings."""
    stand_in = tmp_path / "python"
    stand_in.write_text(
        "#!/usr/bin/env bash\n"
        'extra=()\ncase "$2" in\n'
        f"  *.train) extra=({shlex.join(QUICK)});;\n"
        f"  *.compute_task_affinity) extra=({shlex.join(QUICK)});;\n"
        "esac\n"
        f'exec {shlex.quote(sys.executable)} "$@" "${{extra[@]}}"\n'
    )
    stand_in.chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    scripts = (
        ["scripts/find_optimal_groups.sh", "1", "2", "3"],
        ["scripts/analyze_task_affinities.sh", "admet_small"],
    )
    for script in scripts:
        done = subprocess.run(
            ["bash", *script], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    table = pd.read_csv("results/group_comparison.csv")
    assert set(table["model"]) == {"eval_n2", "eval_n3"}
    assert Path("results/admet_small_affinity.npz").exists()
    assert Path("results/admet_small_affinity.png").exists()


def test_the_scripts_default_to_what_the_contract_prints():
    text = (ROOT / "scripts" / "find_optimal_groups.sh").read_text()
    assert "set -- 30 2 3 4 5" in text
    text = (ROOT / "scripts" / "analyze_task_affinities.sh").read_text()
    assert 'set -- "admet_small" "admet_large" "admet_diverse"' in text


def test_python_compute_and_group(workplace):
    from admet.model.chemprop.task_affinity import TaskAffinityConfig, compute_task_affinity

    df_train = pd.read_csv("data/admet_train.csv")
    target_cols = ["LogD", "KSOL", "PAMPA", "hERG", "CLint"]
    config = TaskAffinityConfig(enabled=True, n_groups=3, affinity_epochs=1, affinity_batch_size=64)
    affinity_matrix, task_names, groups = compute_task_affinity(
        df_train=df_train, smiles_col="SMILES", target_cols=target_cols, config=config
    )
    assert affinity_matrix.shape == (5, 5)
    assert task_names == target_cols
    assert len(groups) == 3
    assert sorted(name for group in groups for name in group) == sorted(target_cols)


def test_python_whole_workflow(workplace):
    from admet.model.chemprop.task_affinity import (
        TaskAffinityConfig,
        affinity_matrix_to_dataframe,
        compute_task_affinity,
        plot_task_affinity_heatmap,
    )

    df_train = pd.read_csv("data/admet_train.csv")
    target_cols = ["LogD", "KSOL", "PAMPA", "hERG", "CLint", "CYP3A4"]
    config = TaskAffinityConfig(
        enabled=True,
        n_groups=3,
        affinity_epochs=2,
        affinity_batch_size=64,
        affinity_type="cosine",
        clustering_method="agglomerative",
        log_affinity_matrix=True,
    )
    affinity_matrix, task_names, _ = compute_task_affinity(
        df_train=df_train, smiles_col="SMILES", target_cols=target_cols, config=config
    )
    df_affinity = affinity_matrix_to_dataframe(affinity_matrix, task_names)
    df_affinity.to_csv("results/task_affinity_matrix.csv")
    stored = pd.read_csv("results/task_affinity_matrix.csv", index_col=0)
    np.testing.assert_allclose(stored.to_numpy(), affinity_matrix)
    fig = plot_task_affinity_heatmap(
        affinity_matrix,
        task_names,
        title="ADMET Task Affinity Matrix",
        save_path="results/task_affinity_heatmap2.png",
    )
    assert isinstance(fig, mpl.figure.Figure)
    fig = plot_task_affinity_heatmap(
        affinity_matrix,
        task_names,
        title="ADMET Task Affinity Matrix",
        figsize=(10, 8),
        cmap="RdBu_r",
        save_path="results/task_affinity_heatmap3.png",
    )
    assert fig.get_size_inches().tolist() == [10, 8]
    assert Path("results/task_affinity_heatmap3.png").exists()


def test_python_defaults_and_numbers_of_groups(workplace):
    from admet.model.chemprop.task_affinity import (
        TaskAffinityComputer,
        TaskAffinityConfig,
        TaskGrouper,
        compute_task_affinity,
    )

    df_train = pd.read_csv("data/admet_train.csv")
    target_cols = ["LogD", "KSOL", "PAMPA", "hERG", "CLint"]
    _, _, groups = compute_task_affinity(df_train, smiles_col="SMILES", target_cols=target_cols)
    assert len(groups) == 3
    computer = TaskAffinityComputer(TaskAffinityConfig(affinity_epochs=2, affinity_batch_size=64))
    affinity_matrix, task_names = computer.compute_from_dataframe(df_train, "SMILES", target_cols)
    for n_groups in [2, 3, 4, 5]:
        grouper = TaskGrouper(n_groups=n_groups, method="agglomerative")
        assert len(grouper.cluster(affinity_matrix, task_names)) == n_groups


def test_yaml_of_the_contract_is_accepted_as_printed(tmp_path):
    """The advanced configuration, every key of it (its `cuda` only where there is one)."""
    from admet.config import TrainConfig, load_yaml_config

    path = tmp_path / "c.yaml"
    path.write_text(
        """
model: {type: "chemprop", message_passing: {depth: 4, hidden_size: 400, dropout: 0.1},
        ffn: {num_layers: 3, hidden_size: 400, dropout: 0.1}}
task_affinity: {enabled: true, n_groups: 4, clustering_method: "agglomerative",
  affinity_epochs: 2, affinity_batch_size: 32, affinity_lr: 0.0005, affinity_type: "cosine",
  normalize_gradients: true, encoder_param_patterns: [], device: "cuda", seed: 42,
  log_affinity_matrix: true}
training: {epochs: 100, batch_size: 64, learning_rate: 0.001, warmup_epochs: 5, max_lr: 0.001,
           final_lr: 0.0001}
data: {smiles_column: "SMILES", target_columns: [LogD, KSOL], split_type: "scaffold",
       split_ratios: [0.8, 0.1, 0.1]}
"""
    )
    config = load_yaml_config(path, TrainConfig)
    assert config.model.message_passing.depth == 4
    assert config.model.ffn.num_layers == 3
    assert config.task_affinity.device == "cuda"
    assert config.training.final_lr == 0.0001
