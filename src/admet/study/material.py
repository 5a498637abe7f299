"""What all fits of a study share: the panel, its graphs and its frozen inputs."""

from dataclasses import dataclass

import numpy as np

from admet.config.study import StudyRun
from admet.data import Panel
from admet.featurize import PackedGraphs
from admet.model.molecules import Molecules
from admet.training.tracking import Tracker, Tracking


@dataclass(frozen=True, eq=False)
class Material:
    """The panel of a study, and what was computed of its molecules once.

    Attributes:
        config: The study.
        panel: n molecules and their labels.
        graphs: Their graphs.
        inputs: Frozen inputs by name, each of shape (n, width).
        tracking: Where the study is followed; None where nobody follows it.
        tracker: Takes the losses of the fit that is being done, in the process that does it.
    """

    config: StudyRun
    panel: Panel
    graphs: PackedGraphs
    inputs: dict[str, np.ndarray]
    tracking: Tracking | None = None
    tracker: Tracker | None = None

    def molecules(self, rows: np.ndarray | None = None) -> Molecules:
        """Gives molecules with what was computed of them.

        Args:
            rows: Which, shape (m,); None takes all.
        """
        if rows is None:
            return Molecules(self.panel.smiles, self.graphs, self.inputs)
        inputs = {name: array[rows] for name, array in self.inputs.items()}
        return Molecules(self.panel.smiles[rows], self.graphs.subset(rows), inputs)
