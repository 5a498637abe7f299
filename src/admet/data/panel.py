"""The panel: molecules × tasks, most cells empty, one row per molecule."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from admet.data.label_rules import Note
from admet.data.labels import Labels, Task
from admet.data.structures import StructureChange
from admet.data.table import Rejection
from admet.data.transforms import Transform
from admet.kinds import Kind


@dataclass(frozen=True)
class Panel:
    """A checked panel.

    Attributes:
        smiles: Canonical SMILES, each once, shape (n,).
        labels: Their labels.
        tasks: T tasks.
        lines: First line of each molecule in the file, shape (n,).
        split_values: Times (float64) or sides (int8) of the molecules, shape (n,), or None.
        rejected: Records left out, by line.
        unit: What `lines` counts: "line", "row" or "record".
        ids: Identifiers of the molecules, those of merged records joined, shape (n,), object; None
            where no column has them.
        structures: Records whose structure was changed or that were merged, by line.
        notes: Label cells that were read otherwise than as the number in them.
    """

    smiles: np.ndarray
    labels: Labels
    tasks: tuple[Task, ...]
    lines: np.ndarray
    split_values: np.ndarray | None = None
    rejected: tuple[Rejection, ...] = field(default=())
    unit: str = "line"
    ids: np.ndarray | None = None
    structures: tuple[StructureChange, ...] = field(default=())
    notes: tuple[Note, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def task_names(self) -> list[str]:
        """Names of the T tasks."""
        return [task.name for task in self.tasks]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of the T tasks."""
        return tuple(task.kind for task in self.tasks)

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """Transforms of the T tasks."""
        return tuple(task.transform for task in self.tasks)

    def subset(self, rows: np.ndarray) -> "Panel":
        """Gives the panel of some molecules; what was rejected stays on record.

        Args:
            rows: Indices or a mask, shape (m,) or (n,).
        """
        return replace(
            self,
            smiles=self.smiles[rows],
            labels=self.labels.subset(rows),
            lines=self.lines[rows],
            split_values=None if self.split_values is None else self.split_values[rows],
            ids=None if self.ids is None else self.ids[rows],
        )


def rejected_frame(panel: Panel) -> pd.DataFrame:
    """Gives the records left out as a frame with the columns line, id (if any), smiles, reason."""
    rows = [(r.line, r.id, r.smiles, r.reason) for r in panel.rejected]
    frame = pd.DataFrame(rows, columns=[panel.unit, "id", "smiles", "reason"])
    return frame if panel.ids is not None else frame.drop(columns="id")


def notes_frame(panel: Panel) -> pd.DataFrame:
    """Gives the notes on label cells as a frame: line, task, cell, read_as, reason."""
    rows = [(n.line, n.task, n.cell, n.read_as, n.reason) for n in panel.notes]
    return pd.DataFrame(rows, columns=[panel.unit, "task", "cell", "read_as", "reason"])
