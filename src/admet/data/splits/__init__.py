"""Splits and folds: every molecule on one side of train, validation and test, by a rule."""

from admet.data.splits.folds import folds
from admet.data.splits.panel_split import split_panel
from admet.data.splits.split import SIDES, Split

__all__ = ["SIDES", "Split", "folds", "split_panel"]
