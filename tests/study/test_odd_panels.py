"""Panels on which a fold, an arm or an endpoint has next to nothing to say."""

import numpy as np
import pandas as pd
import pytest

import admet
from admet.cli._verdict import print_verdict
from admet.config.study import StudyRun
from admet.data import load_panel
from admet.errors import ConfigError, DataError
from admet.featurize import featurize
from admet.inference import evaluate_run
from admet.study import run
from admet.study.arms import ARMS
from admet.study.composite import Evidence
from admet.study.material import Material
from admet.study.mixing import errors_of_mean
from admet.study.verdict import ALL, COMPOSITE, NOT_KNOWN


def config_for(folder, frame, targets, arms, *, data=None, folds=3):
    folder.mkdir(exist_ok=True)
    path = folder / "panel.csv"
    frame.to_csv(path, index=False)
    shape = {"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16, "num_layers": 1}}
    return StudyRun(
        data_path=path,
        save_dir=folder / "study",
        data={"target_columns": targets, **(data or {})},
        model=shape,
        training={"epochs": 1},
        study={
            "arms": arms,
            "folds": folds,
            "inputs": ["rdkit"],
            "workers": 1,
            "frozen_mlp": {"hidden_size": 16, "epochs": 3},
        },
    )


@pytest.fixture
def frame(demo_frame):
    """Two endpoints of the demo panel, of molecules that have the first."""
    kept = demo_frame[demo_frame["LogD"].notna()].head(90).reset_index(drop=True)
    return pd.DataFrame(
        {"SMILES": kept["SMILES"], "A": kept["LogD"], "B": kept["LogD"] + np.sin(np.arange(90))}
    )


@pytest.mark.slow
def test_an_endpoint_of_one_hit_takes_nothing_from_the_others(tmp_path, frame):
    frame["hit"] = np.where(np.arange(90) == 40, 1, 0)
    arms = ["kernel", "joint_kernel", "boosted"]
    found = run(config_for(tmp_path / "s", frame, ("A", "B", "hit"), arms))
    assert found.left_out == {}
    for arm in (*arms, COMPOSITE):
        assert np.isfinite(found.out_of_fold[arm, 0, 0]).all(), arm
        assert np.isfinite(found.losses(arm, "A")).all()


@pytest.mark.slow
def test_an_endpoint_that_no_fold_can_score_has_no_best_arm(tmp_path, frame, capsys):
    frame["few"] = np.where(np.arange(90) < 2, frame["A"], np.nan)
    arms = ["kernel", "boosted"]
    config = config_for(tmp_path / "s", frame, ("A", "B", "few"), arms)
    found = run(config)
    assert np.isnan(found.losses("kernel", "few")).all()
    (few,) = [verdict for verdict in found.verdicts if verdict.task == "few"]
    assert (few.best, few.company) == (NOT_KNOWN, NOT_KNOWN)
    print_verdict(found)
    assert f"few: {NOT_KNOWN}\n" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("fault", [RuntimeError("num_data"), None])
def test_whatever_happens_to_an_arm_reaches_no_other(tmp_path, frame, monkeypatch, fault):
    whole = type(ARMS["boosted"]).fit

    def broken(arm, material, split, seed):
        if fault is not None:
            raise fault
        outcome = whole(arm, material, split, seed)
        outcome.mean[0] = np.nan
        return outcome

    monkeypatch.setattr(type(ARMS["boosted"]), "fit", broken)
    found = run(config_for(tmp_path / "s", frame, ("A", "B"), ["kernel", "frozen_mlp", "boosted"]))
    nan = (
        "It predicted a value that is NaN or infinite. Look for extreme labels, or leave the arm "
        "out."
    )
    assert found.left_out == {"boosted": "RuntimeError: num_data" if fault else nan}


@pytest.mark.slow
def test_a_model_is_trained_on_panels_of_few_blocks(tmp_path, frame):
    frame["project"] = [f"p{i % 4}" for i in range(90)]
    data = {"split_type": "group", "split_column": "project"}
    config = config_for(
        tmp_path / "s", frame, ("A", "B"), ["kernel", "boosted"], data=data, folds=2
    )
    found = run(config)
    model = found.path / "model"
    assert np.isfinite(admet.load(model).predict(["CCO"])["A_pred"]).all()
    with pytest.raises(DataError, match="has no test side: it learnt from all molecules"):
        evaluate_run(model, admet.load(model), config.data_path, split="test")
    with pytest.raises(DataError, match=r"Name a table with newer molecules\.$"):
        evaluate_run(model, admet.load(model), config.data_path, split="unseen")


def test_more_groups_than_endpoints_are_known_before_the_first_fit(tmp_path, frame):
    config = config_for(tmp_path / "s", frame, ("A", "B"), ["kernel"])
    panel = load_panel(config.data_path, config.data)
    material = Material(config, panel, featurize(panel.smiles), {})
    for arm in ("task_affinity", "random_groups", "frozen_affinity_groups"):
        assert "`task_affinity.n_groups` must be between 1 and" in ARMS[arm].why_not(material)
    assert ARMS["frozen_partners"].why_not(material) == ""


def test_no_endpoint_is_called_as_the_mean_of_all(tmp_path, frame):
    renamed = frame.rename(columns={"B": ALL})
    with pytest.raises(ConfigError, match="Rename the column"):
        run(config_for(tmp_path / "s", renamed, ("A", ALL), ["kernel"]))


@pytest.mark.slow
def test_limits_are_told_and_those_that_the_mean_keeps_are_no_error(tmp_path, frame):
    frame["B"] = [f">{b:.2f}" if i % 2 else f"{b:.2f}" for i, b in enumerate(frame["B"])]
    found = run(config_for(tmp_path / "s", frame, ("A", "B"), ["kernel", "frozen_mlp"]))
    cells = found.predictions[found.predictions["arm"] == COMPOSITE]
    assert set(cells.loc[cells["task"] == "A", "limit"]) == {""}
    own = cells[cells["task"] == "B"]
    assert set(own["limit"]) == {"", ">"}
    beyond = (own["limit"] == ">") & (own["prediction"] > own["label"])
    error = np.where(beyond, 0, abs(own["prediction"] - own["label"]))
    by_fold = found.results.query("task == 'B' and arm == @COMPOSITE and metric == 'MAE'")["value"]
    assert min(by_fold) <= error.mean() <= max(by_fold)
    mean = own["label"].mean()
    kept = (own["limit"] == ">") & (own["label"] < mean)
    assert found.naive["B"] == pytest.approx(np.where(kept, 0, abs(own["label"] - mean)).mean())
    kept = pd.read_parquet(found.path / "intervals.parquet")
    assert set(kept.loc[kept["task"] == "B", "limit"]) == {"", ">"}


def test_the_mean_errs_where_it_breaks_a_limit_only():
    y, limits = np.array([1.0, 3.0, np.nan, 8.0]), np.array([1, 0, 0, 1])
    np.testing.assert_array_equal(errors_of_mean(y, limits), [0.0, 1.0, np.nan, 4.0])
    given = Evidence(y, np.full((1, 4), 4.0), 1.0, limits)
    np.testing.assert_array_equal(given.errors(given.predictions)[0], errors_of_mean(y, limits))
