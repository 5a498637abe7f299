"""What the folder of a study holds, in short."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from admet.config.study import MULTI, SINGLE
from admet.errors import RunDirectoryError
from admet.run_directory import Files, read_json
from admet.run_directory.summary import RunSummary, summary_of
from admet.run_directory.tables import damaged, read_table
from admet.study.outputs import CURVE, FITS, LEFT_OUT, MODEL, SCHEMA_VERSION, STUDY, VERDICT
from admet.study.statistics import Contrast
from admet.study.verdict import GAIN_COLUMNS, LOSS_OF, Verdict, html

_NEEDED = ("task", "labels", "train", "company", "served", "loss")


@dataclass(frozen=True, eq=False)
class StudySummary:
    """What a study has found.

    Attributes:
        path: Its folder.
        config: What `study.json` holds of its configuration.
        verdicts: One per endpoint, then one for all.
        n_fits: Fits that are kept.
        model: The run directory of what it serves; None where it is not written yet.
        left_out: Arm → why it is not compared; empty where an earlier version did not keep it.
        curve: The learning curve, see `admet.study.curve.curve_of`; without rows for none.
    """

    path: Path
    config: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    n_fits: int
    model: RunSummary | None
    left_out: Mapping[str, str]
    curve: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The verdicts, one row per task and one for all."""
        return pd.DataFrame([verdict.row() for verdict in self.verdicts])

    def _repr_html_(self) -> str:
        return html(self.verdicts)

    @property
    def arms(self) -> list[str]:
        """The ways of training that were compared."""
        return list(self.verdicts[0].losses)

    @property
    def baselines(self) -> list[str]:
        """Those of single-task and multi-task that were compared."""
        return list(self.verdicts[0].gains)


def study_summary_of(folder: str | Path) -> StudySummary:
    """Sums up the folder of a study.

    Args:
        folder: The folder.

    Raises:
        RunDirectoryError: If it is no study, has not come to its verdict, is of a later version, or
            is damaged.
    """
    folder = Path(folder)
    config, verdicts = read_config(folder), read_verdicts(folder)
    n_fits = len(list((folder / FITS).glob("*.bin")))
    written = (folder / MODEL / Files.MODEL).exists()
    model = summary_of(folder / MODEL) if written else None
    gone = table_of(folder, LEFT_OUT)
    left_out = {} if gone.empty else dict(zip(gone["arm"], gone["why"], strict=True))
    return StudySummary(folder, config, verdicts, n_fits, model, left_out, table_of(folder, CURVE))


def read_config(folder: Path) -> Mapping[str, Any]:
    """Reads what `study.json` holds of the configuration.

    Raises:
        RunDirectoryError: If it is damaged, or of a later version.
    """
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
    config = content.get("config")
    if not isinstance(config, dict):
        raise damaged(path, "it holds no configuration")
    return config


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """Reads the verdicts of a study, one per endpoint, then one for all.

    Raises:
        RunDirectoryError: If it has not come to its verdict, or the table is damaged.
    """
    path = folder / VERDICT
    if not path.is_file():
        n_fits = len(list((folder / FITS).glob("*.bin")))
        raise RunDirectoryError(
            f"The study in {str(folder)!r} is not finished: it has no {VERDICT}; {n_fits} fits are "
            "kept. The same `admet study` command goes on with the others."
        )
    rows = read_table(path, _NEEDED)
    try:
        names = set(rows["task"].iloc[:-1])
        found = tuple(_verdict(dict(row), names) for _, row in rows.iterrows())
    except KeyError as error:
        raise damaged(path, f"it has no column {error}") from None
    except (ValueError, TypeError) as error:
        raise damaged(path, str(error)) from None
    if not found:
        raise damaged(path, "it has no rows")
    return found


def table_of(folder: Path, name: str) -> pd.DataFrame:
    """Reads a table that not every study has; without rows where there is none.

    Raises:
        RunDirectoryError: If it is damaged.
    """
    path = folder / name
    return read_table(path) if path.is_file() else pd.DataFrame()


def _verdict(row: Mapping[str, Any], names: Collection[str]) -> Verdict:
    """Reads what `Verdict.row` gave of one of the named endpoints, or of all."""
    company = str(row["company"])
    gains = {
        base: Contrast(**{key: float(row[name.format(base)]) for key, name in GAIN_COLUMNS.items()})
        for base in (SINGLE, MULTI)
        if GAIN_COLUMNS["mean"].format(base) in row
    }
    losses = {k.removeprefix(LOSS_OF): float(v) for k, v in row.items() if k.startswith(LOSS_OF)}
    settled, rounds = row.get("settled_by"), row.get("rounds", 1)
    twice = row.get("change_with_twice_the_labels")
    return Verdict(
        str(row["task"]),
        int(row["labels"]),
        str(row["train"]),
        company == "alone",
        _partners(company, names),
        losses,
        str(row["served"]),
        float(row["loss"]),
        gains,
        company,
        "" if pd.isna(settled) else str(settled),
        float(row.get("times_the_labels", 1.0)),
        None if pd.isna(rounds) else int(rounds),
        None if pd.isna(twice) else float(twice),
    )


def _partners(company: str, names: Collection[str]) -> list[str]:
    """Lists the endpoints that a company names; none where it names none, as "with others in …".

    A name may hold ", " itself, so only what leaves names of endpoints is divided there. Where
    that can be done in two ways, names are taken as long as they can be.
    """
    start, _, rest = company.partition(" ")
    words = rest.split(", ")
    most = max((name.count(", ") + 1 for name in names), default=1)
    ends = {len(words): len(words)}  # where a name may begin → where it ends, from the last one on
    for place in reversed(range(len(words))):
        for end in range(min(place + most, len(words)), place, -1):
            if end in ends and ", ".join(words[place:end]) in names:
                ends[place] = end
                break
    if start != "with" or 0 not in ends:
        return []
    found, place = [], 0
    while place < len(words):
        found.append(", ".join(words[place : ends[place]]))
        place = ends[place]
    return found
