"""Limits in the affinity: the bounded loss, and what a closed-form head is fitted to."""

import numpy as np
import pytest
import torch
from scipy import stats

from admet.config import DataConfig, ModelConfig, TaskAffinityConfig
from admet.data import build_panel, table_from_frame
from admet.data.demo import make_demo_panel
from admet.featurize import featurize
from admet.kinds import REGRESSION
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.problems import MoleculeProblem

SMALL = ModelConfig(message_passing={"hidden_size": 16})


def test_a_head_in_closed_form_is_fitted_to_what_lies_beyond_a_limit():
    targets = np.array([[0.5], [0.5], [0.5], [np.nan], [-8.0]])
    limits = np.array([[0], [1], [-1], [0], [-1]], dtype=np.int8)
    graphs = featurize(["C", "CC", "CCC", "CCCC", "CCCCC"])
    problem = MoleculeProblem(
        graphs, targets, (REGRESSION,), SMALL, torch.device("cpu"), limits=limits
    )
    normal = stats.norm()
    above, below = normal.expect(lb=0.5, conditional=True), normal.expect(ub=0.5, conditional=True)
    found = problem.expected[:, 0]
    np.testing.assert_allclose(found[:4], [0.5, above, below, np.nan], atol=1e-8)
    assert found[4] == pytest.approx(-8.12, abs=0.01)  # finite far out


@pytest.mark.parametrize("estimator", ["residual", "measured", "aligned", "gradient", "lookahead"])
def test_every_estimator_takes_limits(estimator):
    frame = make_demo_panel(120, seed=1)
    columns = ("LogD", "KSOL", "CLint")
    config = TaskAffinityConfig(estimator=estimator, affinity_runs=2)
    found = []
    for limits in ({}, {"LogD": {"above": float(frame["LogD"].quantile(0.6))}}):
        data = DataConfig(target_columns=columns, limits=limits)
        panel = build_panel(table_from_frame(frame), data)
        found.append(TaskAffinityComputer(config, SMALL).compute(panel))
    assert np.isfinite(found[1].matrix).all()
    assert (found[0].n_common == found[1].n_common).all()  # a limit is a label
    assert not np.array_equal(found[0].matrix, found[1].matrix)
