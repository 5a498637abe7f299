"""Several models as one: for each task a mixture of their predictions."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from admet.config.base import Section
from admet.config.frozen import InputName
from admet.errors import NumericalError
from admet.featurize.encode import Encoded
from admet.model.chemprop.predictor import (
    Prediction,
    Predictor,
    build_networks,
    check_width,
)
from admet.model.chemprop.spec import ModelSpec, PanelSpec
from admet.model.frozen.members import MLP, Frozen, JointKernel, Kernel, MLPs, Trees, targets_of
from admet.model.inputs import INPUTS
from admet.model.molecules import Molecules

_TOLERANCE = 1e-6  # of the sum of weights

Kind = Literal["network", "mlp", "mlps", "kernel", "joint_kernel", "trees"]
_FROZEN: dict[str, type[MLP] | type[MLPs] | type[Kernel] | type[JointKernel] | type[Trees]] = {
    "mlp": MLP,
    "mlps": MLPs,
    "kernel": Kernel,
    "joint_kernel": JointKernel,
    "trees": Trees,
}


class MemberSpec(Section):
    """One model of a composite.

    Attributes:
        arm: The way of training that it comes from.
        kind: What it is.
        inputs: The frozen inputs that it reads, side by side; none for a network on graphs.
        network: Its networks, for a network on graphs.
    """

    arm: str
    kind: Kind
    inputs: tuple[InputName, ...] = ()
    network: ModelSpec | None = None

    @model_validator(mode="after")
    def _described(self) -> Self:
        on_graphs = self.kind == "network"
        if on_graphs != (self.network is not None) or on_graphs == bool(self.inputs):
            raise ValueError(
                f"`kind` {self.kind!r} does not fit what else is said of {self.arm!r}."
            )
        return self


class CompositeSpec(PanelSpec):
    """A composite without what its members have learnt.

    Attributes:
        members: A models.
        weights: For each of them its weight in each of T tasks, shape (A, T); they add up to 1.
    """

    members: tuple[MemberSpec, ...] = Field(min_length=1)
    weights: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        found = np.array(self.weights)
        if found.shape != (len(self.members), len(self.tasks)):
            raise ValueError("`weights` must hold a number for each member and task.")
        if (found < 0).any() or (np.abs(found.sum(axis=0) - 1) > _TOLERANCE).any():
            raise ValueError("`weights` of each task must be at least 0 and add up to 1.")
        for member in self.members:
            names = self.task_names if member.network is None else member.network.task_names
            if names != self.task_names:
                raise ValueError(f"`members`: {member.arm!r} has other tasks.")
        return self


def networks_of(spec: ModelSpec | CompositeSpec) -> tuple[ModelSpec | None, int]:
    """Gives the networks of a model, and how many trainings of them are averaged.

    Those of an ensemble are those of its first training. A mixture of several ways of training has
    none, and counts as one.
    """
    if isinstance(spec, ModelSpec):
        return spec, 1
    first = spec.members[0].network
    if first is None or any(
        own.network is None or own.network.plan != first.plan for own in spec.members
    ):
        return None, 1
    return first, len(spec.members)


class Member(Protocol):
    """A model of a composite, ready to predict."""

    def predict(self, molecules: Molecules) -> np.ndarray:
        """Predicts n molecules, shape (n, T), in the unit of the labels."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Gives all that it has learnt."""
        ...


