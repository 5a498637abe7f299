"""What `admet inspect` finds in tables, and that a training takes what it writes."""

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from admet.cli.__main__ import main
from admet.config import DataConfig, TrainConfig, load_yaml_config
from admet.data import load_panel
from admet.data.demo import make_demo_panel
from admet.data.splits import split_panel
from admet.errors import ConfigError, DataError
from admet.inspection import check_files, inspect_table
from admet.inspection.files import FILES
from admet.inspection.overlap import label_correlations, shared_molecules
from admet.kinds import BINARY, REGRESSION


@pytest.fixture
def messy(tmp_path):
    """A table of 300 molecules with a column for each thing that an inspection names."""
    demo = make_demo_panel(300, seed=4)
    rng = np.random.default_rng(0)
    clearance = np.clip(rng.normal(1.2, 0.6, 300), 0.5, None).round(3)  # 12 % at the floor
    table = pd.DataFrame(
        {
            "Compound": [f"CPD-{row}" for row in range(300)],
            "my smiles": demo["SMILES"],
            "LogD": demo["LogD"],
            "CLint": clearance,
            "IC50 (nM)": (10 ** rng.normal(2, 1.5, 300)).round(4),
            "mixed units": np.where(rng.random(300) < 0.5, 1e4, 1.0) * rng.uniform(1, 5, 300),
            "active": ["yes" if row % 30 == 0 else "no" for row in range(300)],
            "class": ["low", "mid", "high"] * 100,
            "constant": 7,
            "comment": [f"text {row}" for row in range(300)],
        }
    )
    table = pd.concat([table, table.head(5)])  # five repeats
    table.iloc[-5:, table.columns.get_loc("LogD")] += 1.0
    table.iloc[10, 1] = "not a molecule"
    path = tmp_path / "messy.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def found(messy):
    return inspect_table(messy, DataConfig())


def facts(found, name):
    return next(column for column in found.columns if column.name == name)


def test_columns_are_sorted_out(found):
    assert found.data.smiles_column == "my smiles"
    assert found.panel.task_names == ["LogD", "CLint", "IC50 (nM)", "mixed units", "active"]
    assert set(found.faults) == {"class", "constant"}
    assert "3 classes" in found.faults["class"]
    assert set(found.ignored) == {"Compound", "comment"}


def test_it_says_of_each_column_what_is_there(found, messy):
    table = pd.read_csv(messy)
    log_d = facts(found, "LogD")
    assert log_d.kind is REGRESSION
    assert log_d.n_repeated == table.head(5)["LogD"].notna().sum()
    assert log_d.spread == pytest.approx(1 / np.sqrt(2))
    floor = facts(found, "CLint")
    assert [(pile.value, pile.key) for pile in floor.piles] == [(0.5, "below")]
    assert floor.piles[0].count == (table["CLint"].head(300).drop(10) == 0.5).sum()
    assert facts(found, "IC50 (nM)").suggested == "log10"
    assert facts(found, "IC50 (nM)").decades > 4
    assert "two units?" in facts(found, "mixed units").remarks[0]
    assert "rarer class" in facts(found, "active").remarks[0]
    assert facts(found, "active").kind is BINARY


def test_the_split_is_that_of_a_training(found, messy):
    panel = load_panel(messy, found.data)
    expected = split_panel(panel, found.data, 42)
    assert found.split is not None
    for side, rows in expected.parts.items():
        assert np.array_equal(rows, found.split.parts[side])
    row = found.rows[0]
    assert row["n_train"] + row["n_val"] + row["n_test"] == row["n"]


def test_faults_of_one_named_column_do_not_hide_the_others(messy):
    found = inspect_table(messy, DataConfig(target_columns=("LogD", "class", "absent")))
    assert found.panel.task_names == ["LogD"]
    assert "Target column 'absent' is not in" in found.faults["absent"]


def test_what_is_said_of_a_column_is_not_dropped(messy):
    levels = {"class": {"low": 0, "mid": None, "high": 1}}
    found = inspect_table(messy, DataConfig(label_maps=levels))
    assert "class" in found.panel.task_names
    with pytest.raises(DataError, match=r"`units` names \['Lgod'\]"):
        inspect_table(messy, DataConfig(units={"Lgod": "nM"}))


def test_the_configuration_makes_the_split_that_was_shown(messy, tmp_path):
    words = ["inspect", str(messy), "--save-dir", str(tmp_path), "--split-type", "random"]
    assert main([*words, "--seed", "7"]) == 0
    data = load_yaml_config(tmp_path / "start.yaml", TrainConfig).data
    shown = inspect_table(messy, data, seed=7).split
    trained = split_panel(load_panel(messy, data), data, TrainConfig().seed)
    assert shown is not None
    assert np.array_equal(shown.train, trained.train)


