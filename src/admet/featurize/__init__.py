"""From molecules to arrays: graphs are built once, kept flat, and cut into batches by slicing.

Free of torch, so that the processes that featurise start quickly.
"""

from admet.featurize.arrays import GraphArrays
from admet.featurize.packed import PackedGraphs, featurize
from admet.featurize.unfolding import Batcher, Unfolding, Unshared, unfold

__all__ = [
    "Batcher",
    "GraphArrays",
    "PackedGraphs",
    "Unfolding",
    "Unshared",
    "featurize",
    "unfold",
]
