"""Opens a composite; nothing in its files can run code."""

from pathlib import Path

import numpy as np
import torch

from admet.errors import RunDirectoryError
from admet.model.composite import CompositePredictor, CompositeSpec, member_of
from admet.run_directory.layout import COPY_AGAIN, Files
from admet.run_directory.reader import read_weights


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
    stored = {name: tensor.numpy() for name, tensor in read_weights(run_dir).items()}
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
