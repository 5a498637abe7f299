"""Tables that are written: one file per format, and one table that lists them.

`check_table` checks the name of an output before the work begins, `write_table` writes a frame,
`open_table` takes it part by part.
"""

from admet.table_files.write import (
    TABLES,
    check_rows,
    check_table,
    open_table,
    write_table,
    writer_of,
)
from admet.table_files.writer import Origin, TableWriter

__all__ = [
    "TABLES",
    "Origin",
    "TableWriter",
    "check_rows",
    "check_table",
    "open_table",
    "write_table",
    "writer_of",
]
