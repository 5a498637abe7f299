"""Writes a run directory so that it appears whole or not at all."""

import ctypes
import json
import logging
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from filelock import FileLock, Timeout
from safetensors.numpy import save as save_arrays
from safetensors.torch import save

from admet.errors import RunDirectoryError
from admet.files import LONGEST_NAME, atomic, check_folder, explained, listed_sums
from admet.model.chemprop.predictor import Predictor
from admet.model.trained_model import TrainedModel
from admet.run_directory.checksums import write_checksums
from admet.run_directory.layout import (
    COMPOSITE_VERSION,
    INPUTS_VERSION,
    PLANS_VERSION,
    SCHEMA_VERSION,
    Files,
)

if TYPE_CHECKING:
    from admet.model.composite import CompositePredictor

log = logging.getLogger(__name__)

_LONGEST = LONGEST_NAME - len("..part")


def write_json(path: Path, content: Any) -> None:
    """Writes JSON that a person can read; a number that is not finite is an error, not a `NaN`."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def write_model(folder: Path, model: TrainedModel) -> None:
    """Writes the weights of a model, and the description of the model that they belong to."""
    if not isinstance(model.predictor, Predictor):
        write_composite(folder, model.predictor)
        return
    (folder / Files.WEIGHTS).write_bytes(save(model.networks.weights()))
    version = INPUTS_VERSION if model.networks.spec.inputs else SCHEMA_VERSION
    content = {"schema_version": version} | model.spec.model_dump(mode="json")
    write_json(folder / Files.MODEL, content)


def write_composite(folder: Path, predictor: "CompositePredictor") -> None:
    """Writes what the members of a composite have learnt, and its description."""
    arrays = {
        f"members.{index}.{name}": np.ascontiguousarray(array)
        for index, member in enumerate(predictor.members)
        for name, array in member.arrays().items()
    }
    (folder / Files.WEIGHTS).write_bytes(save_arrays(arrays))
    networks = [member.network for member in predictor.spec.members]
    extra = any(network is not None and network.inputs for network in networks)
    version = INPUTS_VERSION if extra else COMPOSITE_VERSION
    if any(member.kind in {"mlps", "joint_kernel"} for member in predictor.spec.members):
        version = PLANS_VERSION
    content = {"schema_version": version} | predictor.spec.model_dump(mode="json")
    write_json(folder / Files.MODEL, content)


class RunDirectoryWriter:
    """A context in which files are written to a hidden sibling that then takes the final name.

    On an exception, what stood under the final name is untouched. The sibling is then removed,
    unless it holds a checkpoint from which the run can be resumed. A lock keeps a second run out; a
    dead process does not hold it.
    """

    def __init__(self, final: Path, *, overwrite: bool = False, resume: bool = False) -> None:
        """Checks that the final name is free.

        Args:
            final: The run directory to be.
            overwrite: Whether a run directory that is there, or an unfinished run, may be replaced.
            resume: Whether an unfinished run is to go on.

        Raises:
            RunDirectoryError: If something is there that must not be replaced.
        """
        self.final = final.resolve()  # a link keeps pointing to the folder that is replaced
        if not self.final.name:
            raise RunDirectoryError(f"`save_dir` {str(final)!r} has no name. Name a folder in it.")
        if len(os.fsencode(self.final.name)) > _LONGEST:
            raise RunDirectoryError(
                f"`save_dir` has a name of more than {_LONGEST} bytes, {self.final.name[:40]!r}…. "
                "Shorten it."
            )
        self.path = self.final.with_name(f".{self.final.name}.part")
        self.overwrite = overwrite
        self.resume = resume
        self._old = self.final.with_name(f".{self.final.name}.old")
        self._lock = FileLock(self.final.with_name(f".{self.final.name}.lock"), timeout=0)
        self._made: list[Path] = []
        check_folder(self.final.parent, "save_dir")
        self._check()

    @property
    def checkpoints(self) -> Path:
        """The folder that holds what an unfinished run needs to go on."""
        return self.path / Files.CHECKPOINTS

    @property
    def is_finished(self) -> bool:
        """Whether a finished run stands under the final name, and no unfinished one beside it."""
        return (self.final / Files.RUN).exists() and not self.checkpoints.exists()

    @property
    def _has_state(self) -> bool:
        """Whether an unfinished run has finished an epoch."""
        return (self.checkpoints / Files.STATE).exists()

    def tidy(self) -> None:
        """Removes what was left behind by a run that was killed after it took the final name."""
        try:
            self._lock.acquire()
        except (Timeout, OSError):  # somebody is at work, or nothing can be removed
            return
        try:
            if self.is_finished:
                for left in (self.path, self._old, self.final / Files.CHECKPOINTS):
                    shutil.rmtree(left, ignore_errors=True)
        finally:
            self._unlock()

    def _check(self) -> None:
        final = self.final
        if final.exists() and not final.is_dir():
            raise RunDirectoryError(f"`save_dir` {str(final)!r} is a file. Name another folder.")
        if not self.overwrite and not self.resume and self._has_state:
            raise RunDirectoryError(
                f"An unfinished run for `save_dir` {str(final)!r} stands in {self.path.name!r} "
                "beside it. Add --resume to go on with it, or --overwrite to begin anew."
            )
        if not final.is_dir() or not any(final.iterdir()):
            return
        if not (self.overwrite or self.resume):
            raise RunDirectoryError(
                f"`save_dir` {str(final)!r} exists and is not empty. Name another folder, or add "
                "--overwrite to replace it."
            )
        if self.resume and self.is_finished:
            return  # nothing will be replaced
        listed = listed_sums(final)
        own = listed | {Files.CHECKPOINTS, Files.REPORT}
        strange = [p.name for p in final.iterdir() if p.name not in own and p.name[0] != "."]
        if listed and strange:
            raise RunDirectoryError(
                f"`save_dir` {str(final)!r} holds what admet did not write: "
                f"{', '.join(sorted(strange)[:5])}. Move it away, or name another folder."
            )
        if not (final / Files.RUN).exists():
            raise RunDirectoryError(
                f"`save_dir` {str(final)!r} is not a run directory (it has no {Files.RUN}), so "
                "--overwrite will not delete it. Name another folder."
            )

    def __enter__(self) -> Self:
        self._made = [p for p in self.path.parents if not p.exists()]
        with explained(self.final):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire()
            except Timeout:
                raise RunDirectoryError(
                    f"Another run is writing to `save_dir` {str(self.final)!r}. Wait for it, or "
                    "name another folder."
                ) from None
        try:
            if self._old.exists() and not self.final.exists():
                self._old.rename(self.final)  # a run was killed while it replaced this one
            self._check()
            if self.path.exists() and not self.resume:
                shutil.rmtree(self.path)
            self.path.mkdir(exist_ok=True)
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                self._leave_unfinished()
                if isinstance(error, OSError):
                    with explained(self.final, ", then add --resume" * self._has_state):
                        raise error
                return
            with explained(self.final, ", then add --resume"):
                write_checksums(self.path)
            if not self.final.exists():
                self.path.rename(self.final)
            elif _exchange(self.path, self.final):
                shutil.rmtree(self.path)  # what it replaced
            else:
                shutil.rmtree(self._old, ignore_errors=True)
                self.final.rename(self._old)
                self.path.rename(self.final)
            # Not earlier: a run that was killed before this line can still be resumed.
            shutil.rmtree(self.final / Files.CHECKPOINTS, ignore_errors=True)
            shutil.rmtree(self._old, ignore_errors=True)
        finally:
            self._unlock()
            if kind is not None and not self.path.exists():
                for folder in self._made:  # innermost first; each is empty unless others use it
                    with suppress(OSError):
                        folder.rmdir()

    def _leave_unfinished(self) -> None:
        if self._has_state:
            log.warning("The unfinished run is kept; --resume goes on with it")
        else:
            shutil.rmtree(self.path, ignore_errors=True)

    def _unlock(self) -> None:
        with suppress(OSError):  # no run waits for the lock, so none can hold a removed one
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


def _exchange(one: Path, other: Path) -> bool:
    """Swaps the names of two folders in one step, where the system can."""
    if sys.platform != "linux":
        return False
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    at_cwd, exchange = -100, 2
    return bool(call(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0)
