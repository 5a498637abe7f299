"""What an unfinished run keeps beside its files, so that it can go on."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from admet.config import TrainConfig
from admet.errors import RunDirectoryError
from admet.files import read_sealed, write_sealed
from admet.model.chemprop.task_affinity.stability import Grouping
from admet.run_directory import Files
from admet.run_directory.spec import Arm
from admet.training.checkpoint import State

log = logging.getLogger(__name__)

_RUN, _GROUPS = "run.bin", "groups.bin"


class _Run(BaseModel):
    """What the run was begun with."""

    config: dict[str, Any]
    data: str
    versions: dict[str, str]
    resumed: int = Field(ge=0)


class _Groups(BaseModel):
    """What the affinity phase chose."""

    arm: Arm
    groups: list[list[str]]
    serves: dict[str, int]


M = TypeVar("M", bound=BaseModel)


class Unfinished:
    """The folder of checkpoints of a run, empty at its beginning."""

    def __init__(self, folder: Path) -> None:
        """Stores the folder; see `open`."""
        self.folder = folder
        self.state = State()
        self.groups: tuple[str, Grouping] | None = None
        self.n_resumed = 0

    @property
    def checkpoint(self) -> Path:
        """The file of the training's state."""
        return self.folder / Files.STATE

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
            RunDirectoryError: If the earlier run had another configuration or table, or what it
                kept is damaged.
        """
        found = cls(folder)
        ours = {"config": _comparable(config), "data": provenance["data"]["sha256"]}
        if (folder / _RUN).exists():
            earlier = _read(folder / _RUN, _Run)
            _check_same(earlier, ours, folder)
            if earlier.versions != provenance["versions"]:
                log.warning("The versions of the libraries changed since the run began")
            found.n_resumed = earlier.resumed + 1
            if (folder / _GROUPS).exists():
                kept = _read(folder / _GROUPS, _Groups)
                found.groups = (kept.arm, Grouping(kept.groups, kept.serves))
            if found.groups is not None and found.checkpoint.exists():
                found.state = State.read(found.checkpoint)
                log.info(
                    "Resumed: network %d, %d epoch(s) done",
                    found.state.network + 1,
                    found.state.epoch,
                )
        folder.mkdir(exist_ok=True)
        content = ours | {"versions": provenance["versions"], "resumed": found.n_resumed}
        _write(folder / _RUN, content)
        return found

    def groups_of(self, task_names: Sequence[str]) -> tuple[str, Grouping]:
        """Gives the groups that were kept, and where they came from.

        Raises:
            RunDirectoryError: If they are not groups of these tasks.
        """
        assert self.groups is not None  # noqa: S101 - asked for only where they were kept
        arm, grouping = self.groups
        placed = {name for group in grouping.groups for name in group}
        if placed != set(task_names) or not set(grouping.serves) <= placed:
            raise RunDirectoryError(_damaged(self.folder / _GROUPS))
        return arm, grouping

    def keep_groups(self, arm: str, grouping: Grouping) -> None:
        """Keeps the groups, so that their affinity is not measured again."""
        content = {"arm": arm, "groups": grouping.groups, "serves": grouping.serves}
        _write(self.folder / _GROUPS, content)


def _write(path: Path, content: dict[str, Any]) -> None:
    write_sealed(path, json.dumps(content).encode())


def _read(path: Path, kind: type[M]) -> M:
    content = read_sealed(path)
    try:
        if content is not None:
            return kind.model_validate_json(content)
    except ValidationError:
        pass
    raise RunDirectoryError(_damaged(path))


def _damaged(path: Path) -> str:
    return f"{str(path)!r} is damaged, so the run cannot go on. Add --overwrite to begin anew."


def _comparable(config: TrainConfig) -> dict[str, Any]:
    """Gives the configuration without where it is written."""
    content = TrainConfig(
        **{name: getattr(config, name) for name in TrainConfig.model_fields}
    ).model_dump(mode="json")
    return {key: value for key, value in content.items() if key != "save_dir"}


def _check_same(earlier: _Run, ours: dict[str, Any], folder: Path) -> None:
    """Refuses to go on with something else."""
    remedy = "Resume with what it began with, or add --overwrite to begin anew."
    if earlier.data != ours["data"]:
        raise RunDirectoryError(f"The table changed since the run in {str(folder)!r}. {remedy}")
    before, now = _flat(earlier.config), _flat(ours["config"])
    changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if changed:
        shown = "; ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in changed)
        raise RunDirectoryError(
            f"The configuration is not that of the unfinished run: {shown}. {remedy}"
        )


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
