"""The parent of a structure: what is left of it without counter-ions, solvents and charges."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from admet.data.structures.identity import without_isotopes, write_smiles
from admet.data.structures.listed import counter_ion, solvent
from admet.data.structures.refused import (
    check_organic,
    is_inorganic,
    may_hold_metal,
    salt_bonds,
)

_MAP_NUMBER = re.compile(r":\d+\]")
_ISOTOPE = re.compile(r"\[\d")
_MOST_FRAGMENTS = 100  # the time grows with their square
_SHOWN, _LONG = 3, 60  # molecules named in a reason, characters of each


class StructureError(ValueError):
    """A structure that has no parent; its text is the reason."""


@dataclass(frozen=True)
class _Part:
    """Fragments of a structure that are alike once they are neutral.

    Attributes:
        mol: The neutral molecule.
        smiles: Its SMILES.
        name: What it is called in a reason.
        role: "molecule", "counter-ion", "solvent", or "inorganic" (unlisted).
        organic: Whether it is an organic molecule.
        copies: How many of them there are.
        charged: Whether one of them was charged otherwise than the neutral molecule is.
    """

    mol: Chem.Mol
    smiles: str
    name: str
    role: str
    organic: bool
    copies: int
    charged: bool


def parent_of(mol: Chem.Mol, smiles: str, *, as_written: bool = False) -> tuple[str, list[str]]:
    """Finds the parent as ChEMBL does, and says where there is none.

    Clean-up by RDKit's MolStandardize (explicit hydrogens, functional groups, ionisation);
    fragments on ChEMBL's list of solvents go, then those on its list of counter-ions, unless
    nothing would be left; equal ones count once; what is left is made neutral where it can be.
    Other than in ChEMBL's pipeline, isotopes stay, and inorganic fragments go whether they are
    listed or not.

    Args:
        mol: The molecule as it was read.
        smiles: Its canonical SMILES.
        as_written: Whether fragments only are taken away, without clean-up and with the charges of
            the parent as they are.

    Returns:
        The SMILES of the parent, and what was done, in words.

    Raises:
        StructureError: If it holds a metal or a boron cluster, nothing organic, several
            different molecules, or a hundred fragments and more.
    """
    n_fragments = smiles.partition(" ")[0].count(".") + 1
    if n_fragments > _MOST_FRAGMENTS:
        raise StructureError(f"more than {_MOST_FRAGMENTS} fragments: {n_fragments}")
    if reason := check_organic(mol, smiles):
        raise StructureError(reason)
    whole, said = _without_marks(mol, smiles)
    cleaned = whole if as_written else rdMolStandardize.Cleanup(whole)
    before = smiles if whole is mol else write_smiles(whole)
    after = before if cleaned is whole else write_smiles(cleaned)
    if after != before:
        said.append("normalised")
    parts = _parts(cleaned, after, as_written)
    parent = _choose(parts)
    said += _told(parent, parts)
    return parent.smiles, said


def _without_marks(mol: Chem.Mol, smiles: str) -> tuple[Chem.Mol, list[str]]:
    """Cuts the bonds that a salt was drawn with, and takes away atom map numbers."""
    said: list[str] = []
    bonds = salt_bonds(mol) if may_hold_metal(smiles) else []
    mapped = _MAP_NUMBER.search(smiles) is not None
    if not bonds and not mapped:
        return mol, said
    editable = Chem.RWMol(mol)
    for metal, partner in bonds:
        editable.RemoveBond(metal, partner)
        for index, step in ((metal, 1), (partner, -1)):
            atom = editable.GetAtomWithIdx(index)
            atom.SetFormalCharge(atom.GetFormalCharge() + step)
    for atom in editable.GetAtoms():
        atom.SetAtomMapNum(0)
    Chem.SanitizeMol(editable)
    if bonds:
        said.append("bond to a metal read as a salt")
    if mapped:
        said.append("atom numbers removed")
    return editable.GetMol(), said


def _parts(mol: Chem.Mol, smiles: str, as_written: bool) -> list[_Part]:
    """Makes the fragments neutral, unless told otherwise, and counts those that are alike."""
    counts, first = {smiles: 1}, {smiles: mol}
    if "." in smiles.partition(" ")[0]:
        counts, first = {}, {}
        # Not sanitised: that would hide what RDKit's normalisation has broken.
        for fragment in Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False):
            drawn = write_smiles(fragment)
            counts[drawn] = counts.get(drawn, 0) + 1
            first.setdefault(drawn, fragment)
    found: dict[str, _Part] = {}
    alone = len(first) == 1
    for drawn, fragment in first.items():
        neutral = fragment if as_written else _uncharger().uncharge(fragment)
        name = write_smiles(neutral)
        copies, charged = counts[drawn], drawn != name
        if name in found:
            copies += found[name].copies
            charged |= found[name].charged
        found[name] = _part(neutral, name, copies, charged, alone)
    return list(found.values())


def _part(mol: Chem.Mol, smiles: str, copies: int, charged: bool, alone: bool) -> _Part:
    plain = without_isotopes(mol) if _ISOTOPE.search(smiles) else mol
    organic = not is_inorganic(plain, smiles if plain is mol else Chem.MolToSmiles(plain))
    if alone and organic:  # whether it is listed makes no difference
        return _Part(mol, smiles, smiles, "molecule", organic, copies, charged)
    for role, name in (("solvent", solvent(plain)), ("counter-ion", counter_ion(plain))):
        if name:
            return _Part(mol, smiles, name, role, organic, copies, charged)
    role = "molecule" if organic else "inorganic"
    return _Part(mol, smiles, smiles, role, organic, copies, charged)


def _choose(parts: list[_Part]) -> _Part:
    """Chooses the one part that is the molecule.

    Raises:
        StructureError: If there is none, or more than one.
    """
    for role in ("molecule", "counter-ion", "solvent"):
        found = [part for part in parts if part.role == role and part.organic]
        if not found:
            continue
        strange = [part for part in parts if part.role == "inorganic"] if role != "molecule" else []
        if len(found) > 1 or strange:
            raise StructureError(_mixture(role, [*found, *strange]))
        return found[0]
    raise StructureError(f"nothing organic: {_names(parts)}")


def _mixture(role: str, parts: list[_Part]) -> str:
    if role != "molecule":
        return f"{role}s of which none is the molecule for certain: {_names(parts)}"
    flat = set()
    for part in parts:
        mol = without_isotopes(part.mol)
        Chem.RemoveStereochemistry(mol)
        flat.add(Chem.MolToSmiles(mol))
    what = "different molecules" if len(flat) > 1 else "isomers or isotopologues of one molecule"
    return f"a mixture of {what}: {_names(parts)}"


def _told(parent: _Part, parts: list[_Part]) -> list[str]:
    """Says what became of the parts."""
    others = [part for part in parts if part is not parent]
    said = []
    for what, roles in (
        ("salt stripped", {"counter-ion", "inorganic"}),
        ("solvent removed", {"solvent"}),
    ):
        gone = [part for part in others if part.role in roles]
        if gone:
            said.append(f"{what} ({_names(gone)})")
    if parent.copies > 1:
        said.append(f"taken once ({parent.copies} copies)")
    if parent.charged:
        said.append("neutralised")
    return said


def _names(parts: Iterable[_Part]) -> str:
    names = list(dict.fromkeys(part.name for part in parts))
    cut = [name if len(name) <= _LONG else f"{name[:_LONG]}…" for name in names[:_SHOWN]]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(cut) + more


@cache
def _uncharger() -> rdMolStandardize.Uncharger:
    return rdMolStandardize.Uncharger()
