"""What affinities are measured on: the protocol, molecules, and any other network."""

from admet.model.chemprop.task_affinity.problems.any_network import LoaderProblem
from admet.model.chemprop.task_affinity.problems.base import (
    FOLDS,
    AffinityProblem,
    Batch,
    LabelledExamples,
    Triple,
)
from admet.model.chemprop.task_affinity.problems.molecules import MoleculeProblem

__all__ = [
    "FOLDS",
    "AffinityProblem",
    "Batch",
    "LabelledExamples",
    "LoaderProblem",
    "MoleculeProblem",
    "Triple",
]
