"""The networks of a model as one function from batches of graphs to predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from admet.errors import ConfigError, NumericalError
from admet.featurize import GraphArrays, PackedGraphs, featurize
from admet.featurize.encode import Encoded
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.scaling import TargetScaler
from admet.model.chemprop.spec import ModelSpec

if TYPE_CHECKING:
    from admet.model.molecules import Molecules


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is predicted of n molecules and T tasks.

    Attributes:
        mean: Shape (n, T), float64, in the unit of the labels; probabilities for binary tasks.
        spread: How far predictions of the same molecule lie apart (one standard deviation), shape
            (n, T), in the same unit; None from a model that makes one prediction only.
        learnt_spread: The same on the scale that is learnt, of transformed labels.
    """

    mean: np.ndarray
    spread: np.ndarray | None = None
    learnt_spread: np.ndarray | None = None

    @classmethod
    def joined(cls, parts: Sequence["Prediction"], n_tasks: int) -> "Prediction":
        """Joins the predictions of several batches, one after the other."""
        spreads = [part.spread for part in parts if part.spread is not None]
        learnt = [part.learnt_spread for part in parts if part.learnt_spread is not None]
        return cls(
            np.concatenate([np.empty((0, n_tasks)), *(part.mean for part in parts)]),
            np.concatenate(spreads) if spreads else None,
            np.concatenate(learnt) if learnt else None,
        )


