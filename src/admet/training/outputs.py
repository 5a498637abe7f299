"""The files of a run, except its weights and `run.json`."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from admet.config import TrainConfig, dump_yaml_config
from admet.data import Labels, Panel, Split, notes_frame, rejected_frame, structures_frame
from admet.errors import DataError, RunDirectoryError
from admet.evaluation import Predicted, Scores, remarks, score_tasks
from admet.evaluation.predicted import signs
from admet.featurize import PackedGraphs
from admet.files import free_name
from admet.model.chemprop.spec import PanelSpec
from admet.model.trained_model import TrainedModel
from admet.run_directory import Files, read_json, write_json
from admet.table_files import write_table
from admet.training.extra_inputs import molecules_of

log = logging.getLogger(__name__)

_SIDES = ("val", "test")


def write_tests(
    folder: Path,
    model: TrainedModel,
    panel: Panel,
    split: Split,
    graphs: PackedGraphs,
    inputs: np.ndarray | None = None,
) -> dict[str, Scores]:
    """Scores the validation and the test side, and keeps the test predictions.

    Args:
        folder: Where they are written.
        model: The model.
        panel: n molecules and their labels.
        split: The sides.
        graphs: Their graphs.
        inputs: Their extra inputs, shape (n, d), for a model that reads some.

    Returns:
        The scores of each side that has molecules.
    """
    names = model.spec.task_names
    columns = [panel.task_names.index(name) for name in names]
    scores: dict[str, Scores] = {}
    for side, rows in zip(_SIDES, (split.val, split.test), strict=True):
        if not len(rows):
            continue
        labels = panel.labels.subset(rows).columns(columns)
        molecules = molecules_of(panel.smiles, graphs, model.extra_inputs, inputs, rows)
        predictions = model.predictor.predict_molecules(molecules).mean
        scores[side] = score_tasks(
            labels.values,
            predictions,
            names,
            [kind.name for kind in model.spec.kinds],
            limits=labels.limits,
            scales=model.spec.scales,
            units=model.spec.units,
            n_bootstrap=1000 if side == "test" else 0,  # intervals only where they are read
        )
        if side == "test":
            for line in remarks(scores[side]):
                log.warning("Test side: %s", line)
            frame = _test_frame(panel.subset(rows), names, labels, predictions)
            write_table(folder / Files.PREDICTIONS, frame)
    write_json(folder / Files.METRICS, {name: side.to_json() for name, side in scores.items()})
    return scores


def _test_frame(
    panel: Panel, names: list[str], labels: Labels, predictions: np.ndarray
) -> pd.DataFrame:
    """Gives labels, limits and predictions of n tested molecules, all columns at once."""
    columns: dict[str, Any] = {} if panel.ids is None else {"id": panel.ids}
    columns["smiles"] = panel.smiles
    for index, name in enumerate(names):
        columns[free_name(name, columns)] = labels.values[:, index]
        if labels.limits is not None and labels.limits[:, index].any():
            columns[free_name(f"{name}_limit", columns)] = signs(labels.limits[:, index])
        columns[free_name(f"{name}_pred", columns)] = predictions[:, index]
    return pd.DataFrame(columns)


def read_test(folder: Path) -> Scores | None:
    """Reads the scores of the test side that `write_tests` kept; None where there is no such side.

    Raises:
        RunDirectoryError: If the file is missing, is not JSON, or holds something else.
    """
    return read_scores(folder).get("test")


def read_scores(folder: Path) -> dict[str, Scores]:
    """Reads the scores of each side that `write_tests` kept.

    Raises:
        RunDirectoryError: If the file is missing, is not JSON, or holds something else.
    """
    path = folder / Files.METRICS
    content = read_json(path)
    try:
        if not isinstance(content, dict):
            raise DataError("it holds no object.")
        return {side: Scores.from_json(content[side]) for side in _SIDES if side in content}
    except DataError as error:
        raise RunDirectoryError(
            f"{str(path)!r} is damaged: {error} Test the model with `admet evaluate`."
        ) from None


def read_predicted(folder: Path, spec: PanelSpec) -> Predicted:
    """Reads the labels and predictions of the test side that `write_tests` kept.

    Args:
        folder: The run directory.
        spec: Its model, whose tasks the columns are those of, in their order.

    Raises:
        RunDirectoryError: If the file is missing or holds something else.
    """
    path = folder / Files.PREDICTIONS
    try:
        frame = pd.read_csv(path, dtype={"id": str, "smiles": str}, low_memory=False)
        columns = {str(name): column for name, column in frame.items()}
        named = list(columns)
        ids = columns[named.pop(0)].fillna("").tolist() if named[0] != "smiles" else None
        smiles = columns[named.pop(0)].tolist()
        labels, predictions = np.full((2, len(frame), len(spec.tasks)), np.nan)
        limits = np.zeros(labels.shape, np.int8)
        for place in range(len(spec.tasks)):  # by place: names may have got signs at their ends
            labels[:, place] = columns[named.pop(0)]
            if named[0].rstrip("_").endswith("_limit"):
                limits[:, place] = columns[named.pop(0)].map({">": 1, "<": -1}).fillna(0)
            predictions[:, place] = columns[named.pop(0)]
        if named:
            raise ValueError(f"column {named[0]!r} belongs to no task")
    except (OSError, ValueError, LookupError) as error:
        raise RunDirectoryError(
            f"{str(path)!r} is missing or damaged: {str(error).splitlines()[0].rstrip('.')}. Copy "
            "the run directory again."
        ) from None
    return Predicted(
        smiles, {task.name: task.kind for task in spec.tasks}, labels, predictions,
        limits if limits.any() else None, ids, dict(zip(spec.task_names, spec.units, strict=True)),
    )  # fmt: skip


def write_records(folder: Path, panel: Panel) -> None:
    """Writes what became of records: those left out, and those changed or merged."""
    write_table(folder / Files.REJECTED, rejected_frame(panel))
    changes = structures_frame(panel.structures, panel.unit, panel.ids is not None)
    write_table(folder / Files.STRUCTURES, changes)
    if panel.notes:
        write_table(folder / Files.LABELS, notes_frame(panel))


def write_split(folder: Path, panel: Panel, split: Split) -> None:
    """Keeps the side of every molecule."""
    frame = pd.DataFrame({panel.unit: panel.lines, "smiles": panel.smiles, "split": split.names()})
    if panel.ids is not None:
        frame.insert(1, "id", panel.ids)
    write_table(folder / Files.SPLIT, frame)


def write_config(path: Path, config: TrainConfig) -> None:
    """Keeps the configuration without what only the command line has."""
    path.write_text(dump_yaml_config(config.only(TrainConfig)), encoding="utf-8")


class _LogFile(logging.FileHandler):
    """A log file for which a full disk is an error of the run, not only a printed traceback."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base's name
        """Raises what the disk said."""
        if isinstance(sys.exc_info()[1], OSError):
            raise  # noqa: PLE0704 - called while the error is being handled
        super().handleError(record)


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Writes the log of the package to a file while the context lasts."""
    try:
        handler = _LogFile(path, encoding="utf-8")
    except OSError as error:
        raise RunDirectoryError(f"{str(path)!r} cannot be written: {error}.") from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("admet")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()
