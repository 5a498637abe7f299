"""Formats of table files: a file each, and one table that lists them."""

from admet.data.formats.delimited import CommaSeparated, TabSeparated
from admet.data.formats.format import Format
from admet.data.formats.parquet import Parquet

FORMATS: tuple[Format, ...] = (CommaSeparated(), TabSeparated(), Parquet())
"""Every format, in the order in which a message lists them; the ending of a name decides."""

__all__ = ["FORMATS", "Format"]
