"""Sums over pairs of molecules, of all and with each part of the molecules left out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

PARTS = 20
"""Parts of the molecules, each left out once."""


@dataclass(frozen=True, eq=False)
class PairSums:
    """Sums over ordered pairs of two molecules i ≠ j: i with a label of task a, j with one of b.

    All have shape (T, T), float64; y is a label on its task's scale of mean 0 and variance 1, k the
    similarity of the two molecules.

    Attributes:
        yky: Σ y_ai k_ij y_bj.
        yy: Σ y_ai y_bj.
        k: Σ k_ij.
        kk: Σ k_ij².
        n: Number of pairs.
    """

    yky: np.ndarray
    yy: np.ndarray
    k: np.ndarray
    kk: np.ndarray
    n: np.ndarray

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def without(self, rows: "PairSums", inside: "PairSums") -> "PairSums":
        """Leaves a part of the molecules out.

        Args:
            rows: The sums with i in that part.
            inside: The sums with i and j in it.
        """
        parts = zip(self.parts, rows.parts, inside.parts, strict=True)
        return PairSums(*(whole - row - row.T + both for whole, row, both in parts))

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """The five sums."""
        return self.yky, self.yy, self.k, self.kk, self.n

    @property
    def slope(self) -> np.ndarray:
        """Slope of the products y_ai y_bj on the similarities k_ij, shape (T, T).

        NaN where there is no pair, or all are equally similar.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            k, y = self.k / self.n, self.yy / self.n
            spread = self.kk / self.n - k**2
            found = (self.yky / self.n - k * y) / spread
        found = np.where(spread > 1e-12, found, np.nan)
        return np.asarray((found + found.T) / 2)  # but for rounding they are equal


def pair_sums(
    counts: np.ndarray, y: np.ndarray, seed: int, device: torch.device
) -> tuple[PairSums, list[PairSums]]:
    """Adds up over all pairs of n molecules, and over those without each of `PARTS` random parts.

    Two molecules are as similar as Σ min(c, c') / Σ max(c, c') of their counts of substructures,
    which are cut at 4 (the Tanimoto, Ruzicka or min-max kernel: Ralaivola et al., Neural Networks
    2005, 18, 1093).

    Args:
        counts: Counts of substructures, shape (n, d).
        y: Labels, shape (n, T), NaN where absent; mean 0 and variance 1 per task.
        seed: Seed of the parts.
        device: Where to compute.

    Returns:
        The sums of all, and for each part those without it.
    """
    part = np.random.default_rng(seed).permutation(len(y)) % PARTS
    present = torch.from_numpy(np.isfinite(y).astype(np.float32)).to(device)
    labels = torch.from_numpy(np.nan_to_num(y).astype(np.float32)).to(device)
    blocks = [
        _block_sums(k, torch.from_numpy(rows).to(device), labels, present)
        for rows, k in _similarities(counts, part, device)
    ]
    whole = sum((rows for rows, _ in blocks[1:]), start=blocks[0][0])
    return whole, [whole.without(rows, inside) for rows, inside in blocks]


def _similarities(
    counts: np.ndarray, part: np.ndarray, device: torch.device
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Gives for each part its molecules, and their similarity to all, 0 to themselves."""
    steps = np.concatenate([counts > level for level in range(4)], axis=1)
    size = torch.from_numpy(steps.sum(axis=1).astype(np.float32)).to(device)  # (n,)
    shared = steps[:, steps.sum(axis=0) > 1]  # what one molecule alone has is in no intersection
    bits = torch.from_numpy(shared.astype(np.float32)).to(device)  # (n, d')
    for number in range(PARTS):
        rows = np.flatnonzero(part == number)
        at = torch.from_numpy(rows).to(device)
        both = bits[at] @ bits.T  # (m, n)
        k = both / (size[at][:, None] + size - both).clamp(min=1)
        k[torch.arange(len(rows), device=device), at] = 0
        yield rows, k


def _block_sums(k: Tensor, at: Tensor, y: Tensor, present: Tensor) -> tuple[PairSums, PairSums]:
    """Adds up with i in a part: over all j, and over the j in it.

    Args:
        k: Similarities, shape (m, n).
        at: The m molecules of the part.
        y: Labels, 0 where absent, shape (n, T).
        present: 1 where there is one, else 0, shape (n, T).
    """

    def of(k: Tensor, y_j: Tensor, present_j: Tensor) -> PairSums:
        y_i, present_i = y[at], present[at]
        found = (
            y_i.T @ (k @ y_j),
            torch.outer(y_i.sum(dim=0), y_j.sum(dim=0)) - y_i.T @ y_i,
            present_i.T @ (k @ present_j),
            present_i.T @ ((k * k) @ present_j),
            torch.outer(present_i.sum(dim=0), present_j.sum(dim=0)) - present_i.T @ present_i,
        )
        return PairSums(*(one.double().cpu().numpy() for one in found))

    return of(k, y, present), of(k[:, at], y[at], present[at])
