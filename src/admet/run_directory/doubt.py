"""Keeps and opens what a model knows of the errors of its predictions."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as save_arrays

from admet.errors import RunDirectoryError
from admet.model.chemprop.spec import PanelSpec
from admet.model.doubt import Doubt
from admet.run_directory.layout import COPY_AGAIN, Files


def write_doubt(folder: Path, doubt: Doubt) -> None:
    """Writes it beside the weights."""
    arrays = {name: np.ascontiguousarray(array) for name, array in doubt.arrays().items()}
    (folder / Files.DOUBT).write_bytes(save_arrays(arrays))


def read_doubt(run_dir: Path, spec: PanelSpec) -> Doubt | None:
    """Reads it; None where the model was written without.

    Raises:
        RunDirectoryError: If it is damaged, or does not fit the model.
    """
    path = run_dir / Files.DOUBT
    if not path.exists():
        return None
    try:
        arrays = load_file(path)
        for name, array in arrays.items():
            absent = name == "neighbours.labels"  # a molecule need not have all of them
            if array.dtype.kind == "f" and not (absent or np.isfinite(array).all()):
                raise ValueError(f"{name} holds NaN or infinity")
        return Doubt.of(arrays, spec.task_names, spec.kinds, spec.transforms)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise RunDirectoryError(f"{str(path)!r} is damaged: {what}. {COPY_AGAIN}") from None
