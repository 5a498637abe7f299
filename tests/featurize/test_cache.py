import numpy as np
import pytest

from admet import workers
from admet.data.demo import make_demo_panel
from admet.featurize import cache
from admet.featurize.cache import cache_folder, cached_graphs
from admet.featurize.packed import featurize

SMILES = make_demo_panel(250, seed=3)["SMILES"].tolist()


def same(a, b):
    ours, theirs = (vars(graphs.raw(np.arange(len(graphs)))).values() for graphs in (a, b))
    return all(np.array_equal(*pair) for pair in zip(ours, theirs, strict=True))


@pytest.fixture
def counted(monkeypatch):
    """Counts the molecules that are featurised."""
    calls = []

    def spy(smiles):
        calls.append(len(smiles))
        return featurize(smiles)

    monkeypatch.setattr(cache, "featurize", spy)
    return calls


def test_a_second_run_takes_what_the_first_has_kept(tmp_path, counted):
    first = cached_graphs(SMILES, tmp_path)
    second = cached_graphs(SMILES[::-1], tmp_path)
    assert counted == [len(set(SMILES))]
    assert same(first, featurize(SMILES))
    assert same(second, featurize(SMILES[::-1]))


def test_other_molecules_are_another_entry(tmp_path, counted):
    cached_graphs(SMILES, tmp_path)
    cached_graphs(SMILES[:-1], tmp_path)
    assert len(counted) == 2


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap"])
def test_a_damaged_entry_is_made_anew(tmp_path, counted, damage, caplog):
    cached_graphs(SMILES, tmp_path)
    cached_graphs([*SMILES[:-1], "CCCCCCCCCCCC"], tmp_path)
    entry, other = sorted((tmp_path / "graphs").iterdir(), key=lambda p: p.stat().st_size)[::-1]
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 4
    damages = {"flip": content, "cut": content[:-7], "empty": b"", "swap": other.read_bytes()}
    entry.write_bytes(damages[damage])
    assert same(cached_graphs(SMILES, tmp_path), featurize(SMILES))
    assert "is damaged; it is made anew" in caplog.text
    cached_graphs(SMILES, tmp_path)
    assert len(counted) == 3


def test_new_versions_make_new_entries(tmp_path, counted, monkeypatch):
    cached_graphs(SMILES, tmp_path)
    monkeypatch.setattr(cache, "versions", lambda: "rdkit of tomorrow")
    cached_graphs(SMILES, tmp_path)
    assert len(counted) == 2


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    assert same(cached_graphs(SMILES, tmp_path / "file"), featurize(SMILES))
    assert "cannot be written" in caplog.text


def test_the_oldest_entries_go_when_it_grows_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_LARGEST", 1)
    cached_graphs(SMILES, tmp_path)
    cached_graphs(SMILES[:-1], tmp_path)
    assert not list((tmp_path / "graphs").glob("*.bin"))


@pytest.mark.slow
def test_processes_give_what_one_gives(monkeypatch):
    monkeypatch.setattr(workers, "PARALLEL_FROM", 100)
    monkeypatch.setattr(workers, "PART", 90)
    monkeypatch.setattr(workers, "n_cores", lambda: 2)
    assert same(cached_graphs(SMILES, None), featurize(SMILES))


def test_the_folder_is_the_named_one_then_the_variable_then_the_systems(tmp_path, monkeypatch):
    monkeypatch.setenv("ADMET_CACHE_DIR", str(tmp_path / "a"))
    assert cache_folder(tmp_path / "b") == tmp_path / "b"
    assert cache_folder() == tmp_path / "a"
    monkeypatch.delenv("ADMET_CACHE_DIR")
    assert cache_folder().name == "admet"
