from typing import get_args

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold
from rdkit.ML.Cluster import Butina

from admet.config import DataConfig
from admet.config.data import SplitType
from admet.data import SIDES, Panel, Split, folds, load_panel, split_panel
from admet.data.demo import TASKS
from admet.data.labels import Labels, Task
from admet.data.splits.blocks import BLOCKS, cluster_blocks
from admet.errors import ConfigError, DataError
from admet.kinds import REGRESSION


@pytest.fixture
def panel(demo_csv) -> Panel:
    return load_panel(demo_csv, DataConfig(target_columns=TASKS))


def sides_of(panel, data, seed):
    """The side of each molecule as a number, in the order of train, val and test."""
    return np.array([SIDES.index(name) for name in split_panel(panel, data, seed).names()])


def config(kind, ratios=(0.8, 0.1, 0.1), column=None):
    return DataConfig(
        target_columns=TASKS, split_type=kind, split_ratios=ratios, split_column=column
    )


@pytest.mark.parametrize("kind", ["random", "scaffold", "cluster"])
def test_splits_have_their_sizes_and_repeat_by_seed(panel, kind):
    sides = sides_of(panel, config(kind), 7)
    assert np.array_equal(sides, sides_of(panel, config(kind), 7))
    assert not np.array_equal(sides, sides_of(panel, config(kind), 8))
    share = np.bincount(sides, minlength=3) / len(panel)
    assert np.abs(share - [0.8, 0.1, 0.1]).max() < 0.06


def test_without_its_validation_side_a_split_trains_on_it():
    split = Split.of(np.array([1, 0, 2, 0, 1]))
    assert split.known.tolist() == [0, 1, 3, 4]
    without = split.without_val()
    assert [part.tolist() for part in without.parts.values()] == [[0, 1, 3, 4], [], [2]]


def test_no_scaffold_stands_on_two_sides(panel):
    sides = sides_of(panel, config("scaffold"), 0)
    seen: dict[str, set[int]] = {}
    for smiles, side in zip(panel.smiles, sides, strict=True):
        scaffold = MurckoScaffold.MurckoScaffoldSmiles(smiles)
        seen.setdefault(scaffold, set()).add(int(side))
    assert all(len(where) == 1 for where in seen.values())


def test_clusters_are_butinas(panel):
    """The first cluster is RDKit's (later ones may break ties another way); all are star-shaped."""
    smiles = panel.smiles[:80]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(s)) for s in smiles]
    similarity = np.array([DataStructs.BulkTanimotoSimilarity(p, prints) for p in prints])
    near = similarity >= 0.4
    below = similarity[np.tril_indices(80, -1)]
    expected = Butina.ClusterData((1 - below).tolist(), 80, 0.6, isDistData=True)
    blocks = cluster_blocks(panel.subset(np.arange(80)))
    assert (blocks == 0).sum() == len(expected[0]) == near.sum(axis=0).max()
    left = np.ones(80, dtype=bool)
    for block in range(blocks.max() + 1):
        members = np.flatnonzero(blocks == block)
        assert near[np.ix_(members, members)].all(axis=0).any()  # one is near all others
        assert len(members) <= near[:, left][left].sum(axis=0).max()
        left[members] = False
    assert not left.any()


def test_rare_tasks_get_labels_on_every_side(rng):
    labels = np.full((300, 2), np.nan)
    labels[:, 0] = rng.standard_normal(300)
    labels[:4, 1] = [1.0, 2.0, 3.0, 4.0]
    smiles = np.array(["C" * (i + 1) + "O" for i in range(300)], dtype=object)
    tasks = (Task("many", REGRESSION), Task("rare", REGRESSION))
    panel = Panel(smiles, Labels(labels), tasks, np.arange(300))
    for seed in range(5):
        sides = sides_of(panel, config("random"), seed)
        assert sorted(sides[:4].tolist()) == [0, 0, 1, 2]


