"""The file of an affinity and its groups: `affinity.npz`, with two tables beside it."""

import zipfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from admet.errors import DataError, DataFileNotFoundError
from admet.files import atomic
from admet.model.chemprop.plan import Group
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate, Intervals
from admet.model.chemprop.task_affinity.groups import Grouping, transfer_scores
from admet.model.chemprop.task_affinity.matrix import affinity_matrix_to_dataframe, check_matrix
from admet.spreadsheet import harmless

_ALWAYS = {
    "affinity_matrix": ("f", "TT"),
    "task_names": ("U", "T"),
    "group": ("i", "T"),
    "members": ("b", "GT"),
    "pair_steps": ("i", "TT"),
    "n_common": ("i", "TT"),
    "transfer": ("f", "TT"),
}
"""Arrays of every archive: the kind of the numbers, and the shape in T tasks and G groups."""
_OF_DOUBT = {"low": ("f", "TT"), "high": ("f", "TT"), "reliability": ("f", "T")}
_OF_DRAWS = {"co_assignment": ("f", "TT"), "stability": ("f", "G"), "agreement": ("f", "")}
_OF_CHANCE = {"chance": ("f", "")}  # older archives have the draws without it

_FAULTS = (
    OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, OverflowError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged file may raise."""


@dataclass(frozen=True, eq=False)
class AffinityArchive:
    """A measured affinity and its groups, as far as they are kept.

    Attributes:
        matrix: The affinities, shape (T, T), float64; NaN where unknown.
        pair_steps: On how much a pair rests, shape (T, T); see `AffinityEstimate`.
        n_common: Molecules with labels of both tasks, shape (T, T); of the task on the diagonal.
        intervals: Where the affinities may lie; None from an estimator that does not say.
        grouping: The groups; from a file, without objective and bound.
        transfer: What each target is predicted to gain from each source, shape (T, T); see
            `groups.transfer_scores`.
    """

    matrix: np.ndarray
    pair_steps: np.ndarray
    n_common: np.ndarray
    intervals: Intervals | None
    grouping: Grouping
    transfer: np.ndarray

    @classmethod
    def of(cls, estimate: AffinityEstimate, grouping: Grouping) -> "AffinityArchive":
        """Takes what is kept of an estimate and its grouping."""
        n_common = estimate.n_common
        transfer = transfer_scores(estimate.strength, n_common.diagonal())
        doubt = estimate.doubt
        return cls(estimate.matrix, estimate.pair_steps, n_common, doubt, grouping, transfer)

    @property
    def names(self) -> tuple[str, ...]:
        """The T tasks."""
        return self.grouping.names

    @property
    def strength(self) -> np.ndarray:
        """What groups went by, shape (T, T): the sizes of the affinities where signs do not count.

        A file does not say which estimator it is of. But a transfer is a strength times a ratio of
        numbers of labels, so that one above 0 from an affinity below 0 tells.
        """
        either_sign = ((self.matrix < 0) & (self.transfer > 0)).any()
        return np.abs(self.matrix) if either_sign else self.matrix

    def pairs(self) -> pd.DataFrame:
        """Lists every ordered pair of tasks.

        Returns:
            The columns source, target, affinity, low and high (empty without doubt), transfer (see
            `groups.transfer_scores`), n_common, and n_labels of the target.
        """
        off_diagonal = np.argwhere(~np.eye(len(self.names), dtype=bool))
        rows, columns = off_diagonal[:, 0], off_diagonal[:, 1]
        intervals = self.intervals
        return pd.DataFrame(
            {
                "source": [self.names[i] for i in rows.tolist()],
                "target": [self.names[j] for j in columns.tolist()],
                "affinity": self.matrix[rows, columns],
                "low": np.nan if intervals is None else intervals.low[rows, columns],
                "high": np.nan if intervals is None else intervals.high[rows, columns],
                "transfer": self.transfer[rows, columns],
                "n_common": self.n_common[rows, columns],
                "n_labels": self.n_common[columns, columns],
            }
        )

    def write(self, path: Path) -> None:
        """Writes the archive, and beside it the matrix and the pairs as tables.

        The archive holds `affinity_matrix` (T, T), `task_names` (T,), `group` (T,), the index of
        the group that serves each task, `members` (G, T), which tasks each group holds,
        `pair_steps`, `n_common` and `transfer` (T, T); with doubt, `low` and `high` (T, T) and
        `reliability` (T,); where the groups' stability is known, `co_assignment` (T, T),
        `stability` (G,), `agreement` and `chance`, scalars. None needs pickle to be read.

        Args:
            path: The archive, which ends in .npz.

        Raises:
            OutputError: If the disk is full or the folder is read-only.
        """
        with ExitStack() as stack:  # the three take their names together, once all are written
            table, pairs, archive = (stack.enter_context(atomic(p)) for p in (*beside(path), path))
            np.savez(archive, allow_pickle=False, **self._arrays())
            harmless(affinity_matrix_to_dataframe(self.matrix, self.names)).to_csv(table)
            harmless(self.pairs()).to_csv(pairs, index=False)

    @classmethod
    def read(cls, path: Path) -> "AffinityArchive":
        """Reads an archive; nothing in it can run code.

        Args:
            path: The archive.

        Returns:
            What it holds.

        Raises:
            DataError: If the file is missing, is damaged, or is no such archive.
        """
        if not path.is_file():
            raise DataFileNotFoundError(f"{str(path)!r} is not there, or no file. Check the path.")
        try:
            return cls._of_arrays(_load(path))
        except _FAULTS as error:
            raise DataError(
                f"{str(path)!r} is no affinity archive, or damaged: {str(error).rstrip('.')}. Copy "
                "the file again, or measure again."
            ) from None

    def _arrays(self) -> dict[str, np.ndarray]:
        """Gives the arrays of the file."""
        grouping = self.grouping
        arrays = {
            "affinity_matrix": self.matrix,
            "task_names": np.array(list(self.names)),
            "group": grouping.labels,
            "members": grouping.members,
            "pair_steps": self.pair_steps,
            "n_common": self.n_common,
            "transfer": self.transfer,
        }
        if self.intervals is not None:
            arrays |= {name: getattr(self.intervals, name) for name in _OF_DOUBT}
        if grouping.co_assignment is not None:
            arrays["co_assignment"] = grouping.co_assignment
            arrays["stability"] = np.array(grouping.stability)
            arrays["agreement"] = np.array(grouping.agreement)
            arrays["chance"] = np.array(grouping.chance)
        return arrays

    @classmethod
    def _of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "AffinityArchive":
        """Makes an archive of the arrays of a file.

        Raises:
            ValueError: If they are not those of an archive.
        """
        _check(arrays)
        names = tuple(arrays["task_names"].tolist())
        matrix = check_matrix(arrays["affinity_matrix"], names)
        members, serving = arrays["members"], arrays["group"]
        if not np.isin(serving, np.arange(len(members))).all():
            raise ValueError("`group` names a group that is not there.")
        labels = np.array(names, dtype=object)
        groups = tuple(
            Group(tasks=tuple(labels[held]), serves=tuple(labels[serving == index]))
            for index, held in enumerate(members)
        )
        grouping = Grouping(names, groups)
        if "agreement" in arrays:
            grouping = Grouping(
                names,
                groups,
                co_assignment=arrays["co_assignment"],
                agreement=float(arrays["agreement"]),
                chance=float(arrays.get("chance", np.nan)),
            )
        return cls(
            matrix,
            arrays["pair_steps"],
            arrays["n_common"],
            Intervals(*(arrays[name] for name in _OF_DOUBT)) if "low" in arrays else None,
            grouping,
            arrays["transfer"],
        )


def beside(path: Path) -> list[Path]:
    """Gives the tables that are written beside an archive: the matrix and the pairs."""
    return [path.with_suffix(".csv"), path.with_name(f"{path.stem}_pairs.csv")]


def _load(path: Path) -> dict[str, np.ndarray]:
    """Loads the arrays of a file; one that is no zip file or needs pickle is an error."""
    with zipfile.ZipFile(path) as file, np.load(path, allow_pickle=False) as stored:
        if file.testzip() is not None:
            raise ValueError("a checksum is wrong")
        return _completed(dict(stored))


def _completed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Adds what archives of run directories of schema version 1 and 2 lack, where it is known.

    In version 1 groups did not overlap, and the numbers of molecules that two tasks have in common
    were not kept, nor anything computed from them. Version 2 did not keep the agreement.
    """
    if "members" not in arrays and "group" in arrays:
        serving = np.atleast_1d(arrays["group"])
        arrays["members"] = np.arange(serving.max(initial=-1) + 1)[:, None] == serving
    if "n_common" not in arrays and "pair_steps" in arrays:
        arrays["n_common"] = np.zeros_like(arrays["pair_steps"])
    if "transfer" not in arrays and "n_common" in arrays:
        counts = arrays["n_common"].diagonal()
        arrays["transfer"] = transfer_scores(arrays["affinity_matrix"], counts)
    if "agreement" not in arrays:
        return {name: array for name, array in arrays.items() if name not in _OF_DRAWS}
    return arrays


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    """Checks names, kinds and shapes of the arrays of a file.

    Raises:
        ValueError: Names the first array that does not fit.
    """
    wanted = dict(_ALWAYS)
    for more in (_OF_DOUBT, _OF_DRAWS, _OF_CHANCE):
        if more.keys() & arrays.keys():
            wanted |= more
    if absent := sorted(wanted.keys() - arrays.keys()):
        raise ValueError(f"It lacks {', '.join(map(repr, absent))}.")
    sizes = {"T": arrays["task_names"].size, "G": len(np.atleast_1d(arrays["members"]))}
    for name, (kind, axes) in wanted.items():
        array, shape = arrays[name], tuple(sizes[axis] for axis in axes)
        if array.dtype.kind != kind or array.shape != shape:
            raise ValueError(
                f"{name!r} must have shape {shape} and kind {kind!r}; it has {array.shape} and "
                f"{array.dtype.kind!r}."
            )
