"""Groups of a graph's nodes that few edges lead out of."""

import warnings

import numpy as np
from sklearn.cluster import SpectralClustering

from admet.model.chemprop.task_affinity.groups.base import Method

_FAINT = 1e-3  # weight of an edge between tasks without affinity: no task is alone in the graph


class Spectral(Method):
    """Normalised cuts of the graph whose weights are the positive affinities.

    They are read off by column-pivoted QR, which needs no random start (Damle, Minden and Ying,
    Information and Inference 2019).
    """

    def cut(self, n_groups: int) -> np.ndarray:
        """Cuts the graph."""
        model = SpectralClustering(
            n_groups,
            affinity="precomputed",
            assign_labels="cluster_qr",
            random_state=self.tasks.seed,
        )
        with warnings.catch_warnings():
            # Tasks without affinity to others leave the graph in parts; parts are what is wanted.
            warnings.filterwarnings("ignore", message="Graph is not fully connected")
            return np.asarray(model.fit_predict(self.tasks.symmetric.clip(min=_FAINT)))
