import numpy as np
import pytest

import admet
from admet.config import TrainConfig
from admet.errors import ConfigError
from admet.model.composite import CompositePredictor
from admet.report import page_of
from admet.run_directory.summary import summary_of
from admet.training import train

SMILES = ["CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1"]


def config_for(panel, folder, seed=3, **training):
    return TrainConfig(
        data_path=panel,
        save_dir=folder,
        seed=seed,
        data={"target_columns": ("LogD", "hERG"), "split_seed": 5, "split_type": "random"},
        model={"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16}},
        training={"epochs": 2} | training,
        task_affinity={"enabled": False},
    )


def predictions(model):
    return model.predict(SMILES)[["LogD_pred", "hERG_pred"]].to_numpy(float)


def words_of(page):
    return page.sections[0].blocks[0].text


def test_an_ensemble_is_the_mean_of_trainings_from_other_seeds(tmp_path, demo_csv):
    together = train(config_for(demo_csv, tmp_path / "both", ensemble=2))
    alone = [train(config_for(demo_csv, tmp_path / str(s), seed=s)) for s in (3, 4)]
    mean = np.mean([predictions(model) for model in alone], axis=0)
    np.testing.assert_allclose(predictions(together), mean, rtol=1e-6)
    opened = admet.load(tmp_path / "both")
    np.testing.assert_array_equal(predictions(opened), predictions(together))
    assert isinstance(opened.predictor, CompositePredictor)
    spread = opened.predictor.predict_smiles(SMILES).spread
    apart = np.std([predictions(model) for model in alone], axis=0)
    np.testing.assert_allclose(spread, apart, rtol=1e-5)
    with pytest.raises(ConfigError, match="has no networks of its own"):
        opened.networks  # noqa: B018
    kept = summary_of(tmp_path / "both")
    assert (kept.n_trainings, kept.shares) == (2, {})
    assert kept.plan == summary_of(tmp_path / "3").plan
    page = page_of(tmp_path / "both")
    assert "trained together (1 network, 1 head, the mean of 2 trainings)" in words_of(page)


def test_an_interrupted_ensemble_goes_on_to_the_same_weights(tmp_path, demo_csv, monkeypatch):
    from admet.training import ensemble

    whole = tmp_path / "whole"
    train(config_for(demo_csv, whole, ensemble=3))
    real, calls = ensemble.fit_model, []

    def stops(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(ensemble, "fit_model", stops)
    cut = config_for(demo_csv, tmp_path / "cut", ensemble=3)
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    monkeypatch.setattr(ensemble, "fit_model", real)
    train(cut, resume=True)
    name = "model.safetensors"
    assert (tmp_path / "cut" / name).read_bytes() == (whole / name).read_bytes()
