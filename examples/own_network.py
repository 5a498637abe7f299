"""The affinity of the tasks of a network that is not ours: a perceptron on fingerprint counts.

Any `torch.nn.Module` with an encoder and a head will do, and any loader of inputs, targets, mask.
Runs in seconds on the simulated demo panel.
"""

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from admet.config import TaskAffinityConfig
from admet.data.demo import TASKS, make_demo_panel
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper


class Perceptron(nn.Module):
    """An encoder that embeds a molecule, and a head with one output a task."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(1024, 64), nn.ReLU())
        self.head = nn.Linear(64, len(TASKS))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps fingerprints, shape (b, 1024), to outputs, shape (b, T)."""
        return self.head(self.encoder(inputs))


def main() -> list[list[str]]:
    """Measures, groups and prints."""
    panel = make_demo_panel(600)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    counts = [
        generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(smiles))
        for smiles in panel["SMILES"]
    ]
    inputs = torch.from_numpy(np.log1p(np.array(counts, dtype=np.float32)))
    labels = panel[list(TASKS)]
    kinds = ["binary" if task == "hERG" else "regression" for task in TASKS]
    numeric = [task for task, kind in zip(TASKS, kinds, strict=True) if kind == "regression"]
    # Regression targets on one scale; where there is no label, any number and a mask that says so.
    labels = labels.assign(**((labels - labels.mean()) / labels.std())[numeric])
    mask = torch.from_numpy(labels.notna().to_numpy())
    targets = torch.from_numpy(labels.fillna(0.0).to_numpy(dtype=np.float32))
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(inputs, targets, mask), batch_size=64, shuffle=True)

    computer = TaskAffinityComputer(TaskAffinityConfig(affinity_epochs=2))
    estimate = computer.compute_from_loader(Perceptron, loader, TASKS, kinds=kinds)
    groups = TaskGrouper(n_groups=3).cluster(estimate.matrix, TASKS)
    print(groups)
    return groups


if __name__ == "__main__":
    main()
