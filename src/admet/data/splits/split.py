"""Which molecules are trained on, validated on, and tested on."""

from dataclasses import dataclass

import numpy as np

SIDES = ("train", "val", "test")
"""The sides as files and commands name them."""


@dataclass(frozen=True, eq=False)
class Split:
    """The molecules of each side.

    Attributes:
        train: Rows of a panel to train on, increasing, shape (n_train,), int64.
        val: Rows that choose the best epoch, likewise.
        test: Rows that no training sees, likewise.
    """

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, sides: np.ndarray) -> "Split":
        """Makes a split of the place in `SIDES` of each molecule, shape (n,)."""
        return cls(*[np.flatnonzero(sides == side) for side in range(len(SIDES))])

    def __len__(self) -> int:
        return len(self.train) + len(self.val) + len(self.test)

    @property
    def known(self) -> np.ndarray:
        """The rows of the training and the validation side, increasing, int64."""
        return np.sort(np.concatenate([self.train, self.val]))

    def without_val(self) -> "Split":
        """Gives the split of which the validation side is trained on, too."""
        return Split(self.known, self.val[:0], self.test)

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The rows of each side by its name."""
        return {"train": self.train, "val": self.val, "test": self.test}

    def names(self) -> list[str]:
        """Names the side of each molecule, in the order of the rows."""
        found = [""] * len(self)
        for name, rows in self.parts.items():
            for row in rows.tolist():
                found[row] = name
        return found
