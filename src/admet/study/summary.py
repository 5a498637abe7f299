"""What the folder of a study holds, in short."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from admet.config.study import MULTI, SINGLE
from admet.errors import RunDirectoryError
from admet.run_directory import Files, read_json
from admet.run_directory.summary import RunSummary, summary_of
from admet.study.statistics import Contrast
from admet.study.verdict import Verdict, html

STUDY = "study.json"
"""The file that makes a folder the folder of a study."""
_VERDICT, _FITS, _MODEL = "verdict.csv", "fits", "model"
_CONTRAST = {
    "mean": "change_to_{}",
    "low": "change_to_{}_low",
    "high": "change_to_{}_high",
    "better": "p_better_than_{}",
    "same": "p_same_as_{}",
    "worse": "p_worse_than_{}",
}
"""Field of a contrast → its column in the table of verdicts."""
_LOSS = "loss_"


@dataclass(frozen=True, eq=False)
class StudySummary:
    """What a study has found.

    Attributes:
        path: Its folder.
        config: What `study.json` holds of its configuration.
        verdicts: One per endpoint, then one for all.
        n_fits: Fits that are kept.
        model: The run directory of what it serves; None where it is not written yet.
    """

    path: Path
    config: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    n_fits: int
    model: RunSummary | None

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
        RunDirectoryError: If it is no study, has not come to its verdict, or is damaged.
    """
    folder = Path(folder)
    content = read_json(folder / STUDY)
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        raise RunDirectoryError(
            f"{str(folder / STUDY)!r} is damaged: it holds no configuration. Run the study again "
            "with --overwrite."
        )
    n_fits = len(list((folder / _FITS).glob("*.bin")))
    if not (folder / _VERDICT).exists():
        raise RunDirectoryError(
            f"The study in {str(folder)!r} has not come to its verdict: {n_fits} fits are kept. "
            "The command that began it goes on with the others."
        )
    written = (folder / _MODEL / Files.MODEL).exists()
    model = summary_of(folder / _MODEL) if written else None
    return StudySummary(folder, config, _verdicts(folder / _VERDICT), n_fits, model)


def _verdicts(path: Path) -> tuple[Verdict, ...]:
    try:
        rows = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"task": str})
        found = tuple(_verdict(dict(row)) for _, row in rows.iterrows())
        if not found:
            raise ValueError("it has no rows")
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"column {error} is missing" if isinstance(error, KeyError) else str(error)
        raise RunDirectoryError(
            f"{str(path)!r} is damaged: {what.rstrip('.')}. The command that began the study "
            "writes it again."
        ) from None
    return found


def _verdict(row: Mapping[str, Any]) -> Verdict:
    """Reads what `Verdict.row` gave."""
    company = str(row["company"])
    partners = company.removeprefix("with ").split(", ") if company.startswith("with ") else []
    gains = {
        base: Contrast(**{key: float(row[name.format(base)]) for key, name in _CONTRAST.items()})
        for base in (SINGLE, MULTI)
        if _CONTRAST["mean"].format(base) in row
    }
    losses = {k.removeprefix(_LOSS): float(v) for k, v in row.items() if k.startswith(_LOSS)}
    return Verdict(
        str(row["task"]),
        int(row["labels"]),
        str(row["train"]),
        company == "alone",
        partners,
        losses,
        str(row["served"]),
        float(row["loss"]),
        gains,
        company,
        _text(row.get("settled_by")),
        float(row.get("times_the_labels", 1.0)),
        None if pd.isna(rounds := row.get("rounds", 1)) else int(rounds),
        None if pd.isna(twice := row.get("change_with_twice_the_labels")) else float(twice),
    )


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
