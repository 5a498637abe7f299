"""What makes two structures one molecule, and the SMILES that says so."""

import re

from rdkit import Chem

from admet.config.data import Identity

_MOST_GROUPS = 6  # the time doubles with each; beyond, RDKit's simpler order has to do
_RELATIVE = re.compile(r"[|,]r(?::[\d,]+)?(?=[|,])")  # ChemAxon's mark of relative stereo


def forget(mol: Chem.Mol, identity: Identity) -> tuple[Chem.Mol, list[str]]:
    """Takes away the marks that do not count.

    Args:
        mol: The molecule; it is not changed.
        identity: Which differences count.

    Returns:
        The molecule without them, and what was taken away, in words.
    """
    said = []
    if identity in {"ignore_isotopes", "constitution"} and any(
        atom.GetIsotope() for atom in mol.GetAtoms()
    ):
        mol = without_isotopes(mol)
        said.append("isotopes ignored")
    if identity in {"ignore_stereo", "constitution"}:
        flat = Chem.Mol(mol)
        Chem.RemoveStereochemistry(flat)
        if Chem.MolToSmiles(flat) != Chem.MolToSmiles(mol):
            said.append("stereo ignored")
        mol = flat
    return mol, said


def without_isotopes(mol: Chem.Mol) -> Chem.Mol:
    """Gives a copy with natural isotopes; heavy hydrogen is hydrogen like any other there."""
    mol = Chem.Mol(mol)
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
    return Chem.RemoveHs(mol)


def has_stereo_groups(mol: Chem.Mol) -> bool:
    """Tells whether stereocentres are marked as relative or racemic."""
    return len(mol.GetStereoGroups()) > 0


def relative_as_group(text: str, mol: Chem.Mol) -> Chem.Mol:
    """Reads ChemAxon's mark of relative stereo, `|r|`, as one group of all stereocentres.

    RDKit reads over it, and the molecule would count as one enantiomer.

    Args:
        text: The SMILES with its extension.
        mol: What RDKit made of it.

    Returns:
        The molecule, with a group "either this or its mirror image" where the mark stands.
    """
    extension = text.partition("|")[2]
    centres = [a.GetIdx() for a in mol.GetAtoms() if a.GetChiralTag()]
    if not centres or has_stereo_groups(mol) or not _RELATIVE.search(f"|{extension}"):
        return mol
    marked = Chem.RWMol(mol)
    either = Chem.StereoGroupType.STEREO_OR
    marked.SetStereoGroups([Chem.CreateStereoGroup(either, marked, centres, [], 1)])
    return marked.GetMol()


def write_smiles(mol: Chem.Mol) -> str:
    """Gives the canonical SMILES by which a molecule is told from others.

    Relative and racemic stereo is written behind it as a ChemAxon extension, |o1:1| or |&1:1|, in
    a form that does not depend on which of the isomers was drawn.
    """
    if not has_stereo_groups(mol):
        return Chem.MolToSmiles(mol)
    canonical = Chem.CanonicalizeStereoGroups(mol, maxStereoGroups=_MOST_GROUPS)
    fields = Chem.CXSmilesFields.CX_ENHANCEDSTEREO
    return Chem.MolToCXSmiles(canonical, Chem.SmilesWriteParams(), fields)
