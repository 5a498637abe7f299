"""What is fuzzed: reading a table, a configuration, a SMILES cell.

Whatever the bytes, reading must end in a result or in an error of `admet`.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from rdkit import Chem

from admet.config import DataConfig, TrainConfig, load_yaml_config
from admet.data import load_panel, read_molecules
from admet.errors import AdmetError
from admet.featurize import featurize
from admet.featurize.encode import read_graphs

SCRATCH = Path(tempfile.mkdtemp())


def fuzz_table(content: bytes) -> None:
    """Reads bytes as a CSV file."""
    path = SCRATCH / "table.csv"
    path.write_bytes(content)
    try:
        panel = load_panel(path, DataConfig(target_columns=("y",), standardize=False))
    except AdmetError:
        return
    if len(panel.smiles) != len(panel.labels):
        raise AssertionError("molecules and labels differ in number")


def fuzz_config(content: bytes) -> None:
    """Reads bytes as a configuration."""
    path = SCRATCH / "config.yaml"
    path.write_bytes(content)
    try:
        load_yaml_config(path, TrainConfig)
    except AdmetError:
        return


TOKENS = [
    "C", "N", "O", "S", "P", "F", "Cl", "Br", "I", "B", "c", "n", "o", "s", "(", ")", "1", "2", "3",
    "%12", "=", "#", "-", ":", "/", "\\", ".", "[C@H]", "[C@@]", "[nH]", "[N+]", "[O-]", "[NH4+]",
    "[Na+]", "[Cl-]", "[13C]", "[2H]", "[H]", "[Fe+2]", "[Pt]", "[Si]", "[se]", "[CH2]", "[CH3:7]",
    "c1ccccc1", "C(=O)", "C(=O)[O-]", "[N+](=O)[O-]", "N=[N+]=[N-]", "S(=O)(=O)", "->", "$", "*",
    ">", "|", " ", "[", "]", "@", "+", "[C", "[U+9]", "[C-999]", "[999C]",
]  # fmt: skip
"""Pieces of SMILES. Random bytes hardly ever make a molecule; random pieces often do."""


def fuzz_smiles(content: bytes) -> None:
    """Reads bytes as a SMILES cell."""
    _read_cell(content.decode("utf-8", errors="replace"))


def fuzz_molecules(content: bytes) -> None:
    """Reads pieces of SMILES, one a byte, as a SMILES cell."""
    _read_cell("".join(TOKENS[byte % len(TOKENS)] for byte in content[:200]))


def _read_cell(text: str) -> None:
    """Reads a cell; what is accepted must be readable again as itself, and have a graph."""
    (molecule,) = read_molecules([text])
    predicted, _, (reason,) = read_graphs([text], standardize=True)
    if reason != molecule.reason or (predicted is None) != (molecule.smiles is None):
        raise AssertionError(f"predict says {reason!r}, train {molecule.reason!r}")
    if molecule.smiles is None or predicted is None:
        if not molecule.reason:
            raise AssertionError("left out without a reason")
        return
    found = Chem.MolFromSmiles(molecule.smiles)
    if found is None:
        raise AssertionError(f"accepted as {molecule.smiles!r}, which cannot be read")
    graphs = featurize([molecule.smiles])
    n_atoms = int(graphs.atom_start[-1])
    if not n_atoms == found.GetNumAtoms() == predicted.atom_start[-1] > 0:
        raise AssertionError(f"{molecule.smiles!r} has a graph of {n_atoms} atoms")
    (again,) = read_molecules([molecule.smiles])
    if again.smiles != molecule.smiles or again.changes:
        raise AssertionError(f"{molecule.smiles!r} is read as {again!r}")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "table": fuzz_table,
    "config": fuzz_config,
    "smiles": fuzz_smiles,
    "molecules": fuzz_molecules,
}
