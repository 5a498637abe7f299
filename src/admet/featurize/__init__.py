"""From molecules to batches: graphs are built once, kept flat, and cut into batches by slicing."""

from admet.featurize.batches import Batcher, BatchLoader, LabelledBatch
from admet.featurize.graph_batch import Bags, GraphBatch
from admet.featurize.packed import PackedGraphs, featurize
from admet.featurize.unfolding import Unfolding, Unshared

__all__ = [
    "Bags",
    "BatchLoader",
    "Batcher",
    "GraphBatch",
    "LabelledBatch",
    "PackedGraphs",
    "Unfolding",
    "Unshared",
    "featurize",
]
