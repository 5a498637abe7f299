"""Chemprop's atom and bond features from `cuik_molmaker`, the compiled featuriser it comes with."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from rdkit import rdBase

# Chemprop's V2 features, in the order of its `CuikmolmakerMolGraphFeaturizer`.
_ATOM_ONE_HOT = (
    "atomic-number-common",
    "total-degree",
    "formal-charge",
    "chirality",
    "num-hydrogens",
    "hybridization-expanded",
)
_ATOM_FLOAT = ("aromatic", "mass")
_BOND = ("is-null", "bond-type-onehot", "conjugated", "in-ring", "stereo")

_NOTHING = ""  # a SMILES without atoms


@dataclass(frozen=True)
class RawGraphs:
    """Graphs of n molecules as arrays; a SMILES that cannot be parsed has no atoms.

    Attributes:
        V: Atom features, shape (n_atoms, d_v), float32.
        E: Features of the directed bonds, shape (n_edges, d_e), float32.
        edge_index: Source and target atom of each directed bond, shape (2, n_edges), int64.
        rev_edge_index: Index of the opposite bond, shape (n_edges,), int64.
        batch: Molecule of each atom, shape (n_atoms,), int64.
    """

    V: np.ndarray
    E: np.ndarray
    edge_index: np.ndarray
    rev_edge_index: np.ndarray
    batch: np.ndarray


def raw_graphs(smiles: Sequence[str]) -> RawGraphs:
    """Featurises SMILES as Chemprop's V2 featuriser does.

    Args:
        smiles: n SMILES.

    Returns:
        Their graphs.
    """
    with rdBase.BlockLogs():  # what cannot be parsed is the caller's to report
        try:
            return RawGraphs(*_arrays(list(smiles)))
        except RuntimeError:  # a valence that is too high, say, refuses the whole batch
            return RawGraphs(*_arrays([s if _has_graph(s) else _NOTHING for s in smiles]))


def _arrays(smiles: list[str]) -> list[np.ndarray]:
    module, atom_one_hot, atom_float, bond = _featurizer()
    found: list[np.ndarray] = module.batch_mol_featurizer(
        smiles, atom_one_hot, atom_float, bond, False, False, True, False
    )
    return found


def _has_graph(smiles: str) -> bool:
    try:
        _arrays([smiles])
    except RuntimeError:
        return False
    return True


def versions() -> str:
    """Names the versions that the features depend on."""
    for name in ("cuik_molmaker_pin", "cuik_molmaker"):
        try:
            return f"cuik_molmaker {version(name)}, rdkit {rdBase.rdkitVersion}"
        except PackageNotFoundError:
            continue
    return f"cuik_molmaker unknown, rdkit {rdBase.rdkitVersion}"


@cache
def _featurizer() -> tuple[ModuleType, Any, Any, Any]:
    module = _extension()
    return (
        module,
        module.atom_onehot_feature_names_to_array(list(_ATOM_ONE_HOT)),
        module.atom_float_feature_names_to_array(list(_ATOM_FLOAT)),
        module.bond_feature_names_to_array(list(_BOND)),
    )


def _extension() -> ModuleType:
    """Loads the compiled part alone where that works.

    The package's own `__init__` also imports pandas, SciPy and RDKit's descriptors, about a second
    that a command line and every worker process would wait for.
    """
    spec = importlib.util.find_spec("cuik_molmaker")
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    for suffix in EXTENSION_SUFFIXES if folder is not None else ():
        path = (folder or Path()) / f"cuik_molmaker_cpp{suffix}"
        if path.exists():
            try:
                loader = ExtensionFileLoader("cuik_molmaker_cpp", str(path))
                found = importlib.util.spec_from_loader("cuik_molmaker_cpp", loader)
                if found is None:
                    break
                module = importlib.util.module_from_spec(found)
                loader.exec_module(module)
            except ImportError:  # on Windows the package adds folders of libraries first
                break
            return module
    return importlib.import_module("cuik_molmaker")
