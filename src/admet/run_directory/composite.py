"""Opens a composite; nothing in its files can run code."""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from admet.errors import RunDirectoryError
from admet.model.composite import CompositePredictor, CompositeSpec, member_of
from admet.run_directory.layout import COPY_AGAIN, Files


def load_composite(
    spec: CompositeSpec, run_dir: Path, device: torch.device | str, batch_size: int
) -> CompositePredictor:
    """Builds the members of a composite with what they have learnt.

    Args:
        spec: Its description.
        run_dir: The directory.
        device: Where networks on graphs predict.
        batch_size: Molecules in one step.

    Returns:
        What predicts.

    Raises:
        RunDirectoryError: If the arrays are missing, damaged, or do not fit the description.
    """
    path = run_dir / Files.WEIGHTS
    try:
        stored = load_file(path)
    except FileNotFoundError:
        raise RunDirectoryError(
            f"Run directory {str(run_dir)!r} has no {path.name}. {COPY_AGAIN}"
        ) from None
    except (OSError, SafetensorError) as error:
        raise RunDirectoryError(f"{str(path)!r} is damaged: {error}. {COPY_AGAIN}") from None
    for name, array in stored.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise RunDirectoryError(
                f"{str(path)!r} is damaged: {name} holds NaN or infinity. {COPY_AGAIN}"
            )
    members = []
    for index, member in enumerate(spec.members):
        start = f"members.{index}."
        own = {k.removeprefix(start): v for k, v in stored.items() if k.startswith(start)}
        try:
            members.append(member_of(spec, member, own, device))
        except Exception as error:  # whatever a damaged array leads to, in torch or in LightGBM
            first = (str(error).strip().splitlines() or ["?"])[-1].strip()
            raise RunDirectoryError(
                f"What {str(path)!r} holds of {member.arm!r} does not fit model.json: {first}. "
                f"{COPY_AGAIN}"
            ) from None
    return CompositePredictor(spec, members, batch_size)
