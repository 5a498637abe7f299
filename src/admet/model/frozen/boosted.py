"""Boosted trees on frozen inputs, one model per task: LightGBM."""

from dataclasses import dataclass

import numpy as np

from admet.config.frozen import BoostedConfig
from admet.data import Panel
from admet.model.chemprop import TargetScaler

_FEWEST = 20  # LightGBM's least number of molecules in a leaf


@dataclass(frozen=True, eq=False)
class FittedTrees:
    """Trees of T tasks.

    Attributes:
        models: For each task LightGBM's own text of its model.
        targets: How outputs are turned into labels' units.
    """

    models: tuple[str, ...]
    targets: TargetScaler

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules from inputs of shape (n, d); scaled, shape (n, T)."""
        import lightgbm as lgb  # noqa: PLC0415 - slow to import

        found = [
            lgb.Booster(model_str=text).predict(inputs, raw_score=True, num_threads=1)
            for text in self.models
        ]
        return np.stack(found, axis=1)


def fit_trees(
    inputs: np.ndarray, panel: Panel, train: np.ndarray, config: BoostedConfig, seed: int
) -> FittedTrees:
    """Fits trees to each task; a limit counts as the value that it names.

    Source: Ke et al., NeurIPS 2017 (LightGBM).

    Args:
        inputs: Shape (n, d), of the panel's molecules; NaN where one is not defined.
        panel: n molecules and their labels.
        train: Rows to train on.
        config: The `boosted` section.
        seed: Seed of the samples of rows and columns.

    Returns:
        The trees.
    """
    import lightgbm as lgb  # noqa: PLC0415 - slow to import

    targets = TargetScaler.fit(panel.labels.values[train], panel.kinds, panel.transforms)
    Y = targets.scale_labels(panel.labels.values[train])
    models = []
    for y, kind in zip(Y.T, panel.kinds, strict=True):
        rows = ~np.isnan(y)
        settings = {
            "objective": "binary" if kind.name == "binary" else "regression",
            "learning_rate": config.learning_rate,
            "num_leaves": config.num_leaves,
            "bagging_fraction": 0.8,
            "bagging_freq": int(rows.sum() > 1),  # four fifths of one label are none
            "feature_fraction": config.column_share,
            "min_data_in_leaf": min(_FEWEST, max(1, int(rows.sum()) // 10)),
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "seed": seed,
            "verbosity": -1,
        }
        data = lgb.Dataset(inputs[train][rows], y[rows])
        models.append(lgb.train(settings, data, config.n_trees).model_to_string())
    return FittedTrees(tuple(models), targets)
