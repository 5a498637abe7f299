"""A study as those see it who follow it: one run for the whole, and one for each fit."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from admet.config.study import StudyRun
from admet.data import Split
from admet.errors import ConfigError
from admet.evaluation import score_tasks
from admet.study.material import Material
from admet.training.tracking import Tracker, Tracking, end_metrics, followed

if TYPE_CHECKING:
    from admet.study.jobs import Job
    from admet.study.results import Study

log = logging.getLogger(__name__)

Report = Callable[[np.ndarray], None]


@dataclass(frozen=True, eq=False)
class Tracked:
    """A study that is followed, or not.

    Attributes:
        tracker: Takes what is known at the end; None where nobody follows.
        parts: Where its fits are followed, in whatever process; likewise.
    """

    tracker: Tracker | None = None
    parts: Tracking | None = None

    def report(self, study: "Study") -> None:
        """Keeps for each arm and task the mean of its kind's metric over folds and seeds."""
        if self.tracker is None:
            return
        results = study.results
        firsts = {task.name: task.kind.metric for task in study.panel.tasks}
        own = results[results["metric"] == results["task"].map(firsts)]
        means = {
            f"{arm}/{firsts[str(task)]}/{task}": float(rows["value"].mean())
            for (arm, task), rows in own.groupby(["arm", "task"], sort=False)
        }
        self.tracker.metrics(means)


@contextmanager
def followed_study(
    config: StudyRun, identity: Mapping[str, Any], *, goes_on: bool
) -> Iterator[Tracked]:
    """Opens the run of a study; one that goes on goes on in MLflow's run of the same folder.

    Raises:
        ConfigError: If the tracker cannot be used.
    """
    tracking = Tracking.of(config)
    params = config.only(StudyRun).model_dump(mode="json") | {"panel_sha256": identity["panel"]}
    with followed(tracking, params, again=goes_on) as tracker:
        if tracking is None or tracker is None:
            yield Tracked()
        else:
            yield Tracked(tracker, replace(tracking, parent=tracker.run_id))


@contextmanager
def followed_fit(material: Material, split: Split, job: "Job") -> Iterator[tuple[Material, Report]]:
    """Opens the run of a fit, in the process that does it.

    Where that fails, as on a worker that does not reach the store, the fit is done all the same.

    Args:
        material: The study.
        split: The fold.
        job: The fit.

    Yields:
        The study for this fit, and what takes its predictions of the tested molecules.
    """
    whole = material.tracking
    with ExitStack() as stack:
        tracker = None
        if whole is not None:
            own = whole.child(job.name, whole.parent).opened(asdict(job))
            try:
                tracker = stack.enter_context(own)
            except ConfigError as error:
                log.error("%s is not followed: %s", job.name, error)
        if tracker is None:
            yield material, _nobody
        else:
            own_material = replace(material, tracker=tracker)
            yield own_material, partial(_score, tracker, material, split)


def _nobody(mean: np.ndarray) -> None:
    """Keeps nothing."""


def _score(tracker: Tracker, material: Material, split: Split, mean: np.ndarray) -> None:
    """Keeps the metrics of a fold, of predictions of shape (m, T)."""
    labels = material.panel.labels.subset(split.test)
    scores = score_tasks(
        labels.values,
        mean,
        material.panel.task_names,
        [kind.name for kind in material.panel.kinds],
        limits=labels.limits,
        n_bootstrap=0,
    )
    tracker.metrics(end_metrics(scores, "test"))
