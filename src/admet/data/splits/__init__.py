"""Splits and folds: every molecule on one side of train, validation and test, by a rule."""

from admet.data.splits.earlier import read_split
from admet.data.splits.folds import folds
from admet.data.splits.panel_split import split_panel
from admet.data.splits.split import SIDES, Split
from admet.data.splits.sufficiency import check_learnable

__all__ = ["SIDES", "Split", "check_learnable", "folds", "read_split", "split_panel"]
