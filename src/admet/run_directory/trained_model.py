"""A trained model: its networks, its scalers, its tasks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from admet.errors import RunDirectoryError
from admet.featurize import GraphArrays, PackedGraphs, featurize
from admet.model.chemprop import GraphBatch, GroupedNetwork, TargetScaler
from admet.run_directory.reader import read_spec, read_weights
from admet.run_directory.spec import ModelSpec


class TrainedModel:
    """Predicts in the units of the labels; probabilities for binary tasks."""

    def __init__(
        self,
        spec: ModelSpec,
        networks: list[GroupedNetwork],
        device: torch.device | str = "cpu",
        batch_size: int = 1024,
    ) -> None:
        """Stores the parts.

        Args:
            spec: What the networks predict.
            networks: One for each entry of `spec.networks`.
            device: Where to predict.
            batch_size: Molecules in one step.
        """
        self.spec = spec
        self.networks = [network.to(device).eval() for network in networks]
        self.device = torch.device(device)
        self.batch_size = batch_size
        self._scaler = TargetScaler(
            np.array([task.mean for task in spec.tasks]),
            np.array([task.scale for task in spec.tasks]),
            tuple(spec.kinds),
        )

    @classmethod
    def load(
        cls, run_dir: str | Path, device: torch.device | str = "cpu", batch_size: int = 1024
    ) -> "TrainedModel":
        """Opens a run directory.

        Args:
            run_dir: The directory.
            device: Where to predict.
            batch_size: Molecules in one step.

        Returns:
            The model.

        Raises:
            RunDirectoryError: If the directory is missing, damaged or newer than this program.
        """
        run_dir = Path(run_dir)
        spec = read_spec(run_dir)
        weights = read_weights(run_dir)
        networks = build_networks(spec)
        for index, network in enumerate(networks):
            prefix = f"networks.{index}."
            own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
            try:
                network.load_state_dict(own)
            except RuntimeError as error:
                first = str(error).splitlines()[-1].strip()
                raise RunDirectoryError(
                    f"The weights in {str(run_dir)!r} do not fit its model.json: {first}"
                ) from None
        return cls(spec, networks, device, batch_size)

    def weights(self) -> dict[str, Tensor]:
        """Gives the weights of all networks, as they are stored."""
        return {
            f"networks.{index}.{name}": tensor.detach().cpu().contiguous()
            for index, network in enumerate(self.networks)
            for name, tensor in network.state_dict().items()
        }

    def predict(self, smiles: Sequence[str] | np.ndarray) -> np.ndarray:
        """Predicts molecules given as canonical SMILES, shape (n, T), float64."""
        if not len(smiles):
            return np.empty((0, len(self.spec.tasks)))
        return self.predict_graphs(featurize(smiles))

    def predict_graphs(self, graphs: PackedGraphs, rows: np.ndarray | None = None) -> np.ndarray:
        """Predicts featurised molecules.

        Args:
            graphs: The graphs.
            rows: Which of them, shape (m,); None takes all.

        Returns:
            Shape (m, T), float64, in the order of `spec.tasks`.
        """
        rows = np.arange(len(graphs)) if rows is None else rows
        # The networks of a model differ in their heads only, so their batches are the same.
        batcher = self.networks[0].batcher(graphs)
        parts = [
            self.predict_arrays(batcher.batch(rows[start : start + self.batch_size]))
            for start in range(0, len(rows), self.batch_size)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.spec.tasks)))

    def predict_arrays(self, arrays: GraphArrays) -> np.ndarray:
        """Predicts a batch of b molecules, shape (b, T), float64, in the order of `spec.tasks`."""
        names = self.spec.task_names
        batch = GraphBatch.of(arrays).to(self.device)
        outputs = torch.empty(len(batch), len(names))
        with torch.inference_mode():
            for network, groups in zip(self.networks, self.spec.networks, strict=True):
                outputs[:, network_columns(groups, names)] = network(batch).float().cpu()
        return self._scaler.to_units(outputs)


def network_columns(groups: tuple[tuple[str, ...], ...], names: list[str]) -> list[int]:
    """Lists the columns of a network's tasks, in the order of the tasks."""
    return sorted(names.index(name) for group in groups for name in group)


def build_networks(spec: ModelSpec) -> list[GroupedNetwork]:
    """Builds the networks of a model with fresh weights, from torch's current random state."""
    networks = []
    for groups in spec.networks:
        own = [spec.task_names[c] for c in network_columns(groups, spec.task_names)]
        columns = [[own.index(name) for name in group] for group in groups]
        networks.append(GroupedNetwork(spec.model, columns, spec.d_v, spec.d_e))
    return networks
