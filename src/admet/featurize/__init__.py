"""From molecules to batches: graphs are built once, kept flat, and cut into batches by slicing."""

from admet.featurize.batches import BatchLoader, LabelledBatch
from admet.featurize.packed import GraphBatch, PackedGraphs, featurize

__all__ = ["BatchLoader", "GraphBatch", "LabelledBatch", "PackedGraphs", "featurize"]
