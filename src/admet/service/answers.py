"""What a process that predicts gives back: JSON of molecules, drawings, whole files."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from admet.config.reading import TableReading
from admet.errors import DataError
from admet.featurize.drawing import svg_of
from admet.inference import predict_table
from admet.model.chemprop.device import resolve_device
from admet.model.doubt.asked import Asked
from admet.model.trained_model import TrainedModel
from admet.run_directory import load_model
from admet.service.unpacked import check_unpacked
from admet.workers import WorkerPool

Send = Callable[[dict[str, Any]], None]

_PICTURE = 220, 150  # pixels of a molecule
_PREVIEW = 200  # rows of a file whose molecules the page shows
_CELL = 100  # bytes that a cell of the result may take, on average, beyond the file's own
_STANDARD_DEVIATIONS = 2.0  # of the training labels, where a colour is at its end


@dataclass(frozen=True)
class Answers:
    """A model and the processes that read molecules for it."""

    model: TrainedModel
    pool: WorkerPool

    @classmethod
    def open(cls, given: dict[str, Any], pool: WorkerPool) -> Self:
        """Opens the model.

        Raises:
            AdmetError: If it cannot be opened.
        """
        torch.set_num_threads(given["threads"])
        device = resolve_device(given["device"])
        model = load_model(Path(given["model_dir"]), device, given["batch_size"])
        model = model.faster() if given["fast"] else model
        from rdkit import RDLogger  # noqa: PLC0415 - what it would print holds callers' text

        RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
        answers = cls(model, pool)
        level = 0.8 if answers.knows_errors else None
        answers.predict([["CCO"]], level, nearest=model.doubt is not None)
        return answers

    @property
    def knows_errors(self) -> bool:
        """Whether it gives intervals."""
        return self.model.doubt is not None and not self.model.lacking

    def about(self) -> dict[str, Any]:
        """Describes the model: its endpoints, and what it can tell beside predictions."""
        model = self.model
        return {
            "endpoints": [
                {"name": task.name, "unit": task.unit, "kind": task.kind}
                for task in model.spec.tasks
            ],
            "smiles_column": model.spec.smiles_column,
            "intervals": self.knows_errors,
            "training_molecules": len(model.doubt.neighbours.smiles) if model.doubt else None,
        }

    def do(self, request: dict[str, Any], send: Send) -> tuple[dict[str, Any], list[bytes]]:
        """Answers one request.

        Raises:
            AdmetError: If it cannot be answered as it stands.
        """
        if request["op"] == "nothing":
            return {}, []
        if request["op"] == "molecules":
            return {}, self._questions(request["questions"])
        return self._file(request, send), []

    def _questions(self, questions: list[dict[str, Any]]) -> list[bytes]:
        """Answers what is asked of molecules; questions of one kind are answered together."""
        kinds: dict[tuple[str, float | None, bool, bool], list[int]] = {}
        for place, own in enumerate(questions):
            kind = own["op"], own["intervals"], own["nearest"], own["structures"]
            kinds.setdefault(kind, []).append(place)
        found = [b""] * len(questions)
        for (op, intervals, nearest, structures), places in kinds.items():
            groups = [questions[place]["smiles"] for place in places]
            if op == "draw":
                drawn = ([svg_of(text, *_PICTURE) for text in own] for own in groups)
                parts = [_dumped({"drawings": own}) for own in drawn]
            else:
                parts = self.predict(groups, intervals, nearest=nearest, structures=structures)
            for place, part in zip(places, parts, strict=True):
                found[place] = part
        return found

    def predict(
        self,
        groups: Sequence[list[str]],
        intervals: float | None,
        *,
        nearest: bool,
        structures: bool = False,
    ) -> list[bytes]:
        """Predicts the molecules of several requests at once.

        Args:
            groups: The SMILES of each request.
            intervals: Share of new labels that intervals shall hold; None for none.
            nearest: Whether the nearest training molecules are wanted.
            structures: Whether the structures that are predicted are wanted.

        Returns:
            For each request the JSON of its answer.

        Raises:
            ConfigError: If the model does not know what is asked for.
        """
        asked = Asked(intervals, nearest)
        self.model.check_asked(asked)
        cells = [cell for group in groups for cell in group]
        # Structures take as long as the prediction itself, so they are made where they are needed.
        encode = self.model.encoder(with_structures=structures or bool(asked))
        molecules: list[dict[str, Any]] = []
        size = self.model.predictor.batch_size
        for start in range(0, len(cells), size):
            own = cells[start : start + size]
            encoded = encode(own)
            found = self.model.predict_encoded(encoded, asked)
            nothing: list[str | None] = [None] * len(own)
            shown = [*(encoded.structures or ())] if structures else nothing
            molecules += self._molecules(own, shown, encoded.reasons, found)
        about = self.about()["endpoints"]
        parts, start = [], 0
        for group in groups:
            end = start + len(group)
            parts.append(_dumped({"endpoints": about, "molecules": molecules[start:end]}))
            start = end
        return parts

    def _molecules(
        self,
        cells: Sequence[str],
        structures: Sequence[str | None],
        reasons: Sequence[str],
        found: dict[str, np.ndarray],
    ) -> list[dict[str, Any]]:
        by_task = [self._values(place, found) for place in range(len(self.model.task_names))]
        return [
            {
                "smiles": cell,
                **({} if structure is None else {"structure": structure}),
                "reason": reason,
                "values": [] if reason else [own[row] for own in by_task],
            }
            for row, (cell, structure, reason) in enumerate(
                zip(cells, structures, reasons, strict=True)
            )
        ]

    def _values(self, place: int, found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
        """Gives what is said of n molecules and one task."""
        name = self.model.task_names[place]
        keys = {"pred": "value", "low": "low", "high": "high", "set": "classes",
                "nearest": "nearest", "similarity": "similarity", "nearest_label": "nearest_label",
                }  # fmt: skip
        columns = {
            key: _plain(found[f"{name}_{suffix}"])
            for suffix, key in keys.items()
            if f"{name}_{suffix}" in found
        }
        columns["level"] = _plain(self._levels(place, found[f"{name}_pred"]))
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _levels(self, place: int, values: np.ndarray) -> np.ndarray:
        """Places n predictions among the training labels, −1 … 1, for colours."""
        task = self.model.spec.tasks[place]
        if not self.model.spec.kinds[place].scaled:
            return np.round(2 * values - 1, 3)
        with np.errstate(all="ignore"):
            learnt = self.model.spec.transforms[place].apply(values)
            level = (learnt - task.mean) / task.scale / _STANDARD_DEVIATIONS
        return np.round(np.clip(level, -1, 1), 3)

    def _file(self, request: dict[str, Any], send: Send) -> dict[str, Any]:
        """Predicts a file; see `predict_table`."""
        source, output = Path(request["input"]), Path(request["output"])
        check_unpacked(source, request["unpacked_bytes"])
        column = request["smiles_column"] or self.model.spec.smiles_column
        preview: list[str] = []
        done = 0

        def watch(n_rows: int, part: pd.DataFrame) -> None:
            nonlocal done
            if n_rows > request["max_rows"]:
                raise DataError(
                    f"The table has {n_rows:,} rows; this server takes {request['max_rows']:,}. "
                    "Split it, or predict it with `admet predict`."
                )
            if len(preview) < _PREVIEW:
                cells = part[column].head(_PREVIEW - len(preview))
                preview.extend("" if cell is None else str(cell)[:2000] for cell in cells)
            done += len(part)
            _check_growth(output, 2 * request["unpacked_bytes"] + _CELL * done * part.shape[1])
            send({"progress": done, "rows": n_rows})

        n_empty = predict_table(
            self.model,
            source,
            output,
            column,
            structure_column=request["structure_column"],
            overwrite=True,
            pool=self.pool,
            reading=TableReading(**request["reading"]),
            asked=Asked(request["intervals"], request["nearest"]),
            watch=watch,
        )
        return {"rows": done, "without_prediction": n_empty, "preview": preview}


def _check_growth(output: Path, most: int) -> None:
    """Stops a result that fills the disk, as one of a few long cells that a file repeats.

    Raises:
        DataError: If the folder of the result holds more.
    """
    if sum(path.stat().st_size for path in output.parent.iterdir()) > most:
        raise DataError(
            f"The result takes more than {most / 2**20:,.0f} MiB: the file repeats long cells. "
            "Leave out columns, or predict it with `admet predict`."
        )


@lru_cache(maxsize=1)
def _encoder() -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _dumped(content: dict[str, Any]) -> bytes:
    return _encoder().encode(content).encode("utf-8", errors="backslashreplace")


def _plain(column: np.ndarray) -> list[Any]:
    """Gives cells as JSON has them: numbers of six digits, None for NaN."""
    if column.dtype == object:
        return list(column)
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in column.tolist()]
