"""The methods of grouping by name."""

from admet.config.task_affinity import ClusteringMethod
from admet.model.chemprop.task_affinity.groups.agglomerative import Agglomerative
from admet.model.chemprop.task_affinity.groups.base import Method
from admet.model.chemprop.task_affinity.groups.network_selection import NetworkSelection
from admet.model.chemprop.task_affinity.groups.spectral import Spectral
from admet.model.chemprop.task_affinity.groups.transfer import Transfer

METHODS: dict[ClusteringMethod, type[Method]] = {
    "agglomerative": Agglomerative,
    "spectral": Spectral,
    "network_selection": NetworkSelection,
    "transfer": Transfer,
}
"""Every method, as `task_affinity.clustering_method` names it."""
