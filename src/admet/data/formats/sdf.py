"""SD files: structures with properties."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase

from admet.data.formats.surveyed import Surveyed
from admet.data.formats.text import text_of
from admet.data.table import Table
from admet.errors import DataError
from admet.files import free_name

_PROPERTY = re.compile(r">[^<]*<(.*)>[^>]*")
_END_OF_STRUCTURE = "M  END"


@dataclass(frozen=True)
class _Record:
    """One record of an SD file.

    Attributes:
        block: Its structure, as it stands there.
        properties: Property → value.
        fault: What is wrong with the properties.
    """

    block: str
    properties: dict[str, str]
    fault: str = ""


@dataclass(frozen=True)
class _Layout:
    """What an SD file as a whole says: its encoding, its columns, its records."""

    encoding: str
    smiles: str
    title: str
    properties: tuple[str, ...]
    n: int
    notes: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the table."""
        return [self.smiles, *([self.title] if self.title else []), *self.properties]


class StructureData(Surveyed[_Layout]):
    """Structures with properties; records are counted from 1, cells are text.

    The SMILES of the structures stand in a column `SMILES`, or `SMILES_structure` where a property
    has that name; titles in a column `Name`.
    """

    endings: ClassVar[tuple[str, ...]] = (".sdf", ".sdf.gz", ".sd", ".sd.gz")

    def survey(self, path: Path, encoding: str, note: str) -> _Layout:
        """Finds the names of the properties of all records, in one pass."""
        return _survey(path, encoding, note)

    def tables(self, path: Path, survey: _Layout, size: int) -> Iterator[Table]:
        """Reads part by part."""
        return _tables(path, survey, size)


def _survey(path: Path, encoding: str, note: str) -> _Layout:
    """Finds the names of the properties of all records, in one pass."""
    names: dict[str, None] = {}
    titled, n = False, 0
    for record in _records(path, encoding):
        names.update(dict.fromkeys(record.properties))
        titled = titled or bool(record.block.split("\n", 1)[0].strip())
        n += 1
    if not n:
        raise DataError(f"Data file {str(path)!r} is empty. Write structures to it.")
    notes = [note] if note else []
    smiles = free_name("SMILES" if "SMILES" not in names else "SMILES_structure", names)
    if smiles != "SMILES":
        notes.append(
            f"its property SMILES is taken as it stands; that of the structures is {smiles!r}"
        )
    title = free_name("Name", names) if titled else ""
    shown = ", ".join(list(names)[:20]) or "none"
    notes.append(f"{n} records with the properties {shown}" + f", titles as {title}" * bool(title))
    return _Layout(encoding, smiles, title, tuple(names), n, tuple(notes))


def _tables(path: Path, layout: _Layout, size: int) -> Iterator[Table]:
    records = _records(path, layout.encoding)
    done = 0
    while part := list(itertools.islice(records, size)):
        rows: list[list[str]] = []
        faults: dict[int, str] = {}
        for row, record in enumerate(part):
            smiles, fault = _smiles(record.block)
            if fault or record.fault:
                faults[row] = record.fault or fault
            title = [record.block.split("\n", 1)[0].strip()] if layout.title else []
            rows.append(
                [smiles, *title, *(record.properties.get(p, "") for p in layout.properties)]
            )
        frame = pd.DataFrame(rows, columns=layout.columns, dtype=object)
        lines = np.arange(done + 1, done + len(part) + 1)
        done += len(part)
        blocks = tuple(record.block for record in part)
        yield Table(repr(str(path)), frame, lines, "record", faults, blocks=blocks)


def _records(path: Path, encoding: str) -> Iterator[_Record]:
    """Splits an SD file at its `$$$$` lines; a last record may lack it."""
    lines: list[str] = []
    with text_of(path, encoding) as file:
        for line in file:
            bare = line.rstrip("\r\n")
            if bare.startswith("$$$$"):
                yield _parse(lines)
                lines = []
            else:
                lines.append(bare)
    if any(line.strip() for line in lines):
        yield _parse(lines)


def _parse(lines: list[str]) -> _Record:
    """Takes a record apart: its structure up to the first property, then name and value lines."""
    end = next((i + 1 for i, line in enumerate(lines) if line.startswith(_END_OF_STRUCTURE)), None)
    if end is None:
        end = next((i for i, line in enumerate(lines) if line.startswith(">")), len(lines))
    properties: dict[str, str] = {}
    fault, name, value = "", None, list[str]()
    for line in [*lines[end:], ""]:
        header = _PROPERTY.fullmatch(line) if name is None else None
        if name is None and header is None:
            continue
        if header is not None:
            name, value = header[1], []
        elif line.strip():
            value.append(line)
        elif name is not None:
            if name in properties:
                fault = f"has the property {name!r} twice"
            properties[name] = "\n".join(value)
            name = None
    return _Record("\n".join(lines[:end]) + "\n", properties, fault)


def _smiles(block: str) -> tuple[str, str]:
    """Gives the SMILES of a structure, or why there is none.

    Relative and racemic stereo, which a V3000 structure may state, stands in its extension.
    """
    try:
        # RDKit says in its log why it refuses a structure.
        with rdBase.BlockLogs():
            mol = Chem.MolFromMolBlock(block, sanitize=False)
            if mol is None:
                return "", "a structure that cannot be read"
            problems = Chem.DetectChemistryProblems(mol)
            if problems:
                return "", f"an invalid structure: {problems[0].Message()}"
            mol = Chem.MolFromMolBlock(block)
            if mol is None:
                return "", "an invalid structure"
            if not mol.GetNumAtoms():
                return "", "a structure without atoms"
            if not mol.GetStereoGroups():
                return Chem.MolToSmiles(mol), ""
            params = Chem.SmilesWriteParams()
            fields = Chem.CXSmilesFields.CX_ENHANCEDSTEREO
            return Chem.MolToCXSmiles(mol, params, fields), ""
    except (RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return "", f"a structure that cannot be read: {reason}"