def test_two_labels_train_before_the_third_is_tested(rng):
    labels = np.full((300, 2), np.nan)
    labels[:, 0] = rng.standard_normal(300)
    labels[:3, 1] = [1.0, 2.0, 3.0]
    smiles = np.array(["C" * (i + 1) + "O" for i in range(300)], dtype=object)
    tasks = (Task("many", REGRESSION), Task("rare", REGRESSION))
    panel = Panel(smiles, Labels(labels), tasks, np.arange(300))
    for seed in range(5):
        sides = sides_of(panel, config("random"), seed)
        assert sorted(sides[:3].tolist()) == [0, 0, 2]


def test_a_task_that_cannot_be_spread_is_named(rng, caplog):
    labels = np.full((50, 2), np.nan)
    labels[:, 0] = rng.standard_normal(50)
    labels[0, 1] = 1.0
    smiles = np.array(["C" * (i + 1) for i in range(50)], dtype=object)
    tasks = (Task("many", REGRESSION), Task("rare", REGRESSION))
    split_panel(Panel(smiles, Labels(labels), tasks, np.arange(50)), config("random"), 0)
    assert "No label on the" in caplog.text
    assert "rare" in caplog.text


def test_a_ratio_of_zero_leaves_the_side_empty(panel):
    sides = sides_of(panel, config("scaffold", (0.9, 0.1, 0.0)), 0)
    assert not (sides == 2).any()
    assert (sides == 1).any()
    assert (sides_of(panel, config("random", (1.0, 0.0, 0.0)), 0) == 0).all()


def test_time_keeps_the_order_and_equal_times_together(write_csv):
    rows = "".join(f"{'C' * (i + 1)},{i},2024-01-{1 + i // 2:02d}\n" for i in range(20))
    path = write_csv("SMILES,LogD,when\n" + rows)
    data = DataConfig(
        target_columns=["LogD"],
        split_type="time",
        split_column="when",
        split_ratios=(0.75, 0.1, 0.15),
    )
    panel = load_panel(path, data)
    sides = sides_of(panel, data, 0)
    assert (np.diff(sides.astype(int)) >= 0).all()
    for i in range(0, 20, 2):
        assert sides[i] == sides[i + 1]
    assert sides[-1] == 2


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["15.03.2018", "16.03.2018", "17.3.20188"], "only .* line 4 holds '17.3.20188'"),
        (["15/03/2018", "03/16/2018"], "only dates of one writing .* line 2 holds '15/03/2018'"),
        (["2020", "Q3-21"], "line 3 holds 'Q3-21'"),
        (["2020", ""], "is empty at line 3"),
    ],
)
def test_times_that_cannot_be_sorted_are_named(write_csv, cells, message):
    rows = "".join(f"{'C' * n},{n},{cell}\n" for n, cell in enumerate(cells, start=1))
    path = write_csv(f"SMILES,A,when\n{rows}")
    data = DataConfig(target_columns=["A"], split_type="time", split_column="when")
    with pytest.raises(DataError, match=message):
        load_panel(path, data)


def test_an_order_of_dates_that_does_not_fit_is_named(write_csv):
    path = write_csv("SMILES,A,when\nC,1,03/04/2018\nCC,2,15/03/2018\n")
    data = DataConfig(
        target_columns=["A"], split_type="time", split_column="when", dates="month_first"
    )
    with pytest.raises(DataError, match=r"'15/03/2018' at line 3, .* no date of `data.dates"):
        load_panel(path, data)


def test_a_molecule_measured_twice_counts_at_its_latest_time(write_csv):
    path = write_csv("SMILES,A,when\nC,1,2022\nCC,2,2021\nC,3,2019.5\nCCC,4,2020\n")
    data = DataConfig(target_columns=["A"], split_type="time", split_column="when")
    assert load_panel(path, data).split_values.tolist() == [2022.0, 2021.0, 2020.0]


