"""Writes a trained model as checkpoints that `chemprop predict` reads."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from admet.errors import ConfigError
from admet.exchange.parts import Part, parts_of, predictors_of
from admet.files import check_folder, explained, sha256_of, to_disk
from admet.model.chemprop.predictor import Predictor
from admet.model.trained_model import TrainedModel
from admet.run_directory import Files, load_model, write_json

_ABOUT = "export.json"
_SCHEMA = 1


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: The folder.
        paths: For each part what `chemprop predict --model-paths` takes: a file, or a folder of
            several whose predictions it averages.
        columns: For each part the names of its predictions.
        lost: What the run directory knows and these files do not, in sentences.
    """

    folder: Path
    paths: tuple[Path, ...]
    columns: tuple[tuple[str, ...], ...]
    lost: tuple[str, ...]


def export_run(
    run_dir: Path,
    folder: Path,
    *,
    member: str | None = None,
    learnt_scale: bool = False,
    overwrite: bool = False,
) -> Exported:
    """Writes a run directory as models of Chemprop, one file for each head and kind of task.

    Each file predicts what the run predicts, to 1e-5, of the SMILES that the run would predict: the
    canonical one of the standardised molecule. An ensemble becomes a folder of files in the place
    of each, which Chemprop averages. Everything is checked before anything is written, and the
    folder appears whole or not at all.

    Args:
        run_dir: The run directory.
        folder: The folder to write.
        member: Of a mixture of models, the arm whose networks are written.
        learnt_scale: Whether tasks with a transform are written on the scale that was learnt.
        overwrite: Whether the folder of an earlier export may be replaced.

    Returns:
        What was written.

    Raises:
        RunDirectoryError: If the run directory is damaged.
        ConfigError: If Chemprop has no counterpart of a part of the model, or the folder must not
            be replaced.
        NumericalError: If a file would predict something else.
    """
    _check_free(folder, run_dir, overwrite=overwrite)
    model = load_model(run_dir)
    predictors = predictors_of(model, member)
    parts = parts_of(predictors[0].spec, learnt_scale=learnt_scale)
    files = {
        _path(part, i, predictors): (p, part) for part in parts for i, p in enumerate(predictors)
    }
    from chemprop.models import save_model  # noqa: PLC0415 - takes a second

    from admet.exchange.to_chemprop import as_chemprop  # noqa: PLC0415

    built = {path: as_chemprop(predictor, part) for path, (predictor, part) in files.items()}
    lost = _lost(model, parts)
    with _whole(folder) as partial:
        for path, chemprop in built.items():
            (partial / path).parent.mkdir(exist_ok=True)
            save_model(partial / path, chemprop, list(files[path][1].columns))
            to_disk(partial / path)
        write_json(partial / _ABOUT, _about(run_dir, model, files, lost, member))
    paths = [
        folder / part.name if len(predictors) > 1 else folder / f"{part.name}.pt" for part in parts
    ]
    return Exported(folder, tuple(paths), tuple(part.columns for part in parts), lost)


def _path(part: Part, index: int, predictors: list[Predictor]) -> Path:
    """Gives the place of a file in the folder."""
    if len(predictors) == 1:
        return Path(f"{part.name}.pt")
    return Path(part.name) / f"model_{index + 1}.pt"


def _lost(model: TrainedModel, parts: list[Part]) -> tuple[str, ...]:
    """Says what the files do not hold."""
    spec = model.spec
    found = []
    if spec.standardize:
        found.append(
            "Chemprop predicts a SMILES as it stands: give it standardised molecules, as `admet "
            "predict --structure-column` writes them"
        )
    else:
        found.append(
            "Chemprop predicts a SMILES as it stands: of molecules with stereo marks, give it the "
            "canonical SMILES, as `admet predict --structure-column` writes them"
        )
    if model.doubt is not None:
        found.append("intervals and nearest molecules are not in these files")
    units = [f"{task.name} in {task.unit}" for part in parts for task in part.tasks if task.unit]
    if units:
        found.append(f"units are not in these files: {', '.join(units)}")
    return tuple(found)


def _about(
    run_dir: Path,
    model: TrainedModel,
    files: dict[Path, tuple[Predictor, Part]],
    lost: tuple[str, ...],
    member: str | None,
) -> dict[str, Any]:
    """Gives what `export.json` holds."""
    return {
        "schema_version": _SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "chemprop": version("chemprop"),
        "run": {"name": run_dir.resolve().name, "sha256": sha256_of(run_dir / Files.WEIGHTS)},
        "member": member,
        "smiles_column": model.spec.smiles_column,
        "standardize": model.spec.standardize,
        "files": [
            {
                "file": path.as_posix(),
                "tasks": [task.name for task in part.tasks],
                "kind": part.kind,
                "columns": list(part.columns),
                "units": [task.unit for task in part.tasks],
                "transforms": [task.transform for task in part.tasks],
            }
            for path, (_, part) in files.items()
        ],
        "not_in_these_files": list(lost),
    }


def _check_free(folder: Path, run_dir: Path, *, overwrite: bool) -> None:
    """Checks that the folder can be written, and replaces nothing but an earlier export.

    Raises:
        ConfigError: If not.
    """
    if not folder.name:
        raise ConfigError(f"`output` {str(folder)!r} has no name. Name a folder.")
    check_folder(folder.absolute().parent, "output")
    if folder.resolve() == run_dir.resolve() or run_dir.resolve() in folder.resolve().parents:
        raise ConfigError(f"`output` {str(folder)!r} lies in the run directory. Name another.")
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise ConfigError(f"`output` {str(folder)!r} is a file. Name a folder.")
    if any(folder.iterdir()) and not overwrite:
        raise ConfigError(
            f"`output` {str(folder)!r} exists and is not empty. Name another, or add --overwrite "
            "to replace an earlier export."
        )
    if any(folder.iterdir()) and not (folder / _ABOUT).is_file():
        raise ConfigError(
            f"`output` {str(folder)!r} is no earlier export (it has no {_ABOUT}), so --overwrite "
            "will not delete it. Name another folder."
        )


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """Gives a sibling to write to, which takes the folder's name once the context ends well."""
    folder = folder.resolve()
    partial = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    with explained(folder):
        partial.mkdir(parents=True)
        try:
            yield partial
            if folder.exists():
                folder.rename(old)
            partial.rename(folder)
        finally:
            if old.exists() and not folder.exists():
                old.rename(folder)
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
