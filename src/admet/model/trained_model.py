"""A trained model as its user holds it: molecules in, a table of predictions out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from admet.data import require_columns, table_from_frame
from admet.errors import ConfigError, DataError
from admet.featurize.encode import Encoded, encode
from admet.files import free_name
from admet.model.chemprop.predictor import Predictor
from admet.model.chemprop.spec import PanelSpec

if TYPE_CHECKING:
    from admet.model.composite import CompositePredictor


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained model in memory; `admet.load` opens one, a training gives one.

    Attributes:
        predictor: What predicts: its networks, or the mixture of several models.
        history: Losses and rates, one row per network and epoch; empty for an opened model.
        interrupted: Whether the user stopped its training.
        run_dir: The folder that holds it; None for a model that is in memory only.
    """

    predictor: "Predictor | CompositePredictor"
    history: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    interrupted: bool = False
    run_dir: Path | None = None

    @property
    def spec(self) -> PanelSpec:
        """Its tasks, and what it is made of."""
        return self.predictor.spec

    @property
    def networks(self) -> Predictor:
        """Its networks on graphs.

        Raises:
            ConfigError: If it is a mixture of several models.
        """
        if not isinstance(self.predictor, Predictor):
            raise ConfigError("A mixture of models has no networks of its own; see its members.")
        return self.predictor

    @property
    def task_names(self) -> list[str]:
        """Names of its tasks, in the order of its predictions."""
        return self.spec.task_names

    def predict(
        self,
        molecules: str | Sequence[str] | np.ndarray | pd.Series | pd.DataFrame,
        smiles_col: str | None = None,
        *,
        structure_column: str | None = None,
    ) -> pd.DataFrame:
        """Predicts molecules as `admet predict` does: the same reading, the same numbers.

        Args:
            molecules: One SMILES, several, or a frame with a column of them.
            smiles_col: With a frame, the column of the SMILES; None takes the name that it had
                where the model was trained.
            structure_column: Name of a new column with the structure that was predicted, empty
                where there is none; None gives no such column.

        Returns:
            The frame, or for SMILES a frame with them as its first column; a column `<task>_pred`
            for each task, NaN where a molecule cannot be predicted, and a column `reason` that says
            why it cannot. The frame's rows, order and index are kept. `attrs["units"]` holds the
            unit of each column of predictions, empty where the table did not say.

        Raises:
            DataError: If the frame has no such column, `molecules` are none of these, or there is a
                `smiles_col` without a frame.
            NumericalError: If a prediction is not finite.
        """
        if isinstance(molecules, pd.DataFrame):
            column = smiles_col or self.spec.smiles_column
            table = table_from_frame(molecules)
            require_columns(table, [column], "SMILES")
            frame, cells = table.frame, table.frame[column].tolist()
        elif smiles_col is not None:
            raise DataError(
                f"`smiles_col` {smiles_col!r} names a column of a DataFrame; `molecules` is of "
                f"type {type(molecules).__name__}. Leave it out."
            )
        else:
            cells = _cells(molecules)
            index = molecules.index if isinstance(molecules, pd.Series) else None
            frame = pd.DataFrame({self.spec.smiles_column: cells}, index=index, dtype=object)
        values = np.full((len(cells), len(self.task_names)), np.nan)
        reasons: list[str] = []
        wanted = structure_column is not None
        structures: list[str] = []
        for encoded in map(self.encoder(with_structures=wanted), self._parts(cells)):
            if encoded.arrays is not None:
                rows = len(reasons) + encoded.valid
                values[rows] = self.predictor.predict_encoded(encoded).mean
            reasons += encoded.reasons
            structures += encoded.structures or []
        if structure_column is not None:
            frame = frame.copy(deep=False)
            frame[free_name(structure_column, frame.columns)] = structures
        found = append_predictions(frame, self.task_names, list(values.T), reasons)
        new = found.columns[len(frame.columns) : -1]
        found.attrs["units"] = dict(zip(new, self.spec.units, strict=True))
        return found

    def encoder(self, *, with_structures: bool = False) -> partial[Encoded]:
        """Gives a function that turns SMILES cells into batches for this model, in any process.

        Args:
            with_structures: Whether it gives the structures as SMILES, too.
        """
        return partial(
            encode,
            standardize=self.spec.standardize,
            depth=self.predictor.depth,
            undirected=self.predictor.undirected,
            identity=self.spec.duplicates,
            with_structures=with_structures or self.predictor.needs_structures,
        )

    def _parts(self, cells: list[Any]) -> Iterator[list[Any]]:
        size = self.predictor.batch_size
        return (cells[start : start + size] for start in range(0, len(cells), size))


def append_predictions(
    frame: pd.DataFrame,
    names: Sequence[str],
    columns: Sequence[Sequence[Any] | np.ndarray],
    reasons: Sequence[str],
) -> pd.DataFrame:
    """Appends a column `<task>_pred` for each task and a column `reason`.

    Args:
        frame: n rows; it is not changed.
        names: T names.
        columns: T columns of n predictions, as numbers or as text.
        reasons: For each row why it has no prediction, or "".

    Returns:
        A copy. A new column whose name is taken gets `_` at the end of its name.
    """
    frame = frame.copy(deep=False)
    for name, column in zip(names, columns, strict=True):
        frame[free_name(f"{name}_pred", frame.columns)] = column
    frame[free_name("reason", frame.columns)] = reasons
    return frame


def _cells(molecules: object) -> list[Any]:
    """Gives the SMILES cells of one or several molecules.

    Raises:
        DataError: If it is neither text nor a list of it.
    """
    if isinstance(molecules, str):
        return [molecules]
    if isinstance(molecules, list | tuple | pd.Series | pd.Index) or (
        isinstance(molecules, np.ndarray) and molecules.ndim == 1
    ):
        return list(molecules)
    raise DataError(
        "`molecules` must be a SMILES, a list of them, or a DataFrame with a column of them; got "
        f"{type(molecules).__name__}."
    )
