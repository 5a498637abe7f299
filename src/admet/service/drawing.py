"""Structures as pictures."""

from collections.abc import Sequence
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.Draw import rdMolDraw2D

_WIDTH, _HEIGHT = 220, 150  # pixels
_MOST_ATOMS = 150  # beyond, nothing can be seen, and placing the atoms takes seconds


def draw(smiles: Sequence[str]) -> list[str | None]:
    """Draws molecules as SVG; None for one that cannot be drawn."""
    with rdBase.BlockLogs():
        return [_drawn(text) for text in smiles]


def _drawn(text: str) -> str | None:
    try:
        molecule = Chem.MolFromSmiles(text)
        if molecule is None or not 0 < molecule.GetNumAtoms() <= _MOST_ATOMS:
            return None
        canvas = rdMolDraw2D.MolDraw2DSVG(_WIDTH, _HEIGHT)
        options: Any = canvas.drawOptions()  # RDKit's stubs give its settings other types
        options.clearBackground = False
        options.maxFontSize = 14
        rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
        canvas.FinishDrawing()
        return str(canvas.GetDrawingText())
    except (RuntimeError, ValueError):  # half a character is a ValueError, too
        return None
