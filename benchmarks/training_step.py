"""Molecules trained per second, side by side with Chemprop's own modules, and the floor below.

The same molecules, weights, batches, optimiser and threads; the runs take turns in one process. A
step holds the making of the batch from featurised molecules (Chemprop's `BatchMolGraph`, our
slicing), forward, backward and Adam. The floor is the time that the matrix products of our step
alone would take, at the rate of products of the same shapes, measured in the same run.

Usage: python benchmarks/training_step.py [panel.csv]
Writes benchmarks/results/training_step.json and .md.
"""

import time
from collections.abc import Callable

import chemprop
import numpy as np
import torch
from chemprop import nn as chemprop_nn
from chemprop.data import BatchMolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.models import MPNN
from rdkit import Chem

from admet.config import ModelConfig
from admet.featurize import PackedGraphs, Unshared, featurize, unfold
from admet.model.chemprop import GraphBatch, GroupedNetwork
from admet.model.chemprop.device import has_fast_bfloat16
from admet.model.chemprop.plan import NetworkPlan
from library import panel_smiles
from report import in_turns, panel_argument, seconds_of, write_results

BATCH, N_BATCHES, TURNS, N_TASKS, D = 64, 24, 7, 6, 300
PLAN = NetworkPlan.together([str(i) for i in range(N_TASKS)])


def steps(
    network: torch.nn.Module,
    make_batch: Callable[[np.ndarray], object],
    rows: np.ndarray,
    bfloat16: bool = False,
) -> Callable[[], float]:
    """Makes a function that takes a step on every batch and gives molecules per second."""
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    network.train()

    def run() -> float:
        started = time.perf_counter()
        for own in rows:
            batch = make_batch(own)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                outputs = network(batch)
            outputs.float().square().mean().backward()
            optimizer.step()
        return float(rows.size / (time.perf_counter() - started))

    return run


def product_shapes(batch: GraphBatch, d_v: int, d_e: int) -> list[tuple[int, int, int, int]]:
    """Lists the products of one step: rows, inner and outer width, and how often (1 + backward)."""
    layers, atoms, _, _ = batch.layers()
    shapes = [(len(batch.X), d_v + d_e, D, 2)]
    shapes += [(len(layer.incoming.start), D, D, 3) for layer in layers]
    shapes += [(len(batch.V), d_v, D, 2), (len(atoms.incoming.start), D, D, 3)]
    shapes += [(len(batch), D, D, 3), (len(batch), D, D, 3), (len(batch), D, N_TASKS, 3)]
    return shapes


def floor_seconds(shapes: list[tuple[int, int, int, int]], dtype: torch.dtype) -> float:
    """Measures the products of one step, and nothing else."""
    pairs = [(torch.randn(m, k).to(dtype), torch.randn(k, n).to(dtype), c) for m, k, n, c in shapes]

    def run() -> None:
        for left, right, count in pairs:
            for _ in range(count):
                left @ right

    run()
    return min(seconds_of(run) for _ in range(5))


def main() -> None:
    """Measures, prints and writes the table."""
    smiles, source = panel_smiles(panel_argument(), BATCH * N_BATCHES)
    graphs: PackedGraphs = featurize(smiles)
    unfolding = unfold(graphs, 3)
    rows = np.random.default_rng(0).permutation(len(smiles)).reshape(N_BATCHES, BATCH)
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    mol_graphs = [featurizer(Chem.MolFromSmiles(s)) for s in smiles]

    def ours() -> GroupedNetwork:
        torch.manual_seed(0)
        return GroupedNetwork(ModelConfig(), PLAN, graphs.d_v, graphs.d_e)

    theirs = MPNN(
        chemprop_nn.BondMessagePassing(),
        chemprop_nn.NormAggregation(),
        chemprop_nn.RegressionFFN(n_tasks=N_TASKS, n_layers=2),
    )
    first = ours()
    theirs.message_passing.load_state_dict(first.encoder.message_passing.state_dict())
    theirs.predictor.ffn.load_state_dict(first.heads[0].state_dict())

    def shared(own: np.ndarray) -> GraphBatch:
        return GraphBatch.of(unfolding.batch(own, backward=True))

    def unshared(own: np.ndarray) -> GraphBatch:
        return GraphBatch.of(Unshared(unfolding).batch(own, backward=True))

    def chemprops(own: np.ndarray) -> BatchMolGraph:
        return BatchMolGraph([mol_graphs[i] for i in own])

    with torch.no_grad():
        outputs = [(first(shared(r)), theirs(chemprops(r))) for r in rows]
        difference = max(float((a - b).abs().max()) for a, b in outputs)
    runs = {
        "chemprop": steps(theirs, chemprops, rows),
        "admet, a row a bond": steps(ours(), unshared, rows),
        "admet": steps(ours(), shared, rows),
        "admet, bf16-mixed": steps(ours(), shared, rows, bfloat16=True),
    }
    rates = in_turns(runs, TURNS)
    batches = [shared(r) for r in rows]
    shapes = [product_shapes(b, graphs.d_v, graphs.d_e) for b in batches]
    flops = float(np.mean([sum(2 * m * k * n * c for m, k, n, c in s) for s in shapes]))
    floor = {
        "admet": BATCH / np.mean([floor_seconds(s, torch.float32) for s in shapes]),
        "admet, bf16-mixed": BATCH / np.mean([floor_seconds(s, torch.bfloat16) for s in shapes]),
    }
    sizes = np.mean(
        [[len(r.incoming.start) for r in (*b.layers()[0], b.layers()[1])] for b in batches], axis=0
    )
    edges, atoms = (
        float(np.mean([len(getattr(graphs.raw(r), name).T) for r in rows]))
        for name in ("edge_index", "batch")
    )
    lines = [
        "| training, batch 64, depth 3, hidden 300 | molecules/s | ratio | products alone allow |",
        "|---|---|---|---|",
    ]
    for name, rate in rates.items():
        label = f"chemprop {chemprop.__version__} modules, float32" if name == "chemprop" else name
        allowed = f"{floor[name]:.0f} ({rate / floor[name]:.0%})" if name in floor else ""
        lines.append(f"| {label} | {rate:.0f} | {rate / rates['chemprop']:.2f} | {allowed} |")
    content = {
        "molecules_per_second": rates,
        "ratio": {name: rate / rates["chemprop"] for name, rate in rates.items()},
        "floor_molecules_per_second": floor,
        "flops_per_molecule": flops / BATCH,
        "rows": {"bonds": edges, "atoms": atoms, "shared, layer by layer": sizes.tolist()},
        "largest_difference_of_outputs": difference,
        "fast_bfloat16": has_fast_bfloat16(torch.device("cpu")),
        "molecules": source,
    }
    note = (
        f"{source}, {len(smiles)} molecules; medians of {TURNS} turns. A batch has {edges:.0f} "
        f"bonds and {atoms:.0f} atoms; our layers compute "
        f"{', '.join(f'{s:.0f}' for s in sizes)} rows, {flops / BATCH / 1e6:.1f} MFLOP a molecule. "
        f"Largest difference of outputs to Chemprop: {difference:.1e}."
    )
    write_results("training_step", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
