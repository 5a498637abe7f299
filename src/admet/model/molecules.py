"""Molecules to predict: whatever a model reads of them is computed once, when it is asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from admet.featurize import PackedGraphs, featurize
from admet.model.inputs import vectors


class Molecules:
    """n molecules, by their canonical SMILES."""

    def __init__(
        self,
        smiles: Sequence[str] | np.ndarray,
        graphs: PackedGraphs | None = None,
        inputs: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Stores what is known of them.

        Args:
            smiles: n canonical SMILES.
            graphs: Their graphs, where these are there already.
            inputs: Frozen inputs by name, shape (n, width) each, that are there already.
        """
        self.smiles = [str(text) for text in smiles]
        self._inputs: dict[str, np.ndarray] = dict(inputs or {})
        if graphs is not None:
            self.graphs = graphs

    def __len__(self) -> int:
        return len(self.smiles)

    @cached_property
    def graphs(self) -> PackedGraphs:
        """Their graphs."""
        return featurize(self.smiles)

    def inputs(self, names: Sequence[str]) -> np.ndarray:
        """Gives frozen inputs side by side, shape (n, sum of widths).

        Raises:
            ConfigError: If a package that computes one is not installed.
        """
        for name in names:
            if name not in self._inputs:
                self._inputs[name] = vectors([name], self.smiles)
        return np.concatenate([self._inputs[name] for name in names], axis=1)
