"""A search for settings: what it may see and change, and that it goes on where it stopped."""

import json
import math
from contextlib import nullcontext
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock, Timeout

from admet.cli.__main__ import main
from admet.config import TrainConfig, load_yaml_config
from admet.config.tune import RangeConfig, TunedKey, TuneRun
from admet.data import load_panel, split_panel
from admet.data.demo import make_demo_panel
from admet.errors import ConfigError, DataError, NumericalError, RunDirectoryError
from admet.training import train
from admet.tuning import tune
from admet.tuning.objective import Objective
from admet.tuning.space import USUAL, parameters_of, with_values
from admet.tuning.trials import Journal

pytest.importorskip("optuna")

RATE, LOSS, DEPTH = "training.learning_rate", "training.loss", "model.message_passing.depth"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "panel.csv"
    make_demo_panel(120).to_csv(path, index=False)
    return path


def config_for(table, save_dir="search", data=(), model=(), training=(), **keys):
    return TuneRun(
        data_path=table,
        save_dir=table.parent / save_dir,
        data={"target_columns": ["LogD", "hERG"], "split_type": "random", "cache": False}
        | dict(data),
        model={"message_passing": {"hidden_size": 8}, "ffn": {"hidden_size": 8, "num_layers": 1}}
        | dict(model),
        training={"epochs": 1, "warmup_epochs": 0} | dict(training),
        tune={"trials": 8, "keys": [RATE, LOSS, DEPTH]} | keys,
    )


@pytest.fixture
def made_up(monkeypatch):
    """Losses that are a function of the settings, for a search that takes no time."""
    calls = []

    def loss(self, config, fold):
        calls.append(fold)
        rate, depth = config.training.learning_rate, config.model.message_passing.depth
        return (math.log10(rate) + 3) ** 2 + 0.1 * depth + 0.01 * fold

    monkeypatch.setattr(Objective, "loss", loss)
    return calls


def without_time(found):
    return [trial.model_copy(update={"seconds": 0.0}) for trial in found.trials]


def test_every_key_has_usual_values_which_a_training_takes(table):
    assert set(USUAL) == set(get_args(TunedKey))
    config = config_for(table, keys=list(USUAL))
    for parameter in parameters_of(config):
        assert parameter.holds_own
        for value in parameter.values.choices or (parameter.values.low, parameter.values.high):
            with_values(config, {parameter.key: value})


def test_the_first_trial_is_the_configuration_and_the_best_is_written(table, made_up):
    found = tune(config_for(table, trials=15, training={"learning_rate": 0.1}))
    first, best = found.trials[0], found.best
    assert first.values == {RATE: 0.1, LOSS: "mse", DEPTH: 3}
    assert first.loss == pytest.approx(4 + 0.3 + 0.01)
    assert best.loss < 0.8
    assert best.loss == min(t.loss for t in found.trials if t.state == "complete")
    written = load_yaml_config(found.path / "best.yaml", TrainConfig)
    assert written == found.best_config.only(TrainConfig)
    assert written.training.learning_rate == best.values[RATE]
    assert written.training.epochs == 1
    rows = pd.read_csv(found.path / "trials.csv")
    assert list(rows["trial"]) == list(range(1, 16))
    assert list(rows[RATE]) == pytest.approx([t.values[RATE] for t in found.trials])


def test_a_trial_that_begins_badly_ends_early(table, made_up):
    found = tune(config_for(table, trials=25))
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert len(made_up) < 25 * 3
    for trial in pruned:
        before = [
            np.mean(t.losses[: len(trial.losses)])
            for t in found.trials[: trial.number]
            if t.state == "complete"
        ]
        assert trial.loss > np.median(before)


@pytest.mark.parametrize("n_folds", [1, 4, 14, 20])
def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(table, made_up, n_folds):
    whole = tune(config_for(table, "whole", trials=12))
    made_up.clear()

    def spent():
        return 0.0 if len(made_up) < n_folds else 1e9

    cut = config_for(table, "cut", trials=12, time_budget="1h")
    too_short = pytest.raises(ConfigError, match="The folds that were done are kept")
    with too_short if n_folds < 3 else nullcontext():  # not even the first trial was done
        tune(cut, clock=spent)
    assert len(made_up) == n_folds
    resumed = tune(config_for(table, "cut", trials=12))
    assert without_time(resumed) == without_time(whole)
    more = tune(config_for(table, "cut", trials=14))
    assert without_time(more)[:12] == without_time(whole)
    assert len(more.trials) == 14


