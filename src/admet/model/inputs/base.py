"""What a frozen input is: a vector per molecule that training does not change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Compute(Protocol):
    """What computes an input."""

    def __call__(self, smiles: Sequence[str]) -> np.ndarray:
        """Gives the vectors of n molecules, shape (n, width), float32; NaN where not defined.

        Args:
            smiles: n canonical SMILES.
        """


@dataclass(frozen=True)
class FrozenInput:
    """One kind of vectors.

    Attributes:
        name: What configurations call it.
        width: Numbers per molecule.
        compute: What makes them.
        version: What changes whenever the vectors would; it is part of the key of the cache.
        seen: Public sets whose labels its weights were trained on; empty where it was not trained.
        packages: Packages that must be installed.
        text: What it is, in a few words; the documentation holds it, and `seen`, word by word.
    """

    name: str
    width: int
    compute: Compute
    version: str
    text: str
    seen: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
