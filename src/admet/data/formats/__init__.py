"""Formats of table files: a file each, and one table that lists them."""

from admet.data.formats.delimited import CommaSeparated, TabSeparated
from admet.data.formats.format import Format
from admet.data.formats.parquet import Parquet
from admet.data.formats.sdf import StructureData
from admet.data.formats.smi import SmilesFile
from admet.data.formats.workbook import Workbook

FORMATS: tuple[Format, ...] = (
    CommaSeparated(),
    TabSeparated(),
    Parquet(),
    Workbook(),
    StructureData(),
    SmilesFile(),
)
"""Every format, in the order in which a message lists them; the ending of a name decides."""

__all__ = ["FORMATS", "Format"]