class NetworkMember:
    """Networks on graphs."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, molecules: Molecules) -> np.ndarray:
        """Predicts n molecules, shape (n, T), in the unit of the labels."""
        return self.predictor.predict_molecules(molecules).mean

    def arrays(self) -> dict[str, np.ndarray]:
        """Gives the weights of all networks."""
        return {name: tensor.numpy() for name, tensor in self.predictor.weights().items()}

    @classmethod
    def of(
        cls, spec: ModelSpec, arrays: Mapping[str, np.ndarray], device: torch.device | str
    ) -> "NetworkMember":
        """Makes it of what `arrays` gave."""
        check_width(spec)
        with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it is
            networks = build_networks(spec)
        for index, network in enumerate(networks):
            start = f"networks.{index}."
            own = {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
            network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in own.items()})
        return cls(Predictor(spec, networks, device))


class FrozenMember:
    """A model on frozen inputs."""

    def __init__(self, fitted: Frozen, inputs: Sequence[str]) -> None:
        self.fitted = fitted
        self.inputs = tuple(inputs)

    def predict(self, molecules: Molecules) -> np.ndarray:
        """Predicts n molecules, shape (n, T), in the unit of the labels."""
        return self.fitted.predict(molecules.inputs(self.inputs))

    def arrays(self) -> dict[str, np.ndarray]:
        """Gives all that it has learnt."""
        return self.fitted.arrays()


def member_of(
    composite: CompositeSpec,
    spec: MemberSpec,
    arrays: Mapping[str, np.ndarray],
    device: torch.device | str,
) -> Member:
    """Makes a member of what was stored.

    Raises:
        Exception: Of any kind, if an array is missing or does not fit.
    """
    if spec.network is not None:
        return NetworkMember.of(spec.network, arrays, device)
    targets = targets_of(arrays, composite.kinds, composite.transforms)
    fitted = _FROZEN[spec.kind].of(arrays, targets)
    fitted.check(sum(INPUTS[name].width for name in spec.inputs))
    return FrozenMember(fitted, spec.inputs)


class CompositePredictor:
    """Predicts as the weighted mean of its members, on the scale that they learn."""

    def __init__(
        self, spec: CompositeSpec, members: Sequence[Member], batch_size: int = 1024
    ) -> None:
        """Stores the parts.

        Args:
            spec: Tasks and weights.
            members: One for each of `spec.members`.
            batch_size: Molecules in one step.
        """
        self.spec = spec
        self.members = tuple(members)
        self.batch_size = batch_size
        self._weights = np.array(spec.weights)  # (A, T)
        # Copies of one network read the same batches; other members need the structures.
        shapes = {(n.depth, n.undirected) for n in self._networks}
        alike = len(shapes) == 1 and len(self._networks) == len(self.members)
        alike = alike and not any(network.needs_structures for network in self._networks)
        self.needs_structures = not alike
        self.depth, self.undirected = shapes.pop() if alike else (1, False)

    @property
    def extra_inputs(self) -> tuple[str, ...]:
        """The frozen inputs that all its networks read."""
        found = dict.fromkeys(network.extra_inputs for network in self._networks)
        return next(iter(found)) if len(found) == 1 else ()

    @property
    def _networks(self) -> list[Predictor]:
        return [own.predictor for own in self.members if isinstance(own, NetworkMember)]

    def predict_smiles(self, smiles: Sequence[str] | np.ndarray) -> Prediction:
        """Predicts n molecules by their canonical SMILES.

        Raises:
            NumericalError: If a prediction is not finite.
            ConfigError: If a package that computes an input is not installed.
        """
        size = self.batch_size
        parts = [
            self.predict_molecules(Molecules(smiles[start : start + size]))
            for start in range(0, len(smiles), size)
        ]
        return Prediction.joined(parts, len(self.spec.tasks))

    def predict_encoded(self, encoded: Encoded) -> Prediction:
        """Predicts the m valid molecules of a batch whose structures are there."""
        if not self.needs_structures and encoded.arrays is not None:
            arrays = encoded.arrays
            return self._mixed(np.stack([n.predict_arrays(arrays).mean for n in self._networks]))
        assert encoded.structures is not None  # noqa: S101 - `needs_structures` has asked for them
        return self.predict_smiles([encoded.structures[i] for i in encoded.valid])

    def predict_molecules(self, molecules: Molecules) -> Prediction:
        """Predicts n molecules at once; what was computed of them is not computed again."""
        return self._mixed(np.stack([member.predict(molecules) for member in self.members]))

    def _mixed(self, given: np.ndarray) -> Prediction:
        """Mixes predictions of the members, (A, n, T), on the scale that is learnt."""
        mean, spread, learnt = (np.empty(given.shape[1:]) for _ in range(3))
        for task, transform in enumerate(self.spec.transforms):
            weights = self._weights[:, task]
            used = weights > 0
            scaled = transform.apply(given[used, :, task])  # (A', n)
            mixed = weights[used] @ scaled
            mean[:, task] = transform.undo(mixed)
            learnt[:, task] = spread_of(scaled, weights[used])
            apart = (given[used, :, task] - mean[:, task]) ** 2
            spread[:, task] = np.sqrt(weights[used] @ apart)
        if not np.isfinite(mean).all():
            raise NumericalError(
                "A prediction became NaN or infinite. The model is damaged, or was trained on "
                "extreme target values; train it anew."
            )
        return Prediction(mean, spread, learnt)


def spread_of(predictions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Gives how far weighted members lie apart, (A, n) and (A,) → (n,): a standard deviation."""
    apart = (predictions - weights @ predictions) ** 2
    return np.asarray(np.sqrt(weights @ apart))
