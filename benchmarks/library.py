"""Molecules for benchmarks: your own panel, or an enumerated library of any size."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

_ACYLS = (
    "CC(=O)", "CCC(=O)", "CC(C)C(=O)", "C1CC1C(=O)", "O=C(c1ccccc1)", "O=C(c1ccc(F)cc1)",
    "O=C(c1ccc(Cl)cc1)", "O=C(c1ccc(OC)cc1)", "O=C(c1ccncc1)", "O=C(c1cccnc1)", "O=C(c1ccco1)",
    "O=C(c1cccs1)", "O=C(Cc1ccccc1)", "O=C(COc1ccccc1)", "O=C(c1cc2ccccc2[nH]1)", "CS(=O)(=O)",
    "O=S(=O)(c1ccccc1)", "O=C(C1CCNCC1)", "O=C(C1CCOCC1)", "O=C(c1cnn(C)c1)", "CC(C)(C)C(=O)",
    "O=C(c1ccc(C(F)(F)F)cc1)", "O=C(c1ccc(C#N)cc1)", "O=C(CCc1ccccc1)", "O=C(c1nc(C)sc1)",
)  # fmt: skip
_LINKERS = (
    "NCC(=O)", "N[C@@H](C)C(=O)", "N[C@@H](CC(C)C)C(=O)", "N[C@@H](Cc1ccccc1)C(=O)",
    "NC(C(C)C)C(=O)", "N1CCCC1C(=O)", "N1CCC(CC1)C(=O)", "Nc1ccc(cc1)C(=O)", "NCc1ccc(cc1)C(=O)",
    "N[C@@H](CO)C(=O)", "NCCC(=O)", "NC(CCSC)C(=O)", "Nc1cccc(c1)C(=O)", "NC1(CC1)C(=O)",
    "N(C)CC(=O)", "NC(Cc1c[nH]c2ccccc12)C(=O)", "NC(CC(N)=O)C(=O)", "Nc1ccc(cn1)C(=O)",
    "N1CCN(CC1)CC(=O)", "NC(C1CCCCC1)C(=O)",
)  # fmt: skip
_AMINES = (
    "N", "NC", "NCC", "NC(C)C", "NC1CC1", "N1CCOCC1", "N1CCCC1", "N1CCN(C)CC1", "Nc1ccccc1",
    "Nc1ccc(F)cc1", "Nc1ccc(Cl)cc1", "Nc1ccncc1", "NCc1ccccc1", "NCc1ccccn1", "NCCN(C)C", "NCCO",
    "Nc1nccs1", "NCc1ccco1", "NC1CCCCC1", "NCCc1ccccc1", "O", "OC", "OCC", "NCC(F)(F)F",
    "N1CCC(O)CC1", "Nc1ccc2[nH]ncc2c1", "NS(C)(=O)=O", "NCC#N", "NC1CCOCC1", "Nc1cnn(C)c1",
)  # fmt: skip


def enumerated() -> Iterator[str]:
    """Gives 300,000 drug-like SMILES, all different; neighbours in the list differ widely."""
    pairs = list(itertools.product(_LINKERS, _LINKERS))
    sizes = (len(_ACYLS), len(pairs), len(_AMINES))
    total = sizes[0] * sizes[1] * sizes[2]
    step = 7_919 * 13  # has no common factor with the total, so all are met once
    for i in range(total):
        k = i * step % total
        k, a = divmod(k, sizes[0])
        b, p = divmod(k, sizes[1])
        yield _ACYLS[a] + "".join(pairs[p]) + _AMINES[b % sizes[2]]


def panel_smiles(path: Path | None, n: int | None = None) -> tuple[list[str], str]:
    """Gives n molecules (None: all) of a panel or else of the library, and where they are from."""
    if path is not None and path.exists():
        smiles = pd.read_csv(path)["SMILES"].tolist()
        if n is None or n <= len(smiles):
            return smiles[:n], path.name
    return list(itertools.islice(enumerated(), n or 3_000)), "enumerated library"
