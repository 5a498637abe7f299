"""Which columns are targets: names, patterns, or all that hold numbers."""

import logging
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

import numpy as np

from admet.config.data import NUMERIC, DataConfig, LabelRules, is_pattern
from admet.data.label_columns import read_labels
from admet.data.table import Table
from admet.errors import DataError, near_names

log = logging.getLogger(__name__)


def own_columns(config: DataConfig) -> set[str]:
    """Gives the columns that have a role of their own: the SMILES, the split and the like."""
    roles = [key for key in type(config).model_fields if key.endswith("_column")]
    return {str(getattr(config, key)) for key in roles if getattr(config, key) is not None}


def find_targets(table: Table, asked: Sequence[str], others: Collection[str]) -> list[str]:
    """Turns what `data.target_columns` holds into column names.

    A column of exactly that name wins. Else a name with `*`, `?` or `[…]` is a pattern as in a
    shell, case and all, and `numeric` means every column that holds numbers, at least two different
    ones, and nothing else but gaps.

    Args:
        table: The table.
        asked: Names, patterns, `numeric`.
        others: Columns that no pattern takes, as `own_columns` gives them.

    Returns:
        Names, each once, in the order of `asked`, those of one pattern in that of the table. A name
        that is no column and no pattern is given back as it is.

    Raises:
        DataError: If a pattern matches no column, or no column holds numbers.
    """
    columns = [str(name) for name in table.frame.columns]
    free = [name for name in columns if name and name not in others]
    found: dict[str, None] = {}
    for word in asked:
        if word in columns or not is_pattern(word):
            found[word] = None
            continue
        if word == NUMERIC:
            named = [name for name in free if _holds_numbers(table, name)]
        else:
            named = [name for name in free if fnmatchcase(name, word)]
        if not named:
            what = "column holds numbers" if word == NUMERIC else "column matches"
            raise DataError(
                f"`target_columns` names {word!r}, but no {what} in {table.source}. "
                f"{near_names(word, free)}"
            )
        log.info("Targets by %r: %d columns: %s", word, len(named), ", ".join(map(repr, named)))
        found |= dict.fromkeys(named)
    return list(found)


def _holds_numbers(table: Table, name: str) -> bool:
    """Tells whether a column can be read as labels that are not all alike."""
    try:
        values = read_labels(table, [name], [LabelRules()], asking=False).labels.values
    except DataError:
        return False
    return np.unique(values[~np.isnan(values)]).size > 1
