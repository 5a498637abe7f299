"""From an affinity to groups: a file for each method, and the table that names them."""

from admet.config.targets import check_n_groups
from admet.model.chemprop.task_affinity.groups.group import group
from admet.model.chemprop.task_affinity.groups.grouper import TaskGrouper
from admet.model.chemprop.task_affinity.groups.grouping import Grouping
from admet.model.chemprop.task_affinity.groups.measured import group_tasks
from admet.model.chemprop.task_affinity.groups.stability import STABLE
from admet.model.chemprop.task_affinity.groups.table import METHODS
from admet.model.chemprop.task_affinity.groups.transfer import transfer_scores

__all__ = [
    "METHODS",
    "STABLE",
    "Grouping",
    "TaskGrouper",
    "check_n_groups",
    "group",
    "group_tasks",
    "transfer_scores",
]
