"""The encoder gradients of many tasks in one backward pass.

Each task's molecules are rows of their own (`admet.featurize.arrays.stack`), so one pass gives the
derivative of every row, and a weight's gradient for a task is a product of that task's rows alone.
The cost grows with the number of labels, not with the number of tasks times the panel.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from admet.featurize.arrays import StackedArrays
from admet.model.chemprop.encoder import Encoder, Product
from admet.model.chemprop.graph_batch import GraphBatch

_WEIGHTS = ("W_i", "W_h", "W_o")


@dataclass(frozen=True)
class TaskBlocks:
    """The molecules of several tasks, in rows of their own.

    Attributes:
        graphs: The molecules, one task after the other.
        stacked: Which rows are whose.
    """

    graphs: GraphBatch
    stacked: StackedArrays

    @property
    def molecules(self) -> np.ndarray:
        """First molecule of each task and the end, shape (T + 1,)."""
        return self.stacked.molecules


def task_gradients(
    encoder: Encoder,
    parameters: list[nn.Parameter],
    blocks: TaskBlocks,
    Z: Tensor,
    tape: list[Product],
    direction: Tensor,
) -> Tensor:
    """Differentiates each task's loss by the encoder.

    Args:
        encoder: The encoder.
        parameters: The parameters to differentiate by.
        blocks: The molecules.
        Z: Their embeddings, shape (n, d_h).
        tape: What the encoder multiplied on the way to `Z`.
        direction: Derivative of each molecule's task's loss by its embedding, shape (n, d_h).

    Returns:
        Shape (T, n_parameters), the parameters one after the other.
    """
    slots = _slots(encoder, parameters)
    if slots is None:
        return _one_by_one(parameters, blocks, Z, direction)
    results = [product.result for product in tape]
    deltas = torch.autograd.grad(Z, results, direction, retain_graph=True)
    rows = _row_bounds(blocks.stacked)
    n_tasks = len(blocks.molecules) - 1
    found = {
        name: Z.new_zeros(n_tasks, *parameter.shape)
        for name, parameter in _named(encoder).items()
        if name in slots
    }
    for product, delta, bounds in zip(tape, deltas, rows, strict=True):
        multiplied = product.rows.detach()
        layer, _, part = product.weight.partition(", ")
        weight, bias = found.get(f"{layer}.weight"), found.get(f"{layer}.bias")
        columns = _columns(encoder, part)
        for task in range(n_tasks):
            i, j = int(bounds[task]), int(bounds[task + 1])
            own = delta[i:j]
            if weight is not None:
                weight[task, :, columns].addmm_(own.T, multiplied[i:j])
            if bias is not None and part != "messages":  # it is added with the atoms' part
                bias[task] += own.sum(dim=0)
    return torch.cat([found[name].flatten(1) for name in slots], dim=1)


def _named(encoder: Encoder) -> dict[str, nn.Parameter]:
    return dict(encoder.message_passing.named_parameters())


def _slots(encoder: Encoder, parameters: list[nn.Parameter]) -> list[str] | None:
    """Names the parameters; None where the tape does not give the gradients of all of them."""
    names = {id(p): name for name, p in _named(encoder).items()}
    slots = [names.get(id(p), "") for p in parameters]
    return slots if all(slot.partition(".")[0] in _WEIGHTS for slot in slots) else None


def _columns(encoder: Encoder, part: str) -> slice:
    d_v = encoder.message_passing.d_v
    return {"": slice(None), "atoms": slice(0, d_v), "messages": slice(d_v, None)}[part]


def _row_bounds(stacked: StackedArrays) -> list[np.ndarray]:
    """Gives, for each product on the tape, the first row of each task and the end."""
    first, *layers, atoms = stacked.rows
    return [first, *layers, stacked.kinds, atoms]


def _one_by_one(
    parameters: list[nn.Parameter], blocks: TaskBlocks, Z: Tensor, direction: Tensor
) -> Tensor:
    """Does the same for any parameters, with one backward pass per task."""
    rows = []
    for task in range(len(blocks.molecules) - 1):
        i, j = int(blocks.molecules[task]), int(blocks.molecules[task + 1])
        own = torch.zeros_like(direction)
        own[i:j] = direction[i:j]
        rows.append(flat_gradient(Z, parameters, own))
    return torch.stack(rows)


def flat_gradient(Z: Tensor, parameters: list[nn.Parameter], direction: Tensor) -> Tensor:
    """Differentiates (Z · direction).sum() by the parameters, shape (n_parameters,)."""
    parts = torch.autograd.grad(Z, parameters, direction, retain_graph=True, allow_unused=True)
    filled = [
        torch.zeros_like(p) if g is None else g for g, p in zip(parts, parameters, strict=True)
    ]
    return torch.cat([g.flatten() for g in filled])
