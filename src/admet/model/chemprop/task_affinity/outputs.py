"""The files of a measurement: checked before it starts, written when it is done."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from admet.data import Panel, notes_frame, rejected_frame, structures_frame
from admet.errors import ConfigError, DataError
from admet.files import (
    AFFINITY_ARCHIVE,
    AFFINITY_CLUSTERMAP,
    AFFINITY_HEATMAP,
    PICTURES,
    check_output,
    check_replaces_nothing,
)
from admet.model.chemprop.task_affinity.archive import AffinityArchive, beside
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups import STABLE, Grouping
from admet.model.chemprop.task_affinity.groups.evidence import SURE
from admet.model.chemprop.task_affinity.heatmap import stand_together
from admet.model.chemprop.task_affinity.plots import (
    in_order_of_tree,
    plot_task_affinity_clustermap,
    plot_task_affinity_heatmap,
)
from admet.table_files import write_table

_HEADERS = (
    b",", b"source,target,",
    *(
        f"{unit},{more}{column},".encode()
        for unit in ("line", "row", "record")
        for more in ("", "id,")
        for column in ("smiles", "was", "task")
    ),
)  # fmt: skip
"""What the tables begin with."""


@dataclass(frozen=True)
class AffinityFiles:
    """Where a measurement is kept.

    Attributes:
        archive: Numbers, names and groups; its name ends in .npz, and tables stand beside it.
        heatmap: The picture in the order of the tasks; None draws none.
        clustermap: The picture in the order of the dendrogram; None draws none.
    """

    archive: Path
    heatmap: Path | None = None
    clustermap: Path | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> "AffinityFiles":
        """Names the files as in a run directory."""
        names = (AFFINITY_ARCHIVE, AFFINITY_HEATMAP, AFFINITY_CLUSTERMAP)
        return cls(*(folder / name for name in names))

    @property
    def rejected(self) -> Path:
        """The table of rows left out, beside the archive."""
        return self.archive.with_name(f"{self.archive.stem}_rejected.csv")

    @property
    def structures(self) -> Path:
        """The table of structures that were changed or merged, beside the archive."""
        return self.archive.with_name(f"{self.archive.stem}_structures.csv")

    @property
    def labels(self) -> Path:
        """The table of labels that were read otherwise than they stand, beside the archive."""
        return self.archive.with_name(f"{self.archive.stem}_labels.csv")

    @property
    def tables(self) -> list[Path]:
        """All tables beside the archive."""
        return [*beside(self.archive), self.rejected, self.structures, self.labels]

    def check(
        self,
        heatmap_key: str,
        clustermap_key: str,
        inputs: Collection[Path] = (),
    ) -> None:
        """Checks that all files can be written, before the work.

        Args:
            heatmap_key: The key that named the heatmap, for the message; `save_path` named the
                archive.
            clustermap_key: The key that named the clustered one.
            inputs: Files that the work reads.

        Raises:
            ConfigError: If a file cannot be written, or would replace an input, a part of a model,
                or a table that no earlier measurement wrote.
        """
        check_output(self.archive, "save_path", {".npz"})
        outputs = {"save_path": [self.archive, *self.tables]}
        for table in self.tables:
            check_output(table, "save_path")
            if table.is_file() and not _written_by_us(table):
                raise ConfigError(
                    f"`save_path` {str(self.archive)!r} would replace {str(table)!r}, which no "
                    "earlier measurement wrote. Name another file."
                )
        for key, picture in ((heatmap_key, self.heatmap), (clustermap_key, self.clustermap)):
            if picture is not None:
                check_output(picture, key, PICTURES)
                outputs.setdefault(key, []).append(picture)
        check_replaces_nothing(outputs, inputs)

    def check_own(self) -> None:
        """Checks that files that are there, pictures too, come from an earlier measurement.

        Raises:
            ConfigError: If a file is there, but no archive of a measurement beside it.
        """
        present = [p for p in (self.archive, self.heatmap, self.clustermap) if p and p.exists()]
        if not present:
            return
        try:
            AffinityArchive.read(self.archive)
        except DataError as error:
            raise ConfigError(
                f"`save_path` would replace {str(present[0])!r}, but nothing says that an earlier "
                f"measurement wrote it: {error} Or name another folder."
            ) from None

    def write(self, estimate: AffinityEstimate, grouping: Grouping) -> None:
        """Keeps a measurement as numbers and draws it.

        Raises:
            OutputError: If the disk is full or a folder is read-only.
        """
        archive = AffinityArchive.of(estimate, grouping)
        archive.write(self.archive)
        if self.heatmap is not None:
            draw_heatmap(archive, self.heatmap)
        if self.clustermap is not None:
            draw_clustermap(archive, self.clustermap)

    def write_records(self, panel: Panel) -> None:
        """Lists the rows that were left out, changed or merged; lists of an earlier panel go."""
        changes = structures_frame(panel.structures, panel.unit, panel.ids is not None)
        for path, frame in (
            (self.rejected, rejected_frame(panel)),
            (self.structures, changes),
            (self.labels, notes_frame(panel)),
        ):
            if len(frame):
                write_table(path, frame)
            else:
                path.unlink(missing_ok=True)


def draw_heatmap(archive: AffinityArchive, save_path: Path | None = None) -> Figure:
    """Draws a measurement in the order of its tasks, with its doubt.

    Args:
        archive: The measurement.
        save_path: Where to save; None saves nothing.
    """
    return plot_task_affinity_heatmap(
        archive.matrix,
        archive.names,
        save_path=save_path,
        uncertain=_uncertain(archive),
        n_labels=_n_labels(archive),
        notes=notes_on(archive.grouping),
    )


def draw_clustermap(archive: AffinityArchive, save_path: Path | None = None) -> Figure:
    """Draws a measurement in the order of its dendrogram, with its doubt.

    Only groups that are stable are framed, and none where chance gives groups as distinct.

    Args:
        archive: The measurement.
        save_path: Where to save; None saves nothing.
    """
    grouping = archive.grouping
    told = grouping.is_told_from_chance
    shown = [
        (group.serves, share)
        for group, share in zip(grouping.groups, grouping.stability, strict=True)
        if group.serves and told and share >= STABLE
    ]
    names = in_order_of_tree(archive.strength, archive.names)
    framed = [group for group, _ in shown if stand_together(names, group)]
    alone = sum(len(group) < 2 for group in framed)
    if not shown:
        why = "none is stable" if told else "there is no evidence for them"
        frames = f"no group is framed: {why}"
    else:
        frames = f"framed: {len(framed)} of {len(grouping.groups)} groups, which are stable"
        frames += f" ({alone} of one task)" if alone else ""
        apart = len(shown) - len(framed)
        frames += f"; {apart} more stable, but not side by side" if apart else ""
    return plot_task_affinity_clustermap(
        archive.matrix,
        archive.names,
        save_path=save_path,
        groups=[group for group, _ in shown],
        stability=[share for _, share in shown],
        uncertain=_uncertain(archive),
        n_labels=_n_labels(archive),
        notes=[*notes_on(grouping), frames],
        strength=archive.strength,
    )


def notes_on(grouping: Grouping) -> list[str]:
    """Says in a line how stable groups are, and how often chance gives groups as distinct."""
    if grouping.co_assignment is None:
        return ["agreement and chance level of the groups: not measured"]
    same, chance = grouping.agreement, grouping.chance
    word = "stable" if same >= STABLE else "not stable"
    first = f"agreement of two measurements: {same:.2f} ({word}; {STABLE} and more is)"
    if math.isnan(chance):
        return [first, "chance level: not measured"]
    told = "told from chance" if grouping.is_told_from_chance else "not told from chance"
    second = f"chance gives groups as distinct in {100 * chance:.0f} % of matrices ({told}; "
    return [first, f"{second}{100 * SURE:.0f} % and less is)"]


def _uncertain(archive: AffinityArchive) -> np.ndarray | None:
    return None if archive.intervals is None else archive.intervals.holds_zero


def _n_labels(archive: AffinityArchive) -> list[int] | None:
    """Gives the labels of each task; None from an early version that did not keep them."""
    counts = [int(n) for n in archive.n_common.diagonal()]
    return counts if any(counts) else None


def folder_files(folder: str | Path) -> AffinityFiles:
    """Names and checks the files of a folder, before the work.

    Args:
        folder: The folder; it need not be there yet.

    Returns:
        The files in it.

    Raises:
        ConfigError: If it names a file, cannot be written to, or holds files of these names that no
            earlier measurement wrote.
    """
    path = Path(folder)
    if path.suffix == ".npz" or path.is_file():
        raise ConfigError(f"`save_path` must name a folder; got {str(folder)!r}. Name one.")
    files = AffinityFiles.in_folder(path)
    files.check("save_path", "save_path")
    files.check_own()
    return files


def _written_by_us(table: Path) -> bool:
    """Recognises a table of an earlier measurement by its header."""
    with table.open("rb") as file:
        return file.readline(100).startswith(_HEADERS)