def test_idle_flags_are_named(demo_csv, capsys):
    assert main(["inspect", str(demo_csv), "--overwrite", "--seed", "3", "--split-seed", "4"]) == 0
    said = capsys.readouterr().err
    assert "save_dir is empty, so these do nothing: overwrite" in said
    assert "split_seed is set, so these do nothing: seed" in said


def test_a_side_that_a_training_would_refuse_is_said(write_csv):
    rows = "".join(f"{'C' * n}O,{n}\n" for n in range(1, 4))
    found = inspect_table(
        write_csv(f"SMILES,y\n{rows}"),
        DataConfig(split_type="random", split_ratios=(0.3, 0.3, 0.4)),
    )
    assert "nothing can be learnt from one" in found.split_fault


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n3,4\n", "SMILES column 'SMILES' is not in"),
        ("SMILES,note\nCCO,x y\nCCN,z w\nCCC,q\nCC,r\n", "`data.target_columns` is empty"),
        ("SMILES,y\nCCO,1\nCCN,1\n", "no column that can be trained on"),
        ("SMILES,y\n", "no records"),
    ],
)
def test_bad_tables_are_errors(write_csv, content, message):
    with pytest.raises(DataError, match=message):
        inspect_table(write_csv(content), DataConfig())


def test_a_column_without_a_name_is_none(write_csv):
    path = write_csv(",SMILES,y\n" + "".join(f"{n},{'C' * n}O,{n}\n" for n in range(1, 12)))
    assert inspect_table(path, DataConfig()).panel.task_names == ["y"]
    named = DataConfig(target_columns=("numeric",))
    assert load_panel(path, named).task_names == ["y"]


def test_a_named_column_of_smiles_is_not_guessed(messy):
    with pytest.raises(DataError, match="'Structure' is not in"):
        inspect_table(messy, DataConfig(smiles_column="Structure"))


def test_overlap_is_counted_and_correlated_on_shared_molecules(demo_csv, demo_frame):
    names = list(demo_frame.columns[1:4])
    panel = inspect_table(demo_csv, DataConfig(target_columns=tuple(names))).panel
    labels = pd.DataFrame(panel.labels.values)
    assert np.array_equal(
        shared_molecules(panel), labels.notna().T.astype(int) @ labels.notna().astype(int)
    )
    expected = labels.corr("spearman", min_periods=10).to_numpy()
    assert label_correlations(panel) == pytest.approx(expected)


def test_the_command_writes_what_a_training_takes(messy, tmp_path, capsys):
    folder = tmp_path / "seen"
    assert main(["inspect", str(messy), "--save-dir", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "299 molecules, 1 left out" in said
    assert {path.name for path in folder.iterdir()} == set(FILES)
    columns = pd.read_csv(folder / "columns.csv").set_index("column")
    assert columns.loc["CLint", "piles"].endswith("at 0.5")
    assert "3 classes" in columns.loc["class", "remarks"]
    with Image.open(folder / "pictures.png") as picture:
        assert 500 < picture.width <= 4000
    start = folder / "start.yaml"
    config = load_yaml_config(start, TrainConfig)
    assert config.data.transforms == {"IC50 (nM)": "log10", "mixed units": "log10"}
    assert "data.limits: {CLint: {below: 0.5}}" in start.read_text()
    assert yaml.safe_load(start.read_text())["task_affinity"]["n_groups"] == "auto"
    small = ["--training.epochs", "1", "--model.message-passing.hidden-size", "8"]
    run = ["--save-dir", str(tmp_path / "run"), "--task-affinity.enabled", "false"]
    assert main(["train", "--config", str(start), *small, *run]) == 0


def test_an_earlier_inspection_is_kept_unless_said_otherwise(demo_csv, tmp_path):
    (tmp_path / "columns.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"columns.csv. exists.*--overwrite"):
        check_files(tmp_path, demo_csv, overwrite=False)
    check_files(tmp_path, demo_csv, overwrite=True)


def test_a_wide_table_is_drawn_within_bounds(tmp_path):
    demo = make_demo_panel(60, seed=1)
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.normal(size=(60, 130)), columns=[f"${n}_x" for n in range(130)])
    path = tmp_path / "wide.csv"
    pd.concat([demo[["SMILES"]], values], axis=1).to_csv(path, index=False)
    assert main(["inspect", str(path), "--save-dir", str(tmp_path / "seen")]) == 0
    with Image.open(tmp_path / "seen" / "pictures.png") as picture:
        assert picture.width <= 4000
