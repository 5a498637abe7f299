"""The folder of a study as a report reads it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from admet.errors import ConfigError, RunDirectoryError
from admet.files import read_sealed
from admet.report.folders import Origin, damaged, read_table
from admet.run_directory import Files, read_json, read_spec
from admet.study.jobs import Fit, FitStore, Job
from admet.study.outputs import (
    COMPARISONS,
    COVERAGE,
    INTERVALS,
    LEFT_OUT,
    MODEL,
    PICTURES,
    RESULTS,
    VERDICT,
)
from admet.study.pictures import PICTURES as DRAWN
from admet.study.run import FITS, SCHEMA_VERSION, STUDY

_FIT = re.compile(r"(.+)-r(\d+)-f(\d+)-s(\d+)")
_NEEDED = {
    VERDICT: ["task", "labels", "train", "company", "served", "loss", "evidence"],
    RESULTS: ["task", "arm", "fold", "repeat", "seed", "metric", "value"],
    COMPARISONS: ["task", "arm", "other", "relative", "p"],
    COVERAGE: ["task", "level", "similarity", "n", "coverage", "width"],
}
_DRAWN = {
    "differences": [],  # empty without a baseline
    "arms": ["arm", "loss"],
    "arms_by_endpoint": ["task", "arm", "behind_best"],
    "measured": ["task", "kind", "SMILES", "label", "prediction"],
}


@dataclass(frozen=True, eq=False)
class StudyRecord:
    """What a study left behind.

    Attributes:
        path: Its folder.
        tables: Name of the file → its table: verdict, results, comparisons, coverage, arms that
            were left out, intervals; the last two are empty where an earlier version wrote none.
        pictures: Name of the picture → the numbers behind it.
        fits: The fits that were kept.
        origin: Where its panel came from; None where its model was not written.
    """

    path: Path
    tables: dict[str, pd.DataFrame]
    pictures: dict[str, pd.DataFrame]
    fits: tuple[Fit, ...]
    origin: Origin | None

    @classmethod
    def read(cls, folder: Path) -> "StudyRecord":
        """Opens the folder of a study.

        Raises:
            RunDirectoryError: If it is damaged, not finished, or of a later version.
        """
        _check_version(folder)
        if not (folder / VERDICT).is_file():
            raise RunDirectoryError(
                f"The study in {str(folder)!r} is not finished: it has no {VERDICT}. The same "
                "`admet study` command goes on with it."
            )
        tables = {name: read_table(folder / name, keys) for name, keys in _NEEDED.items()}
        for name in (LEFT_OUT, INTERVALS):
            path = folder / name
            tables[name] = read_table(path) if path.is_file() else pd.DataFrame()
        pictures = {
            name: read_table(folder / PICTURES / f"{name}.csv", _DRAWN.get(name, []))
            for name in DRAWN
        }
        return cls(folder, tables, pictures, _fits(folder / FITS), _origin(folder / MODEL))

    @property
    def verdict(self) -> pd.DataFrame:
        """One row per endpoint, the last one for all."""
        return self.tables[VERDICT]

    @property
    def baselines(self) -> list[str]:
        """The arms that what is served is compared with."""
        start = "change_to_"
        ends = ("_low", "_high")
        names = [c.removeprefix(start) for c in self.verdict.columns if c.startswith(start)]
        return [n for n in names if not n.endswith(ends) or n.rsplit("_", 1)[0] not in names]


def _check_version(folder: Path) -> None:
    """Checks what `study.json` says of itself."""
    path = folder / STUDY
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise damaged(path, f"`schema_version` must be a whole number from 1; got {version!r}")
    if version > SCHEMA_VERSION:
        raise RunDirectoryError(
            f"The study in {str(folder)!r} has schema version {version}; this admet reads up to "
            f"{SCHEMA_VERSION}. Update admet."
        )


def _fits(folder: Path) -> tuple[Fit, ...]:
    """Reads the fits that are there; one that cannot be trusted is left out, as by a study."""
    store, found = FitStore(folder), []
    for path in sorted(folder.glob("*.bin")) if folder.is_dir() else []:
        match = _FIT.fullmatch(path.stem)
        if match is None or read_sealed(path) is None:
            continue
        arm, *numbers = match.groups()
        fit = store.read(Job(arm, *map(int, numbers)))
        if fit is not None:
            found.append(fit)
    return tuple(found)


def _origin(folder: Path) -> Origin | None:
    """Reads what its model keeps of the panel; None where the study stopped before it."""
    if not (folder / Files.MODEL).is_file():
        return None
    try:
        read_spec(folder)
    except ConfigError as error:
        raise RunDirectoryError(str(error)) from None
    return Origin.read(folder)
