"""The frozen inputs that heads read beside the embedding: checked, computed, named."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from admet.config import TrainConfig
from admet.errors import ConfigError
from admet.featurize import PackedGraphs
from admet.model.molecules import Molecules

log = logging.getLogger(__name__)


def check_extra_inputs(config: TrainConfig) -> None:
    """Checks that `model.extra_inputs` can be computed here.

    Raises:
        ConfigError: If a package is missing.
    """
    names = config.model.extra_inputs
    if not names:
        return
    from admet.model.inputs import check_inputs  # noqa: PLC0415 - slow, seldom

    check_inputs(names)


def compute_extra_inputs(
    names: Sequence[str], smiles: Sequence[str] | np.ndarray, folder: Path | None = None
) -> np.ndarray | None:
    """Computes extra inputs, or takes them from the cache; says what they have seen.

    Args:
        names: Which, in this order.
        smiles: n canonical SMILES.
        folder: The cache; None computes them.

    Returns:
        Shape (n, d), float32, NaN where an input is not defined; None where `names` is empty.

    Raises:
        ConfigError: If a package is missing.
    """
    if not names:
        return None
    from admet.model.inputs import INPUTS, vectors  # noqa: PLC0415 - slow, seldom

    for name in names:
        if seen := INPUTS[name].seen:
            log.info(
                "Extra input %s was trained on %s; metrics on labels of these sets prove nothing",
                name,
                ", ".join(seen),
            )
    return vectors(names, smiles, folder)


def given_or_computed(
    names: Sequence[str], smiles: np.ndarray, given: np.ndarray | None
) -> np.ndarray | None:
    """Takes the extra inputs of n molecules as a caller gives them, or computes them.

    Args:
        names: Which.
        smiles: n canonical SMILES.
        given: Shape (n, d); None computes them.

    Returns:
        Shape (n, d), float32; None where `names` is empty.

    Raises:
        ConfigError: If what is given has another shape, or a package is missing.
    """
    if not names or given is None:
        if given is not None:
            raise ConfigError("`inputs` are given, but `model.extra_inputs` is empty. Name them.")
        return compute_extra_inputs(names, smiles)
    from admet.model.inputs import INPUTS  # noqa: PLC0415 - slow, seldom

    wanted = (len(smiles), sum(INPUTS[name].width for name in names))
    if given.shape != wanted:
        raise ConfigError(
            f"`inputs` must hold {', '.join(names)} of the panel's molecules, shape {wanted}; got "
            f"{given.shape}. Compute them of `panel.smiles`."
        )
    return np.ascontiguousarray(given, np.float32)


def packages_of(names: Sequence[str]) -> list[str]:
    """Lists the packages on whose versions these inputs depend."""
    if not names:
        return []
    from admet.model.inputs import INPUTS  # noqa: PLC0415 - slow, seldom

    return sorted({package for name in names for package in INPUTS[name].packages})


def molecules_of(
    smiles: np.ndarray,
    graphs: PackedGraphs,
    names: Sequence[str],
    inputs: np.ndarray | None,
    rows: np.ndarray,
) -> Molecules:
    """Gives some of n molecules with what was computed of them.

    Args:
        smiles: n canonical SMILES.
        graphs: Their graphs.
        names: The frozen inputs that a model reads.
        inputs: These side by side, shape (n, sum of widths); None where there are none.
        rows: Which molecules, shape (m,).
    """
    found: dict[str, np.ndarray] = {}
    if inputs is not None:
        from admet.model.inputs import INPUTS  # noqa: PLC0415 - slow, seldom

        ends = np.cumsum([INPUTS[name].width for name in names])
        parts = np.split(inputs[rows], ends[:-1], axis=1)
        found = dict(zip(names, parts, strict=True))
    return Molecules(smiles[rows], graphs.subset(rows), found)
