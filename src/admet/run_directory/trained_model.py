"""A trained model: its networks, its scalers, its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from admet.errors import DataError, NumericalError, RunDirectoryError
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
        self._columns = [_served_columns(plan, spec.task_names) for plan in network_plans(spec)]
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
        _check_weights(weights, run_dir)
        _check_shapes(spec, weights, run_dir)
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
        """Gives copies of the weights of all networks, as they are stored."""
        return {
            f"networks.{index}.{name}": tensor.detach().cpu().clone()
            for index, network in enumerate(self.networks)
            for name, tensor in network.state_dict().items()
        }

    def predict(self, smiles: Sequence[str] | np.ndarray) -> np.ndarray:
        """Predicts molecules given as canonical SMILES, shape (n, T), float64.

        Raises:
            DataError: If one cannot be parsed; `admet.inference.predict_table` takes any table.
        """
        if not len(smiles):
            return np.empty((0, len(self.spec.tasks)))
        graphs = featurize(smiles)
        bad = np.flatnonzero(np.diff(graphs.atom_start) == 0)
        if bad.size:
            raise DataError(
                f"`smiles` must hold molecules; {bad.size} cannot be parsed, the first at index "
                f"{bad[0]}: {str(smiles[bad[0]])[:60]!r}. Leave them out, or use predict_table."
            )
        return self.predict_graphs(graphs)

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
        batch = GraphBatch.of(arrays).to(self.device)
        values = torch.empty(len(batch), len(self.spec.tasks))
        with torch.inference_mode():
            for network, (own, columns) in zip(self.networks, self._columns, strict=True):
                values[:, columns] = network(batch).float().cpu()[:, own]
        predictions = self._scaler.to_units(values)
        if not np.isfinite(predictions).all():
            raise NumericalError(
                "A prediction became NaN or infinite. The model is damaged, or was trained on "
                "extreme target values; train it anew."
            )
        return predictions


def _check_weights(weights: dict[str, Tensor], run_dir: Path) -> None:
    """Refuses weights that no training of ours has written.

    Raises:
        RunDirectoryError: If one is no float32 tensor, or holds NaN or infinity.
    """
    for name, tensor in weights.items():
        integer = name.endswith("num_batches_tracked")
        if tensor.dtype != (torch.int64 if integer else torch.float32):
            raise RunDirectoryError(
                f"The weights in {str(run_dir)!r} are damaged: {name} is of type {tensor.dtype}."
            )
        if not torch.isfinite(tensor).all():
            raise RunDirectoryError(
                f"The weights in {str(run_dir)!r} are damaged: {name} holds NaN or infinity."
            )


def _check_shapes(spec: ModelSpec, weights: dict[str, Tensor], run_dir: Path) -> None:
    """Compares names and shapes before any memory is taken for what `model.json` asks for.

    Raises:
        RunDirectoryError: If a weight is of no network, or has another shape than it would have.
    """
    try:
        with torch.device("meta"):
            networks = build_networks(spec)
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:  # beyond any memory
        raise RunDirectoryError(
            f"The model.json in {str(run_dir)!r} is damaged: its networks cannot be built "
            f"({str(error).splitlines()[0]}). Copy the run directory again."
        ) from None
    known = {f"networks.{i}.{name}" for i, n in enumerate(networks) for name in n.state_dict()}
    if strange := sorted(set(weights) - known):
        raise RunDirectoryError(
            f"The weights in {str(run_dir)!r} do not fit its model.json: {strange[0]} is unknown. "
            "Copy the run directory again."
        )
    for index, network in enumerate(networks):
        for name, tensor in network.state_dict().items():
            stored = weights.get(f"networks.{index}.{name}")
            if stored is not None and stored.shape != tensor.shape:
                raise RunDirectoryError(
                    f"The weights in {str(run_dir)!r} do not fit its model.json: {name} has shape "
                    f"{tuple(stored.shape)}, must have {tuple(tensor.shape)}."
                )


@dataclass(frozen=True)
class NetworkPlan:
    """What one network of a model learns.

    Attributes:
        names: Its tasks, in the order of the model's; the order of its outputs.
        groups: For each of its groups the places of its tasks in `names`.
        serves: For each task the group of this network that serves it; where another network does,
            the first that holds it.
        served: The tasks that this network serves.
    """

    names: list[str]
    groups: list[list[int]]
    serves: list[int]
    served: frozenset[str]


def _served_columns(plan: NetworkPlan, names: list[str]) -> tuple[list[int], list[int]]:
    """Gives the outputs of a network that count, and the model's columns that they are."""
    own = [i for i, name in enumerate(plan.names) if name in plan.served]
    place = {name: i for i, name in enumerate(names)}
    return own, [place[plan.names[i]] for i in own]


def network_plans(spec: ModelSpec) -> list[NetworkPlan]:
    """Lists what each network of a model learns."""
    place = {name: i for i, name in enumerate(spec.task_names)}
    serving = spec.serving_groups
    plans, before = [], 0
    for groups in spec.networks:
        names = sorted({name for group in groups for name in group}, key=place.__getitem__)
        own = {n: serving[n] - before for n in names if 0 <= serving[n] - before < len(groups)}
        first = {n: g for g in reversed(range(len(groups))) for n in groups[g]}
        index = {name: i for i, name in enumerate(names)}
        plans.append(
            NetworkPlan(
                names,
                [[index[name] for name in group] for group in groups],
                [own.get(name, first[name]) for name in names],
                frozenset(own),
            )
        )
        before += len(groups)
    return plans


def build_networks(spec: ModelSpec) -> list[GroupedNetwork]:
    """Builds the networks of a model with fresh weights, from torch's current random state."""
    return [
        GroupedNetwork(spec.model, plan.groups, spec.d_v, spec.d_e, plan.serves)
        for plan in network_plans(spec)
    ]
