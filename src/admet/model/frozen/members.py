"""Models on frozen inputs as arrays, so that a run directory can hold them without pickle."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch

from admet.data.transforms import Transform
from admet.kinds import Kind
from admet.model.chemprop import TargetScaler
from admet.model.frozen.boosted import FittedTrees
from admet.model.frozen.fit_mlp import FittedMLP
from admet.model.frozen.joint_kernel import FittedJointKernel
from admet.model.frozen.kernel import FittedKernel, Process
from admet.model.frozen.mlp import Layout
from admet.model.frozen.scaling import InputScaler

Arrays = dict[str, np.ndarray]
_PROCESS = ("centre", "length", "noise", "signal")


class Frozen(Protocol):
    """A fitted model on frozen inputs."""

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules, (n, d) → (n, T), in the unit of the labels."""
        ...

    def arrays(self) -> Arrays:
        """Gives all that it has learnt."""
        ...

    def check(self, n_inputs: int) -> None:
        """Tries whether its parts fit together and read inputs of this width.

        Raises:
            Exception: Of any kind, if they do not.
        """
        ...


class MLP:
    """A network."""

    def __init__(self, fitted: FittedMLP) -> None:
        self.fitted = fitted

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules, (n, d) → (n, T), in the unit of the labels."""
        return self.fitted.predict(inputs)

    def check(self, n_inputs: int) -> None:
        """Predicts a molecule of zeros."""
        serves = self.fitted.layout.serves
        n_heads, n_tasks = self.fitted.layout.learns.shape
        if serves.shape != (n_tasks,) or serves.min() < 0 or serves.max() >= n_heads:
            raise ValueError("`serves` must name a head for each task")
        self.predict(np.zeros((1, n_inputs), np.float32))

    def arrays(self) -> Arrays:
        """Gives all that it has learnt."""
        fitted = self.fitted
        layers = {f"layers.{i}": array for i, array in enumerate(fitted.weights)}
        layout: Arrays = {
            "learns": fitted.layout.learns.astype(np.uint8),
            "serves": fitted.layout.serves.astype(np.int64),
        }
        return layers | layout | _scalers(fitted.inputs, fitted.targets)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], targets: TargetScaler) -> "MLP":
        """Makes it of what `arrays` gave."""
        n_layers = sum(name.startswith("layers.") for name in arrays)
        layout = Layout(arrays["learns"].astype(bool), arrays["serves"])
        weights = tuple(arrays[f"layers.{i}"] for i in range(n_layers))
        return cls(FittedMLP(layout, weights, _inputs_of(arrays), targets))


class MLPs:
    """Networks of which each serves some of the tasks; all scale inputs and targets alike."""

    def __init__(self, fitted: Sequence[FittedMLP]) -> None:
        self.fitted = tuple(fitted)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules, (n, d) → (n, T), in the unit of the labels."""
        found = np.full((len(inputs), len(self.fitted[0].layout.serves)), np.nan)
        for network in self.fitted:
            served = network.layout.serves >= 0
            found[:, served] = network.predict(inputs)[:, served]
        return found

    def check(self, n_inputs: int) -> None:
        """Predicts a molecule of zeros."""
        serving = np.array([network.layout.serves >= 0 for network in self.fitted])
        heads = [len(network.layout.learns) for network in self.fitted]
        highest = [network.layout.serves.max() for network in self.fitted]
        if (serving.sum(axis=0) != 1).any() or (np.array(highest) >= heads).any():
            raise ValueError("`serves` must name one head for each task")
        self.predict(np.zeros((1, n_inputs), np.float32))

    def arrays(self) -> Arrays:
        """Gives all that they have learnt; the scales are kept once."""
        first = self.fitted[0]
        found = _scalers(first.inputs, first.targets)
        for index, network in enumerate(self.fitted):
            own = MLP(network).arrays()
            found |= {f"networks.{index}.{k}": v for k, v in own.items() if k not in found}
        return found

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], targets: TargetScaler) -> "MLPs":
        """Makes them of what `arrays` gave."""
        scales = {k: v for k, v in arrays.items() if not k.startswith("networks.")}
        fitted: list[FittedMLP] = []
        while f"networks.{len(fitted)}.learns" in arrays:
            start = f"networks.{len(fitted)}."
            own = {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
            fitted.append(MLP.of(scales | own, targets).fitted)
        if not fitted:
            raise KeyError("networks.0.learns")
        return cls(fitted)


class Kernel:
    """Gaussian processes."""

    def __init__(self, fitted: FittedKernel) -> None:
        self.fitted = fitted

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules, (n, d) → (n, T), in the unit of the labels."""
        return self.fitted.targets.to_units(torch.from_numpy(self.fitted.predict(inputs)[0]))

    def check(self, n_inputs: int) -> None:
        """Looks at shapes, places and signs; a prediction would take a decomposition."""
        X = self.fitted.X
        if X.ndim != 2 or X.shape[1] != n_inputs or X.dtype != np.float32:
            raise ValueError(f"`X` must have {n_inputs} columns")
        self.fitted.inputs.scale_inputs(np.zeros((1, n_inputs), np.float32))
        for process in (p for parts in self.fitted.processes for p in parts):
            if process.rows.shape != process.y.shape or process.rows.ndim != 1:
                raise ValueError("`rows` and `y` must have the same length")
            X[process.rows[[int(process.rows.argmin()), int(process.rows.argmax())]]]
            if min(process.length, process.noise, process.signal) <= 0:
                raise ValueError("length, noise and signal must be above 0")

    def arrays(self) -> Arrays:
        """Gives all that it has learnt; each training molecule's inputs are kept once."""
        found: Arrays = {"X": self.fitted.X}
        for task, parts in enumerate(self.fitted.processes):
            for part, process in enumerate(parts):
                start = f"tasks.{task}.{part}."
                found[f"{start}rows"] = process.rows
                found[f"{start}y"] = process.y
                found[f"{start}numbers"] = np.array([getattr(process, n) for n in _PROCESS])
        return found | _scalers(self.fitted.inputs, self.fitted.targets)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], targets: TargetScaler) -> "Kernel":
        """Makes it of what `arrays` gave."""
        X = arrays["X"]
        processes = []
        for task in range(len(targets.kinds)):
            parts: list[Process] = []
            while f"tasks.{task}.{len(parts)}.rows" in arrays:
                start = f"tasks.{task}.{len(parts)}."
                numbers = arrays[f"{start}numbers"].tolist()
                named = dict(zip(_PROCESS, numbers, strict=True))
                rows = arrays[f"{start}rows"]
                parts.append(Process(X, rows, arrays[f"{start}y"], **named))
            if not parts:
                raise KeyError(f"tasks.{task}.0.rows")
            processes.append(tuple(parts))
        return cls(FittedKernel(X, tuple(processes), _inputs_of(arrays), targets))


