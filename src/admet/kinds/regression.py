"""Continuous labels with noise of one size: squared error."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from admet.kinds.base import Kind

if TYPE_CHECKING:
    from torch import Tensor


class Regression(Kind):
    """Real numbers; several labels give their mean; the loss is the squared error, scaled."""

    name: ClassVar[str] = "regression"
    metric: ClassVar[str] = "MAE"
    scaled: ClassVar[bool] = True
    has_limits: ClassVar[bool] = True
    labels_rule = "must be numbers"

    def foreign(self, values: np.ndarray) -> np.ndarray:
        """Gives nothing: every number can be a label."""
        return values[:0]

    def merge(self, mean: np.ndarray) -> np.ndarray:
        """Takes the mean."""
        return mean

    def describe_merge(self, mean: np.ndarray, spread: np.ndarray) -> str:
        """Says how far the labels of one molecule lie apart."""
        return (
            f"mean of the labels of {len(mean)} molecules; standard deviation among them: median "
            f"{np.median(spread):.3g}, largest {spread.max():.3g}"
        )

    def loss(self, outputs: "Tensor", targets: "Tensor") -> "Tensor":
        """Squares the difference."""
        return (outputs - targets) ** 2

    def link(self, outputs: "Tensor") -> "Tensor":
        """Leaves the outputs as they are."""
        return outputs

    def fit_head(
        self,
        ridge: "Tensor",
        centred: "Tensor",  # noqa: ARG002 - other kinds need it
        y: "Tensor",  # noqa: ARG002
        penalty: "Tensor",  # noqa: ARG002
    ) -> "Tensor":
        """Takes the ridge regression."""
        return ridge

    def residual(self, scores: "Tensor", y: "Tensor") -> "Tensor":
        """Gives the centred targets less the scores."""
        return y - y.mean() - scores


REGRESSION = Regression()
