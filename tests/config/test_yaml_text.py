"""Names in YAML are what the user wrote, whatever YAML takes them for."""

import pytest

from admet.config import TrainConfig
from admet.config.load import dump_yaml_config, load_yaml_config
from admet.errors import ConfigError

NAMES = ["NO", "720637", "yes", "on", "null", "~", "1e5", "1.50", "0x10", "0o7", "017", "0b1",
         "2020-01-01", "12:30:45", "1_000", ".inf", ".nan", "=", "<<", "y", "True",
         "-5", "+3", "Off"]  # fmt: skip


def load(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return load_yaml_config(path, TrainConfig)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_as_it_stands(tmp_path, name):
    config = load(
        tmp_path,
        f"data:\n  smiles_column: {name}2\n  target_columns: [{name}, x]\n"
        f"  task_kinds: {{? {name} : binary}}\n"
        if name != "<<"
        else "data:\n  target_columns: [<<, x]\n",
    )
    assert config.data.target_columns == (name, "x")
    if name != "<<":
        assert config.data.task_kinds == {name: "binary"}
    (tmp_path / "again.yaml").write_text(dump_yaml_config(config))
    assert load_yaml_config(tmp_path / "again.yaml", TrainConfig) == config


def test_every_key_of_text_takes_it(tmp_path):
    config = load(
        tmp_path,
        "data_path: 2024\nsave_dir: 1e3\ndata:\n  smiles_column: 1\n  target_columns: [NO, 2]\n"
        "  split_type: time\n  split_column: 2020-01-01\n  sheet: 2024\n  cache_dir: null\n"
        "model:\n  groups: [[NO], [2]]\nseed: 0x10\n",
    )
    assert str(config.data_path) == "2024"
    assert str(config.save_dir) == "1e3"
    assert config.data.smiles_column == "1"
    assert config.data.split_column == "2020-01-01"
    assert config.data.sheet == "2024"
    assert config.data.cache_dir is None
    assert config.model.groups == (("NO",), ("2",))
    assert config.seed == 16


def test_anchors_and_merges_hold(tmp_path):
    config = load(
        tmp_path,
        "data:\n  target_columns: &names [NO, 1]\n  task_kinds: &kinds {NO: binary}\n"
        "model:\n  groups: [*names]\n",
    )
    assert config.model.groups == (("NO", "1"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data:\n  target_columns:\n  - LogD: pH 7.4\n", "'LogD: pH 7.4' .line 3. as a mapping"),
        ("data:\n  target_columns: [[a]]\n", r"`data.target_columns.0` must be text; .* as a list"),
        ("data:\n  smiles_column: {a: 1}\n", "`data.smiles_column` must be text"),
        ("data:\n  target_columns: [@x]\n", "Put names in quotes"),
        ("data:\n  target_columns: [a, %x]\n", "Put names in quotes"),
        ("data:\n  split_type: NO\n", "got 'NO'"),
        ("data:\n  target_columns: NO\n", "should be a valid tuple; got 'NO'"),
        ("data:\n  task_kinds: {1: binary, '1': binary}\n", "key '1' stands twice"),
        ("data:\n  target_columns:\n  -\n", "got None"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_explained(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)


def test_numbers_and_switches_stay_what_they_are(tmp_path):
    config = load(tmp_path, "data: {cache: no}\ntask_affinity: {n_groups: 4}\nseed: 1_000\n")
    assert config.data.cache is False
    assert config.task_affinity.n_groups == 4
    assert config.seed == 1000
