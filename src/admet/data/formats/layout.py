"""How a text table is written."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layout:
    """How a text table is written, as far as reading its records needs to know.

    Attributes:
        encoding: Its encoding, as Python names it.
        delimiter: What separates the cells.
        skip: Lines before the header.
        quoted: Whether quotes enclose cells; otherwise they are part of them.
        unchecked: Whether a quoted cell may hold what looks like whole records.
        units: Units of columns, from the record under the header.
        has_units: Whether that record holds units and not a molecule.
        notes: What to tell the user about how the table was recognised.
    """

    encoding: str
    delimiter: str
    skip: int = 0
    quoted: bool = True
    unchecked: bool = False
    units: dict[str, str] = field(default_factory=dict)
    has_units: bool = False
    notes: tuple[str, ...] = ()
