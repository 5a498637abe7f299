"""What can be answered before anything heavy is imported: names of files, columns and tasks."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from admet.config import (
    AffinityCommand,
    CompareCommand,
    DataConfig,
    EvaluateCommand,
    InspectCommand,
    LabelReading,
    PredictCommand,
    ReportCommand,
    TableReading,
    TrainCommand,
    warn_of_idle_keys,
)
from admet.config.base import Section
from admet.config.commands import ShowCommand
from admet.config.exchange import ExportCommand, ImportCommand
from admet.config.root import TrainConfig
from admet.config.serve import ServeCommand
from admet.config.study import StudyCommand
from admet.config.targets import check_groups, check_n_groups, check_tasks, check_weights
from admet.config.tune import TuneCommand
from admet.errors import ConfigError, DataError, RunDirectoryError, near_names
from admet.files import PICTURES, check_output
from admet.headers import Column, check_columns, check_panel

_MODEL, STUDY = "model.json", "study.json"


def check_early(command: Section) -> None:
    """Checks the names in a command line, so that a mistyped one is answered at once.

    Raises:
        AdmetError: As the command itself, later.
    """
    for kind, check in _CHECKS.items():
        if isinstance(command, kind):
            check(command)


def _training(command: TrainConfig) -> None:
    if command.data.target_columns and command.data.names_its_targets:
        check_tasks(command, command.data.target_columns)
    start, earlier = command.model.init_from, command.data.split_from
    if start is not None and not start.is_file():
        raise ConfigError(f"`model.init_from` {_absent(start)}")
    if earlier is not None and not earlier.is_dir():
        raise RunDirectoryError(f"`data.split_from` {_absent(earlier)}")
    check_panel(command.data_path, command.data)


def _train(command: TrainCommand) -> None:
    # A run that is repeated names its table in its own words; one that goes on may have ended.
    if command.repeat is None and not command.resume:
        _training(command)


def _study(command: StudyCommand) -> None:
    weights, data = command.study.frozen_mlp.task_weights, command.data
    if data.target_columns and data.names_its_targets:
        check_weights("study.frozen_mlp.task_weights", weights, data.target_columns)
        if command.study.groups is not None:
            check_groups("study.groups", command.study.groups, data.target_columns)
    _training(command)


def _affinity(command: AffinityCommand) -> None:
    check_output(command.save_path, "save_path", {".npz"})
    for key in ("plot_heatmap", "plot_clustered"):
        picture = getattr(command, key)
        if picture is not None:
            check_output(picture, key, PICTURES)
    if command.target_columns and command.names_its_targets:
        check_n_groups(command.n_groups, len(command.target_columns))
    check_panel(command.data_path, command)


def _inspect(command: InspectCommand) -> None:
    # It finds a column of SMILES itself unless one is named, and shows targets without the missing.
    named = command.smiles_column != DataConfig().smiles_column
    smiles = [Column(command.smiles_column, "SMILES")] if named else []
    check_columns(command.data_path, smiles, command)
    targets = [Column(name, "Target") for name in command.target_columns]
    if targets and all(map(partial(_lacks, command), targets)):
        check_columns(command.data_path, targets, command)


def _lacks(command: InspectCommand, column: Column) -> bool:
    try:
        check_columns(command.data_path, [column], command)
    except DataError:
        return True
    return False


def _predict(command: PredictCommand) -> None:
    _output(command.output, structures=True)
    spec = _spec_of(command.model_dir)
    reading = command.only(TableReading)
    check_columns(command.data_path, _smiles(command.smiles_column, [spec]), reading)


def _evaluate(command: EvaluateCommand) -> None:
    _output(command.output)
    spec = _spec_of(command.model_dir)
    wanted = _smiles(command.smiles_column, [spec])
    if command.id_column is not None:
        wanted.append(Column(command.id_column, "Identifier"))
    check_columns(command.data_path, wanted, command.only(LabelReading))


def _serve(command: ExportCommand | ServeCommand) -> None:
    _spec_of(command.model_dir)


def _import(command: ImportCommand) -> None:
    for path in command.model_files:
        if not path.exists():
            raise ConfigError(f"`model_files`: {_absent(path)}")


def _show(command: ShowCommand) -> None:
    _found(command.run_dir)


def _report(command: ReportCommand) -> None:
    _found(command.run)


def _found(folder: Path) -> None:
    """Checks that a folder may hold a model or a study, before anything heavy is imported.

    Raises:
        RunDirectoryError: Says what is there instead, and what to do.
    """
    part = folder.absolute().with_name(f".{folder.absolute().name}.part")
    if not folder.exists() and part.is_dir():
        raise RunDirectoryError(
            f"The training of {str(folder)!r} has not ended: what it has so far stands in "
            f"{part.name!r} beside it. `admet train --resume` goes on with it."
        )
    if not folder.exists():
        raise RunDirectoryError(f"Run directory {_absent(folder)}")
    if not folder.is_dir():
        raise RunDirectoryError(f"{str(folder)!r} is a file. Name the folder of a run or a study.")
    if not (folder / STUDY).exists() and not (folder / _MODEL).exists():
        raise RunDirectoryError(
            f"{str(folder)!r} is neither a run directory nor a study: it has no {_MODEL} and no "
            f"{STUDY}. Name a folder that `admet train` or `admet study` wrote."
        )


def _compare(command: CompareCommand) -> None:
    wrong = bool(command.model_dirs) == bool(command.result_files)
    few = len(command.model_dirs) + len(command.result_files) < 2
    if wrong or few or bool(command.model_dirs) != (command.test_data is not None):
        return  # the command says what it needs
    _output(command.output)
    for path in command.result_files:
        if not path.is_file() and command.split == "all":
            warn_of_idle_keys(command.idle_keys())
            raise RunDirectoryError(f"{_absent(path)} Check the path.")
    if command.test_data is None:
        return
    specs = [_spec_of(folder) for folder in command.model_dirs]
    wanted = _smiles(command.smiles_column, specs)
    check_columns(command.test_data, wanted, command.only(LabelReading))


_CHECKS: dict[type[Section], Callable[[Any], None]] = {
    TrainCommand: _train,
    StudyCommand: _study,
    AffinityCommand: _affinity,
    InspectCommand: _inspect,
    PredictCommand: _predict,
    EvaluateCommand: _evaluate,
    CompareCommand: _compare,
    TuneCommand: _training,
    ExportCommand: _serve,
    ImportCommand: _import,
    ServeCommand: _serve,
    ShowCommand: _show,
    ReportCommand: _report,
}


def _output(path: Path | None, *, structures: bool = False) -> None:
    if path is None:
        return
    check_output(path, "output")
    if path.suffix.lower() != ".csv":  # what takes another name is known only with pandas
        from admet.table_files import check_table

        check_table(path, "output", structures=structures)


def _spec_of(folder: Path) -> dict[str, Any]:
    """Reads what a run directory says of its model, without a check; empty where it is damaged.

    Raises:
        RunDirectoryError: If there is no such folder, or it holds no model.
    """
    if not folder.is_dir():
        raise RunDirectoryError(f"Run directory {_absent(folder)} Check --model-dir.")
    path = folder / _MODEL
    if not path.exists():
        raise RunDirectoryError(
            f"{str(folder)!r} is not a run directory: it has no {_MODEL}. Name a folder that "
            "`admet train` wrote."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _smiles(given: str | None, specs: Sequence[dict[str, Any]]) -> list[Column]:
    """Gives the columns with the SMILES that models will read."""
    named = [given] if given is not None else [spec.get("smiles_column") for spec in specs]
    return [Column(name, "SMILES") for name in dict.fromkeys(named) if isinstance(name, str)]


def _absent(path: Path) -> str:
    """Says that a path does not exist, and what is there with a name like it."""
    try:
        beside = [p.name for p in path.absolute().parent.iterdir() if not p.name.startswith(".")]
    except OSError:
        beside = []
    hint = near_names(path.name, beside) if beside else ""
    near = f" {hint}" if hint.startswith("Nearest") else ""
    return f"{str(path)!r} does not exist.{near}"
