"""The training molecules that are most similar to a molecule, and what was measured of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from torch import Tensor

N_BITS = 2048
RADIUS = 2
_CHUNK = 256  # molecules compared at once


@dataclass(frozen=True, eq=False)
class Nearest:
    """For n molecules and T tasks the nearest molecule with a label.

    Attributes:
        rows: Which one, shape (n, T), −1 where the task has none.
        similarity: Tanimoto similarity to it, shape (n, T); 0 where the task has none.
    """

    rows: np.ndarray
    similarity: np.ndarray

    @property
    def distance(self) -> np.ndarray:
        """1 less the similarity, shape (n, T)."""
        return 1 - self.similarity


@dataclass(frozen=True, eq=False)
class Neighbours:
    """N training molecules, as they are searched.

    Attributes:
        smiles: Their canonical SMILES.
        bits: Their Morgan fingerprints (radius 2, 2,048 bits), packed, shape (N, 256), uint8.
        labels: Shape (N, T), NaN where absent.
        limits: Where a label is a limit, as in `Labels`, shape (N, T), int8; None where none is.
    """

    smiles: tuple[str, ...]
    bits: np.ndarray
    labels: np.ndarray
    limits: np.ndarray | None = None

    @classmethod
    def of(
        cls, smiles: Sequence[str] | np.ndarray, labels: np.ndarray, limits: np.ndarray | None
    ) -> Self:
        """Computes the fingerprints of N molecules."""
        texts = tuple(str(text) for text in smiles)
        return cls(texts, fingerprints(texts), labels, limits)

    def subset(self, rows: np.ndarray) -> "Neighbours":
        """Gives some of them."""
        limits = None if self.limits is None else self.limits[rows]
        names = tuple(self.smiles[row] for row in rows)
        return Neighbours(names, self.bits[rows], self.labels[rows], limits)

    @cached_property
    def _unpacked(self) -> tuple[Tensor, Tensor]:
        """Bits as numbers, shape (N, 2048), and how many are set, shape (N,)."""
        bits = _numbers(self.bits)
        return bits, bits.sum(dim=1)

    @cached_property
    def _labelled(self) -> list[np.ndarray]:
        """For each task the rows with a label."""
        return [np.flatnonzero(np.isfinite(column)) for column in self.labels.T]

    def nearest(self, smiles: Sequence[str] | np.ndarray) -> Nearest:
        """Finds the nearest labelled molecule of each task for n molecules."""
        return self.nearest_to(fingerprints([str(text) for text in smiles]))

    def nearest_to(self, packed: np.ndarray) -> Nearest:
        """Does the same for packed fingerprints, shape (n, 256)."""
        n_tasks = self.labels.shape[1]
        rows = np.full((len(packed), n_tasks), -1)
        similarity = np.zeros((len(packed), n_tasks))
        for start in range(0, len(packed), _CHUNK):
            part = slice(start, start + _CHUNK)
            found = self._similarity(_numbers(packed[part]))  # (n, N)
            for column, known in enumerate(self._labelled):
                if len(known):
                    own = found if len(known) == found.shape[1] else found[:, known]
                    best = own.argmax(dim=1)
                    rows[part, column] = known[best.numpy()]
                    similarity[part, column] = own.gather(1, best[:, None])[:, 0].numpy()
        return Nearest(rows, similarity)

    def _similarity(self, bits: Tensor) -> Tensor:
        """Gives Tanimoto similarities, (n, 2048) → (n, N)."""
        own, counts = self._unpacked
        shared = bits @ own.T
        total = bits.sum(dim=1)[:, None] + counts - shared
        return shared / total.clamp(min=1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Gives all that it knows."""
        texts = "\n".join(self.smiles).encode()
        found = {
            "bits": self.bits,
            "labels": self.labels,
            "smiles": np.frombuffer(texts, np.uint8),
        }
        return found if self.limits is None else found | {"limits": self.limits}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], n_tasks: int) -> Self:
        """Makes it of what `arrays` gave.

        Raises:
            ValueError: If an array has another shape or holds what it cannot.
            KeyError: If one is missing.
        """
        text = arrays["smiles"].tobytes().decode()
        smiles = tuple(text.split("\n")) if text else ()
        bits, labels, limits = arrays["bits"], arrays["labels"], arrays.get("limits")
        if bits.shape != (len(smiles), N_BITS // 8) or bits.dtype != np.uint8:
            raise ValueError(f"there are {len(smiles)} structures, and `bits` of {bits.shape}")
        if labels.shape != (len(smiles), n_tasks) or labels.dtype.kind != "f":
            raise ValueError(f"`labels` has shape {labels.shape}")
        if limits is not None and limits.shape != labels.shape:
            raise ValueError(f"`limits` has shape {limits.shape}")
        return cls(smiles, bits, labels, limits)


def fingerprints(smiles: Sequence[str]) -> np.ndarray:
    """Computes packed Morgan fingerprints, shape (n, 256), uint8, of canonical SMILES."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=N_BITS)
    found = np.zeros((len(smiles), N_BITS // 8), np.uint8)
    for row, text in enumerate(smiles):
        molecule = Chem.MolFromSmiles(text)
        if molecule is not None:
            found[row] = np.packbits(generator.GetFingerprintAsNumPy(molecule))
    return found


def _numbers(packed: np.ndarray) -> Tensor:
    return torch.from_numpy(np.unpackbits(packed, axis=1)).float()
