"""SMILES files: one SMILES per line, and its name."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from admet.data.formats.surveyed import Surveyed
from admet.data.formats.text import text_of
from admet.data.table import Table, check_header
from admet.errors import DataError

_TITLE = re.compile(r"#?\s*(?:[a-z]+_)*smiles?", re.IGNORECASE)
_MOLECULE = re.compile(r"(\S+)(?:\s+(\|[^|]*\|))?")


@dataclass(frozen=True)
class _Layout:
    """How a SMILES file is written: its encoding, the columns that its first line names, if any."""

    encoding: str
    header: tuple[str, ...]
    has_header: bool
    n: int
    notes: tuple[str, ...]


class SmilesFile(Surveyed[_Layout]):
    """One SMILES per line, then a blank and its name, or columns that the first line names."""

    endings: ClassVar[tuple[str, ...]] = (".smi", ".smi.gz")

    def survey(self, path: Path, encoding: str, note: str) -> _Layout:
        """Counts the lines that are not blank, and looks at the first one."""
        return _survey(path, encoding, note)

    def tables(self, path: Path, survey: _Layout, size: int) -> Iterator[Table]:
        """Reads part by part."""
        return _tables(path, survey, size)


def _survey(path: Path, encoding: str, note: str) -> _Layout:
    with text_of(path, encoding) as file:
        filled = (line for line in file if line.strip())
        first = next(filled, "").strip()
        n = sum(1 for _ in filled) + bool(first)
    words = first.split("\t") if "\t" in first else first.split()
    has_header = bool(words) and _TITLE.fullmatch(words[0].strip()) is not None
    header = [word.strip() for word in words] if has_header else ["SMILES", "Name"]
    header[0] = header[0].lstrip("# ")
    check_header(header, repr(str(path)))
    if n == has_header:
        raise DataError(f"Data file {str(path)!r} is empty. Write a SMILES a line to it.")
    said = "its first line names the columns" if has_header else "it has no header: columns are"
    notes = [note, f"{said} {', '.join(header)}"]
    return _Layout(encoding, tuple(header), has_header, n - has_header, tuple(filter(None, notes)))


def _tables(path: Path, layout: _Layout, size: int) -> Iterator[Table]:
    width = len(layout.header)
    with text_of(path, layout.encoding) as file:
        numbered = (
            (i, line.strip(" \r\n")) for i, line in enumerate(file, start=1) if line.strip()
        )
        for _ in range(layout.has_header):
            next(numbered)
        while part := list(itertools.islice(numbered, size)):
            faults: dict[int, str] = {}
            rows = []
            for row, (_, line) in enumerate(part):
                cells = _cells(line, width, named=not layout.has_header)
                if len(cells) != width:
                    faults[row] = f"has {len(cells)} cells where the header has {width}"
                rows.append((cells + [""] * width)[:width])
            frame = pd.DataFrame(rows, columns=list(layout.header), dtype=object)
            lines = np.asarray([number for number, _ in part], dtype=np.int64)
            yield Table(repr(str(path)), frame, lines, "line", faults)


def _cells(line: str, width: int, *, named: bool) -> list[str]:
    """Splits a line; an extension `|…|` belongs to the SMILES before it."""
    whole = _MOLECULE.match(line)
    smiles = "" if whole is None else " ".join(filter(None, whole.groups()))
    rest = line[0 if whole is None else whole.end() :]
    if named:
        return [smiles, rest.strip()]
    if "\t" in rest:  # as many cells as tabs, the last of which may be empty
        return [smiles, *(cell.strip() for cell in rest.lstrip(" ").removeprefix("\t").split("\t"))]
    return [smiles, *rest.split(maxsplit=max(width - 2, 0))]
