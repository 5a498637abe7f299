"""With whom an endpoint should be trained."""

from types import SimpleNamespace

import numpy as np
import pytest

from admet.study.arms import Outcome
from admet.study.jobs import Fit, Job
from admet.study.judge import company
from admet.study.verdict import ALL

NAMES = ["A", "B", "C"]


def study_of(arm, *groups):
    """A study with a fit for each grouping."""
    fits = [
        Fit(Job(arm, 0, fold, 0), Outcome(np.zeros((1, 3)), own), 1.0)
        for fold, own in enumerate(groups)
    ]
    panel = SimpleNamespace(task_names=NAMES, tasks=NAMES)
    return SimpleNamespace(fits=fits, panel=panel)


ALONE, PAIR, OTHER = [["A"], ["B", "C"]], [["A", "B"], ["C"]], [["A", "C"], ["B"]]


@pytest.mark.parametrize(
    ("arm", "groups", "task", "words"),
    [
        ("kernel", [[]], "A", "alone"),
        ("single_task", [[["A"], ["B"], ["C"]]], "A", "alone"),
        ("multi_task", [[NAMES]], "A", "with B, C"),
        ("multi_task", [[NAMES]], ALL, "together"),
        ("own_heads", [[["A"], ["B"], ["C"]]], "A", "together"),
        ("own_heads", [[["A"], ["B"], ["C"]]], ALL, "together"),
        ("task_affinity", [PAIR, PAIR, ALONE], "A", "with B"),
        ("task_affinity", [ALONE, ALONE, PAIR], "A", "in a group of its own"),
        ("task_affinity", [PAIR, OTHER], "A", "with others in each fold"),
        ("task_affinity", [PAIR, OTHER], ALL, "in groups"),
    ],
)
def test_company_is_said_as_it_is(arm, groups, task, words):
    assert company(study_of(arm, *groups), arm, task) == words
