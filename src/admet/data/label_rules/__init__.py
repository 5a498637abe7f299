"""What a cell of a label column means beyond a number: limits, codes, and what is no label."""

from admet.data.label_rules.codes import (
    LabelMap,
    codes_at,
    folded,
    lookup,
    map_numbers,
    map_of_numbers,
    map_of_words,
    meant_numbers,
    question_of_numbers,
    question_of_words,
)
from admet.data.label_rules.column import Column, Note, places
from admet.data.label_rules.limits import (
    SIGNS,
    approximate,
    mark_declared,
    read_relations,
    undeclared_relations,
)
from admet.data.label_rules.merging import merge_labels
from admet.data.label_rules.piles import Pile, describe_piles, find_piles
from admet.data.label_rules.relations import split_relation
from admet.data.label_rules.suspicions import (
    describe_lone_negative,
    question_of_far_labels,
    without_sentinels,
)

__all__ = [
    "SIGNS",
    "Column",
    "LabelMap",
    "Note",
    "Pile",
    "approximate",
    "codes_at",
    "describe_lone_negative",
    "describe_piles",
    "find_piles",
    "folded",
    "lookup",
    "map_numbers",
    "map_of_numbers",
    "map_of_words",
    "mark_declared",
    "meant_numbers",
    "merge_labels",
    "places",
    "question_of_far_labels",
    "question_of_numbers",
    "question_of_words",
    "read_relations",
    "split_relation",
    "undeclared_relations",
    "without_sentinels",
]
