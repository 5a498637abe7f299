"""Signs before a number: above, below, about."""

import html
import re
from typing import NamedTuple

ABOVE, MEASURED, BELOW = 1, 0, -1
"""Values of `Labels.limits`."""


class Relation(NamedTuple):
    """How a true value stands to the number given.

    Attributes:
        limit: `ABOVE`, `MEASURED` or `BELOW`.
        about: Whether the true value is only near the number.
    """

    limit: int
    about: bool = False


_WORDS: dict[Relation, str] = {
    Relation(ABOVE): "> >= => >> ≥ ≧ ⩾ ≫ gt ge gte above over|greater than|more than|larger than"
    "|higher than|at least",
    Relation(BELOW): "< <= =< << ≤ ≦ ⩽ ≪ lt le lte below under|less than|smaller than|lower than"
    "|at most|up to",
    Relation(MEASURED, about=True): "~ ≈ ≃ ≅ ∼ ~= ~~ ca ca. c. circa about around approx approx. "
    "approximately",
    Relation(MEASURED): "= == eq equal|equal to|equals",
}
_RELATIONS: dict[str, Relation] = {}
for _relation, _words in _WORDS.items():
    _first, *_phrases = _words.split("|")
    _RELATIONS |= dict.fromkeys([*_first.split(), *_phrases], _relation)
_WIDE = str.maketrans("＞＜＝～", "><=~")  # as East Asian keyboards write them
_LONGEST_FIRST = sorted(_RELATIONS, key=len, reverse=True)
# A word must end before the number: "c.5" and "ca 5" are signs, "lt5x" is not one.
_SIGN = re.compile(
    "|".join(
        r"\s+".join(map(re.escape, sign.split()))
        + (r"(?=[\s\d.+−-])" if sign[-1].isalpha() else "")
        for sign in _LONGEST_FIRST
    ),
    re.IGNORECASE,
)
_APART = re.compile(r"(?<=[<>=~])\s+(?=[<>=~])")  # "> = 5"


def split_relation(text: str) -> tuple[Relation, str] | None:
    """Takes the sign off the text of a cell.

    Args:
        text: As `>100`, `≤ 0.5`, `ca. 3` or `&lt;1`.

    Returns:
        The relation and what stands behind its sign; None where there is no sign.
    """
    plain = _plain(text)
    found = _SIGN.match(plain)
    if found is None:
        return None
    rest = plain[found.end() :].strip()
    return (_RELATIONS[" ".join(found.group().casefold().split())], rest) if rest else None


def relation_of(text: str) -> Relation | None:
    """Reads a cell of a relation column, such as `>`, `'='` or nothing; None for anything else."""
    word = _plain(text).strip("'\"` ").casefold()
    return _RELATIONS.get(word, Relation(MEASURED) if word in _NOTHING else None)


_NOTHING = {"", "na", "n/a", "nan", "none", "null", "<na>"}


def _plain(text: str) -> str:
    text = html.unescape(text) if "&" in text else text
    return _APART.sub("", text.translate(_WIDE).strip())
