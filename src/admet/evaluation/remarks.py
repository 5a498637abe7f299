"""What is to be said about scores besides the numbers."""

from admet.errors import listed
from admet.evaluation.metrics import KNOWS_NOTHING
from admet.evaluation.scores import Scores

_WORSE = {
    "RAE": "Worse than predicting the mean of the tested labels (RAE above 1)",
    "AUROC": "Ranked worse than by chance (AUROC below 0.5)",
}
"""What is said of a metric that is worse than that of a model that knows nothing."""


def remarks(scores: Scores) -> list[str]:
    """Says which tasks are predicted worse than by a constant, and which metrics are empty and why.

    Args:
        scores: The scores of a test.

    Returns:
        Sentences for a log, each with the tasks and their numbers; none where nothing is amiss.
    """
    said = []
    for metric, (limit, lower_is_better) in KNOWS_NOTHING.items():
        found = {name: task.values.get(metric) for name, task in scores.tasks.items()}
        worse = [
            f"{name} ({cell.value:.2f})"
            for name, cell in found.items()
            if cell is not None
            and cell.value is not None
            and (cell.value > limit if lower_is_better else cell.value < limit)
        ]
        if worse:
            said.append(f"{_WORSE[metric]}: {listed(worse)}")
    empty: dict[tuple[str, str], list[str]] = {}
    for name, task in scores.tasks.items():
        reasons: dict[str, list[str]] = {}
        for metric, cell in task.values.items():
            if cell.reason:
                reasons.setdefault(cell.reason, []).append(metric)
        for reason, metrics in reasons.items():
            empty.setdefault((", ".join(metrics), reason), []).append(name)
    for (named, reason), tasks in empty.items():
        said.append(f"No {named} ({reason}): {listed(tasks)}")
    return said
