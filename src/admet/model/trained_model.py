"""A trained model as its user holds it: molecules in, a table of predictions out."""

from collections.abc import Iterator, Mapping, Sequence
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
from admet.model.chemprop.predictor import Prediction, Predictor
from admet.model.chemprop.spec import PanelSpec
from admet.model.doubt.asked import NOTHING, Asked
from admet.model.doubt.doubt import Doubt

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
        doubt: What it knows of the errors of its predictions; None where nobody measured them.
        lacking: Whether members were left out, so that what is known of its errors does not hold.
    """

    predictor: "Predictor | CompositePredictor"
    history: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    interrupted: bool = False
    run_dir: Path | None = None
    doubt: Doubt | None = field(default=None, repr=False)
    lacking: bool = False

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
    def extra_inputs(self) -> tuple[str, ...]:
        """The frozen inputs that its networks read."""
        return self.predictor.extra_inputs

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
        intervals: float | None = None,
        nearest: bool = False,
        fast: bool = False,
    ) -> pd.DataFrame:
        """Predicts molecules as `admet predict` does: the same reading, the same numbers.

        Args:
            molecules: One SMILES, several, or a frame with a column of them.
            smiles_col: With a frame, the column of the SMILES; None takes the name that it had
                where the model was trained.
            structure_column: Name of a new column with the structure that was predicted, empty
                where there is none; None gives no such column.
            intervals: Share of new labels that intervals shall hold, as 0.8: adds `<task>_low` and
                `<task>_high`, or for a binary task `<task>_set`, the classes that cannot be ruled
                out. None adds none.
            nearest: Whether to add, for each task, the most similar molecule that it learnt from
                (`<task>_nearest`, its `<task>_similarity` and its `<task>_nearest_label`).
            fast: Whether a mixture leaves out its members that read pretrained inputs, which is
                faster and less exact. It gives no intervals then.

        Returns:
            The frame, or for SMILES a frame with them as its first column; a column `<task>_pred`
            for each task, NaN where a molecule cannot be predicted, what else is asked for, and a
            column `reason` that says why it cannot. The frame's rows, order and index are kept.
            `attrs["units"]` holds the unit of each column of predictions, empty where the table did
            not say.

        Raises:
            ConfigError: If `intervals` is no share, the model does not know its errors, or `fast`
                leaves no member.
            DataError: If the frame has no such column, `molecules` are none of these, or there is a
                `smiles_col` without a frame.
            NumericalError: If a prediction is not finite.
        """
        if fast:
            return self.faster().predict(
                molecules, smiles_col, structure_column=structure_column,
                intervals=intervals, nearest=nearest,
            )  # fmt: skip
        asked = Asked(intervals, nearest)
        self.check_asked(asked)
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
        wanted = structure_column is not None or bool(asked)
        parts = [
            (encoded, self.predict_encoded(encoded, asked))
            for encoded in map(self.encoder(with_structures=wanted), self._parts(cells))
        ]
        reasons = [reason for encoded, _ in parts for reason in encoded.reasons]
        structures = [text for encoded, _ in parts for text in encoded.structures or []]
        columns = {
            name: np.concatenate([*(own[name] for _, own in parts), empty])
            for name, empty in self.empty_columns(asked).items()
        }
        if structure_column is not None:
            frame = frame.copy(deep=False)
            frame[free_name(structure_column, frame.columns)] = structures
        found = append_columns(frame, columns, reasons)
        new = found.columns[len(frame.columns) :][: len(self.task_names)]
        found.attrs["units"] = dict(zip(new, self.spec.units, strict=True))
        return found

    def faster(self) -> "TrainedModel":
        """Gives it without the members that read pretrained inputs; see `without_pretrained`."""
        from admet.model.fast import without_pretrained  # noqa: PLC0415 - it reads this module

        return without_pretrained(self)

    def check_asked(self, asked: Asked) -> None:
        """Checks that what is asked for can be told.

        Raises:
            ConfigError: If it cannot.
        """
        if asked.intervals is not None and self.lacking:
            raise ConfigError(
                "`intervals` were measured with all members of the mixture, and `fast` leaves some "
                "of them out. Ask for one of the two."
            )
        if asked and self.doubt is None:
            where = "this model" if self.run_dir is None else str(self.run_dir)
            raise ConfigError(
                f"{where} does not hold what intervals and neighbours need: it was trained without "
                "a validation side or by an earlier version, or was imported. Train it anew, or "
                "ask for neither."
            )
        if asked.intervals is not None and self.doubt is not None:
            self.doubt.warn_of_few(asked.intervals)

    def empty_columns(self, asked: Asked) -> dict[str, np.ndarray]:
        """Gives the columns of no molecule: name → shape (0,), of the type of its cells."""
        none = np.empty((0, len(self.task_names)))
        found = {f"{name}_pred": none[:, 0] for name in self.task_names}
        if asked and self.doubt is not None:
            found |= self.doubt.columns(Prediction(none), [], asked)
        return found

    def predict_encoded(self, encoded: Encoded, asked: Asked = NOTHING) -> dict[str, np.ndarray]:
        """Predicts n cells.

        Args:
            encoded: What the cells became; with structures where something is asked for.
            asked: What is wanted beside the predictions.

        Returns:
            Name → shape (n,): `<task>_pred` for each task, then what is asked for; NaN or "" for
            cells without a molecule.
        """
        valid, n = encoded.valid, len(encoded.reasons)
        columns = self.empty_columns(asked)
        found = {
            name: np.full(n, "", dtype=object) if empty.dtype == object else np.full(n, np.nan)
            for name, empty in columns.items()
        }
        if encoded.arrays is None:
            return found
        prediction = self.predictor.predict_encoded(encoded)
        for name, values in zip(self.task_names, prediction.mean.T, strict=True):
            found[f"{name}_pred"][valid] = values
        if asked and self.doubt is not None:
            assert encoded.structures is not None  # noqa: S101 - the encoder was asked for them
            smiles = [encoded.structures[row] for row in valid]
            for name, own in self.doubt.columns(prediction, smiles, asked).items():
                found[name][valid] = own
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


def append_columns(
    frame: pd.DataFrame, columns: Mapping[str, Any], reasons: Sequence[str]
) -> pd.DataFrame:
    """Appends columns, and a column `reason`.

    Args:
        frame: n rows; it is not changed.
        columns: Name → n cells, as numbers or as text.
        reasons: For each row why it has no prediction, or "".

    Returns:
        A copy. A new column whose name is taken gets `_` at the end of its name.
    """
    frame = frame.copy(deep=False)
    for name, column in columns.items():
        frame[free_name(name, frame.columns)] = column
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