class Predictor:
    """Predicts in the unit of the labels."""

    def __init__(
        self,
        spec: ModelSpec,
        networks: Sequence[GroupedNetwork],
        device: torch.device | str = "cpu",
        batch_size: int = 1024,
    ) -> None:
        """Stores the parts.

        Args:
            spec: What the networks predict.
            networks: One for each network of `spec.plan`.
            device: Where to predict.
            batch_size: Molecules in one step.
        """
        self.spec = spec
        self.networks = [network.to(device).eval() for network in networks]
        self.device = torch.device(device)
        self.batch_size = batch_size
        # For each network: the outputs that it serves, and the model's columns that they fill.
        place = {name: i for i, name in enumerate(spec.task_names)}
        self._columns = [
            (plan.served, [place[plan.tasks[i]] for i in plan.served])
            for plan in spec.plan.networks
        ]
        self._scaler = TargetScaler(
            np.array([task.mean for task in spec.tasks]),
            np.array([task.scale for task in spec.tasks]),
            spec.kinds,
            spec.transforms,
        )

    @property
    def depth(self) -> int:
        """Message-passing depth of the networks."""
        return self.spec.model.message_passing.depth

    @property
    def undirected(self) -> bool:
        """Whether their messages average the two directions of a bond."""
        return self.spec.model.message_passing.undirected

    @property
    def extra_inputs(self) -> tuple[str, ...]:
        """The frozen inputs that the networks read."""
        return self.spec.inputs

    @property
    def needs_structures(self) -> bool:
        """Whether graphs are not enough: extra inputs are made of canonical SMILES."""
        return bool(self.spec.inputs)

    def weights(self) -> dict[str, Tensor]:
        """Gives copies of the weights of all networks, as they are stored."""
        return {
            f"networks.{index}.{name}": tensor.detach().cpu().clone()
            for index, network in enumerate(self.networks)
            for name, tensor in network.state_dict().items()
        }

    def predict_graphs(
        self,
        graphs: PackedGraphs,
        rows: np.ndarray | None = None,
        *,
        inputs: np.ndarray | None = None,
    ) -> Prediction:
        """Predicts featurised molecules.

        Args:
            graphs: The graphs.
            rows: Which of them, shape (m,); None takes all.
            inputs: Extra inputs of all molecules of `graphs`, shape (n, d), for a model that reads
                some.

        Returns:
            The predictions of m molecules, in the order of `spec.tasks`.

        Raises:
            ConfigError: If the model reads extra inputs and they are missing, or the reverse.
            NumericalError: If a prediction is not finite.
        """
        rows = np.arange(len(graphs)) if rows is None else rows
        # The networks of a model differ in their heads only, so their batches are the same.
        batcher = self.networks[0].batcher(graphs)
        parts = []
        for start in range(0, len(rows), self.batch_size):
            own = rows[start : start + self.batch_size]
            given = None if inputs is None else inputs[own]
            parts.append(self.predict_arrays(batcher.batch(own), given))
        return Prediction.joined(parts, len(self.spec.tasks))

    def predict_smiles(self, smiles: Sequence[str] | np.ndarray) -> Prediction:
        """Predicts n molecules by their canonical SMILES.

        Raises:
            NumericalError: If a prediction is not finite.
        """
        return self.predict_graphs(featurize(smiles), inputs=self._inputs_of(smiles))

    def predict_molecules(self, molecules: "Molecules") -> Prediction:
        """Predicts n molecules whose graphs and inputs may be there already."""
        inputs = molecules.inputs(self.extra_inputs) if self.extra_inputs else None
        return self.predict_graphs(molecules.graphs, inputs=inputs)

    def predict_encoded(self, encoded: Encoded) -> Prediction:
        """Predicts the m valid molecules of a batch of cells.

        Raises:
            NumericalError: If a prediction is not finite.
        """
        if encoded.arrays is None:
            return Prediction(np.empty((0, len(self.spec.tasks))))
        texts = encoded.structures or []  # there where `needs_structures` has asked for them
        return self.predict_arrays(
            encoded.arrays, self._inputs_of([texts[i] for i in encoded.valid] if texts else [])
        )

    def _inputs_of(self, smiles: Sequence[str] | np.ndarray) -> np.ndarray | None:
        """Computes the extra inputs of n canonical SMILES, shape (n, d); None where there are none.

        Raises:
            ConfigError: If a package that computes one is not installed.
        """
        if not self.spec.inputs:
            return None
        from admet.model.inputs import vectors  # noqa: PLC0415 - slow, seldom

        return vectors(self.spec.inputs, smiles)

    def predict_arrays(self, arrays: GraphArrays, inputs: np.ndarray | None = None) -> Prediction:
        """Predicts a batch of b molecules, in the order of `spec.tasks`.

        Args:
            arrays: The batch.
            inputs: Their extra inputs, shape (b, d), for a model that reads some.

        Raises:
            ConfigError: If the model reads extra inputs and they are missing, or the reverse.
            NumericalError: If a prediction is not finite.
        """
        if (inputs is None) == self.needs_structures or (
            inputs is not None and inputs.shape != (arrays.n_graphs, self.spec.n_inputs)
        ):
            raise ConfigError(
                f"`inputs` must have shape ({arrays.n_graphs}, {self.spec.n_inputs}), the numbers "
                f"of {', '.join(self.spec.inputs) or 'no input'} of each molecule; got "
                f"{None if inputs is None else inputs.shape}. Predict by SMILES instead."
            )
        given = None if inputs is None else torch.from_numpy(inputs).to(self.device)
        batch = GraphBatch.of(arrays).to(self.device)
        values = torch.empty(len(batch), len(self.spec.tasks))
        with torch.inference_mode():
            for network, (own, columns) in zip(self.networks, self._columns, strict=True):
                values[:, columns] = network(batch, given).float().cpu()[:, own]
        predictions = self._scaler.to_units(values)
        if not np.isfinite(predictions).all():
            raise NumericalError(
                "A prediction became NaN or infinite. The model is damaged, or was trained on "
                "extreme target values; train it anew."
            )
        return Prediction(predictions)


def build_networks(spec: ModelSpec) -> list[GroupedNetwork]:
    """Builds the networks of a model with fresh weights, from torch's current random state."""
    return [
        GroupedNetwork(spec.model, plan, spec.d_v, spec.d_e, spec.n_inputs)
        for plan in spec.plan.networks
    ]


def check_width(spec: ModelSpec) -> None:
    """Checks that extra inputs are as wide here as where the model was trained.

    Raises:
        ConfigError: If not.
    """
    if not spec.inputs:
        return
    from admet.model.inputs import INPUTS  # noqa: PLC0415 - slow, seldom

    width = sum(INPUTS[name].width for name in spec.inputs)
    if width != spec.n_inputs:
        raise ConfigError(
            f"The model was trained with {spec.n_inputs} numbers of {', '.join(spec.inputs)} per "
            f"molecule; the packages installed here give {width}. Install the versions that its "
            "run.json names."
        )
