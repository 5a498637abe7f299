"""Featurised molecules on disk, so that a second run on the same molecules skips the work."""

import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np
import platformdirs
from safetensors import SafetensorError
from safetensors.numpy import load, save

from admet.featurize.cuik import versions
from admet.featurize.packed import PackedGraphs, concatenate, featurize
from admet.files import read_sealed, write_sealed
from admet.workers import map_parts

log = logging.getLogger(__name__)

_FORMAT = "admet graphs 1, Chemprop V2 features"
_WORTH_KEEPING = 200  # molecules; fewer are featurised faster than a file is found
_LARGEST = 2 * 1024**3  # bytes of the whole folder; beyond, the least recently used files go
_ARRAYS = tuple(f.name for f in fields(PackedGraphs) if f.init)


def cache_folder(named: Path | None = None) -> Path:
    """Gives the folder of the cache.

    Args:
        named: What the user has named; None takes `ADMET_CACHE_DIR`, or else the user's cache
            folder of the system.
    """
    if named is not None:
        return named
    variable = os.environ.get("ADMET_CACHE_DIR")
    return Path(variable) if variable else platformdirs.user_cache_path("admet", appauthor=False)


def cached_graphs(smiles: Sequence[str] | np.ndarray, folder: Path | None) -> PackedGraphs:
    """Featurises SMILES, or takes the graphs that an earlier run has kept.

    The key of an entry is the SHA-256 of its molecules (in any order), the name of the features and
    the versions of the programs that make them. A file whose own SHA-256 does not fit is made anew.
    Fewer than 200 molecules are featurised without the cache.

    Args:
        smiles: n canonical SMILES.
        folder: The cache; None featurises without it.

    Returns:
        The packed graphs, in the order of `smiles`.

    Raises:
        ValueError: If there is no molecule.
        WorkerError: If a process that featurises died.
    """
    if folder is None or len(smiles) < _WORTH_KEEPING:
        return _featurize([str(s) for s in smiles])
    distinct = sorted({str(s) for s in smiles})
    place = {s: i for i, s in enumerate(distinct)}
    path = folder / "graphs" / f"{_key(distinct)}.bin"
    graphs = _read(path, len(distinct))
    if graphs is None:
        graphs = _featurize(distinct)
        _write(path, graphs)
    else:
        log.info("Graphs of %d molecules taken from the cache, %s", len(distinct), path)
    return graphs.subset(np.array([place[str(s)] for s in smiles]))


def _featurize(smiles: Sequence[str]) -> PackedGraphs:
    return concatenate(map_parts(featurize, smiles))


def _key(distinct: Sequence[str]) -> str:
    content = "\n".join([_FORMAT, versions(), *distinct])
    return hashlib.sha256(content.encode()).hexdigest()


def _read(path: Path, n: int) -> PackedGraphs | None:
    """Reads an entry; None where there is none that can be trusted."""
    if not path.exists():
        return None
    content = read_sealed(path)
    if content is not None:
        with suppress(SafetensorError, KeyError, ValueError):
            arrays = load(content)
            graphs = PackedGraphs(*[arrays[name] for name in _ARRAYS])
            if len(graphs) == n:
                with suppress(OSError):
                    path.touch()  # the least recently used go first
                return graphs
    log.warning("Cache entry %s is damaged; it is made anew", path)
    return None


def _write(path: Path, graphs: PackedGraphs) -> None:
    """Keeps an entry; a cache that cannot be written costs the next run time, not this one."""
    content = save({name: np.ascontiguousarray(getattr(graphs, name)) for name in _ARRAYS})
    if len(content) > _LARGEST:
        return
    try:
        write_sealed(path, content)
        _tidy(path.parent)
    except OSError as error:
        log.warning("The cache of featurised molecules cannot be written: %s", error)


def _tidy(folder: Path) -> None:
    """Removes the least recently used entries of a cache that has grown too large."""
    entries = []
    for path in folder.glob("[0-9a-f]*.bin"):  # not what another run is writing
        with suppress(FileNotFoundError):  # another run tidies, too
            state = path.stat()
            entries.append((state.st_mtime, state.st_size, path))
    total = 0
    for _, size, path in sorted(entries, reverse=True):
        total += size
        if total > _LARGEST:
            path.unlink(missing_ok=True)
