"""Groups whose tasks gain most from one another, by affinity and numbers of labels."""

import numpy as np

from admet.model.chemprop.task_affinity.groups.base import Method
from admet.model.chemprop.task_affinity.groups.partition import best_partition

_BOUND = 300  # labels of the target at which it gains half of what it would with none


class Transfer(Method):
    """The groups without overlap with the highest sum of scores within; see `transfer_scores`."""

    def cut(self, n_groups: int) -> np.ndarray:
        """Splits the tasks into so many groups."""
        return self._best(n_groups)

    def number(self) -> int:
        """Gives the number at which the predicted gain is highest."""
        return len(np.unique(self._best(None)))

    def repeat(self, n_groups: int | None) -> np.ndarray:
        """Splits the tasks, into the best number of groups where none is given."""
        return self._best(n_groups)

    def _best(self, n_groups: int | None) -> np.ndarray:
        scores = transfer_scores(self.tasks.affinity, self.tasks.n_labels)
        return best_partition(scores, n_groups, self.tasks.seed)


def transfer_scores(affinity: np.ndarray, n_labels: np.ndarray) -> np.ndarray:
    """Predicts how much a task gains from another in one network, up to a common factor.

    score[i, j] = affinity[i, j] · n_i / (n_j + 300). The loss of a network is a mean over labels,
    so that a step follows the sum over tasks of n_i g_i, where g_i is the gradient of a task's own
    mean loss. With gradients of unit length, i moves j's loss by n_i g_i·g_j, while j's own labels
    move it by n_j. A small task gains from a large one that agrees with it, a large one hardly
    gains from a small one, and a task that disagrees costs the more the larger it is. What a task
    can gain is bounded, however few its labels are; hence the 300, which were chosen on gains that
    were measured on two real panels, where 200 to 1,000 predict them about as well.

    Args:
        affinity: Shape (T, T); [i, j] is the affinity of source i and target j.
        n_labels: Labels of each task, shape (T,).

    Returns:
        Shape (T, T), 0 on the diagonal.
    """
    n = np.asarray(n_labels, dtype=np.float64)
    scores = affinity * (n[:, None] / (n[None, :] + _BOUND))
    np.fill_diagonal(scores, 0.0)
    return np.asarray(scores)
