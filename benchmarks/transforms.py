"""Labels in their own unit, with `auto`, against labels whose logarithm was taken by hand.

Usage: python benchmarks/transforms.py path/to/biogen_adme_3521.csv [seeds] [epochs]
Writes benchmarks/results/transforms.json and .md.

The Biogen panel holds decimal logarithms. Each endpoint is raised back to its unit, 10 to the power
of the label, and trained with `data.transforms` auto and none. Errors are on the log scale.
"""

import logging
import sys
from dataclasses import replace

import numpy as np
import yaml

from admet.config import DataConfig, TrainConfig
from admet.data import Labels, load_panel, split_panel
from admet.data.transforms import AUTO, NO_TRANSFORM
from admet.evaluation import score_tasks
from admet.featurize import featurize
from admet.model.chemprop.plan import Plan, disjoint
from admet.training.fit_model import fit_model
from report import mean_and_spread, panel_argument, write_results
from whole_command import CONFIG

LOGGED, WITH_AUTO, RAW = "logged by hand", "unit, auto", "unit, none"


def main() -> None:
    """Measures, prints and writes the table."""
    logging.disable(logging.WARNING)
    path = panel_argument()
    if path is None:
        raise SystemExit("Name the Biogen panel: python benchmarks/transforms.py PANEL.csv")
    n_seeds, epochs = (int(word) for word in [*sys.argv[2:], "3", "30"][:2])
    data = DataConfig(target_columns=yaml.safe_load(CONFIG.read_text())["data"]["target_columns"])
    panel = load_panel(path, data)
    graphs = featurize(panel.smiles)
    logged = panel.labels.values
    names = panel.task_names
    plan = Plan.of("multi_task", disjoint([names]), names, share_encoder=True)
    rows: list[dict[str, object]] = []
    for seed in range(n_seeds):
        split = split_panel(panel, data, seed)
        config = TrainConfig(
            data=data, seed=seed, training={"epochs": epochs, "threads": 1, "device": "cpu"}
        )
        for arm in (LOGGED, WITH_AUTO, RAW):
            transform = AUTO if arm == WITH_AUTO else NO_TRANSFORM
            own = replace(
                panel,
                labels=Labels(logged if arm == LOGGED else 10**logged),
                tasks=tuple(replace(task, transform=transform) for task in panel.tasks),
            )
            model = fit_model(own, split, graphs, config, plan)
            found = model.networks.predict_graphs(graphs, split.test).mean
            not_positive = 0 if arm == LOGGED else int((found <= 0).sum())
            if arm != LOGGED:
                found = np.log10(np.maximum(found, 10 ** np.nanmin(logged[split.train], axis=0)))
            kinds = [kind.name for kind in panel.kinds]
            scores = score_tasks(logged[split.test], found, names, kinds, n_bootstrap=0)
            shares = [i for i, name in enumerate(names) if "%" in name]
            errors = {n: task.values["MAE"].value or np.nan for n, task in scores.tasks.items()}
            rows.append(
                {"seed": seed, "arm": arm}
                | errors
                | {"mean MAE": float(np.mean(list(errors.values())))}  # decades all
                | {"mean R2": scores.macro["regression"]["R2"]}
                | {"predictions not above 0": not_positive}
                | {"above 100 %": int((found[:, shares] > 2).sum())}
                | {"chosen": [task.transform for task in model.spec.tasks]}
            )
            print(rows[-1], flush=True)
    write_results(
        "transforms",
        {"epochs": epochs, "rows": rows},
        table_of(rows),
        f"MAE of log10 on the test side, scaffold split; mean over {n_seeds} seeds ± their "
        f"standard deviation; {epochs} epochs. A prediction that is not positive counts as the "
        "lowest label of the training side.",
    )


def table_of(rows: list[dict[str, object]]) -> str:
    """Writes the mean and the spread of each arm as Markdown."""
    keys = [key for key in rows[0] if key not in {"seed", "arm", "chosen"}]
    arms = mean_and_spread(rows, "arm", keys)
    lines = ["| | " + " | ".join(arms) + " |", "|---|" + "---:|" * len(arms)]
    lines += [
        f"| {key} | " + " | ".join(cells[i] for cells in arms.values()) + " |"
        for i, key in enumerate(keys)
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
