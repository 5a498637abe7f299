"""What a page is made of: sections of words, tables, pictures and drawn molecules."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Words:
    """A paragraph.

    Attributes:
        text: What it says.
        tone: "plain"; "lead" for the verdict itself; "doubt" for what limits it; "head" for what
            stands above others.
    """

    text: str
    tone: str = "plain"
    shape: str = field(default="words", init=False)


@dataclass(frozen=True)
class Points:
    """A list of short sentences."""

    lines: tuple[str, ...]
    shape: str = field(default="points", init=False)


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What is shown.
        key: What it is sorted by; empty sorts by the text, and stands last where that is empty.
        mark: "better", "worse", "same" or "unclear" for a cell that says so; else empty.
    """

    text: str
    key: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table that its reader can sort.

    Attributes:
        caption: What it shows.
        heads: Names of the columns.
        rows: Cells of each row.
        numeric: Which columns hold numbers and stand to the right.
        stem: Start of the name of the file that it is saved as.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[bool, ...]
    stem: str
    shape: str = field(default="table", init=False)


@dataclass(frozen=True)
class Picture:
    """A picture that its reader can save, with its numbers.

    Attributes:
        title: What it shows, also for those who cannot see it.
        svg: The picture as a data address.
        width: Its width, in pixels of the page.
        height: Its height, likewise.
        stem: Start of the names of the files that it is saved as.
        csv: Its numbers: a table of comma-separated values, packed by gzip, in base64; empty where
            another picture of the section holds them.
        note: What has to be said about it; may be empty.
    """

    title: str
    svg: str
    width: int
    height: int
    stem: str
    csv: str = ""
    note: str = ""
    shape: str = field(default="picture", init=False)


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, as many as the screen has room for."""

    pictures: tuple[Picture, ...]
    shape: str = field(default="pictures", init=False)


@dataclass(frozen=True)
class Molecule:
    """A drawn molecule.

    Attributes:
        smiles: Its SMILES.
        svg: The drawing as a data address; empty where it cannot be drawn.
        lines: What is said of it.
    """

    smiles: str
    svg: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Molecules:
    """Drawn molecules side by side."""

    caption: str
    molecules: tuple[Molecule, ...]
    shape: str = field(default="molecules", init=False)


@dataclass(frozen=True)
class Code:
    """Text as it stands, such as a command or a configuration.

    Attributes:
        caption: What it is.
        text: The text.
        folded: Whether it is shown only when its reader asks for it.
    """

    caption: str
    text: str
    folded: bool = False
    shape: str = field(default="code", init=False)


Block = Words | Points | Table | Pictures | Molecules | Code


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes:
        key: Its place in the address of the page.
        title: Its title.
        blocks: What it holds.
    """

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: What it reports on.
        facts: A few words on each side of it: what, when, with what.
        sections: Its sections, the verdict first.
    """

    title: str
    facts: Sequence[str]
    sections: Sequence[Section]
