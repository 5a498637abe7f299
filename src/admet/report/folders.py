"""What every record of a training or a study reads from its folder."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from admet.errors import RunDirectoryError
from admet.run_directory import Files, read_json

# Columns of text; an empty cell of them is no number that is absent.
_WORDS = ("task", "SMILES", "arm", "source", "target", "unit", "scale", "kind", "similarity")
_TABLES = (Files.REJECTED, Files.STRUCTURES, Files.LABELS)


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a model came from.

    Attributes:
        run: Versions, hardware, command, table, seconds.
        config: The configuration, as YAML; empty for a model that was imported.
        rejected: Records of the table that were left out.
        structures: Records whose structure was changed or that were merged.
        labels: Label cells that were read otherwise than as the number in them.
        sides: Side of the split → its molecules.
    """

    run: Mapping[str, Any]
    config: str
    rejected: pd.DataFrame
    structures: pd.DataFrame
    labels: pd.DataFrame
    sides: Mapping[str, int]

    @property
    def imported(self) -> list[Mapping[str, Any]]:
        """The files of another program that it was made of; none for a training."""
        found = self.run.get("imported_from")
        return list(found) if isinstance(found, list) else []

    @classmethod
    def read(cls, folder: Path) -> "Origin":
        """Reads it from a run directory.

        Raises:
            RunDirectoryError: If a file is missing or damaged.
        """
        run = read_json(folder / Files.RUN)
        if not isinstance(run, dict):
            raise damaged(folder / Files.RUN, "it holds no object")
        rejected, structures, labels = (
            read_table(folder / name) if (folder / name).is_file() else pd.DataFrame()
            for name in _TABLES
        )
        split = read_table(folder / Files.SPLIT, ["split"])
        sides = {str(side): int(n) for side, n in split["split"].value_counts(sort=False).items()}
        config = "" if "imported_from" in run else _text(folder / Files.CONFIG)
        return cls(run, config, rejected, structures, labels, sides)


def read_table(path: Path, columns: Collection[str] = ()) -> pd.DataFrame:
    """Reads a table that a training or a study wrote.

    Args:
        path: A CSV or Parquet file.
        columns: Columns that it must have.

    Raises:
        RunDirectoryError: If it is missing, damaged, or lacks one.
    """
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else _csv(path)
    except pd.errors.EmptyDataError:  # a table without rows may have no columns either
        frame = pd.DataFrame()
    except FileNotFoundError:
        raise RunDirectoryError(
            f"{str(path)!r} is missing. Copy the whole folder again, or let the command that wrote "
            "it finish."
        ) from None
    except (OSError, ValueError, KeyError) as error:  # pandas' and pyarrow's are of these
        raise damaged(path, str(error).splitlines()[0]) from None
    if absent := [name for name in columns if name not in frame.columns]:
        raise damaged(path, f"it has no column {absent[0]!r}")
    return frame


def parts_of(frame: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame]]:
    """Cuts a frame by the names in a column, in their order."""
    return [(str(name), part) for name, part in frame.groupby(column, sort=False)]


def damaged(path: Path, why: str) -> RunDirectoryError:
    """Makes the error for a file that cannot be used."""
    return RunDirectoryError(
        f"{str(path)!r} is damaged: {why.rstrip('.')}. Copy the folder again, or repeat the "
        "command that wrote it."
    )


def _csv(path: Path) -> pd.DataFrame:
    # A task may be called NA or 1.50.
    words = dict.fromkeys(_WORDS, str)
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False, dtype=words)
    for name in _WORDS:
        if name in frame.columns:
            frame[name] = frame[name].fillna("")
    return frame


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from None