def test_a_value_that_no_trial_can_have_is_the_first_trial_all_the_same(table, made_up):
    space = {
        "training.patience": {"low": 2, "high": 9},
        "model.message_passing.bias": {"choices": [True]},
    }
    found = tune(config_for(table, trials=12, keys=[RATE], space=space))
    first, *others = found.trials
    assert first.values["training.patience"] is None
    assert first.values["model.message_passing.bias"] is False
    assert {2 <= trial.values["training.patience"] <= 9 for trial in others} == {True}
    assert {trial.values["model.message_passing.bias"] for trial in others} == {True, False}
    written = load_yaml_config(found.path / "best.yaml", TrainConfig)
    assert written.training.patience == found.best.values["training.patience"]


def test_a_failing_trial_is_reported_and_the_search_goes_on(table, made_up, monkeypatch):
    plain = Objective.loss

    def fails(self, config, fold):
        if config.training.loss == "mae" and fold == 1:
            raise NumericalError("The training loss became nan.")
        return plain(self, config, fold)

    monkeypatch.setattr(Objective, "loss", fails)
    found = tune(config_for(table, trials=15))
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert failed
    assert {trial.fault for trial in failed} == {"The training loss became nan."}
    assert found.best.values[LOSS] != "mae"
    with pytest.raises(NumericalError, match="became nan"):
        tune(config_for(table, "other", training={"loss": "mae"}))


def with_times(table):
    """Writes the table beside it with a column of years, newest first."""
    frame = pd.read_csv(table)
    frame["when"] = np.arange(len(frame), 0, -1) + 1900
    path = table.with_name("timed.csv")
    frame.to_csv(path, index=False)
    return path


def test_by_time_later_molecules_judge_earlier_ones(table):
    config = config_for(with_times(table), data={"split_type": "time", "split_column": "when"})
    panel = load_panel(config.data_path, config.data)
    objective = Objective.of(config, panel, None)
    (split,) = objective.splits
    when = objective.panel.split_values
    assert when[split.train].max() < when[split.val].min()
    assert when[split.val].max() < when[split.test].min()
    assert len(split) == len(objective.panel) == len(panel) - objective.n_held_out
    assert objective.panel.split_values.max() < np.sort(panel.split_values)[-objective.n_held_out]


def test_a_column_says_who_judges(table, made_up):
    frame = pd.read_csv(table)
    frame["side"] = ["train"] * 80 + ["val"] * 20 + ["test"] * (len(frame) - 100)
    path = table.with_name("sides.csv")
    frame.to_csv(path, index=False)
    data = {"split_type": "predefined", "split_column": "side"}
    found = tune(config_for(path, data=data))
    assert all(len(trial.losses) == 1 for trial in found.trials)
    panel = load_panel(path, found.config.data)
    objective = Objective.of(found.config, panel, None)
    (split,) = objective.splits
    side = objective.panel.split_values
    assert set(side[split.test]) == {1}
    assert set(side[split.train]) == set(side[split.val]) == {0}
    assert len(split) == (panel.split_values < 2).sum()


def test_two_searches_do_not_share_a_folder(table, made_up):
    config = config_for(table)
    refused = pytest.raises(RunDirectoryError, match="Another search is writing")
    with FileLock(table.parent / ".search.lock"), refused:
        tune(config)
    tune(config)


def test_what_another_search_is_still_writing_is_not_read(table, made_up, monkeypatch):
    read = Journal.read

    def alone(path):
        with pytest.raises(Timeout):
            FileLock(table.parent / ".search.lock", timeout=0).acquire()
        return read(path)

    monkeypatch.setattr(Journal, "read", alone)
    tune(config_for(table))


@pytest.mark.slow
def test_the_test_side_is_not_looked_at(table):
    config = config_for(table, "a", trials=2, space={RATE: {"choices": [0.001, 0.01]}})
    panel = load_panel(table, config.data)
    split = split_panel(panel, config.data, config.seed)
    frame = pd.read_csv(table)
    rows = panel.lines[split.test] - 2  # line 1 holds the names
    frame.loc[rows, "LogD"] = frame.loc[rows, "LogD"] * 3 - 20
    other = table.with_name("other.csv")
    frame.to_csv(other, index=False)
    ours, theirs = tune(config), tune(config_for(other, "b", **config.tune.model_dump()))
    assert len(split.test) > 5
    assert without_time(ours) == without_time(theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [{"groups": "single_task"}, {"groups": [["LogD"], ["hERG"]], "share_encoder": True}, None],
)
def test_the_best_configuration_trains(table, model):
    keys = {"trials": 3, "folds": 2, "keys": [RATE, "model.ffn.dropout"]}
    config = config_for(table, model=model or {}, **keys)
    if model is None:
        affinity = config.task_affinity.model_copy(update={"enabled": True, "n_groups": 2})
        config = config.model_copy(update={"task_affinity": affinity})
    found = tune(config)
    assert {trial.state for trial in found.trials} == {"complete"}
    run = train(load_yaml_config(found.path / "best.yaml", TrainConfig))
    assert run.run_dir == found.path / "model"
    again = tune(config)  # with a model in its folder it is a search still
    assert without_time(again) == without_time(found)


