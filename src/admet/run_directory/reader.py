"""Reads a run directory; nothing in it can run code."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from admet.errors import ConfigError, RunDirectoryError
from admet.model.chemprop.spec import ModelSpec
from admet.run_directory.checksums import verify_checksums
from admet.run_directory.layout import (
    COMPOSITE_VERSION,
    COPY_AGAIN,
    INPUTS_VERSION,
    PLANS_VERSION,
    Files,
)
from admet.run_directory.versions import upgraded

if TYPE_CHECKING:
    from admet.model.composite import CompositeSpec

_SUMMED_FROM = 3  # schema version


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        RunDirectoryError: If it is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunDirectoryError(f"{str(path)!r} does not exist. Check the path.") from None
    except (OSError, ValueError) as error:
        raise RunDirectoryError(
            f"{str(path)!r} cannot be read as JSON: {error}. Copy it again."
        ) from None
    except RecursionError:
        raise RunDirectoryError(
            f"{str(path)!r} cannot be read as JSON: it is nested too deep. Copy it again."
        ) from None


def read_spec(run_dir: Path) -> "ModelSpec | CompositeSpec":
    """Reads and checks `model.json`, of networks or of a mixture of models.

    Raises:
        RunDirectoryError: If the directory is missing, is no run directory, is damaged, or has a
            newer schema.
    """
    if not run_dir.is_dir():
        raise RunDirectoryError(
            f"Run directory {str(run_dir)!r} does not exist. Check --model-dir."
        )
    if not (run_dir / Files.MODEL).exists():
        raise RunDirectoryError(
            f"{str(run_dir)!r} is not a run directory: it has no {Files.MODEL}. Name a folder that "
            "`admet train` wrote."
        )
    _check_entries(run_dir)
    content = read_json(run_dir / Files.MODEL)
    if not isinstance(content, dict):
        raise RunDirectoryError(
            f"{str(run_dir / Files.MODEL)!r} is damaged: it holds no object. {COPY_AGAIN}"
        )
    version = content.pop("schema_version", None)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RunDirectoryError(
            f"{str(run_dir / Files.MODEL)!r} is damaged: `schema_version` must be a whole number "
            f"from 1; got {version!r}. Copy the run directory again."
        )
    if version > PLANS_VERSION:
        raise RunDirectoryError(
            f"Run directory {str(run_dir)!r} has schema version {version}; this admet reads up to "
            f"{PLANS_VERSION}. Update admet."
        )
    if version >= _SUMMED_FROM or (run_dir / Files.CHECKSUMS).exists():
        verify_checksums(run_dir)
    try:
        mixture = version == COMPOSITE_VERSION or (
            version >= INPUTS_VERSION and "members" in content
        )
        if not mixture:
            return ModelSpec(**upgraded(content, version))
        from admet.model.composite import CompositeSpec  # noqa: PLC0415 - seldom needed, slow

        return CompositeSpec(**content)
    except (ConfigError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise RunDirectoryError(
            f"{str(run_dir / Files.MODEL)!r} is damaged: {str(error).rstrip('.')}. {COPY_AGAIN}"
        ) from None


def _check_entries(run_dir: Path) -> None:
    """Refuses entries that lead out of the folder or never end: links out of it, pipes, devices.

    Raises:
        RunDirectoryError: Names the entry.
    """
    inside = run_dir.resolve()
    for path in run_dir.iterdir():
        if path.is_symlink() and not _lies_in(path, inside):
            raise RunDirectoryError(
                f"{str(path)!r} is a link that leads out of its run directory. Put a copy of the "
                "file in its place."
            )
        if not (path.is_file() or path.is_dir()):
            raise RunDirectoryError(
                f"{str(path)!r} is neither a file nor a folder. Copy the whole run directory again."
            )


def _lies_in(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # links in a circle
        return False


def read_weights(run_dir: Path) -> dict[str, Tensor]:
    """Reads the weights of all networks.

    Raises:
        RunDirectoryError: If the file is missing or damaged.
    """
    path = run_dir / Files.WEIGHTS
    try:
        return load_file(path)
    except FileNotFoundError:
        raise RunDirectoryError(
            f"Run directory {str(run_dir)!r} has no {path.name}. {COPY_AGAIN}"
        ) from None
    except (OSError, SafetensorError) as error:
        raise RunDirectoryError(f"{str(path)!r} is damaged: {error}. {COPY_AGAIN}") from None
