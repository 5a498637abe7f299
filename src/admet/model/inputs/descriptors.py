"""RDKit's descriptors, and counts of circular fingerprints."""

from collections.abc import Callable, Sequence

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, rdFingerprintGenerator

from admet.model.inputs.parallel import in_processes

N_DESCRIPTORS = len(Descriptors.descList)
N_BITS = 2048
LARGEST = 1_000
"""Atoms; larger molecules have no descriptors: time and memory grow with their square and cube."""
_HUGE = {"Ipc"}  # grows exponentially with the molecule, so its logarithm is taken
_SLOW = {"Ipc", "AvgIpc"}  # a characteristic polynomial: seconds from some 200 atoms on
_SLOW_FROM = 200  # atoms


def rdkit_descriptors(smiles: Sequence[str]) -> np.ndarray:
    """Computes all descriptors of `rdkit.Chem.Descriptors`, shape (n, 217), float32.

    The number depends on RDKit's version. NaN stands where a descriptor is not defined; Ipc and
    AvgIpc are not for molecules of more than 200 atoms, and none is for those of more than 1,000.

    Args:
        smiles: n canonical SMILES.
    """
    return in_processes(_descriptors, smiles, N_DESCRIPTORS)


def _descriptors(smiles: Sequence[str]) -> np.ndarray:
    with rdBase.BlockLogs(), np.errstate(all="ignore"):
        rows = [_of_one(Chem.MolFromSmiles(text)) for text in smiles]
        found = np.array(rows).reshape(-1, N_DESCRIPTORS).astype(np.float32)
    found[~np.isfinite(found)] = np.nan
    return found


def _of_one(mol: Chem.Mol) -> list[float]:
    n = mol.GetNumAtoms()
    if n > LARGEST:
        return [np.nan] * N_DESCRIPTORS
    if n > _SLOW_FROM:
        return [np.nan if name in _SLOW else _value(of, mol) for name, of in Descriptors.descList]
    values = Descriptors.CalcMolDescriptors(mol, missingVal=np.nan, silent=True)
    return [np.log1p(value) if name in _HUGE else value for name, value in values.items()]


def _value(descriptor: Callable[[Chem.Mol], float], mol: Chem.Mol) -> float:
    try:
        return descriptor(mol)
    except Exception:  # of any kind, as `CalcMolDescriptors` does
        return float("nan")


def morgan_counts(smiles: Sequence[str]) -> np.ndarray:
    """Counts the circular substructures of radius 2, hashed to 2048 places, shape (n, 2048).

    Source: Rogers and Hahn, J. Chem. Inf. Model. 2010, 50, 742.

    Args:
        smiles: n canonical SMILES.
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=N_BITS)
    found = np.zeros((len(smiles), N_BITS), np.float32)
    with rdBase.BlockLogs():
        for row, text in enumerate(smiles):
            found[row] = generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(str(text)))
    return found
