"""Numbers as laboratories write them: decimal commas, thousands separators, percent signs."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from admet.config.reading import DecimalName, say_it
from admet.data.table import Table

_MARKS = {"point": ".", "comma": ","}
_GROUPERS = "'’ \N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}"
_MINUS = str.maketrans(dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}－﹣", "-"))
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)(?P<body>\d(?:[\d.,{_GROUPERS}]*[\d.,])?|[.,]\d+)(?P<power>[eE][+-]?\d+)?"
)
_MARKED = frozenset(f",%{_GROUPERS}").union(map(chr, _MINUS))
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_LIMIT = re.compile(r"[<>≤≥~≈=\s]*")
_EXAMPLES = 1000
"""First cells of a column, which tell how another column of the table writes its numbers."""


@dataclass(frozen=True)
class Writing:
    """How the numbers of a column are written.

    Attributes:
        decimal: The decimal mark, "." or ",".
        percent: Whether each number has a percent sign, which is then its unit.
        question: What has to be asked, since it is not certain; empty where it is.
        notes: What to tell the user.
    """

    decimal: str = "."
    percent: bool = False
    question: str = ""
    notes: tuple[str, ...] = ()

    def number(self, text: str) -> float | None:
        """Reads a number; None where the text is none.

        Args:
            text: The text of a cell, without a limit sign.
        """
        if self.decimal == "." or not ("." in text or "," in text):
            try:
                return float(text)
            except ValueError:
                pass
        parts = _parts(text)
        plain = None if parts is None else _plain(parts, self.decimal)
        return None if plain is None else float(plain)


def writing_of(table: Table, name: str, decimal: DecimalName = "auto") -> Writing:
    """Finds out how the numbers of a column are written, from all of its cells.

    `1,5` and `1.234,5` have a decimal comma, `1,234.5` and `1,234,567` a decimal point. `1,234` and
    `1.234` may be either: the other cells of the column decide, and where they have no mark, those
    of the table. A point alone is a decimal point unless the table has decimal commas.

    Args:
        table: The table.
        name: The column.
        decimal: The decimal mark, where the user says it.

    Returns:
        How they are written, with a question where that is not certain.
    """
    cells = [(row, cell) for row, cell in enumerate(table.frame[name]) if isinstance(cell, str)]
    if decimal != "comma" and _is_common([cell for _, cell in cells]):
        return Writing()
    found = _Evidence.of(cell for _, cell in cells)
    question = ""
    if decimal == "auto":
        mark, question = _decide(table, name, found)
    else:
        mark = _MARKS[decimal]
    if question or found.mixed_percent:
        question = question or "writes some numbers with a percent sign and some without, as"
        asked = found.examples()
        places = [f"{table.unit} {table.lines[row]} ({c!r})" for row, c in cells if c in asked]
        remedy = (
            "Write all with it, or all without."
            if not question.endswith("marks, as")
            else f"Say which it is: {say_it('decimal', 'comma')}, or point; or rewrite them."
        )
        question = f"Column {name!r} {question} {', '.join(places[:3])}. {remedy}"
    return Writing(mark, found.percent, question, found.notes(mark))


def unit_of(table: Table, name: str) -> str:
    """Gives the unit of a column: that of the table's row of units, or the percent sign."""
    said = table.units.get(name, "")
    signed = any(isinstance(cell, str) and "%" in cell for cell in table.frame[name])
    return said or ("%" if signed and writing_of(table, name).percent else "")


def looks_like_number(text: str) -> bool:
    """Tells whether a cell is a number in any writing, a limit such as `>10` included."""
    parts = _parts(_LIMIT.sub("", text, count=1))
    return parts is not None and any(_plain(parts, mark) is not None for mark in ".,")


@dataclass(frozen=True)
class _Parts:
    sign: str
    body: str
    power: str
    percent: bool


def _parts(text: str) -> _Parts | None:
    """Takes a number apart; None where the text is none in any writing."""
    bare = text.strip().translate(_MINUS)
    percent = bare.endswith("%")
    match = _NUMBER.fullmatch(bare.removesuffix("%").rstrip())
    if match is None:
        return None
    return _Parts(match["sign"], match["body"], match["power"] or "", percent)


def _plain(parts: _Parts, decimal: str) -> str | None:
    """Writes a number as Python reads it, by its decimal mark; None where the mark does not fit."""
    whole, mark, fraction = parts.body.partition(decimal)
    if fraction and not fraction.isdecimal():
        return None
    if mark and not fraction and decimal == ",":  # `12.` is a number, `12,` the end of something
        return None
    if whole and not whole.isdecimal():
        other = "." if decimal == "," else ","
        grouped = re.fullmatch(rf"[1-9]\d{{0,2}}([{_GROUPERS}{other}])\d{{3}}(?:\1\d{{3}})*", whole)
        if grouped is None or parts.power:
            return None
        whole = whole.replace(grouped[1], "")
    return f"{parts.sign}{whole}{'.' if mark else ''}{fraction}{parts.power}"


def _is_common(cells: list[str]) -> bool:
    """Tells quickly whether a column has decimal points and no other mark, as most have."""
    letters = set("\n".join(cells))
    if letters & _MARKED:
        return False
    return "." not in letters or any(
        "." in cell and not _EITHER.fullmatch(cell) and _is_plain(cell) for cell in cells
    )


