"""Finds out how a text table is written, in one pass before it is read."""

import csv
import io
import itertools
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from admet.config.reading import TableReading, say_it
from admet.data.formats.encodings import encoding_of, open_binary
from admet.data.formats.layout import Layout
from admet.data.formats.text import QuoteError, open_text, text_of
from admet.data.formats.units import units_in
from admet.errors import DataError

log = logging.getLogger(__name__)

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_NAMES = {mark: name for name, mark in DELIMITERS.items()}
_SAMPLE = 2**20  # characters
_FIRST = 200  # records
_FITS, _FITS_NOT = 0.9, 0.5  # shares of the records that have as many cells as the header
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_SMILES_NAME = re.compile(r"[^,;\t|]*smi(?:les)?(?![a-z])[^,;\t|]*", re.IGNORECASE)


def survey(path: Path, reading: TableReading, usual: str) -> Layout:
    """Finds out how a text table is written.

    Args:
        path: The file.
        reading: What the user says of it.
        usual: The delimiter that its name stands for.

    Returns:
        The layout. Its notes tell what was recognised, where it is neither usual nor what the user
        said.

    Raises:
        DataError: If it is no text, or could be read in more than one way. The message names the
            key that decides.
    """
    source = repr(str(path))
    encoding, note = encoding_of(path, reading.encoding)
    notes = [note] if note else []
    with text_of(path, encoding) as file:
        sample = file.read(_SAMPLE)
    lines = list(io.StringIO(sample, newline=""))
    if len(sample) == _SAMPLE and len(lines) > 1:
        lines.pop()  # cut
    separator = _SEP_LINE.fullmatch(lines[0]) if lines else None
    skip = int(separator is not None)
    if reading.delimiter != "auto":
        delimiter = DELIMITERS[reading.delimiter]
    elif separator:
        delimiter = separator[1]
        notes.append(f"cells are separated by {delimiter!r}, as its first line says")
    else:
        delimiter = _delimiter(lines, usual, source)
        if delimiter != usual:
            notes.append(f"cells are separated by {delimiter!r}")
    layout = Layout(encoding, delimiter, skip, unchecked=reading.quoting == "quoted")
    layout, note = _quoting(path, layout, reading.quoting)
    notes += [note] if note else []
    units = _units(lines[skip:], layout, reading.units_row)
    if units is not None:
        said = ", ".join(f"{name} {unit}" for name, unit in units.items()) or "none"
        notes.append(f"the row under the header holds units: {said}")
    return replace(layout, units=units or {}, has_units=units is not None, notes=tuple(notes))


def _delimiter(lines: list[str], usual: str, source: str) -> str:
    """Finds the delimiter of a header and its first records.

    Raises:
        DataError: If two fit, or if none fits and one other than the usual one is likely.
    """
    filled = next((line for line in lines if line.strip()), "")
    others = [mark for mark in DELIMITERS.values() if mark != usual and mark in filled]
    if not others:
        return usual
    shares = {mark: _share(lines, mark) for mark in (usual, *others)}
    fitting = [mark for mark, (share, _) in shares.items() if share >= _FITS]
    named = [mark for mark in fitting if shares[mark][1]]
    if len(fitting) == 1 and (fitting[0] == usual or shares[usual][0] < _FITS_NOT):
        return fitting[0]
    if len(fitting) > 1 and len(named) == 1:
        return named[0]
    if not fitting and usual in filled:
        return usual
    shown = " and ".join(repr(mark) for mark in fitting or [usual, others[0]])
    likely = _NAMES[fitting[-1] if fitting else others[0]]
    raise DataError(
        f"{source} may be separated by {shown}: neither is certain from its first {_FIRST} "
        f"records. Name the one: {say_it('delimiter', likely)}."
    )


def _share(lines: list[str], delimiter: str) -> tuple[float, bool]:
    """Gives the share of records as wide as the header, and whether it names a SMILES column.

    The share is 0 where the header is one cell.
    """
    records = list(itertools.islice(_parsed(lines, delimiter), _FIRST + 1))
    if not records or len(records[0]) < 2:
        return 0.0, False
    header, *rest = records
    named = any(_SMILES_NAME.fullmatch(name.strip()) for name in header)
    fit = sum(len(record) == len(header) or not any(record[len(header) :]) for record in rest)
    return (fit / len(rest) if rest else 1.0), named


def _parsed(lines: list[str], delimiter: str, *, quoted: bool = True) -> Iterator[list[str]]:
    reader = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    )
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield record
    except csv.Error:  # said when the table is read
        return


def _quoting(path: Path, layout: Layout, said: str) -> tuple[Layout, str]:
    """Decides whether quotes enclose cells, and counts cells of several lines.

    Raises:
        DataError: If a quote does not close or has swallowed records, and it is not certain that
            quotes are letters.
    """
    if said == "none":
        return replace(layout, quoted=False), ""
    if not _holds(path, b'"'):
        return layout, ""
    try:
        with open_text(path, layout) as text:
            for _ in text:
                pass
            n, first = text.n_spanning, text.first_spanning
    except QuoteError:
        plain = replace(layout, quoted=False)
        if said == "quoted" or layout.delimiter != "\t":
            raise
        n_quotes = _letters(path, plain)
        if not n_quotes:
            raise
        return plain, (
            f'it is read without quoting, since every line is a record and no cell is in quotes; " '
            f"is part of the cells in {n_quotes} lines"
        )
    return layout, f"{n} records span several lines, the first at line {first}" if n else ""


def _holds(path: Path, letter: bytes) -> bool:
    with open_binary(path) as file:
        while chunk := file.read(_SAMPLE):
            if letter in chunk:
                return True
    return False


def _letters(path: Path, plain: Layout) -> int:
    """Counts the lines with a quote; 0 where it is not certain that quotes are letters.

    It is where every line has as many cells as the header, and none is in quotes.
    """
    n = 0
    try:
        with open_text(path, plain) as text:
            for _, record, fault in text:
                if fault or any(len(c) > 1 and c[0] == c[-1] == '"' for c in record):
                    return 0
                n += any('"' in cell for cell in record)
    except DataError:
        return 0
    return n


def _units(lines: list[str], layout: Layout, said: str) -> dict[str, str] | None:
    records = list(
        itertools.islice(_parsed(lines, layout.delimiter, quoted=layout.quoted), _FIRST + 1)
    )
    return units_in(records[0], records[1:], said) if records else None
