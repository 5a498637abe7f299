"""What every record of a training or a study reads from its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from admet.run_directory import Files, read_json
from admet.run_directory.tables import damaged, read_table

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


def parts_of(frame: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame]]:
    """Cuts a frame by the names in a column, in their order."""
    return [(str(name), part) for name, part in frame.groupby(column, sort=False)]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise damaged(path, str(error)) from None
