"""The Chemprop network with a head per group, and the affinity of its tasks."""

from admet.model.chemprop.encoder import Encoder
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.scaling import TargetScaler

__all__ = ["Encoder", "GroupedNetwork", "TargetScaler", "TaskLoss"]
