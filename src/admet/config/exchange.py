"""What the commands take that write and read files of Chemprop."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from admet.config.base import Section
from admet.config.reading import ColumnName


class ExportCommand(Section):
    """Write a trained model for another program: `admet export RUN --to chemprop`."""

    model_dir: Path = Field(
        description="Run directory of the model; `admet export RUN` names it, too."
    )
    to: Literal["chemprop"] = Field("chemprop", description="The program that reads the files.")
    output: Path = Field(description="Folder to write.")
    member: str | None = Field(
        None,
        description="Of a mixture of models: the arm whose networks are written; empty: the whole "
        "model, which must be networks of equal weight.",
    )
    learnt_scale: bool = Field(
        False,
        description="Write tasks that have a transform on the scale that was learnt, in columns "
        "such as log10(KSOL); Chemprop undoes no transform.",
    )
    overwrite: bool = Field(False, description="Replace the folder of an earlier export.")


class ImportCommand(Section):
    """Make a run directory of models of Chemprop: `admet import_chemprop MODEL.pt …`."""

    model_files: tuple[Path, ...] = Field(
        min_length=1,
        description="Models of Chemprop v2 (.pt, .ckpt), or folders of .pt files; `admet "
        "import_chemprop MODEL.pt` names them, too. Files of the same columns are averaged, those "
        "of other columns are networks of their own.",
    )
    save_dir: Path = Field(description="The run directory to write.")
    target_columns: tuple[ColumnName, ...] = Field(
        (), description="Names of the outputs, in their order; empty: those that the file has."
    )
    smiles_column: ColumnName = Field(
        "SMILES", description="Column with the SMILES in tables to predict, where none is named."
    )
    standardize: bool = Field(
        False, description="Standardise molecules before they are predicted; Chemprop does not."
    )
    overwrite: bool = Field(False, description="Replace the run directory that is there.")

    @field_validator("target_columns")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({name for name in value if value.count(name) > 1}):
            raise ValueError(f"`target_columns` must name each once; twice: {', '.join(twice)}.")
        return value
