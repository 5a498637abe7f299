"""Simulated sparse panels with planted groups on real molecules."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from admet.featurize import featurize


def simulated_panel(
    smiles: Sequence[str],
    n_tasks: int,
    *,
    n_groups: int = 5,
    density: float = 0.05,
    noise: float = 0.3,
    own: float = 0.3,
    seed: int = 0,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Makes up labels: each group has a property, each task sees it with a part of its own.

    A property is a random linear function of how often each atom with its neighbourhood occurs in a
    molecule. Task = √(1 − own) × the group's + √own × its own, plus noise.

    Args:
        smiles: n molecules.
        n_tasks: Number of tasks.
        n_groups: Number of planted groups.
        density: Share of the cells that hold a label; a task has ten labels at least.
        noise: Standard deviation of the noise, where the signal has 1.
        own: Share of a task's variance that is its own.
        seed: Seed of it all.

    Returns:
        A frame with the columns SMILES and task_0 …, and the group of each task, shape (T,).
    """
    rng = np.random.default_rng(seed)
    unfolding = featurize(smiles).unfold(2)
    n_molecules, n_classes = len(smiles), len(unfolding.atoms)
    molecule = np.repeat(np.arange(n_molecules), np.diff(unfolding.graphs.atom_start))
    flat = molecule * n_classes + unfolding.atom_class
    cell, count = np.unique(flat, return_counts=True)
    rows, columns = cell // n_classes, cell % n_classes
    frequent = np.bincount(columns, minlength=n_classes) >= 5
    keep = frequent[columns]
    rows, columns, count = rows[keep], columns[keep], np.sqrt(count[keep])

    def properties(n: int) -> np.ndarray:
        weights = rng.standard_normal((n_classes, n))
        values = np.zeros((n_molecules, n))
        np.add.at(values, rows, count[:, None] * weights[columns])
        return (values - values.mean(axis=0)) / values.std(axis=0)

    group = np.arange(n_tasks) % n_groups
    shared = properties(n_groups)[:, group]  # (n, T)
    signal = np.empty_like(shared)
    for start in range(0, n_tasks, 100):  # bounds the memory
        part = slice(start, start + 100)
        single = properties(len(group[part]))
        signal[:, part] = np.sqrt(1 - own) * shared[:, part] + np.sqrt(own) * single
    labels = signal + noise * rng.standard_normal(signal.shape)
    present = rng.random(labels.shape) < density
    for task in range(n_tasks):
        present[rng.choice(n_molecules, min(10, n_molecules), replace=False), task] = True
    labels[~present] = np.nan
    frame = pd.DataFrame(labels, columns=[f"task_{i}" for i in range(n_tasks)])
    frame.insert(0, "SMILES", list(smiles))
    return frame, group
