"""Losses and metrics for those who follow trainings: CSV, TensorBoard, MLflow, by Lightning."""

import importlib.util
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from admet.config import TrainConfig
from admet.errors import ConfigError
from admet.evaluation import Scores

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger

log = logging.getLogger(__name__)

Kind = Literal["csv", "tensorboard", "mlflow"]
Status = Literal["success", "failed"]

_EXPERIMENT = "admet"
_LONGEST = 500  # characters of a parameter; MLflow takes 6,000, and no more than 250 as a key
_STRANGE = re.compile(r"[^\w\-. /:]")  # what MLflow takes in no name of a metric
_PARENT, _FOLDER = "mlflow.parentRunId", "admet.folder"
_ROW = ("train_loss", "val_loss", "learning_rate", "seconds")


@dataclass(frozen=True)
class Tracking:
    """Where a training or a study is followed; it can be sent to other processes.

    Attributes:
        kind: The tracker.
        place: Folder, or the address of MLflow's store.
        name: Name of what is followed.
        parent: MLflow's id of the run that it is a part of; None for a whole.
        tags: What MLflow keeps of it besides.
    """

    kind: Kind
    place: str
    name: str
    parent: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: TrainConfig) -> "Tracking | None":
        """Reads a configuration; None where nothing is to be followed.

        Raises:
            ConfigError: If a package is missing.
        """
        kind = config.training.logger
        if kind == "none":
            return None
        if kind != "csv" and importlib.util.find_spec(kind) is None:
            raise ConfigError(
                f"`training.logger` {kind} needs the package `{kind}`, which the extra of this "
                f"name brings: pip install 'admet-grouping[{kind}]'."
            )
        save_dir = config.save_dir.resolve()
        told = config.training.log_to
        if kind == "mlflow":
            told = told or os.environ.get("MLFLOW_TRACKING_URI")
        place = told or str(save_dir.parent / "logs")
        if "://" not in place:
            place = str(Path(place).resolve())  # workers may have another current folder
        return cls(kind, place, save_dir.name, tags={_FOLDER: str(save_dir)})

    @property
    def store(self) -> str:
        """The address of MLflow's store: a database in the folder, where a folder is named."""
        if "://" in self.place:
            return self.place
        Path(self.place).mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{Path(self.place) / 'mlflow.db'}"

    def child(self, name: str, parent: str | None) -> "Tracking":
        """Gives where a part is followed: a folder in that of the whole, or a run below it."""
        full = name if self.kind == "mlflow" else str(Path(self.name) / name)
        return replace(self, name=full, parent=parent)

    @contextmanager
    def opened(self, params: Mapping[str, Any], *, again: bool = False) -> Iterator["Tracker"]:
        """Gives the tracker, which is closed with the context.

        Args:
            params: What is kept of the configuration; sections inside get names with dots.
            again: Whether to go on with the run of the same folder, if MLflow has one.

        Raises:
            ConfigError: If the folder or the store cannot be used.
        """
        # MLflow would tell its makers what it is used for.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        try:
            earlier = _earlier(self) if again and self.kind == "mlflow" else None
            tracker = Tracker(self._logger(earlier))
            if earlier is None:  # MLflow lets no parameter change, and some may have
                tracker.note(params)
        except Exception as error:  # of the file system, or of MLflow's store
            first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ConfigError(
                f"`training.logger` {self.kind} cannot write to {self.place!r}: {first[:300]}. "
                "Correct `training.log_to`, or set `training.logger` to none."
            ) from None
        try:
            yield tracker
        except BaseException:
            tracker.close("failed")
            raise
        tracker.close("success")

    def _logger(self, run_id: str | None) -> "Logger":
        """Makes Lightning's logger, of MLflow for a run that is there, if its id is given."""
        from lightning.pytorch import loggers  # noqa: PLC0415 - slow

        if self.kind == "csv":
            return loggers.CSVLogger(self.place, self.name)
        if self.kind == "tensorboard":
            return loggers.TensorBoardLogger(self.place, self.name, default_hp_metric=False)
        logger = loggers.MLFlowLogger(
            _EXPERIMENT,
            self.name,
            tracking_uri=self.store,
            tags=self.tags | ({} if self.parent is None else {_PARENT: self.parent}),
            run_id=run_id,
            artifact_location=None if "://" in self.place else Path(self.place).as_uri(),
        )
        logger.experiment  # noqa: B018 - makes the run, and finds out whether the store answers
        return logger


