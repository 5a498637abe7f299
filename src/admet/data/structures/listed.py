"""The counter-ions and solvents that ChEMBL strips, from the lists of its structure pipeline.

Bento et al., An open source chemical structure curation pipeline using RDKit, J. Cheminform. 2020,
12, 51. The lists are the data files of `chembl_structure_pipeline`.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

_ABBREVIATIONS = {"DMSO", "EDTA"}
_Patterns = Mapping[tuple[int, int], list[tuple[str, Chem.Mol]]]


def counter_ion(fragment: Chem.Mol) -> str:
    """Names a fragment that the list of counter-ions holds; "" for any other.

    Args:
        fragment: A fragment, neutral where it can be; its charges, hydrogens, isotopes and stereo
            marks do not count.
    """
    return _listed(fragment, _patterns("salts.smi"))


def solvent(fragment: Chem.Mol) -> str:
    """Names a fragment that the list of solvents holds, as `counter_ion` does."""
    return _listed(fragment, _patterns("solvents.smi"))


def _listed(fragment: Chem.Mol, patterns: _Patterns) -> str:
    """Compares as ChEMBL does: as many atoms and bonds, and the pattern is found."""
    for name, pattern in patterns.get((fragment.GetNumAtoms(), fragment.GetNumBonds()), ()):
        if fragment.HasSubstructMatch(pattern):
            return name
    return ""


@cache
def _patterns(file: str) -> _Patterns:
    """Reads a list: patterns by their numbers of atoms and bonds."""
    found = defaultdict(list)
    text = (resources.files("chembl_structure_pipeline") / "data" / file).read_text("utf-8")
    for line in text.splitlines():
        name, _, smarts = line.strip().partition("\t")
        if not smarts or name.startswith("#"):
            continue
        shown = name if name in _ABBREVIATIONS else name.lower()
        for pattern in (Chem.MolFromSmarts(smarts), *_as_normalised(smarts)):
            found[pattern.GetNumAtoms(), pattern.GetNumBonds()].append((shown, pattern))
    return found


def _as_normalised(smarts: str) -> list[Chem.Mol]:
    """Gives the pattern of an entry that RDKit rewrites with charges, as it does a sulfoxide."""
    mol = Chem.MolFromSmiles(smarts)
    if mol is None:
        return []
    cleaned = rdMolStandardize.Cleanup(mol)
    if cleaned.HasSubstructMatch(Chem.MolFromSmarts(smarts)):
        return []
    return [Chem.MolFromSmarts(Chem.MolToSmiles(cleaned))]
