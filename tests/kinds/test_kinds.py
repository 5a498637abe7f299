import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from admet.config.data import TaskKind
from admet.errors import ConfigError
from admet.evaluation import BY_KIND
from admet.kinds import BINARY, KINDS, REGRESSION, infer_kind, kind_of


def test_every_kind_can_be_written_in_a_configuration_and_be_scored():
    assert tuple(KINDS) == get_args(TaskKind) == tuple(BY_KIND)
    for name, kind in KINDS.items():
        assert kind.name == name == repr(kind)
        assert kind_of(name) is kind
        assert kind.metric in BY_KIND[name]


def test_an_unknown_kind_is_named():
    with pytest.raises(ConfigError, match="must be 'regression' or 'binary'; got 'ordinal'"):
        kind_of("ordinal")


def test_zeros_and_ones_are_binary():
    assert infer_kind(np.array([0.0, 1.0])) is BINARY
    assert infer_kind(np.array([1.0])) is BINARY
    assert infer_kind(np.array([0.0, 0.5, 1.0])) is REGRESSION
    assert BINARY.foreign(np.array([0.0, 1.0, 2.0])).tolist() == [2.0]
    assert REGRESSION.foreign(np.array([0.0, -7.5])).size == 0


def test_several_labels_of_a_molecule_become_one():
    mean = np.array([0.2, 0.5, 1.0])
    assert REGRESSION.merge(mean).tolist() == mean.tolist()
    np.testing.assert_array_equal(BINARY.merge(mean), [0.0, np.nan, 1.0])
    assert "2 of which disagree (1 ties" in BINARY.describe_merge(mean, mean)
    assert "of 3 molecules; standard deviation" in REGRESSION.describe_merge(mean, mean)


def test_losses_and_links_are_those_of_the_observation_model():
    outputs = torch.linspace(-3, 3, 7)
    targets = (outputs > 0.5).float()
    torch.testing.assert_close(REGRESSION.loss(outputs, targets), (outputs - targets) ** 2)
    expected = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
    assert torch.equal(BINARY.loss(outputs, targets), expected)
    assert torch.equal(REGRESSION.link(outputs), outputs)
    assert torch.equal(BINARY.link(outputs), torch.sigmoid(outputs))


def test_kinds_are_known_without_torch():
    code = "import sys, admet.kinds; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