class Tracker:
    """Takes losses and metrics. What it cannot write is said once, and disturbs no training."""

    def __init__(self, logger: "Logger", prefix: str = "") -> None:
        """Stores the parts.

        Args:
            logger: Lightning's logger.
            prefix: What stands before the names of metrics.
        """
        self.logger = logger
        self.prefix = prefix
        self._silent = [False]  # shared with those of `within`

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run; None of other trackers."""
        return getattr(self.logger, "run_id", None)

    def within(self, name: str) -> "Tracker":
        """Gives the same tracker for one of several networks."""
        found = Tracker(self.logger, f"{self.prefix}{name}/")
        found._silent = self._silent
        return found

    def note(self, params: Mapping[str, Any]) -> None:
        """Keeps parameters; sections inside get names with dots."""
        self.logger.log_hyperparams({self.prefix + k: v for k, v in flat(params).items()})
        self.logger.save()

    def tell(self, params: Mapping[str, Any]) -> None:
        """Keeps parameters while a training runs, which a fault does not disturb."""
        try:
            self.note(params)
        except Exception as error:
            self._give_up(error)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Keeps a row of the history of a network."""
        self.metrics({k: row[k] for k in _ROW if row[k] is not None}, int(row["epoch"]))

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Keeps metrics; names are changed where MLflow does not take them, each to another."""
        found: dict[str, float] = {}
        for name, value in values.items():
            own = self.prefix + _STRANGE.sub("_", name)
            while own in found:
                own += "_"
            found[own] = float(value)
        if self._silent[0] or not found:
            return
        try:
            self.logger.log_metrics(found, step)
            self.logger.save()
        except Exception as error:
            self._give_up(error)

    def close(self, status: Status) -> None:
        """Ends the run."""
        try:
            self.logger.finalize(status)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if not self._silent[0]:
            log.error("training.logger wrote no further: %s. The training goes on", error)
        self._silent[0] = True


def end_metrics(scores: Scores, side: str) -> dict[str, float]:
    """Gives the metrics of a side as `side/metric/task` → value, without those that have none."""
    return {
        f"{side}/{metric}/{task}": value.value
        for task, own in scores.tasks.items()
        for metric, value in own.values.items()
        if value.value is not None
    }


def of_part(
    tracker: Tracker | None, what: str, number: int, n_all: int, tasks: Sequence[str] = ()
) -> Tracker | None:
    """Gives the tracker of one of several networks or trainings; of one alone, the same.

    Args:
        tracker: That of the whole; None gives none.
        what: What there are several of.
        number: Which it is, from 1.
        n_all: How many there are.
        tasks: What it learns, which is kept as a parameter.
    """
    if tracker is None or n_all == 1:
        return tracker
    found = tracker.within(f"{what}_{number}")
    if tasks:
        found.tell({"tasks": ", ".join(tasks)})
    return found


@contextmanager
def followed(
    tracking: Tracking | None, params: Mapping[str, Any], *, again: bool = False
) -> Iterator[Tracker | None]:
    """Opens the tracker of a whole, as `Tracking.opened`; None where nothing is to be followed."""
    if tracking is None:
        yield None
        return
    with tracking.opened(params, again=again) as tracker:
        yield tracker


def flat(content: Mapping[str, Any], start: str = "") -> dict[str, str]:
    """Writes nested sections as one: key with dots → value as text, cut where it is long."""
    found: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{start}{key}.")
        else:
            text = str(value)
            found[f"{start}{key}"] = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return found


def _earlier(tracking: Tracking) -> str | None:
    """Finds the whole run of the same folder that an earlier command has begun."""
    from mlflow import MlflowClient  # noqa: PLC0415 - slow

    client = MlflowClient(tracking.store)
    experiment = client.get_experiment_by_name(_EXPERIMENT)
    if experiment is None:
        return None
    wanted = tracking.tags[_FOLDER].replace("'", "\\'")
    found = client.search_runs([experiment.experiment_id], f"tags.`{_FOLDER}` = '{wanted}'")
    whole = [run for run in found if _PARENT not in run.data.tags]
    return whole[0].info.run_id if whole else None
