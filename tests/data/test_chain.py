import logging

import numpy as np
import pytest

from admet.data import Panel, folds
from admet.data.labels import Labels, Task
from admet.data.splits.chain import newest_apart
from admet.errors import DataError
from admet.kinds import REGRESSION


def panel_of(times, labels=None):
    n = len(times)
    labels = np.arange(n, dtype=float)[:, None] if labels is None else labels
    smiles = np.array([f"{'C' * (i + 1)}O" for i in range(n)], dtype=object)
    tasks = tuple(Task(f"T{i}", REGRESSION) for i in range(labels.shape[1]))
    return Panel(smiles, Labels(labels), tasks, np.arange(n), np.asarray(times, float))


@pytest.mark.parametrize("seed", range(5))
def test_each_fold_learns_from_what_is_older_than_it_tests(seed):
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 40, 300)
    found = folds(panel_of(times), "time", n_folds=5)
    before = -1
    for split in found:
        train, val, test = (times[rows] for rows in split.parts.values())
        assert train.max() < val.min() <= val.max() < test.min()
        assert sorted(np.concatenate([train, val]).tolist()) == sorted(
            times[times < test.min()].tolist()
        )
        assert test.min() > before
        before = test.max()
        assert abs(len(test) - 50) < 15
        assert 0 < len(val) < 0.3 * len(train) + 10
    assert before == times.max()
    assert (
        len({row for split in found for row in split.test})
        == (times >= times[found[0].test].min()).sum()
    )


def test_few_times_are_enough_or_refused_with_what_would_be():
    times = np.repeat(np.arange(7), 5)
    found = folds(panel_of(times), "time", n_folds=5)
    assert [set(times[split.test].tolist()) for split in found] == [{2}, {3}, {4}, {5}, {6}]
    assert len(folds(panel_of(times), "time", n_folds=6, val_share=0)) == 6
    with pytest.raises(DataError, match=r"7 different time\(s\) cannot make 6 .* Ask for 5 folds"):
        folds(panel_of(times), "time", n_folds=6)
    with pytest.raises(DataError, match="Use times that are known more finely"):
        folds(panel_of(np.zeros(9)), "time", n_folds=2)


def test_one_large_time_leaves_its_folds_to_the_others():
    times = np.concatenate([np.zeros(2), np.full(95, 1), [2, 3, 4]])
    found = folds(panel_of(times), "time", n_folds=3)
    assert [len(split.test) for split in found] == [1, 1, 1]


def test_a_task_that_begins_late_makes_the_first_block_longer(caplog):
    times = np.arange(100)
    labels = np.stack([times, np.where(times < 40, np.nan, times)], axis=1).astype(float)
    with caplog.at_level(logging.WARNING):
        found = folds(panel_of(times, labels), "time", n_folds=3)
    for split in found:
        assert np.isfinite(labels[split.train]).sum(axis=0).min() >= 2
    assert "since T1 cannot be learnt from fewer" in caplog.text
    assert [len(split.test) for split in found] == [18, 17, 18]
    labels[:99, 1] = np.nan
    with pytest.raises(DataError, match="T1 begins too late for 3 folds by time"):
        folds(panel_of(times, labels), "time", n_folds=3)


def test_the_newest_are_set_apart():
    times = np.array([3, 1, 2, 3, 0, 1, 1, 2, 0, 0])
    split = newest_apart(panel_of(times), 0.2)
    assert split.val.tolist() == [0, 3]
    assert len(split.train) == 8
    assert not len(split.test)
