"""Molecules as pictures, for pages."""

from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.Draw import rdMolDraw2D

_MOST_ATOMS = 150  # beyond, nothing can be seen, and placing the atoms takes seconds
_LONGEST = 2_000  # characters of a SMILES; so many atoms need fewer


def svg_of(smiles: str, width: int, height: int, *, letters: bool = False) -> str | None:
    """Draws a molecule on no background.

    Args:
        smiles: Its SMILES.
        width: Width of the picture, in pixels.
        height: Its height, likewise.
        letters: Whether letters stay letters, which takes less space and the viewer's font.

    Returns:
        The picture as SVG; None where it cannot be drawn, or nobody could see anything.
    """
    if len(smiles) > _LONGEST:
        return None
    try:
        with rdBase.BlockLogs():
            molecule = Chem.MolFromSmiles(smiles)
        if molecule is None or not 0 < molecule.GetNumAtoms() <= _MOST_ATOMS:
            return None
        canvas = rdMolDraw2D.MolDraw2DSVG(width, height, -1, -1, letters)
        options: Any = canvas.drawOptions()  # RDKit's stubs give its settings other types
        options.clearBackground = False
        options.maxFontSize = 14
        rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
        canvas.FinishDrawing()
        return str(canvas.GetDrawingText())
    except (RuntimeError, ValueError):  # half a character is a ValueError, too
        return None
