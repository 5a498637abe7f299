"""From a file to a checked panel: tables, labels, chemistry, duplicates, splits, the demo panel."""

from admet.data.build import build_panel, load_panel
from admet.data.chemistry import Molecule, cell_text, read_molecules
from admet.data.labels import Labels, Task
from admet.data.panel import Panel, notes_frame, rejected_frame
from admet.data.reading import count_records, read_table, stream_table
from admet.data.splits import SIDES, Split, check_learnable, folds, read_split, split_panel
from admet.data.structures import StructureChange, structures_frame
from admet.data.table import Rejection, Table, require_columns, table_from_frame

__all__ = [
    "SIDES",
    "Labels",
    "Molecule",
    "Panel",
    "Rejection",
    "Split",
    "StructureChange",
    "Table",
    "Task",
    "build_panel",
    "cell_text",
    "check_learnable",
    "count_records",
    "folds",
    "load_panel",
    "notes_frame",
    "read_molecules",
    "read_split",
    "read_table",
    "rejected_frame",
    "require_columns",
    "split_panel",
    "stream_table",
    "structures_frame",
    "table_from_frame",
]
