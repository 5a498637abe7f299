"""What all fits of a study share: the panel, its graphs and its frozen inputs."""

from dataclasses import dataclass

import numpy as np

from admet.config.study import StudyRun
from admet.data import Panel
from admet.featurize import PackedGraphs


@dataclass(frozen=True, eq=False)
class Material:
    """The panel of a study, and what was computed of its molecules once.

    Attributes:
        config: The study.
        panel: n molecules and their labels.
        graphs: Their graphs.
        inputs: Frozen inputs by name, each of shape (n, width).
    """

    config: StudyRun
    panel: Panel
    graphs: PackedGraphs
    inputs: dict[str, np.ndarray]

    def side_by_side(self, names: tuple[str, ...]) -> np.ndarray:
        """Gives several inputs as one, shape (n, sum of widths)."""
        return np.concatenate([self.inputs[name] for name in names], axis=1)
