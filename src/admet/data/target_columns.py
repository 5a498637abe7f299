"""Which columns are targets: names, patterns, or all that hold numbers."""

import logging
from fnmatch import fnmatchcase

import numpy as np

from admet.config.data import NUMERIC, PanelColumns, is_pattern
from admet.data.label_columns import read_labels
from admet.data.numbers import looks_like_number
from admet.data.table import Table
from admet.errors import DataError, near_names

log = logging.getLogger(__name__)


def own_columns(config: PanelColumns) -> set[str]:
    """Gives the columns that have a role of their own: SMILES, split, relations and the like."""
    roles = [key for key in type(config).model_fields if key.endswith("_column")]
    named = {str(getattr(config, key)) for key in roles if getattr(config, key) is not None}
    return named | set(config.relation_columns.values())


def find_targets(table: Table, config: PanelColumns) -> list[str]:
    """Turns what `data.target_columns` holds into column names.

    A column of exactly that name wins. Otherwise a name with `*`, `?` or `[…]` is a pattern as in a
    shell, and upper and lower case count. `numeric` means every column that holds numbers, at least
    two different ones, and nothing else but gaps.

    Args:
        table: The table.
        config: Its `target_columns` are names, patterns, `numeric`; no pattern takes a column that
            `own_columns` names.

    Returns:
        Names, each once, in the order of `target_columns`; those of one pattern are in the order of
        the table. A name that is neither a column nor a pattern is given back as it is.

    Raises:
        DataError: If a pattern matches no column, or no column holds numbers.
    """
    columns = [str(name) for name in table.frame.columns]
    roles = own_columns(config)
    free = [name for name in columns if name and name not in roles]
    found: dict[str, None] = {}
    for word in config.target_columns:
        if word in columns or not is_pattern(word):
            found[word] = None
            continue
        if word == NUMERIC:
            named = [name for name in free if _holds_numbers(table, name, config)]
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


def _holds_numbers(table: Table, name: str, config: PanelColumns) -> bool:
    """Tells whether a column holds different numbers, or different codes that a map names."""
    rules = config.rules_of(name)
    try:
        reading = read_labels(table, [name], [rules], asking=False, decimal=config.decimal)
    except DataError:
        return False
    values = reading.labels.values
    in_words = reading.rules[0].map != rules.map and any(
        not looks_like_number(code) for code in reading.rules[0].map
    )
    return not in_words and np.unique(values[~np.isnan(values)]).size > 1
