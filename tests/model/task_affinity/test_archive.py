"""The file of an affinity: what is written is what is read, and nothing else is."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from admet.errors import DataError, DataFileNotFoundError
from admet.model.chemprop.plan import Group, disjoint
from admet.model.chemprop.task_affinity.archive import AffinityArchive
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate, Doubt
from admet.model.chemprop.task_affinity.groups import Grouping

WRITTEN_BY = Path(__file__).parents[2] / "run_directory" / "written_by"


def plain():
    """Two tasks whose affinity is unknown, one of them in two groups."""
    matrix = np.array([[1.0, np.nan], [np.nan, 1.0]])
    names = ("A µ", "B")
    groups = (Group(tasks=("B",), serves=("B",)), Group(tasks=names, serves=("A µ",)))
    estimate = AffinityEstimate(matrix, np.eye(2, dtype=int), 1, 9 * np.eye(2, dtype=int))
    return AffinityArchive.of(estimate, Grouping(names, groups, 0.5, 0.6))


def doubtful():
    """Two tasks with intervals and draws."""
    matrix = np.array([[1.0, 0.1], [0.1, 1.0]])
    doubt = Doubt(matrix - 0.2, matrix + 0.2, np.ones(2), matrix[None], 4)
    grouping = Grouping(
        ("A", "B"), disjoint([["A"], ["B"]]), co_assignment=np.eye(2), agreement=0.75
    )
    common = np.array([[28, 4], [4, 7]])
    estimate = AffinityEstimate(matrix, np.ones((2, 2), dtype=int), 1, common, doubt)
    return AffinityArchive.of(estimate, grouping)


def test_saved_affinity_needs_no_pickle(tmp_path):
    plain().write(tmp_path / "a" / "b.npz")
    with np.load(tmp_path / "a" / "b.npz", allow_pickle=False) as stored:
        assert np.array_equal(stored["affinity_matrix"], plain().matrix, equal_nan=True)
        assert stored["task_names"].tolist() == ["A µ", "B"]
        assert stored["group"].tolist() == [1, 0]
        assert stored["members"].tolist() == [[False, True], [True, True]]
        assert "low" not in stored
    assert (tmp_path / "a" / "b.csv").read_text().startswith(",A µ,B\n")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b.csv", "b.npz", "b_pairs.csv"]


def test_doubt_is_saved(tmp_path):
    doubtful().write(tmp_path / "b.npz")
    with np.load(tmp_path / "b.npz", allow_pickle=False) as stored:
        assert stored["low"][0, 1] == pytest.approx(-0.1)
        assert stored["stability"].tolist() == [1.0, 1.0]
        assert stored["agreement"] == 0.75
        assert stored["n_common"].tolist() == [[28, 4], [4, 7]]
        assert stored["transfer"].tolist() == [
            [0.0, pytest.approx(2.8 / 307)],
            [pytest.approx(0.7 / 328), 0],
        ]
        assert stored["co_assignment"].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    pairs = pd.read_csv(tmp_path / "b_pairs.csv")
    assert pairs.to_dict("records")[0] == {
        "source": "A", "target": "B", "affinity": 0.1, "low": pytest.approx(-0.1),
        "high": pytest.approx(0.3), "transfer": pytest.approx(2.8 / 307), "n_common": 4,
        "n_labels": 7,
    }  # fmt: skip


@pytest.mark.parametrize("made", [plain, doubtful])
def test_what_is_read_is_what_was_written(tmp_path, made):
    whole = made()
    whole.write(tmp_path / "a.npz")
    read = AffinityArchive.read(tmp_path / "a.npz")
    assert read.names == whole.names
    assert read.grouping.groups == whole.grouping.groups
    assert np.isnan(read.grouping.objective)
    for name in ("matrix", "pair_steps", "n_common", "transfer"):
        np.testing.assert_array_equal(getattr(read, name), getattr(whole, name))
    np.testing.assert_array_equal(read.grouping.stability, whole.grouping.stability)
    assert (read.intervals is None) == (whole.intervals is None)
    if whole.intervals is not None:
        np.testing.assert_array_equal(read.intervals.high, whole.intervals.high)
        assert read.grouping.agreement == 0.75
    read.write(tmp_path / "b.npz")
    for end in (".npz", ".csv", "_pairs.csv"):
        assert (tmp_path / f"b{end}").read_bytes() == (tmp_path / f"a{end}").read_bytes()


def arrays():
    """The arrays of a sound file."""
    file = io.BytesIO()
    np.savez(file, **doubtful()._arrays())
    file.seek(0)
    return dict(np.load(file))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"affinity_matrix": None}, "lacks 'affinity_matrix'"),
        ({"high": None}, "lacks 'high'"),
        ({"stability": None}, "lacks 'stability'"),
        ({"affinity_matrix": np.eye(3)}, r"'affinity_matrix' must have shape \(2, 2\)"),
        ({"affinity_matrix": np.eye(2, dtype=int)}, "kind 'f'; it has .* 'i'"),
        ({"affinity_matrix": np.full((2, 2), np.inf)}, "finite numbers"),
        ({"task_names": np.array(["A", "A"])}, "must differ"),
        ({"group": np.array([0, 2])}, "names a group that is not there"),
        ({"group": np.array([-1, 1])}, "names a group that is not there"),
        ({"group": np.array([1, 0])}, "must hold the tasks that it serves"),
        ({"members": np.array(True)}, "'members' must have shape"),
        ({"members": np.zeros((2, 2), bool)}, "`tasks`"),
        ({"task_names": np.array(["A", {}], dtype=object)}, "allow_pickle"),
    ],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path, changes, message):
    kept = {name: a for name, a in (arrays() | changes).items() if a is not None}
    np.savez(tmp_path / "a.npz", allow_pickle=True, **kept)
    with pytest.raises(DataError, match=f"(?s)is no affinity archive, or damaged.*{message}"):
        AffinityArchive.read(tmp_path / "a.npz")


class Trap:
    """What a pickle runs when it is opened."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


