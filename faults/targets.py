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


def fuzz_smiles(content: bytes) -> None:
    """Reads bytes as a SMILES cell; what is accepted must be readable again."""
    (molecule,) = read_molecules([content.decode("utf-8", errors="replace")])
    if molecule.smiles is None:
        if not molecule.reason:
            raise AssertionError("left out without a reason")
    elif Chem.MolFromSmiles(molecule.smiles) is None:
        raise AssertionError(f"accepted as {molecule.smiles!r}, which cannot be read")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "table": fuzz_table,
    "config": fuzz_config,
    "smiles": fuzz_smiles,
}
