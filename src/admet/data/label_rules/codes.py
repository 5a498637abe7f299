"""Classes written as words or numbers: which is 1 and which 0, where that is certain."""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from admet.config.quoting import quoted
from admet.data.chemistry import cell_text

LabelMap = Mapping[str, float | None]
"""What a cell holds → its label; None for no label."""

_POSITIVE = "yes y true t active positive pos + present on"
_NEGATIVE = "no n false f inactive negative neg - − absent off"
_WORDS: dict[str, float] = dict.fromkeys(_POSITIVE.split(), 1.0)
_WORDS |= dict.fromkeys(_NEGATIVE.split(), 0.0)
_YAML = {"true": "yes y on t", "false": "no n off f"}  # YAML reads these keys as true and false
_NOT = re.compile(r"(?:non|not|no)[\s_-]*")
_MOST_CLASSES = 20  # distinct words; a column of more is text, not classes
_LEAST_QUESTION = 6  # labels; of fewer, two values may be two measurements
_LEAST_EACH = 2  # labels of each class


def lookup(label_map: LabelMap) -> dict[str, float]:
    """Gives the words of a map as folded text → label, NaN for no label."""
    found: dict[str, float] = {
        folded(key): np.nan if value is None else value
        for key, value in label_map.items()
        if _as_number(key) is None
    }
    for word, others in _YAML.items():
        if word in found:
            found = dict.fromkeys(others.split(), found[word]) | found
    return found


def codes_at(cells: Iterable[object], codes: Mapping[str, float]) -> np.ndarray:
    """Tells which of n cells are codes of a `lookup`, shape (n,), bool."""
    if not codes:
        return np.zeros(sum(1 for _ in cells), dtype=bool)
    return np.array([folded(cell_text(cell)) in codes for cell in cells], dtype=bool)


def map_numbers(
    values: np.ndarray, plain: np.ndarray, label_map: LabelMap
) -> tuple[np.ndarray, np.ndarray]:
    """Gives the numbers of a map their labels, all at once.

    Args:
        values: Numbers of n cells, shape (n,), NaN where there is none.
        plain: Which of them are neither codes nor limits, shape (n,).
        label_map: The map.

    Returns:
        The labels, shape (n,); and the rows whose numbers the map does not name. There are such
        rows only where the map also gives a new label to a number that is itself one of its
        labels, as {1: 0, 2: 1} does with 1.
    """
    numbers = _numbers_of(label_map)
    labels = values.copy() if numbers else values
    known = np.isnan(values) | ~plain
    for number, label in numbers.items():
        here = plain & (values == number)
        labels[here] = np.nan if label is None else label
        known = known | here
    targets = [label for label in numbers.values() if label is not None]
    shifted = any(numbers.get(label, label) != label for label in targets)
    return labels, np.flatnonzero(~known) if shifted else np.empty(0, dtype=np.int64)


def meant_numbers(label_map: LabelMap) -> set[float]:
    """Gives the numbers that a map mentions; nobody needs to be asked about them."""
    return set(_numbers_of(label_map)) | {
        label for label in label_map.values() if label is not None
    }


def _numbers_of(label_map: LabelMap) -> dict[float, float | None]:
    pairs = ((_as_number(key), label) for key, label in label_map.items())
    return {number: label for number, label in pairs if number is not None}


def _as_number(key: str) -> float | None:
    try:
        number = float(key)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def folded(text: str) -> str:
    """Gives a text without case and needless blanks."""
    return " ".join(text.split()).casefold()


def map_of_words(words: Iterable[str], numbers: Iterable[float]) -> dict[str, float | None] | None:
    """Maps the words of a column to 0 and 1 where it is certain which is which.

    Args:
        words: Its distinct cells that are no numbers.
        numbers: Its distinct numbers.

    Returns:
        Word → label; None where the words do not say, or there are other numbers than 0 and 1.
    """
    known = {folded(word) for word in words}
    if not known or not set(numbers) <= {0.0, 1.0}:
        return None
    if known <= _WORDS.keys():
        return {word: _WORDS[word] for word in sorted(known)}
    if len(known) == 2:
        for word, other in (sorted(known), sorted(known, reverse=True)):
            denied = _NOT.match(word)
            if denied is not None and word[denied.end() :] == other:
                return {word: 0.0, other: 1.0}
    return None


def question_of_words(name: str, words: Mapping[str, int], numbers: Iterable[float]) -> str:
    """Asks what the words of a column mean, where they look like classes.

    Args:
        name: The column.
        words: Its distinct cells that are no numbers, each with its count.
        numbers: Its distinct numbers.

    Returns:
        The question; empty where the words are no classes.
    """
    classes = dict.fromkeys(folded(word) for word in words)
    if (
        not set(numbers) <= {0.0, 1.0}
        or any(any(mark.isdigit() for mark in word) for word in classes)
        or len(classes) > min(_MOST_CLASSES, sum(words.values()) / 2)
    ):
        return ""
    shown = ", ".join(repr(word) for word in classes)
    first, *others = classes
    if len(classes) <= 2:
        example = f"{quoted(first)}: 1, {quoted(others[0] if others else '…')}: 0"
        return (
            f"Target column {name!r} holds {shown}: which of them is 1? Say so with "
            f"data.label_maps: {{{quoted(name)}: {{{example}}}}}."
        )
    example = ", ".join(f"{quoted(word)}: {i}" for i, word in enumerate(classes))
    return (
        f"Target column {name!r} holds {len(classes)} classes, {shown}: tasks of more than two "
        "classes are not supported. Map them to 0 and 1 (null leaves one out), or, where they are "
        f"steps of a scale, to numbers: data.label_maps: {{{quoted(name)}: {{{example}}}}}."
    )


def map_of_numbers(values: np.ndarray) -> dict[str, float | None] | None:
    """Maps the numbers of a column to 0 and 1 where it is certain: −1 and 1.

    Args:
        values: Distinct labels, increasing, shape (m,).
    """
    return {"-1": 0.0, "1": 1.0} if values.tolist() == [-1.0, 1.0] else None


def question_of_numbers(name: str, values: np.ndarray, counts: np.ndarray) -> str:
    """Asks about numbers that look like codes of classes.

    Args:
        name: The column.
        values: Its distinct labels, increasing, shape (m,).
        counts: How often each stands there, shape (m,).

    Returns:
        The question; empty where the numbers are amounts, or 0 and 1.
    """
    if not len(counts) or counts.min() < _LEAST_EACH or counts.sum() < _LEAST_QUESTION:
        return ""
    shown = [f"{value:g}" for value in values]
    as_amounts = f"if they are amounts, data.task_kinds: {{{quoted(name)}: regression}}"
    if len(values) == 2 and values.tolist() != [0.0, 1.0]:
        return (
            f"Target {name!r} has two values only, {shown[0]} and {shown[1]}. If they are classes, "
            f"say which is 1: data.label_maps: {{{quoted(name)}: {{{shown[0]}: 0, {shown[1]}: "
            f"1}}}}; {as_amounts}."
        )
    if len(values) == 3 and (np.diff(values) == 1).all() and values[0] in {-1.0, 0.0, 1.0}:
        example = f"{shown[0]}: 0, {shown[1]}: null, {shown[2]}: 1"
        return (
            f"Target {name!r} has three values only, {', '.join(shown)}. Tasks of more than two "
            f"classes are not supported: map them to 0 and 1 (null leaves one out), as in "
            f"data.label_maps: {{{quoted(name)}: {{{example}}}}}; {as_amounts}."
        )
    return ""
