"""Groups that are nearest on average."""

from functools import cached_property

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform

from admet.model.chemprop.task_affinity.groups.base import Method
from admet.model.chemprop.task_affinity.matrix import distances


class Agglomerative(Method):
    """Average linkage on the distance 1 − affinity."""

    @cached_property
    def _tree(self) -> np.ndarray:
        close = squareform(distances(self.tasks.symmetric), checks=False)
        return np.asarray(linkage(close, "average"))

    def cut(self, n_groups: int) -> np.ndarray:
        """Cuts the tree."""
        return np.asarray(cut_tree(self._tree, n_groups)[:, 0])
