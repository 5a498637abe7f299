"""The `data` section."""

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from admet.config.base import LARGEST_SEED, Section

TaskKind = Literal["regression", "binary"]
ColumnName = Annotated[str, StringConstraints(min_length=1)]
SplitType = Literal["random", "scaffold", "cluster", "group", "time", "predefined"]


NUMERIC = "numeric"
"""Stands among the target columns for all that hold numbers."""


def is_pattern(name: str) -> bool:
    """Tells whether a target is a pattern, unless a column has exactly that name."""
    return name == NUMERIC or any(sign in name for sign in "*?[")


class PanelFile(Section):
    """The table of a panel."""

    data_path: Path = Field(
        Path("data/admet_train.csv"), description="The panel: CSV, CSV.gz, TSV or Parquet."
    )


class PanelColumns(Section):
    """What of a table is a panel, and how its molecules are cleaned."""

    smiles_column: ColumnName = Field("SMILES", description="Column with the SMILES.")
    target_columns: tuple[ColumnName, ...] = Field(
        (),
        description="Columns to predict, one a task: names, patterns as 'LOG *', or numeric for "
        "all that hold numbers.",
    )
    task_kinds: dict[str, TaskKind] = Field(
        {},
        description="Kind of a task where it should not be inferred: regression or binary.",
    )
    standardize: bool = Field(
        True, description="Strip salts to the parent, normalise and neutralise the molecules."
    )

    @property
    def names_its_targets(self) -> bool:
        """Whether all targets are known without the table: none is a pattern."""
        return not any(map(is_pattern, self.target_columns))

    @field_validator("target_columns")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in value if value.count(name) > 1})
        if twice:
            raise ValueError(f"`target_columns` names {twice} more than once. Name each once.")
        return value

    @model_validator(mode="after")
    def _columns(self) -> Self:
        if self.smiles_column in self.target_columns:
            raise ValueError(
                f"`target_columns` holds the SMILES column {self.smiles_column!r}. Remove it."
            )
        strangers = sorted(set(self.task_kinds) - set(self.target_columns))
        if strangers and self.names_its_targets and self.target_columns:
            raise ValueError(f"`task_kinds` names {strangers}, which `target_columns` does not.")
        return self


class DataConfig(PanelColumns):
    """Which columns are read, how molecules are cleaned, how the panel is split."""

    split_type: SplitType = Field("scaffold", description="How the panel is split.")
    split_ratios: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="Shares of train, validation and test."
    )
    split_column: ColumnName | None = Field(
        None,
        description="Column of a time split (sorted), a predefined one (train/val/test), or the "
        "groups that stay together (group).",
    )
    split_seed: int | None = Field(
        None, ge=0, le=LARGEST_SEED, description="Seed of the split; empty: the seed of the run."
    )
    split_from: Path | None = Field(
        None,
        description="Run directory whose molecules keep the side that they had there; only new "
        "ones are dealt.",
    )

    cache: bool = Field(
        True, description="Keep featurised molecules on disk for the next run on them."
    )
    cache_dir: Path | None = Field(
        None,
        description="Folder of that cache; empty: ADMET_CACHE_DIR, or the user's cache folder.",
    )

    @field_validator("split_ratios")
    @classmethod
    def _shares(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(value) < 0 or not math.isclose(sum(value), 1, abs_tol=1e-6):
            raise ValueError(
                "`split_ratios` must be three numbers ≥ 0 that sum to 1; got "
                f"{list(value)}, sum {sum(value):g}."
            )
        if value[0] == 0:
            raise ValueError(
                f"`split_ratios` leaves nothing to train on; got {list(value)}. "
                "Make the first number larger than 0."
            )
        return value

    @property
    def needs_split_column(self) -> bool:
        """Whether the split is read from a column."""
        return self.split_type in {"group", "time", "predefined"}

    @model_validator(mode="after")
    def _split_column(self) -> Self:
        if self.needs_split_column and not self.split_column:
            raise ValueError(
                f"`split_column` must name a column for split_type {self.split_type!r}; it is "
                "empty."
            )
        if self.split_type == "predefined" and self.split_from is not None:
            raise ValueError(
                f"`split_from` {str(self.split_from)!r} and a predefined split both say on which "
                "side a molecule stands. Remove one of them."
            )
        return self

    def _unread(self) -> dict[str, str]:
        why = f"split_type is {self.split_type}"
        unread = {"split_seed" if self.needs_split_column else "split_column": why}
        if self.split_type == "predefined":
            unread["split_ratios"] = why
        if not self.cache:
            unread["cache_dir"] = "cache is false"
        return unread
