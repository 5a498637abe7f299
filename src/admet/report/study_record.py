"""The folder of a study as a report reads it."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from admet.errors import ConfigError, RunDirectoryError
from admet.files import read_sealed
from admet.report.folders import Origin
from admet.run_directory import Files, read_spec
from admet.run_directory.tables import read_table
from admet.study.jobs import Fit, FitStore, Job
from admet.study.outputs import (
    COMPARISONS,
    COVERAGE,
    CURVE,
    FITS,
    INTERVALS,
    LEFT_OUT,
    MODEL,
    PICTURES,
    RESULTS,
)
from admet.study.pictures import PICTURES as DRAWN
from admet.study.summary import read_config, read_verdicts, table_of
from admet.study.verdict import Verdict

_FIT = re.compile(r"(.+)-r(\d+)-f(\d+)-s(\d+)")
_NEEDED = {
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
        verdicts: One per endpoint, then one for all.
        tables: Name of the file → its table: results, comparisons, coverage, arms that were left
            out, intervals, learning curve; the last three are empty where there are none.
        pictures: Name of the picture → the numbers behind it.
        fits: The fits that were kept.
        origin: Where its panel came from; None where its model was not written.
    """

    path: Path
    verdicts: tuple[Verdict, ...]
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
        read_config(folder)
        verdicts = read_verdicts(folder)
        tables = {name: read_table(folder / name, keys) for name, keys in _NEEDED.items()}
        tables |= {name: table_of(folder, name) for name in (LEFT_OUT, INTERVALS, CURVE)}
        pictures = {
            name: read_table(folder / PICTURES / f"{name}.csv", _DRAWN.get(name, []))
            for name in DRAWN
        }
        return cls(
            folder, verdicts, tables, pictures, _fits(folder / FITS), _origin(folder / MODEL)
        )

    @property
    def baselines(self) -> list[str]:
        """The arms that what is served is compared with."""
        return list(self.verdicts[0].gains)


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
