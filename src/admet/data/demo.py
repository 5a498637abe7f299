"""A simulated panel: enumerated amides with endpoints computed from descriptors.

Nothing here was measured. The endpoint names are those of common assays so that the example
configurations fit; their values come from the equations below. Each planted group shares one latent
property of the molecule; an endpoint is ``loading × latent + own part + noise``. The latents are
made uncorrelated over the panel, so that an estimator which finds the groups finds what was put in.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdChemReactions, rdMolDescriptors

from admet.errors import ConfigError

PLANTED_GROUPS: tuple[tuple[str, ...], ...] = (
    ("LogD", "KSOL", "hERG"),
    ("PAMPA", "Papp"),
    ("CYP3A4", "CLint", "CLhep"),
)
"""The groups that a good affinity finds again."""

TASKS: tuple[str, ...] = ("LogD", "KSOL", "PAMPA", "Papp", "hERG", "CYP3A4", "CLint", "CLhep")
"""The columns of the panel, in its order."""

_ACIDS = (
    "OC(=O)c1ccccc1", "OC(=O)c1ccc(F)cc1", "OC(=O)c1ccc(Cl)cc1", "OC(=O)c1cccc(Br)c1",
    "OC(=O)c1ccc(OC)cc1", "OC(=O)c1ccc(C#N)cc1", "OC(=O)c1ccc(C(F)(F)F)cc1", "OC(=O)c1ccncc1",
    "OC(=O)c1cccnc1", "OC(=O)c1cnccn1", "OC(=O)c1ccc(O)cc1", "OC(=O)c1ccc(S(C)(=O)=O)cc1",
    "OC(=O)c1cc2ccccc2[nH]1", "OC(=O)c1ccc2ncccc2c1", "OC(=O)c1cccs1", "OC(=O)c1ccco1",
    "OC(=O)c1cc(C)on1", "OC(=O)c1cnn(C)c1", "OC(=O)C1CCCCC1", "OC(=O)C1CCOCC1", "OC(=O)C1CC1",
    "OC(=O)CCC", "OC(=O)C(C)(C)C", "OC(=O)CC(C)C", "OC(=O)COC", "OC(=O)Cc1ccccc1",
    "OC(=O)CCc1ccc(Cl)cc1", "OC(=O)C1CCN(C)CC1", "OC(=O)CN1CCOCC1", "OC(=O)c1ccc(-c2ccccc2)cc1",
    "OC(=O)c1ccc(N2CCOCC2)cc1", "OC(=O)c1ccc(CN(C)C)cc1", "OC(=O)c1ccc2OCOc2c1",
    "OC(=O)c1c(Cl)cccc1Cl", "OC(=O)c1ccc(C(N)=O)cc1", "OC(=O)CCCCCC", "OC(=O)C1CCC(F)(F)CC1",
    "OC(=O)c1csc(C)n1", "OC(=O)c1cc(F)c(F)c(F)c1", "OC(=O)[C@@H]1CCCO1",
)  # fmt: skip
_AMINES = (
    "NCc1ccccc1", "NCc1ccc(F)cc1", "NCc1ccc(Cl)cc1", "Nc1ccccc1", "Nc1ccc(Cl)cc1", "Nc1ccc(OC)cc1",
    "Nc1cccnc1", "Nc1nccs1", "NC1CCCCC1", "NC1CC1", "NCC", "NCCCC", "NCCOC", "NCCO", "NCCN(C)C",
    "C1CCNCC1", "C1COCCN1", "CN1CCNCC1", "OC1CCNCC1", "O=C1CNCCN1", "c1ccc(N2CCNCC2)cc1",
    "c1ccc(C2CCNCC2)cc1", "FC1(F)CCNCC1", "CS(=O)(=O)N1CCNCC1", "NCc1cccnc1", "NCCc1ccccc1",
    "NCCc1c[nH]c2ccccc12", "Nc1ccc2ncccc2c1", "Nc1ccc(C(F)(F)F)cc1", "Nc1ccc(S(N)(=O)=O)cc1",
    "NC(C)(C)C", "NCC(F)(F)F", "N[C@@H](C)c1ccccc1", "C1Cc2ccccc2CN1", "NC1CCN(C)CC1", "CNCc1ccco1",
    "NCC1CCCO1", "Nc1cc(C)on1", "CN(C)C1CCNC1", "NCCCN1CCOCC1", "Nc1ccc(-c2ccccc2)cc1",
    "NCC(N)=O", "CCNCC", "CNC", "NCCCCCC",
)  # fmt: skip
_AMIDE = "[C:1](=[O:2])[OX2H1].[N;!H0;!$(NC=O);!$(NS):3]>>[C:1](=[O:2])[N:3]"


@dataclass(frozen=True)
class _Endpoint:
    """How an endpoint is made: its latent, the sign and size of its loading, its scale and unit."""

    latent: int
    loading: float
    mean: float
    scale: float


_ENDPOINTS = {
    "LogD": _Endpoint(0, 1.0, 2.0, 1.1),
    "KSOL": _Endpoint(0, -1.0, 1.8, 0.8),
    "hERG": _Endpoint(0, 1.0, 0.0, 1.0),  # cut at its median into 0 and 1
    "PAMPA": _Endpoint(1, 1.0, 0.9, 0.6),
    "Papp": _Endpoint(1, 1.0, 1.1, 0.5),
    "CYP3A4": _Endpoint(2, 1.0, 5.2, 0.7),
    "CLint": _Endpoint(2, 1.0, 1.5, 0.6),
    "CLhep": _Endpoint(2, 1.0, 1.2, 0.4),
}
_OWN = 0.2  # share of an endpoint's variance that no other endpoint has
_NOISE = 0.2  # share that no molecule explains: the assay
_FUNCTIONS = 7  # seed of the functions of which properties are made
_READ = 9  # features that a property depends on
_HIDDEN = 6  # bends of its function


def make_demo_panel(n_molecules: int = 1500, missing: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """Simulates a panel of eight endpoints in three planted groups.

    Args:
        n_molecules: Molecules, at most the number that the building blocks give (1,800).
        missing: Share of the cells that are left empty, at random.
        seed: Seed of the choice of molecules, the noise and the gaps.

    Returns:
        Columns SMILES and `TASKS`; hERG is 0/1, the others are continuous.

    Raises:
        ConfigError: If more molecules are asked for than there are.
    """
    rng = np.random.default_rng(seed)
    library = _enumerate_amides()
    if n_molecules > len(library):
        raise ConfigError(
            f"`n_molecules` must be at most {len(library)}, the size of the enumerated library; "
            f"got {n_molecules}."
        )
    smiles = [library[i] for i in rng.choice(len(library), n_molecules, replace=False)]
    latents, own = _latents(smiles)
    columns: dict[str, object] = {"SMILES": smiles}
    for index, name in enumerate(TASKS):
        e = _ENDPOINTS[name]
        value = (
            e.loading * np.sqrt(1 - _OWN - _NOISE) * latents[:, e.latent]
            + np.sqrt(_OWN) * own[:, index]
            + np.sqrt(_NOISE) * rng.standard_normal(n_molecules)
        )
        value = (value > np.median(value)).astype(float) if name == "hERG" else (
            np.round(e.mean + e.scale * value, 4)
        )  # fmt: skip
        value[rng.random(n_molecules) < missing] = np.nan
        columns[name] = value
    return pd.DataFrame(columns)


def _enumerate_amides() -> list[str]:
    """Couples every acid with every amine by RDKit's reaction SMARTS; sorted, each product once."""
    reaction = rdChemReactions.ReactionFromSmarts(_AMIDE)
    acids = [Chem.MolFromSmiles(s) for s in _ACIDS]
    amines = [Chem.MolFromSmiles(s) for s in _AMINES]
    products: set[str] = set()
    for acid, amine in itertools.product(acids, amines):
        for (product,) in reaction.RunReactants((acid, amine)):
            Chem.SanitizeMol(product)
            products.add(Chem.MolToSmiles(product))
    return sorted(products)


