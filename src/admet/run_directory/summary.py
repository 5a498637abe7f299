"""What a run directory holds, in short."""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from admet.errors import DataError, RunDirectoryError
from admet.evaluation import Scores
from admet.model.chemprop.plan import Plan
from admet.model.chemprop.spec import ModelSpec
from admet.run_directory.doubt import read_doubt
from admet.run_directory.layout import COPY_AGAIN, Files
from admet.run_directory.reader import read_json, read_spec

if TYPE_CHECKING:
    from admet.model.composite import CompositeSpec


@dataclass(frozen=True, eq=False)
class RunSummary:
    """What a run directory says of its model.

    Attributes:
        path: The run directory.
        spec: Tasks and plan, or tasks and members of a mixture.
        run: What `run.json` holds: versions, seed, hardware, seconds.
        n_learnt: Task → labels that it was trained on; empty where the directory does not say.
        scores: Scores of the test side; None where there is no such side.
        sides: Side of the split → molecules.
    """

    path: Path
    spec: "ModelSpec | CompositeSpec"
    run: Mapping[str, Any]
    n_learnt: Mapping[str, int]
    scores: Scores | None
    sides: Mapping[str, int]

    @property
    def plan(self) -> Plan | None:
        """How its networks share; None for a mixture of several ways of training."""
        networks, _ = self._networks
        return None if networks is None else networks.plan

    @property
    def n_trainings(self) -> int:
        """Number of trainings that an ensemble averages; 1 for all else."""
        return self._networks[1]

    @property
    def _networks(self) -> tuple[ModelSpec | None, int]:
        from admet.model.composite import networks_of  # noqa: PLC0415 - it reads this package

        return networks_of(self.spec)

    @property
    def shares(self) -> dict[str, dict[str, float]]:
        """Task → member of a mixture → its weight, where it is above 0; empty for networks."""
        if isinstance(self.spec, ModelSpec) or self.plan is not None:
            return {}
        arms = [member.arm for member in self.spec.members]
        return {
            name: {
                arm: own[column]
                for arm, own in zip(arms, self.spec.weights, strict=True)
                if own[column]
            }
            for column, name in enumerate(self.spec.task_names)
        }


def summary_of(run_dir: str | Path) -> RunSummary:
    """Sums up a run directory; its files are checked as before a prediction.

    Args:
        run_dir: The directory.

    Raises:
        RunDirectoryError: If it is missing, unfinished, damaged, or newer than this program.
    """
    run_dir = Path(run_dir)
    spec = read_spec(run_dir)
    path = run_dir / Files.RUN
    run = read_json(path)
    if not isinstance(run, dict):
        raise RunDirectoryError(f"{str(path)!r} is damaged: it holds no object. {COPY_AGAIN}")
    doubt = read_doubt(run_dir, spec)
    counts: Mapping[str, int] = {}
    if doubt is not None:
        present = (~np.isnan(doubt.neighbours.labels)).sum(axis=0)
        counts = dict(zip(spec.task_names, present.tolist(), strict=True))
    return RunSummary(run_dir, spec, run, counts, _scores(run_dir), _sides(run_dir))


def _scores(run_dir: Path) -> Scores | None:
    path = run_dir / Files.METRICS
    if not path.exists():
        return None
    content = read_json(path)
    try:
        if not isinstance(content, dict):
            raise DataError("it holds no object.")
        return Scores.from_json(content["test"]) if "test" in content else None
    except DataError as error:
        raise RunDirectoryError(f"{str(path)!r} is damaged: {error} {COPY_AGAIN}") from None


def _sides(run_dir: Path) -> dict[str, int]:
    """Counts the molecules of each side."""
    path = run_dir / Files.SPLIT
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return dict(Counter(row["split"] for row in csv.DictReader(file)))
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise RunDirectoryError(f"{str(path)!r} is damaged: {error}. {COPY_AGAIN}") from None
