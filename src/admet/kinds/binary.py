"""Labels 0 and 1: cross-entropy of logits."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from admet.kinds.base import Kind

if TYPE_CHECKING:
    from torch import Tensor

_NEWTON_STEPS = 8
_FLOOR = 1e-8  # penalty without which equal embeddings would give a system without a solution


class Binary(Kind):
    """Two classes, written 0 and 1; several labels give their majority, outputs a probability."""

    name: ClassVar[str] = "binary"
    metric: ClassVar[str] = "AUROC"
    scaled: ClassVar[bool] = False
    has_limits: ClassVar[bool] = False
    labels_rule = "must be 0 or 1"

    def foreign(self, values: np.ndarray) -> np.ndarray:
        """Gives what is neither 0 nor 1."""
        return np.asarray(values[~np.isin(values, (0.0, 1.0))])

    def merge(self, mean: np.ndarray) -> np.ndarray:
        """Takes the majority; a tie gives NaN."""
        return np.where(mean == 0.5, np.nan, (mean > 0.5).astype(float))

    def describe_merge(self, mean: np.ndarray, spread: np.ndarray) -> str:  # noqa: ARG002
        """Says how many molecules have labels that disagree."""
        ties = int((mean == 0.5).sum())
        disagree = int(((mean > 0) & (mean < 1)).sum())
        return (
            f"majority of the labels of {len(mean)} molecules, {disagree} of which disagree "
            f"({ties} ties, left empty)"
        )

    def loss(self, outputs: "Tensor", targets: "Tensor") -> "Tensor":
        """Gives the cross-entropy of logits; targets of other kinds are clamped to 0 … 1."""
        from torch.nn import functional as F  # noqa: PLC0415 - labels are read without torch

        return F.binary_cross_entropy_with_logits(outputs, targets.clamp(0, 1), reduction="none")

    def link(self, outputs: "Tensor") -> "Tensor":
        """Gives probabilities."""
        return outputs.sigmoid()

    def fit_head(
        self, ridge: "Tensor", centred: "Tensor", y: "Tensor", penalty: "Tensor"
    ) -> "Tensor":
        """Fits a logistic head by Newton steps.

        Its penalty is a quarter of that of regression, since its likelihood is at most a quarter as
        curved.
        """
        import torch  # noqa: PLC0415 - labels are read without torch

        design = torch.cat([centred, torch.ones_like(centred[:, :1])], dim=1)  # (n, d + 1)
        weight = max(float(penalty) / 4, _FLOOR)
        ridges = design.new_full((len(ridge) + 1,), weight)
        ridges[-1] = _FLOOR  # the intercept is free, but not infinite where all labels are equal
        beta = design.new_zeros(len(ridge) + 1)
        beta[-1] = torch.logit(y.mean().clamp(1e-3, 1 - 1e-3))
        for _ in range(_NEWTON_STEPS):
            p = torch.sigmoid(design @ beta)
            slope = design.T @ (p - y) + ridges * beta
            curvature = (p * (1 - p)).clamp(min=1e-4).unsqueeze(1)
            hessian = (design * curvature).T @ design + torch.diag(ridges)
            beta = beta - torch.linalg.solve(hessian, slope)
        return beta[:-1]

    def residual(self, scores: "Tensor", y: "Tensor") -> "Tensor":
        """Gives the labels less their probabilities, with the intercept at which these add up."""
        import torch  # noqa: PLC0415 - labels are read without torch

        intercept = torch.logit(y.mean().clamp(1e-3, 1 - 1e-3))
        for _ in range(_NEWTON_STEPS):
            p = torch.sigmoid(scores + intercept)
            intercept = intercept - (p - y).sum() / (p * (1 - p)).sum().clamp(min=1e-6)
        return y - torch.sigmoid(scores + intercept)


BINARY = Binary()
