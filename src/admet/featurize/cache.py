"""What was computed of molecules on disk, so that a second run on the same ones skips the work."""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np
import platformdirs
from safetensors import SafetensorError
from safetensors.numpy import load, save

from admet.config import DataConfig
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


def cache_of(data: DataConfig) -> Path | None:
    """Gives the folder of the cache that a configuration asks for; None where it wants none."""
    return cache_folder(data.cache_dir) if data.cache else None


Arrays = dict[str, np.ndarray]


def cached_graphs(smiles: Sequence[str] | np.ndarray, folder: Path | None) -> PackedGraphs:
    """Featurises SMILES, or takes the graphs that an earlier run has kept.

    Args:
        smiles: n canonical SMILES.
        folder: The cache; None featurises without it.

    Returns:
        The packed graphs, in the order of `smiles`.

    Raises:
        ValueError: If there is no molecule.
        WorkerError: If a process that featurises died.
    """
    texts = [str(s) for s in smiles]
    if folder is None or len(texts) < _WORTH_KEEPING:
        return _featurize(texts)
    distinct, places = _distinct(texts)

    def make(molecules: Sequence[str]) -> Arrays:
        graphs = _featurize(molecules)
        return {name: np.ascontiguousarray(getattr(graphs, name)) for name in _ARRAYS}

    def whole(arrays: Arrays) -> bool:
        return len(PackedGraphs(*[arrays[name] for name in _ARRAYS])) == len(distinct)

    version = f"{_FORMAT}\n{versions()}"
    arrays = _kept(folder / "graphs", "Graphs", version, distinct, make, whole)
    return PackedGraphs(*[arrays[name] for name in _ARRAYS]).subset(places)


def cached_vectors(
    name: str,
    version: str,
    smiles: Sequence[str] | np.ndarray,
    folder: Path | None,
    compute: Callable[[Sequence[str]], np.ndarray],
) -> np.ndarray:
    """Computes a vector per molecule, or takes those that an earlier run has kept.

    Args:
        name: What the vectors are; the folder of the entries is named so.
        version: What changes whenever the vectors would.
        smiles: n canonical SMILES.
        folder: The cache; None computes without it.
        compute: SMILES of m different molecules → their vectors, shape (m, width).

    Returns:
        Shape (n, width), in the order of `smiles`.
    """
    distinct, places = _distinct([str(s) for s in smiles])
    if folder is None or len(distinct) < _WORTH_KEEPING:
        vectors = compute(distinct)
        return np.asarray(vectors[places])
    arrays = _kept(
        folder / name,
        f"Input {name}",
        version,
        distinct,
        lambda molecules: {"vectors": np.ascontiguousarray(compute(molecules))},
        lambda arrays: len(arrays["vectors"]) == len(distinct),
    )
    return np.asarray(arrays["vectors"][places])


def _featurize(smiles: Sequence[str]) -> PackedGraphs:
    return concatenate(map_parts(featurize, smiles))


def _distinct(texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Gives the different molecules in a fixed order, and the place of each text among them."""
    distinct = sorted(set(texts))
    place = {text: i for i, text in enumerate(distinct)}
    return distinct, np.array([place[text] for text in texts], dtype=np.int64)


def _kept(
    folder: Path,
    what: str,
    version: str,
    distinct: Sequence[str],
    make: Callable[[Sequence[str]], Arrays],
    whole: Callable[[Arrays], bool],
) -> Arrays:
    """Takes the arrays of some molecules from an entry of the cache, or makes and keeps them.

    The key of an entry is the SHA-256 of its molecules (in any order) and the version; a file whose
    own SHA-256 does not fit is made anew.
    """
    content = "\n".join([version, *distinct])
    path = folder / f"{hashlib.sha256(content.encode()).hexdigest()}.bin"
    arrays = _read(path, whole)
    if arrays is None:
        arrays = make(distinct)
        _write(path, arrays)
    else:
        log.info("%s of %d molecules taken from the cache, %s", what, len(distinct), path)
    return arrays


def _read(path: Path, whole: Callable[[Arrays], bool]) -> Arrays | None:
    """Reads an entry; None where there is none that can be trusted."""
    if not path.exists():
        return None
    content = read_sealed(path)
    if content is not None:
        with suppress(SafetensorError, KeyError, ValueError):
            arrays = load(content)
            if whole(arrays):
                with suppress(OSError):
                    path.touch()  # the least recently used go first
                return arrays
    log.warning("Cache entry %s is damaged; it is made anew", path)
    return None


def _write(path: Path, arrays: Arrays) -> None:
    """Keeps an entry; a cache that cannot be written costs the next run time, not this one."""
    content = save(arrays)
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
