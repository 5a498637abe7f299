"""Frozen inputs of molecules so large that they would take minutes and gigabytes."""

import numpy as np
from rdkit.Chem import Descriptors

from admet.model.inputs import vectors
from admet.model.inputs.descriptors import LARGEST

NAMES = [name for name, _ in Descriptors.descList]


def test_slow_descriptors_of_large_molecules_are_left_out_and_the_others_are_the_same():
    small, large = "C" * 199 + "O", "C" * 200 + "O"
    one, other = vectors(["rdkit"], [small, large])
    missing = {name for name, value in zip(NAMES, other, strict=True) if np.isnan(value)}
    assert missing == {"Ipc", "AvgIpc"}
    assert np.isfinite(one).all()
    weight = NAMES.index("MolWt")
    assert abs(other[weight] - one[weight] - 14.027) < 0.01  # a CH2 more


def test_huge_molecules_have_no_descriptors_and_no_fingerprint_of_minimol():
    huge = "C" * LARGEST + "O"
    found = vectors(["rdkit", "minimol"], [huge, "CCO"])
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    np.testing.assert_allclose(found[1], vectors(["rdkit", "minimol"], ["CCO"])[0], atol=1e-5)
    assert np.isfinite(vectors(["morgan"], [huge])).all()
