"""Names and numbers as tables and sentences hold them.

Names of tables of 80 columns are shortened in the middle, and still told apart.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile

from rich.cells import cell_len

_CUT = "…"
_NONE = "–"
_LARGE = 1000  # from here a number has no digits behind the point
_SHARES = (0.4, 0.6, 0.2, 0.8)  # of what is left of a name, that of its end


def short_names(names: Sequence[str], width: int) -> list[str]:
    """Shortens names that are wider than a column, so that no two of them look alike.

    A name loses its middle, as "HLM_CL…g protein". Names that would still look alike show where
    they differ; the last resort is a number.

    Args:
        names: The names, each once.
        width: Cells of the column, at least 8; wide letters take two.

    Returns:
        As many names, each at most `width` cells wide, all different where `names` are.
    """
    plain = [_printable(name) for name in names]
    for share in _SHARES:
        short = [_shortened(name, width, share) for name in plain]
        if len(set(short)) == len(set(names)):
            return short
    short = [_shortened(name, width, _SHARES[0]) for name in plain]
    alike = {text for text, n in Counter(short).items() if n > 1}
    for text in alike:
        places = [place for place, own in enumerate(short) if own == text]
        for place, own in zip(places, _apart([plain[p] for p in places], width), strict=True):
            short[place] = own
    return list(_numbered(short, width))


def number(value: float | None) -> str:
    """Writes a number for a narrow column, so that points stand below one another.

    It has three decimals; a large one has three digits. A dash stands for none.
    """
    if value is None or math.isnan(value):
        return _NONE
    return f"{value:.3f}" if abs(value) < _LARGE else f"{value:.3g}"


def short_number(value: float | None) -> str:
    """Writes a number for a sentence or a cell: three digits, a large one in full, a dash for none.

    Large numbers are rounded to whole ones, with commas: 12,346.
    """
    if value is None or math.isnan(value):
        return _NONE
    # What three digits would round up to a thousand is a large number, too: not 1e+03.
    return f"{value:.3g}" if abs(value) < _LARGE - 0.5 else f"{value:,.0f}"


def _apart(names: Sequence[str], width: int) -> list[str]:
    """Shows of names that are alike what begins shortly before their first difference."""
    same = len(list(takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))))
    start = max(same - 1, 0)
    head = _fitting(names[0][:start], width // 3)
    return [
        head + _CUT + _shortened(name[start:], width - cell_len(head) - 1, _SHARES[0])
        for name in names
    ]


def _numbered(names: Sequence[str], width: int) -> Iterator[str]:
    """Numbers names that are alike in spite of all."""
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        own = name
        if own in seen:
            mark = f"{_CUT}{number}"
            own = _fitting(name, width - cell_len(mark)) + mark
        seen.add(own)
        yield own


def _shortened(name: str, width: int, share: float) -> str:
    """Takes the middle out of a name that is wider than `width` cells."""
    if cell_len(name) <= width:
        return name
    end = _fitting(name[::-1], int((width - 1) * share))[::-1]
    return _fitting(name, width - 1 - cell_len(end)) + _CUT + end


def _fitting(text: str, width: int) -> str:
    """Gives as many letters of a text as fit into so many cells."""
    while cell_len(text) > max(width, 0):
        text = text[: len(text) - max((cell_len(text) - width) // 2, 1)]
    return text


def _printable(name: str) -> str:
    """Shows letters that would move the cursor as what Python writes for them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
