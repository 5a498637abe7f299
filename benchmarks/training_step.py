"""Training steps per second, side by side with Chemprop's own modules.

The same molecules, weights, batches, optimiser and threads; the two take turns in one process, and
the medians of the turns are compared. Featurisation and batching are outside the timed part.

Usage: python benchmarks/training_step.py [threads]
Writes benchmarks/results/training_step.json and .md.
"""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import chemprop
import numpy as np
import torch
from chemprop import nn as chemprop_nn
from chemprop.data import BatchMolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.models import MPNN
from rdkit import Chem

from admet.config import ModelConfig
from admet.data.demo import make_demo_panel
from admet.featurize import featurize
from admet.model.chemprop import GroupedNetwork
from admet.training.provenance import processor_name

BATCH, N_BATCHES, TURNS, N_TASKS = 64, 8, 9, 8
RESULTS = Path(__file__).parent / "results"


def steps(network: torch.nn.Module, batches: list[object]) -> Callable[[], None]:
    """Makes a function that takes one optimiser step on every batch."""
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def run() -> None:
        for batch in batches:
            optimizer.zero_grad()
            network(batch).square().mean().backward()
            optimizer.step()

    return run


def main() -> None:
    """Measures, prints and writes the table."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads())
    smiles = make_demo_panel(BATCH * N_BATCHES)["SMILES"].tolist()
    graphs = featurize(smiles)
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    rows = np.arange(len(smiles)).reshape(N_BATCHES, BATCH)
    ours = GroupedNetwork(ModelConfig(), [list(range(N_TASKS))], graphs.d_v, graphs.d_e)
    theirs = MPNN(
        chemprop_nn.BondMessagePassing(),
        chemprop_nn.NormAggregation(),
        chemprop_nn.RegressionFFN(n_tasks=N_TASKS, n_layers=2),
    )
    runs = {
        "admet": steps(ours.train(), [graphs.batch(r) for r in rows]),
        "chemprop": steps(
            theirs.train(),
            [BatchMolGraph([featurizer(Chem.MolFromSmiles(smiles[i])) for i in r]) for r in rows],
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(TURNS + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if turn:  # the first turn warms up
                rates[name].append(len(smiles) / (time.perf_counter() - started))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    result = {
        "molecules_per_second": {name: round(rate) for name, rate in medians.items()},
        "ratio": round(medians["admet"] / medians["chemprop"], 2),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "processor": processor_name(),
        "torch": torch.__version__,
        "chemprop": chemprop.__version__,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "training_step.json").write_text(json.dumps(result, indent=2) + "\n")
    table = (
        "| training step, float32, batch 64, depth 3, hidden 300 | molecules/s | ratio |\n"
        "|---|---|---|\n"
        f"| chemprop {chemprop.__version__} modules | {medians['chemprop']:.0f} | 1 |\n"
        f"| admet | {medians['admet']:.0f} | {result['ratio']} |\n\n"
        f"{result['processor']}, {result['threads']} threads, torch {torch.__version__}; simulated "
        f"demo molecules; median of {TURNS} interleaved turns.\n"
    )
    (RESULTS / "training_step.md").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
