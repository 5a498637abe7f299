"""`admet compute_task_affinity`: the matrix and the groups, without training a model."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import AffinityCommand, DataConfig
from admet.config.data import PanelColumns


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(AffinityCommand, _compute, argv, "admet compute_task_affinity")


def _compute(command: AffinityCommand) -> None:
    from admet.data import load_panel
    from admet.featurize.cache import cache_folder, cached_graphs
    from admet.model.chemprop.task_affinity import TaskAffinityComputer
    from admet.model.chemprop.task_affinity.groups import check_n_groups, group_tasks
    from admet.model.chemprop.task_affinity.outputs import AffinityFiles

    files = AffinityFiles(command.save_path, command.plot_heatmap, command.plot_clustered)
    files.check("plot_heatmap", "plot_clustered", [command.data_path])
    data = DataConfig(**{key: getattr(command, key) for key in PanelColumns.model_fields})
    if data.target_columns and data.names_its_targets:
        check_n_groups(command.n_groups, len(data.target_columns))
    panel = load_panel(command.data_path, data)
    check_n_groups(command.n_groups, len(panel.tasks))
    graphs = cached_graphs(panel.smiles, cache_folder())
    estimate = TaskAffinityComputer(command, command.model).compute(panel, graphs)
    files.write(estimate, group_tasks(estimate, panel.task_names, command))
    files.write_records(panel)
    for what, there, path in (
        ("Rows left out", panel.rejected, files.rejected),
        ("Structures changed or merged", panel.structures, files.structures),
        ("Labels read otherwise than they stand", panel.notes, files.labels),
    ):
        if there:
            print(f"{what}: {path}")
    print(f"Affinity: {files.archive} and {files.archive.with_suffix('.csv')}")
    if files.heatmap:
        print(f"Heatmap:  {files.heatmap}")
    if files.clustermap:
        print(f"Clustered heatmap: {files.clustermap}")


if __name__ == "__main__":
    sys.exit(main())
