"""What a workbook holds beside the values of its cells: merged cells, formulas."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

from admet.errors import DataError

_LARGEST = 2**32
"""Bytes of a workbook when it is unpacked; the largest sheet takes about 1 GiB."""
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINKED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_FORMULA = re.compile(
    rb"<c\b([^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>\s*|<v></v>\s*)?</c>"
)
_ERROR = re.compile(rb'<c\b([^>]*\bt="e"[^>]*)>(?:(?!</c>).)*<v>([^<]*)</v>', re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]+)(\d+)"')

Place = tuple[int, int]


def check_size(path: Path) -> None:
    """Refuses a file that is no workbook, or that would fill the memory when it is unpacked.

    Raises:
        DataError: Says which.
    """
    with _unpacked(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > _LARGEST:
        raise DataError(
            f"{str(path)!r} is {size / 2**30:.0f} GiB when it is unpacked. Save its sheet as CSV."
        )


@contextmanager
def _unpacked(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens a workbook as the archive that it is.

    Raises:
        DataError: If it is damaged, in whatever way the archive or a part of it shows.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (
        zipfile.BadZipFile, zlib.error, struct.error, ET.ParseError, OSError, EOFError, ValueError,
        LookupError, RuntimeError, OverflowError,
    ) as error:  # fmt: skip
        raise unreadable(path, error) from None


def unreadable(path: Path, error: BaseException) -> DataError:
    """Gives the error of a workbook that cannot be read."""
    return DataError(
        f"{str(path)!r} is not a readable workbook: {error}. Save it again, without a password."
    )


def cell_name(row: int, column: int) -> str:
    """Names a cell as a spreadsheet does, from its places counted from 0: (0, 27) is AB1."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"


def merged_cells(path: Path, sheet: str, known: Sequence[tuple[Place, Place]] | None) -> list[str]:
    """Names the ranges of merged cells of a sheet, such as A1:C1.

    Args:
        path: The workbook.
        sheet: The sheet.
        known: The ranges as the reader gives them; None where it gives none for this format.
    """
    if known is None:
        known = _merged_of_ods(path, sheet)
    return [f"{cell_name(*first)}:{cell_name(*last)}" for first, last in known]


def _merged_of_ods(path: Path, sheet: str) -> list[tuple[Place, Place]]:
    found: list[tuple[Place, Place]] = []
    with _unpacked(path) as archive:
        # Expat itself stops entities that multiply.
        root = ET.fromstring(archive.read("content.xml"))  # noqa: S314
    for table in root.iter(f"{_TABLE}table"):
        if table.get(f"{_TABLE}name") != sheet:
            continue
        number = 0
        for row in table.iter(f"{_TABLE}table-row"):
            column = 0
            for cell in row:
                tall = int(cell.get(f"{_TABLE}number-rows-spanned", "1"))
                wide = int(cell.get(f"{_TABLE}number-columns-spanned", "1"))
                if tall > 1 or wide > 1:
                    found.append(((number, column), (number + tall - 1, column + wide - 1)))
                column += int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
            number += int(row.get(f"{_TABLE}number-rows-repeated", "1"))
    return found


def sheet_xml(path: Path, sheet: str) -> bytes:
    """Gives the XML of a sheet of an Excel file; nothing for another format."""
    if path.suffix.lower() == ".ods":
        return b""
    with _unpacked(path) as archive:
        part = _part_of(archive, sheet)
        return archive.read(part) if part in archive.namelist() else b""


def without_value(content: bytes) -> list[str]:
    """Names the cells whose formula has no stored value.

    Programs that only write files leave the value out; the cell would be read as empty.

    Args:
        content: What `sheet_xml` gave.
    """
    if b"<f" not in content:
        return []
    found = []
    for match in _FORMULA.finditer(content):
        reference = _REFERENCE.search(match[1])
        if b't="str"' not in match[1] and reference:  # an empty text is a value
            found.append(f"{reference[1].decode()}{reference[2].decode()}")
    return found


def error_cells(content: bytes) -> dict[Place, str]:
    """Finds the cells that hold an error, such as #DIV/0!, which would read as empty.

    Args:
        content: What `sheet_xml` gave.

    Returns:
        Row and column, counted from 0 → the error.
    """
    found = {}
    for match in _ERROR.finditer(content) if b't="e"' in content else ():
        if reference := _REFERENCE.search(match[1]):
            column = 0
            for letter in reference[1].decode():
                column = 26 * column + ord(letter) - ord("A") + 1
            found[int(reference[2]) - 1, column - 1] = match[2].decode()
    return found


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Finds the part of an Excel file that holds a sheet."""
    try:
        book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - as above
        links = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ET.ParseError):
        return ""
    wanted = [s.get(_LINKED) for s in book.iter(f"{_MAIN}sheet") if s.get("name") == sheet]
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    target = targets.get(wanted[0], "") if wanted else ""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
