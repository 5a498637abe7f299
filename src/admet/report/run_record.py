"""A run directory as a report reads it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from admet.errors import DataError, RunDirectoryError
from admet.evaluation import Scores
from admet.inference.held_out import HeldOut, held_out
from admet.model.chemprop.task_affinity.archive import AffinityArchive
from admet.model.chemprop.task_affinity.problems.base import count_common
from admet.model.trained_model import TrainedModel
from admet.report.folders import Origin
from admet.run_directory import Files, load_model
from admet.run_directory.tables import read_table
from admet.training.outputs import read_predicted, read_scores


@dataclass(frozen=True, eq=False)
class RunRecord:
    """What a training left behind.

    Attributes:
        path: Its folder.
        model: The model.
        origin: Where it came from.
        scores: Side → metrics; none for a model without test, such as that of a study.
        tested: Labels, predictions and intervals of the test side; None where there is none.
        affinity: The affinity and its groups; None where none was measured.
        history: Losses of each epoch; without rows where none were kept.
    """

    path: Path
    model: TrainedModel
    origin: Origin
    scores: dict[str, Scores]
    tested: HeldOut | None
    affinity: AffinityArchive | None
    history: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> "RunRecord":
        """Opens a run directory, and predicts its test side with intervals.

        Raises:
            RunDirectoryError: If it is damaged, half-written, or of a later version.
            ConfigError: If a package that the model needs is missing.
        """
        model = load_model(folder)
        history, tested = folder / Files.HISTORY, None
        scores = read_scores(folder) if (folder / Files.METRICS).is_file() else {}
        if (folder / Files.PREDICTIONS).is_file():
            tested = held_out(model, read_predicted(folder, model.spec))
        return cls(
            folder,
            model,
            Origin.read(folder),
            scores,
            tested,
            _affinity(folder),
            read_table(history) if history.is_file() else pd.DataFrame(),
        )

    @property
    def n_labels(self) -> np.ndarray | None:
        """Training molecules with labels of both tasks, shape (T, T); None where it is not kept."""
        if self.model.doubt is not None:
            return count_common(np.isfinite(self.model.doubt.neighbours.labels))
        return None if self.affinity is None else self.affinity.n_common


def _affinity(folder: Path) -> AffinityArchive | None:
    path = folder / Files.AFFINITY
    if not path.is_file():
        return None
    try:
        return AffinityArchive.read(path)
    except DataError as error:
        raise RunDirectoryError(str(error)) from None
