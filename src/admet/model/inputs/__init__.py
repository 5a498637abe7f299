"""Frozen inputs: vectors per molecule that training does not change, one kind a file."""

from admet.model.inputs.base import FrozenInput
from admet.model.inputs.table import INPUTS, check_inputs, vectors

__all__ = ["INPUTS", "FrozenInput", "check_inputs", "vectors"]
