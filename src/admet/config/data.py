"""The `data` section."""

import json
import math
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from admet.config.base import LARGEST_SEED, Section
from admet.config.reading import ColumnName, LabelReading

TaskKind = Literal["regression", "binary"]
Identity = Literal["exact", "ignore_stereo", "ignore_isotopes", "constitution"]
TransformName = Literal["none", "auto", "log10", "ln", "log1p", "logit", "logit_fraction"]
SplitType = Literal["random", "scaffold", "cluster", "group", "time", "predefined"]


class AssayLimits(Section):
    """The range in which an assay gives values; at or beyond it, labels are limits."""

    below: float | None = Field(None, description="At or under it a label means: less than this.")
    above: float | None = Field(None, description="At or over it a label means: more than this.")

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if self.below is None and self.above is None:
            raise ValueError("`limits` of a task must hold `below`, `above` or both; name one.")
        if self.below is not None and self.above is not None and self.below >= self.above:
            raise ValueError(
                f"`below` must be less than `above`; got {self.below:g} and {self.above:g}."
            )
        return self


class LabelRules(Section):
    """How the cells of one column become labels; a model keeps it, for later tables.

    Attributes:
        limits: Declared limits of the assay.
        relation_column: Column whose cells hold `>`, `<` or `=` for the labels.
        averaged_as: Transform under which the records of a molecule are averaged.
        map: What a cell holds → its label; null for no label.
    """

    limits: AssayLimits | None = None
    relation_column: ColumnName | None = None
    averaged_as: TransformName = "none"
    map: dict[str, float | None] = Field({})


NUMERIC = "numeric"
"""Stands among the target columns for all that hold numbers."""


def is_pattern(name: str) -> bool:
    """Tells whether a target is a pattern, unless a column has exactly that name."""
    return name == NUMERIC or any(sign in name for sign in "*?[")


class PanelFile(Section):
    """The table of a panel."""

    data_path: Path = Field(
        Path("data/admet_train.csv"),
        description="The panel: CSV, TSV, Parquet, Excel, OpenDocument, SD or SMILES file.",
    )


class PanelColumns(LabelReading):
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
    units: dict[str, str] = Field(
        {}, description="Task → unit of its labels, which its predictions have, too."
    )
    transforms: dict[str, TransformName] = Field(
        {},
        description="Task → what networks learn in place of its labels: log10, ln, log1p (may be "
        "0), logit (of 0 to 100 %), logit_fraction (of 0 to 1), none, or auto, which lets the "
        "training labels decide. Predictions and metrics are in the unit of the table.",
    )
    label_maps: dict[str, dict[str, float | None]] = Field(
        {},
        description="Task → {what a cell holds: its label}, such as {active: 1, inactive: 0} or "
        "{-999: null}; null means not measured.",
    )
    limits: dict[str, AssayLimits] = Field(
        {},
        description="Task → {below: 3, above: 150}, either or both: labels at or beyond these "
        "numbers say only that the value is lower or higher (`<3`, `>150`).",
    )
    relation_columns: dict[str, ColumnName] = Field(
        {},
        description="Task → column that holds `>`, `<`, `=` or `~` for its labels, as in exports "
        "of ChEMBL or an ELN.",
    )
    standardize: bool = Field(
        True, description="Strip salts to the parent, normalise and neutralise the molecules."
    )
    duplicates: Identity = Field(
        "exact",
        description="Which records are one molecule: exact (stereo, its uncertainty and isotopes "
        "as written), ignore_stereo, ignore_isotopes, or constitution (both ignored).",
    )
    id_column: ColumnName | None = Field(
        None, description="Column of identifiers that go with the molecules into every file."
    )

    @field_validator("limits", "label_maps", mode="before")
    @classmethod
    def _from_flag(cls, value: object, info: ValidationInfo) -> object:
        """Parses what a flag holds as one word of JSON."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"`{info.field_name}` is no JSON: {error}; got {value!r}.") from None

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
        if self.id_column in (self.smiles_column, *self.target_columns):
            raise ValueError(
                f"`id_column` names {self.id_column!r}, which is the SMILES column or a target. "
                "Name a column of identifiers, or leave it empty."
            )
        for key in BY_TASK:
            strangers = sorted(set(getattr(self, key)) - set(self.target_columns))
            if strangers and self.names_its_targets and self.target_columns:
                raise ValueError(f"`{key}` names {strangers}, which `target_columns` does not.")
        return self

    def rules_of(self, task: str) -> LabelRules:
        """Gives how the cells of a task's column become labels."""
        transform = self.transforms.get(task, "none")
        return LabelRules(
            limits=self.limits.get(task),
            relation_column=self.relation_columns.get(task),
            averaged_as="none" if transform == "auto" else transform,
            map=self.label_maps.get(task, {}),
        )


BY_TASK = ("task_kinds", "units", "transforms", "label_maps", "limits", "relation_columns")
"""Keys that say something of single tasks."""


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
    dates: Literal["auto", "day_first", "month_first", "year_first"] = Field(
        "auto", description="How dates such as 03/04/2018 are written in the split column."
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
    def deals_blocks(self) -> bool:
        """Whether molecules come to sides by chance, block by block."""
        return self.split_type not in {"time", "predefined"}

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
        unread = {} if self.needs_split_column else {"split_column": why}
        if not self.deals_blocks:
            unread["split_seed"] = why
        if self.split_type == "predefined":
            unread["split_ratios"] = why
        if self.split_type != "time":
            unread["dates"] = why
        if not self.cache:
            unread["cache_dir"] = "cache is false"
        return unread
