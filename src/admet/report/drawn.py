"""Figures and molecules as pictures of a page."""

import base64
import gzip
import io
import re

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from admet.featurize.drawing import svg_of
from admet.figures import drawing
from admet.report.content import Picture
from admet.report.tables import file_stem
from admet.spreadsheet import harmless

_PIXELS = 96  # of the page, an inch
DPI = 200
"""Pixels an inch of what a drawing of lines holds as an image."""
_WIDTH, _HEIGHT = 180, 140  # pixels of a molecule
# A hundredth of a point is fine enough; what stands between tags is text.
_TAG, _DIGITS = re.compile(r"<[^>]+>"), re.compile(r"(\d\.\d\d)\d+")
# What a drawing of a molecule says of every bond, though it goes without saying.
_SPARED = re.compile(
    r" encoding='iso-8859-1'| class='[^']*'|fill-rule:evenodd;|stroke-linecap:butt;"
    r"|stroke-linejoin:miter;|;?stroke-opacity:1(?=[;'])|<!--.*?-->|\s*xml:space='preserve'"
)


def picture(
    figure: Figure,
    title: str,
    stem: str,
    numbers: pd.DataFrame | None = None,
    note: str = "",
    dpi: int = DPI,
) -> Picture:
    """Draws a figure as a picture of a page; its letters stay letters.

    Args:
        figure: The figure.
        title: What it shows.
        stem: Start of the names of its files.
        numbers: The table behind it.
        note: What has to be said about it.
        dpi: Pixels an inch of what it holds as an image.
    """
    content = io.BytesIO()
    with drawing(), rc_context({"svg.fonttype": "none"}):
        figure.savefig(content, format="svg", dpi=dpi, metadata={"Date": None})
    width, height = (round(float(side) * _PIXELS) for side in figure.get_size_inches())
    csv = "" if numbers is None else packed(numbers)
    text = content.getvalue().decode("utf-8")
    svg = data_of(_TAG.sub(lambda tag: _DIGITS.sub(r"\1", tag[0]), text).encode("utf-8"))
    return Picture(title, svg, width, height, file_stem(stem), csv, note)


def packed(numbers: pd.DataFrame) -> str:
    """Gives a table as comma-separated values, packed by gzip, in base64."""
    lines = harmless(numbers).to_csv(index=False, lineterminator="\r\n")
    return base64.b64encode(gzip.compress(lines.encode("utf-8"), mtime=0)).decode("ascii")


def data_of(svg: bytes) -> str:
    """Gives an SVG file as a data address."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"


def molecule(smiles: str) -> str:
    """Draws a molecule.

    Args:
        smiles: Its SMILES.

    Returns:
        A data address; "" where it cannot be drawn.
    """
    svg = svg_of(smiles, _WIDTH, _HEIGHT, letters=True)
    return "" if svg is None else data_of(_SPARED.sub("", svg).encode("utf-8"))
