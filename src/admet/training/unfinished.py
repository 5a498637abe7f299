"""What an unfinished run keeps beside its files, so that it can go on."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from admet.config import TrainConfig
from admet.config.training import LOGGING
from admet.errors import ConfigError, RunDirectoryError
from admet.files import read_sealed, write_sealed
from admet.model.chemprop.plan import Arm, Plan, overlapping
from admet.run_directory import Files
from admet.training.checkpoint import Checkpoint

log = logging.getLogger(__name__)

_RUN, _PLAN, _GROUPS = "run.bin", "plan.bin", "groups.bin"


class _Run(BaseModel):
    """What the run was begun with."""

    config: dict[str, Any]
    data: str
    init_from: str | None = None
    versions: dict[str, str]
    resumed: int = Field(ge=0)


class _Groups(BaseModel):
    """What the affinity phase chose, as versions without a plan kept it."""

    arm: Arm
    groups: list[list[str]]
    serves: dict[str, int]

    def plan(self, config: TrainConfig) -> Plan:
        """Makes the plan that this version would have kept."""
        groups = overlapping(self.groups, self.serves)
        names = config.data.target_columns
        return Plan.of(self.arm, groups, names, share_encoder=config.model.shares_encoder)


M = TypeVar("M", bound=BaseModel)


class Unfinished:
    """The folder of checkpoints of a run, empty at its beginning."""

    def __init__(self, folder: Path) -> None:
        """Stores the folder; see `open`."""
        self.folder = folder
        self.checkpoint = Checkpoint(folder / Files.STATE)
        self.plan: Plan | None = None
        self.n_resumed = 0

    @classmethod
    def open(cls, folder: Path, config: TrainConfig, provenance: dict[str, Any]) -> "Unfinished":
        """Reads what an earlier run has kept, or begins.

        Args:
            folder: Where it is kept.
            config: The configuration of this run.
            provenance: What this run is made of.

        Returns:
            The unfinished run.

        Raises:
            RunDirectoryError: If the earlier run had another configuration or table, or started
                from other weights, or what it kept is damaged.
        """
        found = cls(folder)
        ours = {"config": _comparable(config), "data": provenance["data"]["sha256"]}
        if "init_from" in provenance:
            ours["init_from"] = provenance["init_from"]["sha256"]
        if (folder / _RUN).exists():
            earlier = _read(folder / _RUN, _Run)
            _check_same(earlier, ours, folder)
            if earlier.versions != provenance["versions"]:
                log.warning("The versions of the libraries changed since the run began")
            found.n_resumed = earlier.resumed + 1
            if (folder / _PLAN).exists():
                found.plan = _read(folder / _PLAN, Plan)
            elif (folder / _GROUPS).exists():
                found.plan = _of_older(folder / _GROUPS, config)
            if found.plan is not None and (folder / Files.STATE).exists():
                found.checkpoint = Checkpoint.read(folder / Files.STATE)
                log.info(
                    "Resumed: network %d, %d epoch(s) done",
                    found.checkpoint.network + 1,
                    found.checkpoint.epoch,
                )
        folder.mkdir(exist_ok=True)
        content = ours | {"versions": provenance["versions"], "resumed": found.n_resumed}
        _write(folder / _RUN, content)
        return found

    def checkpoint_of(self, index: int) -> Checkpoint:
        """Gives how far the training of a model of an ensemble came, the first one being 0.

        Raises:
            RunDirectoryError: If what was kept is damaged.
        """
        if not index:
            return self.checkpoint
        path = self.folder / f"{index}-{Files.STATE}"
        return Checkpoint.read(path) if path.exists() else Checkpoint(path)

    def plan_of(self, task_names: Sequence[str]) -> Plan:
        """Gives the plan that was kept.

        Raises:
            RunDirectoryError: If it is no plan of these tasks.
        """
        assert self.plan is not None  # noqa: S101 - asked for only where it was kept
        if {name for network in self.plan.networks for name in network.tasks} != set(task_names):
            raise RunDirectoryError(_damaged(self.folder / _PLAN))
        return self.plan

    def keep_plan(self, plan: Plan) -> None:
        """Keeps the plan, so that its affinity is not measured again."""
        _write(self.folder / _PLAN, plan.model_dump(mode="json"))


def _write(path: Path, content: dict[str, Any]) -> None:
    write_sealed(path, json.dumps(content).encode())


def _read(path: Path, kind: type[M]) -> M:
    content = read_sealed(path)
    try:
        if content is not None:
            return kind.model_validate_json(content)
    except (ValidationError, ConfigError):
        pass
    raise RunDirectoryError(_damaged(path))


def _of_older(path: Path, config: TrainConfig) -> Plan:
    """Reads the groups that an earlier version kept.

    Raises:
        RunDirectoryError: If they are damaged, or not of these tasks.
    """
    try:
        return _read(path, _Groups).plan(config)
    except (ConfigError, LookupError):
        raise RunDirectoryError(_damaged(path)) from None


def _damaged(path: Path) -> str:
    return f"{str(path)!r} is damaged, so the run cannot go on. Add --overwrite to begin anew."


def _comparable(config: TrainConfig) -> dict[str, Any]:
    """Gives the configuration without the folders that the run and its logs are written to."""
    content = config.only(TrainConfig).model_dump(mode="json")
    for key in LOGGING:
        del content["training"][key]
    return {key: value for key, value in content.items() if key != "save_dir"}


def _check_same(earlier: _Run, ours: dict[str, Any], folder: Path) -> None:
    """Refuses to go on with another table or configuration."""
    remedy = "Resume with what it began with, or add --overwrite to begin anew."
    if earlier.data != ours["data"]:
        raise RunDirectoryError(f"The table changed since the run in {str(folder)!r}. {remedy}")
    if (now_from := ours.get("init_from")) and earlier.init_from not in (None, now_from):
        raise RunDirectoryError(
            f"The file of `model.init_from` changed since the run in {str(folder)!r}. {remedy}"
        )
    before, now = _flat(_completed(earlier.config, folder)), _flat(ours["config"])
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if changed:
        shown = "; ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in changed)
        raise RunDirectoryError(
            f"The configuration is not that of the unfinished run: {shown}. {remedy}"
        )


def _completed(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Adds the keys that an earlier version did not have, with the defaults that it went by.

    Raises:
        RunDirectoryError: If it is no configuration.
    """
    try:
        return _comparable(TrainConfig(**config))
    except ConfigError:
        raise RunDirectoryError(_damaged(folder / _RUN)) from None


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
