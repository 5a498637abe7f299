"""What limits are worth: a fifth of one endpoint's labels known only as "more than the cap".

Usage: python benchmarks/censored_labels.py path/to/biogen_adme_3521.csv [seeds] [epochs] [endpoint]
Writes benchmarks/results/censored_labels.json and .md; for an endpoint other than the first, the
files are called censored_labels_<its place>.

An endpoint of the Biogen panel (0, HLM clearance) is capped at its 80th percentile on all sides of
the split. Each arm trains the whole panel with one head. It is judged by the true values of the
test side, and by those of the validation side, by which a choice may be made.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import yaml

import admet.model.chemprop.losses as losses
from admet.config import DataConfig, TrainConfig
from admet.data import Labels, Panel, load_panel, split_panel
from admet.evaluation import score_tasks
from admet.featurize import featurize
from admet.model.chemprop.plan import Plan, disjoint
from admet.training.fit_model import fit_model
from report import mean_and_spread, panel_argument, write_results
from whole_command import CONFIG

QUANTILE = 0.8


def labels_of(arm: str, values: np.ndarray, beyond: np.ndarray, cap: float) -> Labels:
    """Gives the labels that an arm trains on, those beyond the cap being changed."""
    if arm.startswith("true"):
        return Labels(values)
    if arm == "dropped":
        return Labels(np.where(beyond, np.nan, values))
    limits = beyond.astype(np.int8) if arm.startswith("limits") else None
    return Labels(np.where(beyond, cap, values), limits)


ARMS: dict[str, tuple[str, float]] = {
    "true values (none censored)": ("tobit", losses.NOISE),
    "limits, bounded squared error": ("bounded", losses.NOISE),
    "limits, Tobit, σ = 0.3": ("tobit", 0.3),
    "limits, Tobit, σ = 0.6": ("tobit", 0.6),
    f"limits, Tobit, σ = {losses.NOISE} (default)": ("tobit", losses.NOISE),
    "limits, Tobit, σ = 0.9": ("tobit", 0.9),
    "value = cap": ("tobit", losses.NOISE),
    "dropped": ("tobit", losses.NOISE),
}


@contextmanager
def noise_of(size: float) -> Iterator[None]:
    """Lets the likelihood of limits assume another size of noise."""
    before = losses.NOISE
    losses.NOISE = size
    try:
        yield
    finally:
        losses.NOISE = before


def main() -> None:
    """Measures, prints and writes the table."""
    logging.disable(logging.WARNING)
    path = panel_argument()
    if path is None:
        raise SystemExit("Name the Biogen panel: python benchmarks/censored_labels.py PANEL.csv")
    given = [int(word) for word in sys.argv[2:]]
    n_seeds, epochs, place = [*given, *(3, 30, 0)[len(given) :]]
    data = DataConfig(target_columns=yaml.safe_load(CONFIG.read_text())["data"]["target_columns"])
    panel = load_panel(path, data)
    graphs = featurize(panel.smiles)
    values = panel.labels.values
    cap = float(np.nanquantile(values[:, place], QUANTILE))
    beyond = np.zeros(values.shape, dtype=bool)
    beyond[:, place] = values[:, place] > cap
    plan = Plan.of("multi_task", disjoint([panel.task_names]), panel.task_names, share_encoder=True)
    rows: list[dict[str, object]] = []
    for seed in range(n_seeds):
        split = split_panel(panel, data, seed)
        for arm, (loss, noise) in ARMS.items():
            labels = labels_of(arm, values, beyond, cap)
            training = {"epochs": epochs, "threads": 1, "device": "cpu", "limit_loss": loss}
            config = TrainConfig(data=data, seed=seed, training=training)
            with noise_of(noise):
                model = fit_model(replace(panel, labels=labels), split, graphs, config, plan)
            val = model.networks.predict_graphs(graphs, split.val).mean[:, place]
            gap = float(np.nanmean(np.abs(values[split.val, place] - val)))
            predicted = model.networks.predict_graphs(graphs, split.test).mean
            row = {"seed": seed, "arm": arm, "validation MAE": gap}
            rows.append(row | errors(panel, place, split.test, predicted, cap))
            print(rows[-1], flush=True)
    content = {"cap": cap, "share": float(beyond.sum() / (~np.isnan(values[:, place])).sum())}
    write_results(
        "censored_labels" if not place else f"censored_labels_{place}",
        content | {"task": panel.task_names[place], "epochs": epochs, "rows": rows},
        table_of(rows),
        f"Errors of {panel.task_names[place]} on the true values of the test side, scaffold split; "
        f"but for the first column; mean over {n_seeds} seeds ± their standard deviation; {epochs} "
        "epochs.",
    )


def errors(
    panel: Panel, place: int, test: np.ndarray, predicted: np.ndarray, cap: float
) -> dict[str, float]:
    """Scores the capped task on its true values, on those above the cap, and the other tasks."""
    y, p = panel.labels.values[test], predicted
    names, kinds = panel.task_names, [kind.name for kind in panel.kinds]
    scores = score_tasks(y, p, names, kinds, n_bootstrap=0).tasks
    own, others = scores[names[place]].values, [scores[n] for n in names if n != names[place]]
    gap = np.abs(y[:, place] - p[:, place])
    above = y[:, place] > cap
    return {
        "MAE": float(own["MAE"].value or np.nan),
        "RMSE": float(own["RMSE"].value or np.nan),
        "R2": float(own["R2"].value or np.nan),
        "Spearman": float(own["Spearman"].value or np.nan),
        "MAE above the cap": float(np.nanmean(gap[above])),
        "MAE below it": float(np.nanmean(gap[y[:, place] <= cap])),
        "MAE, other tasks": float(np.mean([s.values["MAE"].value or np.nan for s in others])),
    }


def table_of(rows: list[dict[str, object]]) -> str:
    """Writes the mean and the spread of each arm as Markdown."""
    metrics = [key for key in rows[0] if key not in {"seed", "arm"}]
    lines = ["| labels above the cap | " + " | ".join(metrics) + " |"]
    lines.append("|---|" + "---:|" * len(metrics))
    arms = mean_and_spread(rows, "arm", metrics)
    lines += [f"| {arm} | " + " | ".join(cells) + " |" for arm, cells in arms.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
