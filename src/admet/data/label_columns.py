"""Label columns: numbers, limits, codes, and cells without a label; faults name their lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from admet.config.data import LabelRules
from admet.config.quoting import quoted
from admet.config.reading import DecimalName
from admet.data.chemistry import cell_text
from admet.data.label_rules import (
    Column,
    LabelMap,
    Note,
    describe_lone_negative,
    map_of_numbers,
    map_of_words,
    mark_declared,
    meant_numbers,
    places,
    question_of_far_labels,
    question_of_numbers,
    question_of_words,
    read_relations,
    without_sentinels,
)
from admet.data.labels import Labels, read_numbers
from admet.data.table import Table, require_columns
from admet.errors import DataError
from admet.kinds import Kind


@dataclass(frozen=True)
class Reading:
    """What was read of label columns.

    Attributes:
        labels: Labels of n rows and T columns.
        rules: T rules by which they were read.
        notes: Cells that were read otherwise than as the number in them.
        messages: What to tell the user.
    """

    labels: Labels
    rules: tuple[LabelRules, ...]
    notes: tuple[Note, ...] = field(default=())
    messages: tuple[str, ...] = field(default=())


def read_labels(
    table: Table,
    columns: list[str],
    rules: Sequence[LabelRules],
    given: Mapping[str, Kind] | None = None,
    *,
    asking: bool = True,
    decimal: DecimalName = "auto",
) -> Reading:
    """Reads target columns.

    Args:
        table: The table.
        columns: T column names.
        rules: For each column, how its cells become labels.
        given: Kinds that the user has set, or that a model has, by name.
        decimal: The decimal mark of numbers in text, where the user says it.
        asking: Whether labels that may mean two things are an error that asks; otherwise they are a
            message.

    Returns:
        The labels; there is no label where a cell is empty or says that it is missing.

    Raises:
        DataError: If a column is missing, or holds text, a value that is infinite or beyond
            `labels.LARGEST`, or codes that may mean two things; names the lines.
    """
    require_columns(table, columns, "Target")
    beside = [rule.relation_column for rule in rules if rule.relation_column]
    require_columns(table, beside, "Relation")
    faults: list[str] = []
    questions: list[str] = []
    read: list[Column] = []
    found: list[LabelRules] = []
    for name, rule in zip(columns, rules, strict=True):
        column, own = _column(
            table, name, rule, (given or {}).get(name), decimal, faults, questions
        )
        read.append(column)
        found.append(own)
    if faults or (questions and asking):
        raise DataError("\n".join([*faults, *questions]))
    n = len(table.frame)
    values = np.stack([column.values for column in read], axis=1) if read else np.empty((n, 0))
    limits = np.stack([c.limits for c in read], axis=1) if read else np.empty((n, 0), np.int8)
    return Reading(
        Labels(values, limits),
        tuple(found),
        tuple(note for column in read for note in column.notes),
        tuple([message for column in read for message in column.messages] + questions),
    )


def _column(
    table: Table,
    name: str,
    rules: LabelRules,
    kind: Kind | None,
    decimal: DecimalName,
    faults: list[str],
    questions: list[str],
) -> tuple[Column, LabelRules]:
    """Reads one column; adds what is wrong to the faults, and what is unclear to the questions.

    Returns:
        The column, and the rules with the codes that were recognised.
    """
    column, words = read_numbers(table, name, rules.map, decimal, faults)
    coded = _recognised(table, column, words, rules.map, kind, faults, questions)
    if coded != rules.map:
        rules = rules.model_copy(update={"map": coded})
        column, _ = read_numbers(table, name, coded, decimal, faults)
        shown = ", ".join(
            f"{key!r} as {value:g}" for key, value in coded.items() if value is not None
        )
        column = column.saying(f"reads {shown}")
    if rules.relation_column:
        column = read_relations(table, column, rules.relation_column, faults)
    if kind is None or kind.scaled:
        column = _without_strangers(table, column, rules.map, questions)
    if rules.limits is not None:
        column = mark_declared(table, column, rules.limits.below, rules.limits.above)
    n_limits = np.count_nonzero(column.limits)
    if n_limits:
        n_labels = np.count_nonzero(~np.isnan(column.values))
        column = column.saying(f"{n_limits} of {n_labels} labels are limits (> or <)")
    return column, rules


def _recognised(
    table: Table,
    column: Column,
    words: list[int],
    label_map: LabelMap,
    kind: Kind | None,
    faults: list[str],
    questions: list[str],
) -> LabelMap:
    """Recognises codes of classes; other text is a fault.

    Args:
        table: The table.
        column: Its numbers so far.
        words: Rows whose cells are no numbers.
        label_map: The codes that are known.
        kind: The kind of the task, where it is known.
        faults: Takes up text.
        questions: Takes up codes that may mean two things.

    Returns:
        The codes, with those that were recognised.
    """
    name = column.name
    values, counts = np.unique(column.values[~np.isnan(column.values)], return_counts=True)
    if words:
        cells = Counter(cell_text(table.frame[name].iloc[row]) for row in words)
        found = map_of_words(cells, values) if not label_map else None
        if found is not None and (kind is None or not kind.scaled):
            return found
        question = question_of_words(name, cells, values) if not label_map else ""
        faults.append(
            question
            or f"Target column {name!r} must hold numbers or empty cells; it holds text at "
            f"{places(table, words, name)}. Correct or empty these cells, or say what they mean: "
            f"data.label_maps: {{{quoted(name)}: {{{quoted(next(iter(cells)))}: null}}}} (null: "
            "not measured)."
        )
        return label_map
    if label_map or column.limits.any() or (kind is not None and kind.scaled):
        return label_map
    found = map_of_numbers(values)
    if found is None and kind is None:
        question = question_of_numbers(name, values, counts)
        questions += [question] if question else []
    return label_map if found is None else found


def _without_strangers(
    table: Table, column: Column, label_map: LabelMap, questions: list[str]
) -> Column:
    """Empties numbers that mean "not measured", and asks about labels far from all others."""
    meant = meant_numbers(label_map)
    asked = len(questions)
    column = without_sentinels(table, column, meant, questions)
    if len(questions) == asked:
        question = question_of_far_labels(table, column, meant)
        questions += [question] if question else []
    lone = describe_lone_negative(column, meant)
    return column.saying(lone) if lone else column
