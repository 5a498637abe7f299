"""How a table is read, where the file does not say it with certainty."""

import codecs
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from admet.config.base import Section

ColumnName = Annotated[str, StringConstraints(min_length=1)]
DelimiterName = Literal["auto", "comma", "semicolon", "tab", "pipe"]
QuotingName = Literal["auto", "quoted", "none"]
DecimalName = Literal["auto", "point", "comma"]
UnitsRowName = Literal["auto", "present", "absent"]


class TableReading(Section):
    """How a table is read; `auto` decides by the file where it is certain, and asks elsewhere."""

    sheet: ColumnName | None = Field(
        None, description="Sheet of a workbook; empty: the only one that holds cells."
    )
    delimiter: DelimiterName = Field(
        "auto", description="What separates the cells of a text: auto, comma, semicolon, tab, pipe."
    )
    quoting: QuotingName = Field(
        "auto",
        description="Whether quotes enclose cells of a text: auto, quoted (whatever they enclose), "
        "none (quotes are part of the cells).",
    )
    encoding: str | None = Field(
        None,
        description="Encoding of a text; empty: UTF-8, UTF-16 or, where it is certain, cp1252.",
    )
    units_row: UnitsRowName = Field(
        "auto", description="Whether the row under the header holds units: auto, present, absent."
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        try:
            if value is None or getattr(codecs.lookup(value), "_is_text_encoding", True):
                return value
        except (LookupError, ValueError):
            pass
        raise ValueError(
            f"`encoding` must be the name of a text encoding, such as utf-8 or cp1252; got "
            f"{value!r}."
        )


class LabelReading(TableReading):
    """How a table with labels is read."""

    decimal: DecimalName = Field(
        "auto", description="Decimal mark of numbers in text: auto, point, comma."
    )


AS_FOUND = LabelReading()
"""Takes what is certain as it is found, and asks about the rest."""


def say_it(key: str, value: str) -> str:
    """Gives the words with which a message tells how to set a key of a reading.

    Args:
        key: The key.
        value: Its value.
    """
    flag = key.replace("_", "-")
    return f"`data.{key}: {value}` (--data.{flag} {value} of train, --{flag} {value} elsewhere)"
