import pytest

from admet.config import (
    AffinityCommand,
    CompareCommand,
    DataConfig,
    EvaluateCommand,
    ModelConfig,
    TaskAffinityConfig,
    TrainConfig,
    TrainingConfig,
    warn_of_idle_keys,
)
from admet.config.tune import TuneRun


@pytest.mark.parametrize(
    ("keys", "idle"),
    [
        ({}, []),
        ({"affinity_runs": 2, "affinity_type": "dot_product"}, []),
        ({"lookahead_lr": 1.0}, ["lookahead_lr"]),
        ({"estimator": "gradient", "affinity_max_labels": 5}, ["affinity_max_labels"]),
        ({"estimator": "lookahead", "normalize_gradients": False}, ["normalize_gradients"]),
        ({"singleton_score": 0.3}, ["singleton_score"]),
        ({"singleton_score": 0.3, "clustering_method": "network_selection"}, []),
    ],
)
def test_keys_that_say_nothing_are_named(keys, idle):
    assert list(TaskAffinityConfig(**keys).idle_keys()) == idle


RANDOM = {"split_type": "random"}
PREDEFINED = {"split_type": "predefined", "split_column": "side"}
TIME = {"split_type": "time", "split_column": "date"}
MANUAL = {"groups": [["A"], ["B"]]}
WIDE = {"message_passing": {"hidden_size": 400}}
DEEP_HEAD = {"ffn": {"num_layers": 3}}
DROPOUT = {"message_passing": {"dropout": 0.1}, "ffn": {"dropout": 0.1}}


@pytest.mark.parametrize(
    ("section", "keys", "idle"),
    [
        (DataConfig, RANDOM | {"split_column": "x"}, {"split_column": "split_type is random"}),
        (DataConfig, RANDOM | {"split_seed": 3, "split_ratios": (0.6, 0.2, 0.2)}, {}),
        (DataConfig, TIME | {"split_ratios": (0.6, 0.2, 0.2)}, {}),
        (DataConfig, TIME | {"split_seed": 3}, {"split_seed": "split_type is time"}),
        (DataConfig, PREDEFINED | {"split_ratios": (0.6, 0.2, 0.2)},
         {"split_ratios": "split_type is predefined"}),
        (DataConfig, {"cache_dir": "c"}, {}),
        (DataConfig, {"cache_dir": "c", "cache": False}, {"cache_dir": "cache is false"}),
        (TrainingConfig, {"init_lr": 1e-5}, {}),
        (TrainingConfig, {"init_lr": 1e-5, "warmup_epochs": 0}, {"init_lr": "warmup_epochs is 0"}),
        (TrainingConfig, {"ema_decay": 0.5}, {"ema_decay": "weight_averaging is none"}),
        (TrainingConfig, {"weight_averaging": "ema", "ema_decay": 0.5, "swa_start": 0.1},
         {"swa_start": "weight_averaging is ema"}),
        (ModelConfig, {"message_passing": {"aggregation": "sum", "aggregation_norm": 7}},
         {"message_passing.aggregation_norm": "aggregation is sum"}),
        (TrainConfig, {"model": {"share_encoder": False}},
         {"model.share_encoder": "model.groups is multi_task"}),
        (TrainConfig, {"model": MANUAL | {"share_encoder": False}}, {}),
        (TrainConfig, {"model": {"share_encoder": False}, "task_affinity": {"enabled": True}}, {}),
        (TrainConfig, {"task_affinity": {"seed": 1}},
         {"task_affinity.seed": "task_affinity.enabled is false"}),
        (TuneRun, {"training": {"logger": "csv"}},
         {"training.logger": "a search keeps its trials in trials.csv"}),
        (AffinityCommand, {"model": WIDE, "estimator": "residual"},
         {"model.message_passing.hidden_size": "affinity_hidden_size is 64"}),
        (AffinityCommand, {"model": WIDE, "affinity_hidden_size": 500}, {}),
        (AffinityCommand, {"model": WIDE | DROPOUT, "estimator": "gradient"}, {}),
        (AffinityCommand, {"model": DEEP_HEAD},
         {"model.ffn.num_layers": "estimator is coregionalization"}),
        (AffinityCommand, {"model": DEEP_HEAD, "affinity_epochs": 2},
         {"model.ffn.num_layers": "estimator is residual"}),
        (AffinityCommand, {"model": DEEP_HEAD, "estimator": "lookahead"}, {}),
        (AffinityCommand, {"model": DROPOUT, "estimator": "lookahead"},
         dict.fromkeys(("model.message_passing.dropout", "model.ffn.dropout"),
                       "estimator is lookahead")),
        (AffinityCommand, {"model": ModelConfig(**MANUAL), "estimator": "residual"},
         {"model.groups": "the affinity is measured on one network with one head"}),
        (EvaluateCommand, {"model_dir": "m", "data_path": "d", "n_bootstrap": 0, "seed": 1},
         {"seed": "n_bootstrap is 0"}),
        (CompareCommand, {"model_dirs": ("a", "b"), "device": "cpu", "batch_size": 3}, {}),
        (CompareCommand, {"result_files": ("a", "b"), "device": "cpu", "batch_size": 3},
         dict.fromkeys(("batch_size", "device"), "result_files hold predictions already")),
    ],
)  # fmt: skip
def test_idle_keys_come_with_why(section, keys, idle):
    assert section(**keys).idle_keys() == idle


def test_a_warning_a_reason(caplog):
    warn_of_idle_keys({"a": "x is 1", "b": "y is 2", "c": "x is 1"})
    assert [record.getMessage() for record in caplog.records] == [
        "x is 1, so these do nothing: a, c",
        "y is 2, so these do nothing: b",
    ]
