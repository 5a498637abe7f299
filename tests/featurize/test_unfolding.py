import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admet.data.demo import make_demo_panel
from admet.featurize import featurize, unfold
from admet.featurize.indexing import compact, ranges, starts_of

SMILES = [*make_demo_panel(60, seed=4)["SMILES"], "C", "[Na+].[Cl-]", "c1ccccc1", "CCCCCCCC"]


def surroundings(graphs, depth):
    """The definition: nested tuples of what an atom sees, by plain recursion."""
    raw = graphs.raw(np.arange(len(graphs)))
    source, target = raw.edge_index
    into = [np.flatnonzero(target == atom) for atom in range(len(raw.V))]

    def bond(e, level):
        own = (*raw.V[source[e]], *raw.E[e])
        if level == 0:
            return own
        return own, tuple(sorted(bond(f, level - 1) for f in into[source[e]] if f != e ^ 1))

    return [
        (tuple(raw.V[atom]), tuple(sorted(bond(e, depth - 1) for e in into[atom])))
        for atom in range(len(raw.V))
    ]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_atoms_are_one_where_they_see_the_same(depth):
    graphs = featurize(SMILES[:12] + SMILES[-4:])
    classes = unfold(graphs, depth).atom_class
    seen = surroundings(graphs, depth)
    numbers = {}
    expected = [numbers.setdefault(s, len(numbers)) for s in seen]
    found = {}
    assert [found.setdefault(c, len(found)) for c in classes] == expected


def test_symmetric_atoms_share_and_different_ones_do_not():
    benzene = unfold(featurize(["c1ccccc1"]), 3)
    assert len(set(benzene.atom_class)) == 1
    octane = unfold(featurize(["CCCCCCCC"]), 3)
    assert octane.atom_class.tolist() == octane.atom_class[::-1].tolist()
    assert len(set(octane.atom_class)) == 4


def test_a_batch_holds_each_surrounding_once():
    unfolding = unfold(featurize(SMILES), 3)
    rows = np.array([5, 5, 9, 0])
    arrays = unfolding.batch(rows)
    atoms, _ = ranges(unfolding.graphs.atom_start, rows)
    lists = np.split(arrays.index, np.cumsum(arrays.lengths)[:-1])
    bags = [lists[i : i + 4] for i in range(0, len(lists), 4)]  # index, start, and back
    members = bags[-1][0]  # rows of the atoms of each molecule
    atom_starts = bags[-2][1]  # where the bonds of each row of atoms start
    assert len(members) == len(atoms)
    assert len(np.unique(members)) == len(np.unique(unfolding.atom_class[atoms]))
    n_rows = len(np.unique(members))
    assert len(atom_starts) == -(-n_rows // 64) * 64


def test_the_unfolding_is_made_once():
    graphs = featurize(SMILES)
    assert unfold(graphs, 3) is unfold(graphs, 3)
    assert unfold(graphs, 3) is not unfold(graphs, 3, undirected=True)


def test_the_unfolding_goes_with_its_graphs():
    graphs = featurize(SMILES)
    gone = weakref.ref(unfold(graphs, 3))
    del graphs
    gc.collect()
    assert gone() is None


@given(st.lists(st.integers(0, 30), max_size=60))
@settings(deadline=None)
def test_compact_lists_each_id_once(ids):
    ids = np.array(ids, dtype=np.int64)
    distinct, inverse = compact(ids, 31)
    assert np.array_equal(distinct[inverse], ids)
    assert len(set(distinct.tolist())) == len(distinct)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.data())
@settings(deadline=None)
def test_ranges_lists_the_places_of_rows(counts, data):
    starts = starts_of(np.array(counts))
    rows = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=10)), dtype=int)
    places, sizes = ranges(starts, rows)
    assert places.tolist() == [p for r in rows for p in range(starts[r], starts[r + 1])]
    assert sizes.tolist() == [counts[r] for r in rows]