def _latents(smiles: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Computes the three latents and each endpoint's own part.

    Each is a random function of descriptors and substructures, as a property of molecules is: not
    linear in them, so that an encoder has to be learnt before a head can read it off. The functions
    are the same for all seeds.

    Returns:
        Latents, shape (n, 3), and own parts, shape (n, 8): standardised and uncorrelated columns.
    """
    rng = np.random.default_rng(_FUNCTIONS)
    features = np.array([_describe(Chem.MolFromSmiles(text)) for text in smiles])  # (n, d)
    features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
    found = []
    for _ in range(3 + len(TASKS)):
        read = rng.choice(features.shape[1], _READ, replace=False)
        W = rng.standard_normal((_READ, _HIDDEN)) / np.sqrt(_READ)
        bent = np.sin(1.5 * features[:, read] @ W + rng.uniform(0, np.pi, _HIDDEN))
        found.append(bent @ rng.standard_normal(_HIDDEN))
    values = np.stack(found, axis=1)
    basis, _ = np.linalg.qr(values - values.mean(axis=0))  # each less what stands before it
    basis = (basis - basis.mean(axis=0)) / basis.std(axis=0)
    return basis[:, :3], basis[:, 3:]


def _describe(mol: Chem.Mol) -> list[float]:
    """Lists descriptors, and which substructures there are."""
    log_p, refractivity = rdMolDescriptors.CalcCrippenDescriptors(mol)
    return [
        log_p,
        rdMolDescriptors.CalcTPSA(mol),
        rdMolDescriptors.CalcFractionCSP3(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
        rdMolDescriptors.CalcExactMolWt(mol),
        rdMolDescriptors.CalcNumRotatableBonds(mol),
        rdMolDescriptors.CalcNumHBA(mol),
        rdMolDescriptors.CalcNumHBD(mol),
        sum(atom.GetAtomicNum() in (9, 17, 35) for atom in mol.GetAtoms()),
        rdMolDescriptors.CalcNumHeterocycles(mol),
        refractivity,
        *(float(mol.HasSubstructMatch(pattern)) for pattern in _PATTERNS),
    ]


_PATTERNS = [
    Chem.MolFromSmarts(text)
    for text in (
        "n", "[nH]", "s", "o", "C(F)(F)F", "C#N", "S(=O)(=O)", "[NX3;H0;!$(NC=O)]", "[OX2H]",
        "OC", "C1CCNCC1", "C1COCCN1", "C1CNCCN1", "c-c", "[NX3H1]C(=O)", "N1CCCCC1",
    )
]  # fmt: skip
