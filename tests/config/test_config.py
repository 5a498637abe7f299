import copy

import pytest
import yaml
from pydantic import ValidationError

from admet.config import (
    AffinityCommand,
    CompareCommand,
    DataConfig,
    ModelConfig,
    NetworkConfig,
    TaskAffinityConfig,
    TrainConfig,
    TrainingConfig,
)
from admet.config.load import dump_yaml_config, load_yaml_config
from admet.errors import ConfigError


def test_defaults_are_those_of_the_contract():
    c = TaskAffinityConfig()
    assert c.enabled is False
    assert c.n_groups == 3
    assert c.affinity_epochs == 1
    assert c.affinity_batch_size == 64
    assert c.affinity_lr == 1e-3
    assert c.affinity_type == "cosine"
    assert c.normalize_gradients is True
    assert c.clustering_method == "agglomerative"
    assert c.encoder_param_patterns == []
    assert c.device == "auto"
    assert c.seed == 42
    assert c.log_affinity_matrix is True


def test_a_config_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        TaskAffinityConfig().n_groups = 4  # type: ignore[misc]


BROKEN = pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (TaskAffinityConfig, {"n_group": 2}, "Unknown key `n_group`. Nearest: 'n_groups'"),
        (TaskAffinityConfig, {"n_groups": True}, "got True"),
        (TaskAffinityConfig, {"n_groups": 0}, "`n_groups` must be between 1 and the number"),
        (TaskAffinityConfig, {"affinity_lr": -1.0}, "`affinity_lr` should be greater than 0; got"),
        (TaskAffinityConfig, {"affinity_type": "cos"}, "should be 'cosine' or 'dot_product'"),
        (TaskAffinityConfig, {"device": "gpu"}, "`device` must be auto, cpu, cuda or cuda:N"),
        (TrainingConfig, {"learning_rate": 0.1, "max_lr": 0.2}, "must agree; got 0.1 and 0.2"),
        (TrainingConfig, {"learning_rate": float("inf")}, "finite"),
        (TrainingConfig, {"init_lr": 0.1}, "`init_lr` must not exceed the peak rate 0.001"),
        (DataConfig, {"split_ratios": [0.5, 0.5, 0.5]}, "≥ 0 that sum to 1; got .* sum 1.5"),
        (DataConfig, {"split_ratios": [0, 0.5, 0.5]}, "nothing to train on"),
        (DataConfig, {"split_ratios": [1.2, -0.2, 0]}, "three numbers ≥ 0"),
        (DataConfig, {"split_type": "time"}, "`split_column` must name a column"),
        (DataConfig, {"target_columns": ["A", "A"]}, "more than once"),
        (DataConfig, {"target_columns": ["SMILES"]}, "holds the SMILES column"),
        (DataConfig, {"target_columns": ["A"], "task_kinds": {"B": "binary"}}, "task_kinds"),
        (ModelConfig, {"groups": "both"}, "multi_task, single_task or a list of lists"),
        (ModelConfig, {"type": "gin"}, "should be 'chemprop'"),
        (NetworkConfig, {"groups": "single_task"}, "Unknown key `groups`. There are: 'type'"),
        (CompareCommand, {"n_bootstrap": 0}, "`n_bootstrap` should be greater than or equal to 1"),
    ],
)


@BROKEN
def test_a_broken_rule_names_key_rule_and_value(section, values, message):
    with pytest.raises(ConfigError, match=message):
        section(**values)


@BROKEN
def test_a_copy_is_checked_like_a_new_section(section, values, message):
    with pytest.raises(ConfigError, match=message) as new:
        section(**values)
    with pytest.raises(ConfigError) as copied:
        section().model_copy(update=values)
    assert str(copied.value) == str(new.value)


def test_a_copy_knows_which_keys_were_given():
    section = TrainingConfig(epochs=3)
    assert section.model_copy().model_fields_set == {"epochs"}
    faster = section.model_copy(update={"max_lr": 0.1})
    assert faster.model_fields_set == {"epochs", "max_lr"}
    assert faster.peak_lr == 0.1
    with pytest.raises(ConfigError, match="must agree; got 0.2 and 0.1"):
        faster.model_copy(update={"learning_rate": 0.2})
    assert section == TrainingConfig(epochs=3)


def test_a_copy_takes_what_a_new_section_takes():
    config = TrainConfig(seed=3)
    changed = config.model_copy(update={"training": {"epochs": 4}, "save_dir": "there"})
    assert changed == TrainConfig(seed=3, training={"epochs": 4}, save_dir="there")
    with pytest.raises(ConfigError, match=r"`training\.epoch`. Nearest: 'epochs'"):
        config.model_copy(update={"training": {"epoch": 4}})
    with pytest.raises(ConfigError, match="affinity chooses the groups"):
        config.model_copy(
            update={"task_affinity": {"enabled": True}, "model": {"groups": "single_task"}}
        )


