"""Makes a run directory of models that Chemprop has trained."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import admet
from admet.config.data import LabelRules
from admet.errors import ConfigError
from admet.exchange.recipe import check_recipe
from admet.model.chemprop.chemprop_model import ChempropModel
from admet.model.chemprop.plan import NetworkPlan, Plan
from admet.model.chemprop.predictor import Predictor, build_networks
from admet.model.chemprop.spec import ModelSpec, TaskSpec
from admet.model.trained_model import TrainedModel
from admet.run_directory import Files, RunDirectoryWriter, load_model, write_json, write_model
from admet.table_files import write_table
from admet.training.ensemble import mean_of

log = logging.getLogger(__name__)

_ENDINGS = (".pt", ".ckpt")


def import_chemprop(
    model_files: Sequence[Path],
    save_dir: Path,
    *,
    target_columns: Sequence[str] = (),
    smiles_column: str = "SMILES",
    standardize: bool = False,
    overwrite: bool = False,
) -> TrainedModel:
    """Makes a run directory of models of Chemprop v2; everything is checked before it is written.

    Files of the same columns are models whose predictions are averaged. Files of other columns
    become networks of their own; of each set of columns there must be as many files.

    Args:
        model_files: Files (`.pt`, `.ckpt`), or folders, of which all `.pt` files are taken.
        save_dir: The run directory.
        target_columns: Names of the outputs; none takes those of the files. `pred_0`, `pred_1`, …
            are those of a file that has none, as `chemprop predict` calls them.
        smiles_column: The column with the SMILES in tables to predict, where none is named.
        standardize: Whether molecules are standardised before they are predicted.
        overwrite: Whether a run directory that is there may be replaced.

    Returns:
        The model, opened from the run directory.

    Raises:
        ConfigError: If a file cannot be used, or the files do not make one model.
        RunDirectoryError: If the run directory must not be replaced.
    """
    writer = RunDirectoryWriter(save_dir, overwrite=overwrite)
    paths = _paths(model_files)
    for path in paths:
        check_recipe(path)
    read = [_named(ChempropModel.read(path), target_columns) for path in paths]
    models = [_model(own, smiles_column, standardize=standardize) for own in _sets(read)]
    if len(models) == 1:
        model = models[0]
    else:
        model = TrainedModel(mean_of(models, models[0].networks.spec.plan))
    with writer:
        write_model(writer.path, model)
        none = pd.DataFrame({"record": [], "smiles": [], "split": []}, dtype=str)
        write_table(writer.path / Files.SPLIT, none)
        write_json(writer.path / Files.RUN, _about(read))
    return load_model(save_dir)


def _paths(model_files: Sequence[Path]) -> list[Path]:
    """Lists the files, those of folders in the order of their names.

    Raises:
        ConfigError: If there is none, or one has another ending.
    """
    found: list[Path] = []
    for path in model_files:
        own = sorted(path.rglob("*.pt")) if path.is_dir() else [path]
        if not own:
            raise ConfigError(f"Folder {str(path)!r} holds no .pt file. Name a file.")
        if not path.is_dir() and path.suffix not in _ENDINGS:
            raise ConfigError(
                f"`model_files` must end in {' or '.join(_ENDINGS)}; got {str(path)!r}. Name a "
                "model of Chemprop v2."
            )
        found += own
    if twice := [p for i, p in enumerate(found) if p.resolve() in {q.resolve() for q in found[:i]}]:
        raise ConfigError(f"`model_files` names {str(twice[0])!r} twice. Name it once.")
    return found


def _named(model: ChempropModel, target_columns: Sequence[str]) -> ChempropModel:
    """Gives a model with names of its outputs.

    Raises:
        ConfigError: If there are not as many names as outputs, or one stands twice or is empty.
    """
    n = model.n_outputs
    names = tuple(target_columns) or model.outputs or tuple(f"pred_{i}" for i in range(n))
    if len(names) != n:
        raise ConfigError(
            f"`target_columns` must name the {n} outputs of {str(model.path)!r}; got {len(names)} "
            "names."
        )
    if len(set(names)) < n or not all(names):
        raise ConfigError(
            f"The columns of {str(model.path)!r} must have names, each another one; got "
            f"{', '.join(map(repr, names[:5]))}. Name them by `target_columns`."
        )
    return replace(model, outputs=names)


def _sets(read: Sequence[ChempropModel]) -> list[list[ChempropModel]]:
    """Divides files among whole models: one file for each set of columns in every model.

    Raises:
        ConfigError: If they do not make such models.
    """
    by_columns: dict[tuple[str, ...], list[ChempropModel]] = {}
    for own in read:
        by_columns.setdefault(own.outputs, []).append(own)
    counts = {columns: len(own) for columns, own in by_columns.items()}
    if len(set(counts.values())) > 1:
        shown = "; ".join(f"{n} of {', '.join(columns)}" for columns, n in counts.items())
        raise ConfigError(
            f"Of each set of columns there must be as many files; got {shown}. Import them apart."
        )
    names = list(chain.from_iterable(by_columns))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"Two networks predict {twice[0]!r}, but not the same columns. Import them apart."
        )
    first = read[0]
    for own in read:
        if own.shape != first.shape:
            raise ConfigError(
                f"Files of one model must have networks of the same shape; {str(own.path)!r} and "
                f"{str(first.path)!r} differ. Import them apart."
            )
        if own.kind != by_columns[own.outputs][0].kind:
            raise ConfigError(
                f"{str(own.path)!r} predicts {own.kind} of columns that another file predicts as "
                f"{by_columns[own.outputs][0].kind}. Import them apart."
            )
    return [list(own) for own in zip(*by_columns.values(), strict=True)]


def _model(
    parts: Sequence[ChempropModel], smiles_column: str, *, standardize: bool
) -> TrainedModel:
    """Makes a model of files of different columns, a network each."""
    names = [name for own in parts for name in own.outputs]
    alone = "single_task" if len(names) == 1 else "multi_task"
    plan = Plan(
        arm=alone if len(parts) == 1 else "manual_groups",
        networks=tuple(NetworkPlan.together(own.outputs) for own in parts),
    )
    spec = ModelSpec(
        smiles_column=smiles_column,
        standardize=standardize,
        tasks=tuple(chain.from_iterable(map(_tasks, parts))),
        plan=plan,
        model=parts[0].shape,
        d_v=parts[0].d_v,
        d_e=parts[0].d_e,
    )
    with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it is
        networks = build_networks(spec)
    for network, own in zip(networks, parts, strict=True):
        network.load_state_dict(own.weights)
    predictor = Predictor(spec, networks)
    _try_out(predictor, parts)
    return TrainedModel(predictor)


def _tasks(model: ChempropModel) -> list[TaskSpec]:
    """Describes the tasks of a file."""
    return [
        TaskSpec(name=name, kind=model.kind, mean=mean, scale=scale, labels=LabelRules())
        for name, mean, scale in zip(model.outputs, model.mean, model.scale, strict=True)
    ]


def _try_out(predictor: Predictor, parts: Sequence[ChempropModel]) -> None:
    """Predicts a molecule, so that weights that overflow are found now.

    Raises:
        NumericalError: If the prediction is not finite.
    """
    predictor.predict_smiles(np.array(["CCO"], dtype=object))
    log.info("Imported %s", ", ".join(str(own.path) for own in parts))


def _about(read: Sequence[ChempropModel]) -> dict[str, Any]:
    """Gives what `run.json` holds of a model that was trained elsewhere."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"admet": admet.__version__, "chemprop": version("chemprop")},
        "imported_from": [
            {"file": own.path.name, "sha256": own.sha256, "columns": list(own.outputs)}
            for own in read
        ],
    }
