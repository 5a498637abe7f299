"""`admet compute_task_affinity`: the matrix and the groups, without training a model."""

import sys
from collections.abc import Sequence
from pathlib import Path

from admet.cli._common import execute
from admet.config import AffinityCommand, DataConfig
from admet.config.data import PanelColumns
from admet.errors import ConfigError
from admet.files import PICTURES, check_output, check_replaces_nothing

_HEADERS = (
    b",",
    b"source,target,",
    b"line,smiles,reason",
    b"row,smiles,reason",
    b"line,task,cell",
    b"row,task,cell",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(AffinityCommand, _compute, argv, "admet compute_task_affinity")


def _compute(command: AffinityCommand) -> None:
    _check_outputs(command)
    from admet.data import load_panel, notes_frame, rejected_frame
    from admet.featurize.cache import cache_folder, cached_graphs
    from admet.files import atomic
    from admet.model.chemprop.task_affinity import (
        TaskAffinityComputer,
        plot_clustered_heatmap,
        plot_task_affinity_heatmap,
    )
    from admet.model.chemprop.task_affinity.computer import group_tasks
    from admet.model.chemprop.task_affinity.grouping import check_n_groups
    from admet.model.chemprop.task_affinity.matrix import save_affinity, uncertain_pairs
    from admet.spreadsheet import harmless

    data = DataConfig(**{key: getattr(command, key) for key in PanelColumns.model_fields})
    if data.target_columns:
        check_n_groups(command.n_groups, len(data.target_columns))
    panel = load_panel(command.data_path, data)
    graphs = cached_graphs(panel.smiles, cache_folder())
    estimate = TaskAffinityComputer(command, command.model).compute(panel, graphs)
    grouping = group_tasks(estimate, panel.task_names, command)
    save_affinity(command.save_path, estimate, panel.task_names, grouping)
    for frame, path, what in (
        (rejected_frame(panel), _rejected(command.save_path), "Rows left out"),
        (notes_frame(panel), _notes(command.save_path), "Labels read otherwise than they stand"),
    ):
        if len(frame):
            with atomic(path) as partial:
                harmless(frame).to_csv(partial, index=False)
            print(f"{what}: {path}")
    print(f"Affinity: {command.save_path} and {command.save_path.with_suffix('.csv')}")
    if command.plot_heatmap:
        plot_task_affinity_heatmap(
            estimate.matrix,
            panel.task_names,
            save_path=command.plot_heatmap,
            uncertain=None if estimate.doubt is None else uncertain_pairs(estimate.doubt),
        )
        print(f"Heatmap:  {command.plot_heatmap}")
    if command.plot_clustered:
        plot_clustered_heatmap(
            estimate.matrix,
            panel.task_names,
            save_path=command.plot_clustered,
            groups=[group.serves for group in grouping.groups],
        )
        print(f"Clustered heatmap: {command.plot_clustered}")


def _check_outputs(command: AffinityCommand) -> None:
    """Checks all files that will be written: five tables beside one another, and the pictures."""
    from admet.model.chemprop.task_affinity.matrix import beside

    path = command.save_path
    check_output(path, "save_path", {".npz"})
    tables = [*beside(path), _rejected(path), _notes(path)]
    for table in tables:
        check_output(table, "save_path")
        if table.is_file() and not _written_by_us(table):
            raise ConfigError(
                f"`save_path` {str(path)!r} would replace {str(table)!r}, which no earlier "
                "measurement wrote. Name another file."
            )
    outputs = {"save_path": [path, *tables]}
    for picture in ("plot_heatmap", "plot_clustered"):
        if drawn := getattr(command, picture):
            check_output(drawn, picture, PICTURES)
            outputs[picture] = [drawn]
    check_replaces_nothing(outputs, [command.data_path])


def _written_by_us(table: Path) -> bool:
    """Tells a table of an earlier measurement by its header."""
    with table.open("rb") as file:
        return file.readline(100).startswith(_HEADERS)


def _rejected(path: Path) -> Path:
    return path.with_name(f"{path.stem}_rejected.csv")


def _notes(path: Path) -> Path:
    return path.with_name(f"{path.stem}_labels.csv")


if __name__ == "__main__":
    sys.exit(main())
