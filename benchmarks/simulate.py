"""Simulated sparse panels with planted groups on real molecules."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors


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

    A property is a random combination of descriptors that were made uncorrelated over the
    molecules: charge, lipophilicity and refractivity by surface area (the VSA descriptors of
    RDKit). Task = √(1 − own) × the group's + √own × its own, plus noise.

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
    basis = _uncorrelated(smiles)  # (n, d)
    n_molecules = len(smiles)

    def properties(n: int) -> np.ndarray:
        weights = rng.standard_normal((basis.shape[1], n))
        return np.asarray(basis @ (weights / np.linalg.norm(weights, axis=0)))

    group = np.arange(n_tasks) % n_groups
    shared = properties(n_groups)[:, group]  # (n, T)
    signal = np.sqrt(1 - own) * shared + np.sqrt(own) * properties(n_tasks)
    labels = signal + noise * rng.standard_normal(signal.shape)
    present = rng.random(labels.shape) < density
    for task in range(n_tasks):
        present[rng.choice(n_molecules, min(10, n_molecules), replace=False), task] = True
    labels[~present] = np.nan
    frame = pd.DataFrame(labels, columns=[f"task_{i}" for i in range(n_tasks)])
    frame.insert(0, "SMILES", list(smiles))
    return frame, group


def _uncorrelated(smiles: Sequence[str]) -> np.ndarray:
    """Computes descriptors, standardised and uncorrelated, shape (n, d)."""
    rows = []
    for one in smiles:
        mol = Chem.MolFromSmiles(one)
        parts = (
            rdMolDescriptors.SlogP_VSA_(mol),
            rdMolDescriptors.SMR_VSA_(mol),
            rdMolDescriptors.PEOE_VSA_(mol),
        )
        rows.append([value for part in parts for value in part])
    found = np.array(rows)
    found = found[:, (found != 0).mean(axis=0) > 0.05]
    U, s, _ = np.linalg.svd((found - found.mean(axis=0)) / found.std(axis=0), full_matrices=False)
    return np.asarray(U[:, s > 0.1 * s[0]] * np.sqrt(len(found)))