class JointKernel:
    """A Gaussian process of all tasks."""

    def __init__(self, fitted: FittedJointKernel) -> None:
        self.fitted = fitted

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules, (n, d) → (n, T), in the unit of the labels."""
        return self.fitted.targets.to_units(torch.from_numpy(self.fitted.predict(inputs)))

    def check(self, n_inputs: int) -> None:
        """Looks at shapes and lengths, and predicts a molecule of zeros."""
        fitted, n_tasks = self.fitted, len(self.fitted.targets.kinds)
        if fitted.X.dtype != np.float32 or fitted.coefficients.shape != (len(fitted.X), n_tasks):
            raise ValueError("`coefficients` must hold a number for each molecule and task")
        if fitted.centres.shape != (n_tasks,) or fitted.lengths.shape != (n_tasks,):
            raise ValueError("`centres` and `lengths` must hold a number for each task")
        if fitted.lengths.min() <= 0:
            raise ValueError("`lengths` must be above 0")
        self.predict(np.zeros((1, n_inputs), np.float32))

    def arrays(self) -> Arrays:
        """Gives all that it has learnt."""
        fitted = self.fitted
        found: Arrays = {
            "X": fitted.X,
            "coefficients": fitted.coefficients,
            "centres": fitted.centres,
            "lengths": fitted.lengths,
        }
        return found | _scalers(fitted.inputs, fitted.targets)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], targets: TargetScaler) -> "JointKernel":
        """Makes it of what `arrays` gave."""
        X, coefficients = arrays["X"], arrays["coefficients"]
        centres, lengths = arrays["centres"], arrays["lengths"]
        inputs = _inputs_of(arrays)
        return cls(FittedJointKernel(X, coefficients, centres, lengths, inputs, targets))


class Trees:
    """Boosted trees."""

    def __init__(self, fitted: FittedTrees) -> None:
        self.fitted = fitted

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules, (n, d) → (n, T), in the unit of the labels."""
        return self.fitted.targets.to_units(torch.from_numpy(self.fitted.predict(inputs)))

    def check(self, n_inputs: int) -> None:
        """Predicts a molecule of zeros."""
        self.predict(np.zeros((1, n_inputs), np.float32))

    def arrays(self) -> Arrays:
        """Gives all that it has learnt: the text of each task's trees, as bytes."""
        found = {
            f"tasks.{task}": np.frombuffer(text.encode(), np.uint8)
            for task, text in enumerate(self.fitted.models)
        }
        return found | _targets(self.fitted.targets)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], targets: TargetScaler) -> "Trees":
        """Makes it of what `arrays` gave."""
        texts = [arrays[f"tasks.{task}"].tobytes().decode() for task in range(len(targets.kinds))]
        return cls(FittedTrees(tuple(texts), targets))


def targets_of(
    arrays: Mapping[str, np.ndarray],
    kinds: tuple[Kind, ...],
    transforms: tuple[Transform, ...],
) -> TargetScaler:
    """Makes the scale of the targets of what `arrays` gave.

    Args:
        arrays: All that a model has learnt.
        kinds: T kinds.
        transforms: T transforms of the labels.
    """
    return TargetScaler(arrays["targets.mean"], arrays["targets.scale"], kinds, transforms)


def _scalers(inputs: InputScaler, targets: TargetScaler) -> Arrays:
    return {"inputs.mean": inputs.mean, "inputs.scale": inputs.scale} | _targets(targets)


def _targets(targets: TargetScaler) -> Arrays:
    return {"targets.mean": targets.mean, "targets.scale": targets.scale}


def _inputs_of(arrays: Mapping[str, np.ndarray]) -> InputScaler:
    return InputScaler(arrays["inputs.mean"], arrays["inputs.scale"])
