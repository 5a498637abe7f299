import pytest

from admet.config import TaskAffinityConfig


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
    assert TaskAffinityConfig(**keys).idle_keys() == idle