def test_predefined_sides_and_their_errors(write_csv):
    data = DataConfig(target_columns=["A"], split_type="predefined", split_column="s")
    path = write_csv("SMILES,A,s\nC,1,train\nCC,2,Valid\nCCC,3,TEST\nCCCC,4,train\n")
    panel = load_panel(path, data)
    assert sides_of(panel, data, 0).tolist() == [0, 1, 2, 0]
    path = write_csv("SMILES,A,s\nC,1,train\nCC,2,fold1\n", "b.csv")
    with pytest.raises(DataError, match="must hold train, val or test; line 3 holds 'fold1'"):
        split_panel(load_panel(path, data), data, 0)
    path = write_csv("SMILES,A,s\nC,1,train\nCC,2,\n", "c.csv")
    with pytest.raises(DataError, match="is empty at line 3"):
        split_panel(load_panel(path, data), data, 0)
    with pytest.raises(DataError, match="Split column 'nope'"):
        load_panel(path, DataConfig(target_columns=["A"], split_type="time", split_column="nope"))


def test_too_few_molecules(write_csv):
    panel = load_panel(write_csv("SMILES,A\nC,1\nCC,2\n"), DataConfig(target_columns=["A"]))
    with pytest.raises(DataError, match="cannot fill the 3 sides"):
        split_panel(panel, config("random"), 0)


def test_a_split_names_every_molecule_once():
    split = Split.of(np.array([2, 0, 1, 0]))
    assert split.train.tolist() == [1, 3]
    assert split.names() == ["test", "train", "val", "train"]
    assert len(split) == 4
    assert list(split.parts) == list(SIDES)


def test_groups_of_a_column_stay_together(write_csv):
    rows = "".join(f"{'C' * (i + 1)}O,{i},{'abcdefghij'[i % 10]}\n" for i in range(60))
    data = DataConfig(target_columns=["A"], split_type="group", split_column="series")
    panel = load_panel(write_csv("SMILES,A,series\n" + rows), data)
    for split in (split_panel(panel, data, 0), *folds(panel, "group", n_folds=3)):
        where = [set(panel.split_values[rows].tolist()) for rows in split.parts.values()]
        assert sum(map(len, where)) == 10
    with pytest.raises(DataError, match=r"10 block\(s\) of a group split cannot fill 10 folds and"):
        folds(panel, "group", n_folds=10)


@pytest.mark.parametrize("kind", ["random", "scaffold", "cluster"])
def test_folds_test_every_molecule_once_on_the_blocks_of_the_split(panel, kind):
    found = folds(panel, kind, n_folds=4, n_repeats=2, seed=3)
    assert len(found) == 8
    blocks = BLOCKS[kind](panel)
    for repeat in (found[:4], found[4:]):
        tested = np.concatenate([split.test for split in repeat])
        assert sorted(tested.tolist()) == list(range(len(panel)))
    for split in found:
        rows = np.concatenate(list(split.parts.values()))
        assert sorted(rows.tolist()) == list(range(len(panel)))
        where = [set(blocks[rows].tolist()) for rows in split.parts.values()]
        assert sum(map(len, where)) == len(set(blocks.tolist()))
        assert abs(len(split.test) / len(panel) - 0.25) < 0.05
        assert abs(len(split.val) / len(panel) - 0.075) < 0.04
        for rows in split.parts.values():
            assert panel.labels.present[rows].any(axis=0).all()
    again = folds(panel, kind, n_folds=4, n_repeats=2, seed=3)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(found, again, strict=True))
    assert any(
        not np.array_equal(a.test, b.test) for a, b in zip(found[:4], found[4:], strict=True)
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"split_type": "x"}, "must be one of random, scaffold, cluster, group, time; got 'x'"),
        ({"split_type": "time"}, "by time need a panel that was read with data.split_column"),
        ({"split_type": "time", "n_repeats": 2}, "must be 1 for folds by time"),
        ({"n_folds": 1}, "`n_folds` must be at least 2; got 1"),
        ({"n_repeats": 0}, "`n_repeats` must be at least 1; got 0"),
        ({"val_share": 1.0}, "`val_share` must be at least 0 and below 1; got 1"),
        ({"split_type": "group"}, "need a panel that was read with data.split_column"),
    ],
)
def test_folds_that_cannot_be_are_refused(panel, keys, message):
    with pytest.raises(ConfigError, match=message):
        folds(panel, **keys)


def test_every_split_type_deals_blocks_or_is_read_from_a_column():
    for name in get_args(SplitType):
        config = DataConfig(split_type=name, split_column="s")
        assert config.deals_blocks == (name in BLOCKS), name
