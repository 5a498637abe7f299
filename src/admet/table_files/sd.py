"""SD files: one structure per row, the other cells as its properties."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from admet.table_files.writer import Origin, TableWriter

_NO_STRUCTURE = "\n     admet\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"


class StructureData(TableWriter):
    """One record per row: as it came if the table was an SD file, else drawn from its SMILES.

    A row whose SMILES is not valid has a structure without atoms.
    """

    endings: ClassVar[tuple[str, ...]] = (".sdf",)

    def __init__(self, path: Path, origin: Origin) -> None:
        """Opens the file."""
        super().__init__(path, origin)
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, part: pd.DataFrame, blocks: Sequence[str] | None = None) -> None:
        """Appends records."""
        names = [re.sub(r"[\r\n]+", " ", str(name)) for name in part.columns]
        smiles = part[self.origin.smiles_column].tolist()
        columns = [part.iloc[:, place].tolist() for place in range(part.shape[1])]
        for row, cells in enumerate(zip(*columns, strict=True)):
            block = _drawn(smiles[row]) if blocks is None else blocks[row]
            self._file.write(block if block.endswith("\n") else f"{block}\n")
            for name, cell in zip(names, cells, strict=True):
                value = _value(cell)
                if value:
                    self._file.write(f">  <{name}>\n{value}\n\n")
            self._file.write("$$$$\n")

    def _append(self, part: pd.DataFrame) -> None:
        self.write(part)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _value(cell: Any) -> str:
    """Writes a cell as a property; a blank line would end it, and `$$$$` would end the record."""
    if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
        return ""
    lines = [line.rstrip("\r") for line in str(cell).split("\n")]
    kept = [
        f" {line}" if line.startswith(("$$$$", ">")) else line for line in lines if line.strip()
    ]
    return "\n".join(kept)


def _drawn(cell: Any) -> str:
    """Draws a SMILES in two dimensions."""
    from rdkit import Chem, rdBase  # noqa: PLC0415 - for SD files only
    from rdkit.Chem import rdDepictor  # noqa: PLC0415

    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(cell) if isinstance(cell, str) and cell.strip() else None
        if mol is None:
            return _NO_STRUCTURE
        rdDepictor.Compute2DCoords(mol)
        try:
            return str(Chem.MolToMolBlock(mol))
        except (RuntimeError, ValueError):  # what no structure block can hold
            return _NO_STRUCTURE
