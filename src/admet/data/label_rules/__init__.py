"""What a cell of a label column means beyond a number: limits, codes, and what is no label."""

from admet.data.label_rules.column import Column, Note, places
from admet.data.label_rules.limits import (
    SIGNS,
    approximate,
    mark_declared,
    read_relations,
    undeclared_relations,
)
from admet.data.label_rules.merging import merge_labels
from admet.data.label_rules.piles import describe_piles
from admet.data.label_rules.relations import split_relation

__all__ = [
    "SIGNS",
    "Column",
    "Note",
    "approximate",
    "describe_piles",
    "mark_declared",
    "merge_labels",
    "places",
    "read_relations",
    "split_relation",
    "undeclared_relations",
]
