"""The files of an inspection: checked before it begins, written when it is done."""

from pathlib import Path

import numpy as np
import pandas as pd

from admet.data import notes_frame, rejected_frame, structures_frame
from admet.files import atomic, check_output, check_replaces_nothing
from admet.inspection.inspect import Inspection
from admet.inspection.start import start_yaml
from admet.table_files import write_table

FILES = (
    "columns.csv", "rejected.csv", "structures.csv", "labels.csv", "shared.csv",
    "correlations.csv", "pictures.png", "start.yaml",
)  # fmt: skip
"""Columns; records left out; structures changed or merged; labels read otherwise than they stand;
molecules in common; rank correlations on them; the page of pictures; a configuration."""


def check_files(folder: Path, table: Path, *, overwrite: bool) -> None:
    """Checks that the files can be written.

    Args:
        folder: Where they go.
        table: The table that is inspected.
        overwrite: Whether those of an earlier inspection may be replaced.

    Raises:
        ConfigError: If one cannot be written, is there already, or is a part of a model.
    """
    paths = [folder / name for name in FILES]
    for path in paths:
        check_output(path, "save_dir")
    check_replaces_nothing({"save_dir": paths}, [table], overwrite=overwrite)


def write_files(inspection: Inspection, folder: Path) -> list[Path]:
    """Writes them.

    Args:
        inspection: What was found.
        folder: Where they go; it is made where it is missing.

    Returns:
        The files.

    Raises:
        OutputError: If the disk is full or the folder is read-only.
    """
    from admet.inspection.pictures import draw  # noqa: PLC0415 - matplotlib takes a second

    panel = inspection.panel
    names = panel.task_names
    tables = {
        "columns.csv": inspection.frame,
        "rejected.csv": rejected_frame(panel),
        "structures.csv": structures_frame(panel.structures, panel.unit, panel.ids is not None),
        "labels.csv": notes_frame(panel),
        "shared.csv": _square(inspection.shared, names),
        "correlations.csv": _square(inspection.correlations, names),
    }
    for name, frame in tables.items():
        write_table(folder / name, frame)
    with atomic(folder / "pictures.png") as path:
        draw(inspection, path)
    with atomic(folder / "start.yaml") as path:
        path.write_text(start_yaml(inspection), encoding="utf-8")
    return [folder / name for name in FILES]


def _square(matrix: np.ndarray, names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(matrix, columns=names)
    frame.insert(0, "task", names, allow_duplicates=True)
    return frame