def test_a_deep_copy_shares_no_list():
    config = TaskAffinityConfig(encoder_param_patterns=["W_h"])
    for update in (None, {"n_groups": 2}):
        deep = config.model_copy(deep=True, update=update)
        assert deep.encoder_param_patterns == ["W_h"]
        assert deep.encoder_param_patterns is not config.encoder_param_patterns
    assert copy.deepcopy(config) == config


def test_the_shape_of_a_network_has_no_groups():
    assert list(ModelConfig.model_fields) == [
        *NetworkConfig.model_fields,
        "groups",
        "share_encoder",
        "extra_inputs",
        "init_from",
    ]
    command = AffinityCommand(model=ModelConfig(ffn={"num_layers": 1}))
    assert command.model.ffn.num_layers == 1
    with pytest.raises(ConfigError, match=r"Unknown key `model\.groups`. There are: 'type'"):
        AffinityCommand(model={"groups": "single_task"})


def test_a_nested_fault_names_its_whole_path():
    with pytest.raises(ConfigError, match=r"`model\.ffn\.hidden`. Nearest: 'hidden_size'"):
        TrainConfig(model={"ffn": {"hidden": 3}})


def test_groups_by_hand_and_by_affinity_exclude_one_another():
    with pytest.raises(ConfigError, match="affinity chooses the groups"):
        TrainConfig(model={"groups": "single_task"}, task_affinity={"enabled": True})


def test_batch_norm_needs_two_molecules():
    with pytest.raises(ConfigError, match="batch_size` must be at least 2"):
        TrainConfig(model={"message_passing": {"batch_norm": True}}, training={"batch_size": 1})


def test_groups_come_as_json_from_the_command_line():
    assert ModelConfig(groups='[["A", "B"], ["C"]]').groups == (("A", "B"), ("C",))


def test_single_task_does_not_share_the_encoder_unless_told():
    assert ModelConfig().shares_encoder
    assert not ModelConfig(groups="single_task").shares_encoder
    assert ModelConfig(groups="single_task", share_encoder=True).shares_encoder


def test_yaml_reads_numbers_as_numbers(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("training:\n  learning_rate: 5e-4\n  epochs: 3\n")
    config = load_yaml_config(path, TrainConfig)
    assert config.training.learning_rate == 5e-4
    assert config.training.peak_lr == 5e-4


def test_yaml_section_of_comments_only_takes_its_defaults(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("task_affinity:\n  # nothing yet\n")
    assert load_yaml_config(path, TrainConfig) == TrainConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("traning:\n  epochs: 3\n", "Unknown key `traning`. Nearest: 'training'"),
        ("training:\n  epoch: 3\n", "Unknown key `training.epoch`. Nearest: 'epochs'"),
        ("training:\n  epochs: 3\n  epochs: 4\n", "key 'epochs' stands twice"),
        ("- a\n- b\n", "must hold sections"),
        ("a: [1\n", "is not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", "is not valid YAML"),
    ],
)
def test_wrong_yaml_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_yaml_config(path, TrainConfig)


def test_missing_yaml(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        load_yaml_config(tmp_path / "none.yaml", TrainConfig)


def test_a_resolved_config_reads_back_as_itself(tmp_path):
    config = TrainConfig(
        data={"target_columns": ["A µM", "B (%)"]}, model={"groups": [["A µM"], ["B (%)"]]}
    )
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True))
    assert load_yaml_config(path, TrainConfig) == config


@pytest.mark.parametrize(
    "text",
    [
        "seed: 2020-99-99", "seed: 2020-01-01T99:99:99", "seed: " + "1" * 5000, "seed: !!int abc",
        "seed: !!float abc", "seed: !!bool abc", "seed: !!timestamp abc", 'save_dir: "a\\0b"',
        'data: {cache_dir: "a\\0b"}', 'data: {smiles_column: "\\ud800"}', "seed: 4294967296",
        "seed: 0b" + "1" * 50_000, "training: {device: 'cuda:²'}", "training: {threads: 5000}",
        "training: {device: 'cuda:99999999999999999999'}", "data: {smiles_column: ''}",
        "data: {target_columns: ['']}", "model: {message_passing: {hidden_size: 1000000}}",
        "training: {batch_size: 99999999999999999999999}",
        "model: {groups: '" + "[" * 100_000 + "'}",
    ],
)  # fmt: skip
def test_any_scalar_is_read_or_refused_in_a_line(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_yaml_config(tmp_path / "c.yaml", TrainConfig)
    assert len(str(caught.value)) < 1000


def test_names_like_numbers_are_read_back_as_names(tmp_path):
    names = ("1e5", "+1E-3", "12", "1.5", "null", "yes", "2020-01-01", "0x1F", "1_000", "=")
    config = TrainConfig(save_dir="1e3", data={"target_columns": names})
    (tmp_path / "c.yaml").write_text(dump_yaml_config(config), encoding="utf-8")
    assert load_yaml_config(tmp_path / "c.yaml", TrainConfig) == config
