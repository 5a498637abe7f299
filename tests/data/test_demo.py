import numpy as np
import pytest

from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel


def test_the_panel_repeats_by_seed_and_has_gaps():
    a, b = make_demo_panel(150, seed=3), make_demo_panel(150, seed=3)
    assert a.equals(b)
    assert not a.equals(make_demo_panel(150, seed=4))
    assert list(a.columns) == ["SMILES", *TASKS]
    assert a["SMILES"].is_unique
    assert 0.25 < a[list(TASKS)].isna().to_numpy().mean() < 0.35
    assert set(a["hERG"].dropna()) == {0.0, 1.0}


def test_tasks_correlate_within_planted_groups_only():
    correlation = make_demo_panel(1500, missing=0.0)[list(TASKS)].corr().abs()
    group = {name: g for g, names in enumerate(PLANTED_GROUPS) for name in names}
    for a in TASKS:
        for b in TASKS:
            if a != b:
                assert (correlation.loc[a, b] > 0.35) == (group[a] == group[b]), (a, b)


def test_the_library_has_an_end():
    with pytest.raises(ValueError, match="must be at most 1800"):
        make_demo_panel(5000)


def test_nothing_is_missing_where_nothing_should_be():
    assert not np.isnan(make_demo_panel(60, missing=0.0)[list(TASKS)].to_numpy()).any()
