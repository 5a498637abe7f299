import os

import pytest

from admet.errors import WorkerError
from admet.featurize.pool import WorkerPool


def square(x):
    return x * x


def die(x):
    os._exit(1)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_results_come_in_the_order_of_the_items(n_workers):
    with WorkerPool(n_workers) as pool:
        assert list(pool.map(square, range(20))) == [x * x for x in range(20)]
        assert list(pool.map(square, [])) == []


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for x in range(100):
            taken.append(x)
            yield x

    with WorkerPool(2) as pool:
        results = pool.map(square, items())
        assert next(results) == 0
        assert len(taken) < 10


def test_a_process_that_dies_is_an_error_not_a_hang():
    with pytest.raises(WorkerError, match="died.*Free memory"), WorkerPool(2) as pool:
        list(pool.map(die, range(4)))
