"""What a table holds, before anything is trained: read as a training would read it, and shown."""

from admet.inspection.columns import ColumnFacts
from admet.inspection.files import check_files, write_files
from admet.inspection.inspect import Inspection, inspect_table

__all__ = ["ColumnFacts", "Inspection", "check_files", "inspect_table", "write_files"]
