"""What is a structure, but no molecule that a panel of organic molecules can hold."""

import re
from functools import cache

from rdkit import Chem

_MOST_BORONS = 7  # ChEMBL's bound, above which a molecule is a cluster
_S_GROUPS = {"SRU", "MON", "MER", "COP", "CRO", "GRA", "MOD", "ANY", "MIX", "FOR", "COM"}

# Metals that a salt may be drawn with as if they were bound, and to how many neighbours.
_SALT_BONDS = {
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Cs", "Fr", "Ag"), 1),
    **dict.fromkeys(("Be", "Mg", "Ca", "Sr", "Ba", "Ra", "Zn"), 2),
    "Al": 3,
}
_SALT_PARTNERS = {"N", "O", "S", "F", "Cl", "Br", "I"}
_LAST_NATURAL = 103  # atomic number; what follows is a metal, or was never seen in a flask

SURELY_ORGANIC = re.compile(r"(?!(?:[^Bb]*[Bb]){8})(?=(?:.*?(?:C(?!l)|c)){2})")
"""Begins a text of plain atoms, whatever its order, that needs no look at `check_organic`.

Two carbons or more, and fewer than eight letters B, which bromine has, too.
"""

_RARE_ELEMENT = re.compile(r"\[\d*(?!(?:Cl|Br|Si|Se|se|[BCNOPSFIHbcnops])(?![a-z]))")
_INORGANIC_CARBON = {
    "[C]", "[C-]#[O+]", "O=C=O", "C#N", "[C-]#N", "N#CO", "N=C=O", "N#CS", "N=C=S", "O=C(O)O",
    "S=C=S", "O=C=S", "OC(O)=S", "O=C(O)S", "S=C(S)S", "N#C[O-]", "N#C[S-]",
}  # fmt: skip
"""SMILES of carbon compounds that chemistry counts among the inorganic ones."""


def is_inorganic(mol: Chem.Mol, smiles: str) -> bool:
    """Tells whether a fragment holds no carbon, or is a carbonate, a cyanide and their like.

    Args:
        mol: One fragment, neutral where it can be.
        smiles: Its canonical SMILES.
    """
    return smiles in _INORGANIC_CARBON or all(atom.GetAtomicNum() != 6 for atom in mol.GetAtoms())


def check_organic(mol: Chem.Mol, smiles: str) -> str:
    """Says why a molecule is none that a panel can hold; "" where it can.

    Looked for are metals that are part of a molecule, ChEMBL's metals as ions (but for those on its
    list of counter-ions), boron clusters, and polymers. See `exclude_flag` of
    `chembl_structure_pipeline`.

    Args:
        mol: The molecule as it was read, bonds to metals included.
        smiles: Its canonical SMILES, which saves most molecules the look at each atom.
    """
    if may_hold_metal(smiles):
        metals = sorted({a.GetSymbol() for a in mol.GetAtoms() if _is_part_or_unlisted(a)})
        if metals:
            return f"a metal complex or compound: {', '.join(metals)}"
    if smiles.count("B") + smiles.count("b") > _MOST_BORONS:
        n_borons = sum(atom.GetAtomicNum() == 5 for atom in mol.GetAtoms())
        if n_borons > _MOST_BORONS:
            return f"a boron cluster: {n_borons} boron atoms"
    groups = {group.GetProp("TYPE") for group in Chem.GetMolSubstanceGroups(mol)} & _S_GROUPS
    if groups:
        return f"a polymer or mixture by its groups: {', '.join(sorted(groups))}"
    return ""


def may_hold_metal(smiles: str) -> bool:
    """Tells whether a SMILES names an element that may be a metal."""
    return _RARE_ELEMENT.search(smiles) is not None


def salt_bonds(mol: Chem.Mol) -> list[tuple[int, int]]:
    """Finds the bonds that a salt was drawn with, such as O–Na: pairs of metal and partner."""
    return [
        (atom.GetIdx(), partner.GetIdx())
        for atom in mol.GetAtoms()
        if atom.GetSymbol() in _SALT_BONDS
        for partner in atom.GetNeighbors()
    ]


def _is_part_or_unlisted(atom: Chem.Atom) -> bool:
    symbol = atom.GetSymbol()
    if not atom.GetDegree():
        return symbol in _unlisted_metals() or atom.GetAtomicNum() > _LAST_NATURAL
    if symbol not in _SALT_BONDS:
        return symbol in _metals() or atom.GetAtomicNum() > _LAST_NATURAL
    return not (
        atom.GetDegree() <= _SALT_BONDS[symbol]
        and not atom.IsInRing()
        and not atom.GetTotalNumHs()
        and all(
            bond.GetBondType() == Chem.BondType.SINGLE
            and bond.GetOtherAtom(atom).GetSymbol() in _SALT_PARTNERS
            for bond in atom.GetBonds()
        )
    )


@cache
def _metals() -> frozenset[str]:
    """ChEMBL's metals; the symbols of those on its list of counter-ions are in `_SALT_BONDS`."""
    from chembl_structure_pipeline.exclude_flag import METAL_LIST  # noqa: PLC0415 - seldom needed

    return frozenset(METAL_LIST)


@cache
def _unlisted_metals() -> frozenset[str]:
    """Metals that are no counter-ion: bismuth is both a metal and one of them."""
    return _metals() - {"Bi"}
