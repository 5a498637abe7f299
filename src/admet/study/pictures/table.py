"""The pictures of a study by their names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from admet.errors import ConfigError
from admet.study.pictures import arms, curve, differences, heatmap, measured
from admet.study.pictures.style import save
from admet.table_files import write_table

if TYPE_CHECKING:
    from admet.study import Study

_ENDINGS = (".png", ".svg")


@dataclass(frozen=True)
class Picture:
    """A picture of a study.

    Attributes:
        text: What it shows.
        numbers: Makes the table behind it; whatever is drawn stands there.
        pages: Draws that table, on one page or more.
    """

    text: str
    numbers: Callable[["Study"], pd.DataFrame]
    pages: Callable[[pd.DataFrame], list[Figure]]


PICTURES: dict[str, Picture] = {
    "differences": Picture(
        "what is served against single-task and multi-task, for each endpoint and for all",
        differences.numbers,
        differences.pages,
    ),
    "arms": Picture(
        "all arms over all endpoints, with intervals that hold together",
        arms.numbers,
        arms.pages,
    ),
    "arms_by_endpoint": Picture(
        "how far each arm is behind the best one of each endpoint",
        heatmap.numbers,
        heatmap.pages,
    ),
    "measured": Picture(
        "what is served against what was measured, out of fold",
        measured.numbers,
        measured.pages,
    ),
}

_CURVE = Picture("how the loss of a cheap arm falls as the labels grow", curve.numbers, curve.pages)


def pictures_of(study: "Study") -> dict[str, Picture]:
    """Gives the pictures of a study by name; the learning curve only where it was measured."""
    return PICTURES | ({"learning_curve": _CURVE} if study.curve_fits else {})


def draw(study: "Study", name: str, page: int = 1) -> Figure:
    """Draws a picture.

    Args:
        study: The study.
        name: One of `pictures_of` it.
        page: Which of its pages, from 1; only `measured` of more than twelve endpoints has several.

    Returns:
        The figure; `figure.savefig(path)` writes it.

    Raises:
        ConfigError: If there is no such picture or page.
    """
    there = pictures_of(study)
    if name not in there:
        raise ConfigError(f"A study has the pictures {', '.join(there)}; got {name!r}.")
    picture = there[name]
    found = picture.pages(picture.numbers(study))
    if not 1 <= page <= len(found):
        raise ConfigError(f"The picture {name} has pages 1 to {len(found)}; got {page}.")
    return found[page - 1]


def write_pictures(study: "Study", folder: Path) -> None:
    """Writes all pictures as PNG and SVG, each with the numbers behind it as CSV.

    Args:
        study: The study.
        folder: Where to; pages after the first have their number in their name.

    Raises:
        OutputError: If the disk is full or the folder is read-only.
    """
    for name, picture in pictures_of(study).items():
        table = picture.numbers(study)
        write_table(folder / f"{name}.csv", table)
        stems = []
        for page, figure in enumerate(picture.pages(table), start=1):
            stems.append(f"{name}_{page}" if page > 1 else name)
            for ending in _ENDINGS:
                save(figure, folder / f"{stems[-1]}{ending}")
        for left in folder.glob(f"{name}_*"):  # an earlier run may have drawn more pages
            if left.stem.removeprefix(f"{name}_").isdigit() and left.stem not in stems:
                left.unlink()
