"""Molecules: SMILES parsed once, reduced to their parents, written as canonical SMILES."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pandas as pd
from rdkit import Chem, rdBase

from admet.config.data import Identity
from admet.data.structures import (
    SURELY_ORGANIC,
    StructureError,
    forget,
    parent_of,
    relative_as_group,
    write_smiles,
)
from admet.workers import map_parts

# What a canonical SMILES may hold for its molecule to be its own parent: no charge, isotope, metal,
# explicit hydrogen atom or second fragment. All of standardisation but `_unusual` acts on these,
# and on what is not surely organic.
_PLAIN = re.compile(
    r"(?:Cl|Br|[BCNOFPSIbcnops]|[-=#/\\()0-9%:]|\[(?:[BCNOPSbcnops]|Si)(?:@@?)?(?:H[1-4]?)?\])+"
)
_MOST_READINGS = 3  # for a SMILES to come to rest
LONGEST = 100_000
"""Characters that a SMILES may have; a protein of 2,000 residues stays well below."""


@dataclass(frozen=True)
class Molecule:
    """What became of one SMILES cell.

    Attributes:
        smiles: Canonical isomeric SMILES, or None where the cell holds no molecule. Relative and
            racemic stereo stands behind it as an extension, |o1:1| or |&1:1|.
        reason: Why it holds none; empty where it does.
        changes: What was done to the structure, beyond writing it otherwise, in words.
    """

    smiles: str | None
    reason: str = ""
    changes: tuple[str, ...] = ()


def read_molecules(
    cells: Sequence[Any], standardize: bool = True, identity: Identity = "exact"
) -> list[Molecule]:
    """Parses and cleans SMILES; equal cells are parsed once.

    Standardisation gives the parent as `admet.data.structures.parent_of` says. Stereochemistry,
    isotopes and tautomers stay as written. Where the result would not be a valid molecule, the
    parent as written stands in.

    Args:
        cells: The n SMILES cells.
        standardize: Whether to standardise; otherwise SMILES are made canonical only.
        identity: Which differences between molecules count; marks of others are taken away.

    Returns:
        n molecules in the order of the cells.

    Raises:
        WorkerError: If a process that reads them died.
    """
    texts = [cell_text(cell) for cell in cells]
    distinct = list(dict.fromkeys(texts))
    parts = map_parts(partial(_read_part, standardize=standardize, identity=identity), distinct)
    read = [molecule for part in parts for molecule in part]
    by_text = dict(zip(distinct, read, strict=True))
    return [by_text[text] for text in texts]


def cell_text(cell: Any) -> str:
    """Gives what stands in a cell, without blanks around it; nothing for a missing value."""
    if isinstance(cell, str):
        return cell.strip()
    # A list, as Parquet may hold, is no missing value, whatever it holds.
    return "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell).strip()


def _read_part(texts: Sequence[str], standardize: bool, identity: Identity) -> list[Molecule]:
    with rdBase.BlockLogs():
        return [_read_one(text, standardize, identity) for text in texts]


def _read_one(text: str, standardize: bool, identity: Identity) -> Molecule:
    if not text:
        return Molecule(None, "empty SMILES")
    if len(text) > LONGEST:
        return Molecule(None, f"SMILES longer than {LONGEST:,} characters")
    first_word, *rest = text.split(maxsplit=1)
    # Inside brackets it would be no arrow, and -> and <- are dative bonds.
    if ">" in re.sub(r"\[[^\]]*\]|->|<-", "", first_word):
        return Molecule(None, "a reaction, not a molecule")
    if rest and not rest[0].startswith("|"):  # |…| is an extension of the molecule before it
        return Molecule(None, f"text behind the SMILES: {rest[0][:30]!r}")
    try:
        mol = Chem.MolFromSmiles(text)
    except UnicodeEncodeError:  # half a character, as JSON can spell it
        mol = None
    if mol is None:
        return Molecule(None, "invalid SMILES")
    if mol.GetNumAtoms() == 0:
        return Molecule(None, "a molecule without atoms")
    if rest:
        mol = relative_as_group(text, mol)
    try:
        return _finished(mol, standardize, identity)
    except StructureError as error:
        return Molecule(None, str(error))
    except (RuntimeError, ValueError) as error:
        return Molecule(None, f"cannot be standardised: {str(error).strip().splitlines()[0]}")


def _finished(mol: Chem.Mol, standardize: bool, identity: Identity) -> Molecule:
    """Gives what a molecule becomes.

    Raises:
        StructureError: If it has no parent.
        RuntimeError: If RDKit cannot clean it.
        ValueError: As RuntimeError.
    """
    said: list[str] = []
    if identity != "exact":
        mol, said = forget(mol, identity)
    smiles = write_smiles(mol)
    if "*" in smiles:
        raise StructureError("a wildcard atom (*), not a whole molecule")
    changed = standardize and not is_standard(mol, smiles)
    if changed:
        found, done = parent_of(mol, smiles)
    else:
        found, done = smiles, []
    again = Chem.MolFromSmiles(found)
    if again is None:
        # RDKit's normalisation breaks some mesoionic rings; the parent as written is valid.
        found, done = parent_of(mol, smiles, as_written=True)
    elif changed:
        found = _settled(found, again)
    return Molecule(found, changes=(*said, *done))


def _settled(smiles: str, mol: Chem.Mol) -> str:
    """Gives the SMILES that a molecule has once it is read from its SMILES.

    Standardisation leaves marks that a SMILES does not carry: CO2 made of ions may be written with
    hydrogens in brackets, and without them once it was read.
    """
    for _ in range(_MOST_READINGS):
        last, smiles = smiles, write_smiles(mol)
        if smiles == last:
            break
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            return last
    return smiles


def is_standard(mol: Chem.Mol, smiles: str) -> bool:
    """Tells quickly that standardisation would leave a molecule as it is; nine in ten are so.

    Args:
        mol: The molecule.
        smiles: Its canonical SMILES.

    Returns:
        False where standardisation may change it.
    """
    plain = _PLAIN.fullmatch(smiles) is not None and SURELY_ORGANIC.match(smiles) is not None
    grouped = len(Chem.GetMolSubstanceGroups(mol)) > 0
    return plain and not grouped and not mol.HasSubstructMatch(_unusual())


@cache
def _unusual() -> Chem.Mol:
    """Uncharged groups that RDKit's normaliser rewrites: see its `defaultNormalizations`.

    Nitro and phosphorus with two double bonds, N-oxide and azide or diazo written without charges,
    sulfoxide.
    """
    return Chem.MolFromSmarts("[$([N,P;X3](=[O,S])=[O,S]),$(n=O),$(N#N),$([S;X3]=O)]")