BAD = {
    "no key": ({"space": {"training.epoch": {"low": 1, "high": 2}}}, "Nearest: .*epochs"),
    "no section": ({"space": {"trainin.loss": {"choices": ["mae"]}}}, "keys of training, model"),
    "data": ({"space": {"data.split_type": {"choices": ["random"]}}}, "keys of training, model"),
    "threads": ({"space": {"training.threads": {"low": 1, "high": 2}}}, "do not depend on it"),
    "a section": ({"space": {"model.ffn": {"choices": ["a"]}}}, "is no key of a training"),
    "a range of words": ({"space": {LOSS: {"low": 1, "high": 2}}}, "needs choices"),
    "halves": ({"space": {DEPTH: {"low": 1.5, "high": 2}}}, "needs whole numbers"),
    "a value": ({"space": {DEPTH: {"low": 0, "high": 2}}}, r"holds 0: .*`.*depth` .*greater than"),
    "a word": ({"space": {LOSS: {"choices": ["mse", "l2"]}}}, "holds 'l2'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_space_is_refused_before_any_work(table, made_up, case):
    keys, said = BAD[case]
    with pytest.raises(ConfigError, match=said):
        tune(config_for(table, **keys))
    assert not (table.parent / "search").exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"low": 2, "high": 1}, "must be below high"),
        ({"low": 0, "high": 1, "log": True}, "must be above 0"),
        ({"low": 0}, "must be there"),
        ({"choices": [1], "low": 0}, "stand in place of"),
    ],
)
def test_a_range_is_one_kind_of_range(values, said):
    with pytest.raises(ConfigError, match=said):
        RangeConfig(**values)


def test_a_search_of_something_else_is_not_replaced(table, made_up):
    found = tune(config_for(table))
    with pytest.raises(RunDirectoryError, match="a search of another configuration"):
        tune(config_for(table, training={"epochs": 2}))
    table.write_text(table.read_text() + "CCCCCCCO,1,1,1,1,1,1,1,1\n")
    with pytest.raises(RunDirectoryError, match="a search of another table"):
        tune(config_for(table))
    tune(config_for(table), overwrite=True)
    journal = found.path / "tune.json"
    journal.write_text(journal.read_text()[:-40])
    with pytest.raises(RunDirectoryError, match="is damaged"):
        tune(config_for(table))
    strange = table.parent / "strange"
    strange.mkdir()
    (strange / "thesis.tex").touch()
    with pytest.raises(RunDirectoryError, match="exists and is no search"):
        tune(config_for(table, "strange"), overwrite=True)


def test_what_cannot_be_searched_is_said(table, made_up, monkeypatch):
    no_val = {"split_type": "time", "split_column": "when", "split_ratios": (0.8, 0.0, 0.2)}
    with pytest.raises(DataError, match="no molecule on the validation side"):
        tune(config_for(with_times(table), data=no_val))
    with pytest.raises(DataError, match=r"nothing.csv' is no file. Name the table"):
        tune(config_for(table.with_name("nothing.csv")))
    with pytest.raises(ConfigError, match="lies in `save_dir`"):
        tune(config_for(table, "."))
    with pytest.raises(DataError, match="Lower n_folds"):
        tune(config_for(table, folds=100, data={"split_ratios": (0.5, 0.2, 0.3)}))
    monkeypatch.setattr("admet.tuning.run.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'admet-grouping\[tune\]'"):
        tune(config_for(table))


def test_the_command_prints_what_is_better(table, made_up, capsys):
    words = ["tune", "--data-path", str(table), "--data.target-columns", "LogD", "hERG"]
    words += ["--data.split-type", "random", "--save-dir", str(table.parent / "s")]
    words += ["--tune.trials", "12", "--tune.keys", RATE, "--training.learning-rate", "0.1"]
    space = json.dumps({"training.epochs": {"choices": [5, 10]}})
    assert main([*words, "--tune.space", space]) == 0
    said = capsys.readouterr()
    assert "training.learning_rate: 0.1 →" in said.out
    assert "best.yaml" in said.out
    assert max(map(len, said.out.splitlines())) <= 80 or str(table.parent) in said.out
    assert "Trial 12 of 12" in said.err
    assert main([*words, "--tune.space", "{"]) == 2
    assert "`space` is no JSON" in capsys.readouterr().err
    assert main([*words, "--tune.time-budget", "soon"]) == 2
    assert "must be a length of time" in capsys.readouterr().err
