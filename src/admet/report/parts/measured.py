"""Predicted against measured, endpoint by endpoint, and the molecules that are missed most."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from admet.names import short_number
from admet.report.content import Block, Molecule, Molecules, Pictures, Section, Words
from admet.report.drawn import DPI, molecule, picture
from admet.report.folders import parts_of
from admet.study.pictures import measured

_POINTS, _FEWEST = 60_000, 300  # labels drawn in all; of an endpoint at least
_DRAWN, _A_TASK = 400, 6  # molecules drawn in all; of an endpoint at most
_FINE = 12  # endpoints up to which points are drawn finely
_MANY = 60  # points from which they are an image, with more endpoints
_SEVERAL, _COARSE, _COARSER = 60, 130, 100  # endpoints; pixels an inch up to so many, and beyond


def section(cells: pd.DataFrame, whose: str, why_none: str = "") -> Section:
    """Draws each endpoint, then its worst molecules.

    Args:
        cells: One row per label: task, kind, unit, scale, SMILES, label, limit, prediction, and
            where they are known low, high and similarity.
        whose: What the predictions are, for the introduction.
        why_none: Why there are no intervals; empty where there are some.
    """
    tasks = parts_of(cells, "task")
    most = max(_FEWEST, _POINTS // max(len(tasks), 1))
    blocks: list[Block] = [Words(whose)]
    with_ends = "low" in cells and bool(cells["low"].notna().any())
    if with_ends:
        blocks.append(Words("Grey lines are intervals that shall hold 80 % of new labels."))
    elif why_none:
        blocks.append(Words(why_none, "doubt"))
    drawn, fine = [], len(tasks) <= _FINE
    dpi = DPI if fine else _COARSE if len(tasks) <= _SEVERAL else _COARSER
    for number, (name, part) in enumerate(tasks, start=1):
        shown, note = part, ""
        if len(part) > most:
            shown = part.sample(most, random_state=0).sort_index()
            note = f"{most:,} of {len(part):,} labels, drawn at random, as in the CSV."
        figure = measured.one(shown) if fine else measured.one(shown, _MANY)
        title = f"{name}: predicted against measured"
        stem = f"measured-{number}-{name}"
        drawn.append(picture(figure, title, stem, _numbers(shown), note, dpi))
    blocks.append(Pictures(tuple(drawn)))
    blocks += _worst(tasks, _DRAWN // max(len(tasks), 1))
    return Section("measured", "Predicted against measured", blocks)


def _numbers(part: pd.DataFrame) -> pd.DataFrame:
    keys = ("task", "unit", "SMILES", "label", "limit", "prediction", "low", "high", "similarity")
    found = part[[key for key in keys if key in part]].copy()
    for key in ("prediction", "low", "high", "similarity"):
        if key in found:
            found[key] = [float(f"{value:.5g}") for value in found[key]]
    return found


def _worst(tasks: list[tuple[str, pd.DataFrame]], n_each: int) -> Iterator[Block]:
    n = int(np.clip(n_each, 1, _A_TASK))
    yield Words(
        f"The {n} molecules of each endpoint whose prediction is farthest from the label"
        if n > 1
        else "The molecule of each endpoint whose prediction is farthest from the label",
        "head",
    )
    for name, part in tasks:
        found = worst(part, n)
        if len(found):
            yield Molecules(f"{name}{_unit(part)}", tuple(_molecules(found)))


def worst(part: pd.DataFrame, n: int) -> pd.DataFrame:
    """Gives the n rows of an endpoint with the largest errors on the scale of its axis.

    A prediction beyond a limit on the right side has no error.
    """
    label, given = part["label"].to_numpy(float), part["prediction"].to_numpy(float)
    if str(part["scale"].iloc[0]) in ("log10", "ln", "log1p") and min(label.min(), given.min()) > 0:
        label, given = np.log10(label), np.log10(given)
    limit = part["limit"].to_numpy(int)
    error = given - label
    met = ((limit > 0) & (error > 0)) | ((limit < 0) & (error < 0))
    size = pd.Series(np.where(met, 0.0, np.abs(error)), index=part.index)
    size = size[size > 0].sort_values(ascending=False, kind="stable").head(n)
    return part.loc[size.index]


def _molecules(rows: pd.DataFrame) -> Iterator[Molecule]:
    for _, row in rows.iterrows():
        sign = {1: "> ", -1: "< "}.get(int(row["limit"]), "")
        lines = [
            f"measured {sign}{short_number(row['label'])}",
            f"predicted {short_number(row['prediction'])}",
        ]
        if pd.notna(row.get("low")):
            lines.append(f"interval {short_number(row['low'])} to {short_number(row['high'])}")
        if pd.notna(row.get("similarity")):
            lines.append(f"nearest training molecule: similarity {row['similarity']:.2f}")
        smiles = str(row["SMILES"])
        yield Molecule(smiles, molecule(smiles), tuple(lines))


def _unit(part: pd.DataFrame) -> str:
    unit = part["unit"].iloc[0]
    return f" [{unit}]" if isinstance(unit, str) and unit else ""
