"""Mixtures without the members that read pretrained inputs."""

import logging

import numpy as np
import pytest

from admet.errors import ConfigError
from admet.model.chemprop.spec import TaskSpec
from admet.model.composite import CompositePredictor, CompositeSpec, MemberSpec
from admet.model.fast import without_pretrained
from admet.model.trained_model import TrainedModel


class Constant:
    """A member that says the same of every molecule."""

    def __init__(self, value):
        self.value = value

    def predict(self, molecules):
        return np.full((len(molecules), 2), float(self.value))

    def arrays(self):
        return {}


def model_of(members, weights):
    """A mixture of members that say 0, 1, 2, …, by (arm, kind, inputs)."""
    specs = tuple(MemberSpec(arm=arm, kind=kind, inputs=inputs) for arm, kind, inputs in members)
    tasks = tuple(
        TaskSpec(name=name, kind="regression", mean=0.0, scale=1.0) for name in ("A", "B")
    )
    spec = CompositeSpec(
        smiles_column="SMILES", standardize=True, tasks=tasks, members=specs, weights=weights
    )
    constants = [Constant(i) for i in range(len(members))]
    return TrainedModel(CompositePredictor(spec, constants))


MEMBERS = [
    ("frozen_mlp", "mlp", ("minimol", "rdkit")),
    ("kernel", "kernel", ("rdkit",)),
    ("boosted", "trees", ("rdkit", "morgan")),
]


def test_weights_of_what_is_left_are_scaled_up(caplog):
    model = model_of(MEMBERS, ((0.5, 0.2), (0.1, 0.2), (0.4, 0.6)))
    with caplog.at_level(logging.INFO):
        found = model.predict(["CCO", "CCN"], fast=True)
    np.testing.assert_allclose(found["A_pred"], (0.1 * 1 + 0.4 * 2) / 0.5)
    np.testing.assert_allclose(found["B_pred"], (0.2 * 1 + 0.6 * 2) / 0.8)
    assert "Left out of the mixture: frozen_mlp, which read minimol; they had 35 %" in caplog.text
    assert model.predict("CCO")["A_pred"][0] == pytest.approx(0.1 + 0.8)  # it stays as it was


def test_a_task_in_which_nothing_left_had_weight_takes_all_that_is_left(caplog):
    model = model_of(MEMBERS, ((1.0, 0.2), (0.0, 0.2), (0.0, 0.6)))
    found = model.predict("CCO", fast=True)
    assert found["A_pred"][0] == pytest.approx(1.5)
    assert "No arm that is left had weight in A: kernel, boosted count alike" in caplog.text


def test_where_nothing_is_left_an_error_says_why():
    model = model_of(MEMBERS[:1], ((1.0, 1.0),))
    with pytest.raises(ConfigError, match="all of This model reads minimol: nothing is left"):
        model.predict("CCO", fast=True)


def test_without_pretrained_inputs_nothing_changes(caplog):
    model = model_of(MEMBERS[1:], ((0.5, 0.5), (0.5, 0.5)))
    with caplog.at_level(logging.INFO):
        assert without_pretrained(model) is model
    assert "`fast` changes nothing" in caplog.text


def test_intervals_of_the_whole_are_not_given_for_a_part():
    model = model_of(MEMBERS, ((0.5, 0.2), (0.1, 0.2), (0.4, 0.6)))
    with pytest.raises(ConfigError, match="were measured with all members of the mixture"):
        model.predict("CCO", fast=True, intervals=0.8)