def _is_plain(text: str) -> bool:
    """Tells quickly whether a text is a finite number that Python reads as it stands."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


@dataclass(frozen=True)
class _Evidence:
    """What the different cells of a column tell about how its numbers are written.

    Attributes:
        point: Those that can only have a decimal point, or thousands that go with it.
        comma: Those that can only have a decimal comma, or thousands that go with it.
        either_point: `1.234`: a decimal point, or thousands.
        either_comma: `1,234`: a decimal comma, or thousands.
        spaced: `1 234`: thousands, and no decimal mark.
        n_percent: Numbers with a percent sign.
        percents: One number with and one without, where there are both.
        n_minus: Numbers with a minus sign other than the hyphen.
        n: Numbers.
    """

    point: tuple[str, ...] = ()
    comma: tuple[str, ...] = ()
    either_point: tuple[str, ...] = ()
    either_comma: tuple[str, ...] = ()
    spaced: tuple[str, ...] = ()
    n_percent: int = 0
    percents: tuple[str, ...] = ()
    n_minus: int = 0
    n: int = 0

    @classmethod
    def of(cls, cells: Iterable[str]) -> "_Evidence":
        """Sorts the cells that are numbers."""
        kinds: dict[str, list[str]] = {".": [], ",": [], "1.": [], "1,": [], " ": []}
        signed: dict[bool, str] = {}
        n = n_percent = n_minus = 0
        for cell, times in Counter(cells).items():
            if _is_plain(cell):
                n += times
                signed.setdefault(False, cell)
                if "." in cell:
                    kinds["1." if _EITHER.fullmatch(cell) else "."] += [cell] * times
                continue
            text = _LIMIT.sub("", cell, count=1)
            parts = _parts(text)
            if parts is None:
                continue
            n += times
            n_percent += parts.percent * times
            signed.setdefault(parts.percent, cell)
            n_minus += times * (parts.sign == "-" and text.lstrip()[0] != "-")
            if parts.body.isdecimal():
                continue
            by_point, by_comma = (_plain(parts, mark) for mark in ".,")
            if by_point is None and by_comma is not None:
                kinds[","] += [cell] * times
            elif by_comma is None and by_point is not None:
                kinds["."] += [cell] * times
            elif by_point is not None and by_point == by_comma:
                kinds[" "] += [cell] * times
            elif by_point is not None:
                kinds["1." if "." in parts.body else "1,"] += [cell] * times
        percents = tuple(signed.values()) if len(signed) > 1 else ()
        point, comma, either_point, either_comma, spaced = map(tuple, kinds.values())
        return cls(
            point, comma, either_point, either_comma, spaced, n_percent, percents, n_minus, n
        )

    @property
    def percent(self) -> bool:
        """Whether each number has a percent sign."""
        return 0 < self.n_percent == self.n

    @property
    def mixed_percent(self) -> bool:
        """Whether some numbers have a percent sign and some have not."""
        return 0 < self.n_percent < self.n

    def grouped(self, mark: str) -> bool:
        """Whether thousands are certainly separated, beside this decimal mark."""
        other = "." if mark == "," else ","
        return any(other in cell for cell in (self.point if mark == "." else self.comma))

    def examples(self) -> set[str]:
        """Gives a cell of each kind."""
        kinds = (self.point, self.comma, self.either_point, self.either_comma)
        return {kind[0] for kind in kinds if kind} | set(self.percents)

    def notes(self, mark: str) -> tuple[str, ...]:
        """Tells which numbers are not written plainly."""
        commas, points = (*self.comma, *self.either_comma), (*self.point, *self.either_point)
        other = "." if mark == "," else ","
        grouped = [cell for cell in (*commas, *points) if other in cell]
        grouped += self.spaced
        said = (
            (commas if mark == "," else (), "decimal commas"),
            (grouped, "thousands separators"),
        )
        notes = [f"{len(n)} {what}, such as {n[0]!r}" for n, what in said if n]
        if self.n_percent:
            notes.append(f"{self.n_percent} percent signs, taken for the unit")
        if self.n_minus:
            notes.append(f"{self.n_minus} minus signs that are no hyphens")
        return tuple(notes)


def _decide(table: Table, name: str, found: _Evidence) -> tuple[str, str]:
    """Gives the decimal mark of a column, and what has to be asked."""
    if found.comma and found.point:
        return ".", "has both decimal marks, as"
    if found.comma:
        unsure = found.either_point and not found.grouped(",")
        return ",", "may have both decimal marks, as" if unsure else ""
    if found.either_comma:
        if found.grouped("."):
            return ".", ""
        if not found.point and not found.either_point and _marks_beside(table, name) == {","}:
            return ",", ""
        return ".", "has commas that may be decimal or thousands marks, as"
    if found.either_point and not found.point and "," in _marks_beside(table, name):
        return ".", "has points that may be decimal or thousands marks, as"
    return ".", ""


def _marks_beside(table: Table, name: str) -> set[str]:
    """Gives the decimal marks that the other columns certainly have."""
    marks: set[str] = set()
    for other, column in table.frame.items():
        if other == name:
            continue
        cells = (cell for cell in column.iloc[:_EXAMPLES] if isinstance(cell, str))
        filled = [cell for cell in dict.fromkeys(cells) if cell.strip()]
        found = _Evidence.of(filled)
        # A column of text may hold what looks like a number; one of numbers holds little else.
        if 2 * found.n >= len(filled):
            marks |= {"."} if found.point else set()
            marks |= {","} if found.comma else set()
    return marks