@pytest.mark.parametrize("inside", [False, True])
def test_a_pickle_is_not_opened(tmp_path, inside):
    path, content = tmp_path / "a.npz", pickle.dumps(Trap())
    if inside:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("affinity_matrix.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="is no affinity archive, or damaged"):
        AffinityArchive.read(path)


def test_any_damage_is_an_error_of_ours(tmp_path, rng):
    doubtful().write(tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    kept = AffinityArchive.read(tmp_path / "a.npz")
    assert kept.names == ("A", "B")
    for place in rng.integers(0, len(whole), 300).tolist():
        (tmp_path / "b.npz").write_bytes(whole[:place])
        with pytest.raises(DataError):
            AffinityArchive.read(tmp_path / "b.npz")
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "b.npz").write_bytes(flipped)
        try:
            found = AffinityArchive.read(tmp_path / "b.npz")  # some bytes say nothing, as a date
            assert found.names == kept.names
            np.testing.assert_array_equal(found.matrix, kept.matrix)
        except DataError as error:
            assert "b.npz' is no affinity archive, or damaged" in str(error)  # noqa: PT017


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataFileNotFoundError, match="is not there, or no file"):
        AffinityArchive.read(tmp_path)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_archives_of_every_version_are_read(version):
    path = WRITTEN_BY / f"schema_{version}" / "affinity.npz"
    found = AffinityArchive.read(path)
    assert found.names == ("LogD", "KSOL", "hERG", "PAMPA")
    assert found.matrix.shape == (4, 4)
    assert sorted(name for group in found.grouping.groups for name in group.serves) == [
        "KSOL",
        "LogD",
        "PAMPA",
        "hERG",
    ]
    assert (found.intervals is None) == (version == 1)
    assert (found.grouping.co_assignment is None) == (version < 3)
