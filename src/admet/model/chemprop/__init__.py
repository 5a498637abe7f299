"""The Chemprop network with a head per group, and the affinity of its tasks."""

from admet.model.chemprop.batches import BatchLoader, LabelledBatch
from admet.model.chemprop.encoder import BondMessagePassing, Encoder
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.scaling import TargetScaler

__all__ = [
    "BatchLoader",
    "BondMessagePassing",
    "Encoder",
    "GraphBatch",
    "GroupedNetwork",
    "LabelledBatch",
    "TargetScaler",
    "TaskLoss",
]
