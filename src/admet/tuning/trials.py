"""The trials of a search, and the file that keeps them, so that a search can go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from admet.config.tune import TuneRun
from admet.errors import RunDirectoryError
from admet.files import atomic

State = Literal["running", "complete", "pruned", "failed"]
SCHEMA_VERSION = 1


class Trial(BaseModel):
    """Settings that were tried.

    Attributes:
        number: From 0, the configuration as it was given.
        values: Key → value, of the keys that are searched.
        losses: Loss of each fold so far.
        seconds: Time of all its fits.
        state: Complete with all folds; pruned or failed before that; running until then.
        fault: Why it failed; empty where it did not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    number: int = Field(ge=0)
    values: dict[str, bool | int | float | str | None]
    losses: tuple[float, ...] = ()
    seconds: float = Field(0.0, ge=0)
    state: State = "running"
    fault: str = ""

    @property
    def loss(self) -> float:
        """The mean over its folds; NaN before the first."""
        return float(np.mean(self.losses)) if self.losses else float("nan")


class _Kept(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1]
    panel: str
    key: str
    config: dict[str, Any]
    trials: list[Trial]


@dataclass
class Journal:
    """The file of a search, replaced at once after every fold.

    Attributes:
        path: The file.
        panel: SHA-256 of the table.
        key: SHA-256 of all that must stay the same for a search to go on.
        config: What the key is of.
        trials: The trials so far.
    """

    path: Path
    panel: str
    key: str
    config: dict[str, Any]
    trials: list[Trial]

    @classmethod
    def read(cls, path: Path) -> "Journal | None":
        """Reads the file; None where there is none.

        Raises:
            RunDirectoryError: If it is damaged.
        """
        if not path.is_file():
            return None
        try:
            kept = _Kept.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
            raise RunDirectoryError(
                f"{str(path)!r} is damaged ({fault}), so the search cannot go on. Add --overwrite "
                "to begin anew."
            ) from None
        return cls(path, kept.panel, kept.key, kept.config, kept.trials)

    def put(self, trial: Trial) -> None:
        """Keeps a trial, in the place of its earlier state."""
        self.trials[trial.number :] = [trial]
        kept = _Kept(
            schema_version=SCHEMA_VERSION,
            panel=self.panel,
            key=self.key,
            config=self.config,
            trials=self.trials,
        )
        with atomic(self.path) as partial:
            partial.write_text(kept.model_dump_json(indent=1), encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Tuning:
    """The outcome of a search.

    Attributes:
        config: What was asked for.
        trials: All trials, in their order; the first one is the configuration as it was given.
        path: The folder that holds it.
        best_config: The configuration with the values of the best trial.
    """

    config: TuneRun
    trials: tuple[Trial, ...]
    path: Path
    best_config: TuneRun

    @property
    def best(self) -> Trial:
        """The complete trial with the smallest loss; the first of equals."""
        return best_of(self.trials)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a trial, the first being 1: state, loss, loss of each fold, seconds, values.

        The last column, fault, says why a trial failed.
        """
        rows = []
        for trial in self.trials:
            row: dict[str, Any] = {
                "trial": trial.number + 1,
                "state": trial.state,
                "loss": trial.loss,
            }
            for fold in range(max(len(trial.losses) for trial in self.trials)):
                row[f"loss_fold_{fold + 1}"] = dict(enumerate(trial.losses)).get(fold)
            row["seconds"] = round(trial.seconds, 1)
            rows.append(row | dict(trial.values) | {"fault": trial.fault})
        return pd.DataFrame(rows)


def best_of(trials: Sequence[Trial]) -> Trial:
    """Gives the complete trial with the smallest loss.

    Raises:
        ValueError: If none is complete.
    """
    return min((t for t in trials if t.state == "complete"), key=lambda trial: trial.loss)
