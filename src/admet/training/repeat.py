"""The same training again."""

import logging
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from admet.config import TrainConfig
from admet.config.training import MOST_THREADS
from admet.errors import ConfigError, DataError, RunDirectoryError
from admet.run_directory import Files, read_json, read_spec
from admet.training.extra_inputs import check_extra_inputs, packages_of
from admet.training.provenance import describe_run
from admet.training.start import read_start

log = logging.getLogger(__name__)

C = TypeVar("C", bound=TrainConfig)


class _Data(BaseModel):
    sha256: str


class _Hardware(BaseModel):
    processor: str
    threads: int = Field(ge=1, le=MOST_THREADS)


class _Start(BaseModel):
    sha256: str


class _Run(BaseModel):
    """The part of `run.json` that a repetition needs."""

    data: _Data
    hardware: _Hardware
    versions: dict[str, str]
    init_from: _Start | None = None


def as_before(config: C, run_dir: Path) -> C:
    """Prepares a configuration to repeat a run.

    Args:
        config: The configuration of the run, with the keys that are to differ changed.
        run_dir: The run directory.

    Returns:
        The configuration with as many threads as the run had, unless it names a number itself.

    Raises:
        RunDirectoryError: If the run directory is damaged.
        ConfigError: If the new run would be written to the folder of the old one, a package that
            computes an extra input is missing, or `model.init_from` is not the file of the run.
        DataError: If the table is missing or is not the one that the run had.
    """
    read_spec(run_dir)  # checks every file's sum
    try:
        run = _Run.model_validate(read_json(run_dir / Files.RUN))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or Files.RUN
        raise RunDirectoryError(
            f"{str(run_dir / Files.RUN)!r} is damaged: `{place}`: {fault['msg']}. Start from "
            "config.yaml with --config."
        ) from None
    if config.save_dir.resolve() == run_dir.resolve():
        raise ConfigError(
            f"`save_dir` is the run directory to repeat, {str(run_dir)!r}. Add --save-dir with "
            "another folder."
        )
    if not config.data_path.is_file():
        raise DataError(
            f"The table of the run, {str(config.data_path)!r}, does not exist. Name it with "
            "--data-path."
        )
    check_extra_inputs(config)
    now = describe_run(config.data_path, packages_of(config.model.extra_inputs))
    if now["data"]["sha256"] != run.data.sha256:
        raise DataError(
            f"{str(config.data_path)!r} is not the table of the run: its SHA-256 is "
            f"{now['data']['sha256'][:12]}…, was {run.data.sha256[:12]}…. Name that table "
            "with --data-path, or start from config.yaml with --config."
        )
    _check_start(config, run)
    for name, before in run.versions.items():
        if now["versions"].get(name) != before:
            log.warning(
                "%s was %s, is %s: results may differ", name, before, now["versions"].get(name)
            )
    if now["hardware"]["processor"] != run.hardware.processor:
        log.warning("Another processor than the run had: results may differ in the last digits")
    if config.training.threads is not None:
        return config
    training = config.training.model_copy(update={"threads": run.hardware.threads})
    return config.model_copy(update={"training": training})


def _check_start(config: TrainConfig, run: _Run) -> None:
    """Checks that encoders start from the file of the run.

    Raises:
        ConfigError: If not, or if it cannot be used.
    """
    start = read_start(config)
    if start is not None and run.init_from and start.sha256 != run.init_from.sha256:
        raise ConfigError(
            f"`model.init_from` {str(start.path)!r} is not the file of the run: its SHA-256 is "
            f"{start.sha256[:12]}…, was {run.init_from.sha256[:12]}…. Name that file with "
            "--model.init-from, or start from config.yaml with --config."
        )
