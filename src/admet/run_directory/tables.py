"""Tables that a training or a study wrote, read again."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from admet.errors import RunDirectoryError

# Columns of text; an empty cell of them is no number that is absent.
_WORDS = ("task", "SMILES", "arm", "source", "target", "unit", "scale", "kind", "similarity")


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
