"""Task affinity: measure it, group by it, draw it."""

from admet.config.task_affinity import TaskAffinityConfig
from admet.model.chemprop.task_affinity.computer import (
    TaskAffinityComputer,
    compute_task_affinity,
)
from admet.model.chemprop.task_affinity.groups.grouper import TaskGrouper
from admet.model.chemprop.task_affinity.groups.indices import get_task_group_indices
from admet.model.chemprop.task_affinity.matrix import affinity_matrix_to_dataframe
from admet.model.chemprop.task_affinity.plots import (
    plot_clustered_heatmap,
    plot_task_affinity_clustermap,
    plot_task_affinity_heatmap,
)

__all__ = [
    "TaskAffinityComputer",
    "TaskAffinityConfig",
    "TaskGrouper",
    "affinity_matrix_to_dataframe",
    "compute_task_affinity",
    "get_task_group_indices",
    "plot_clustered_heatmap",
    "plot_task_affinity_clustermap",
    "plot_task_affinity_heatmap",
]
