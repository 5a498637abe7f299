"""What a chemist means by a structure: its parent, what is no molecule of a panel, what is one."""

from admet.data.structures.changes import (
    Spread,
    StructureChange,
    changes_of,
    structures_frame,
    tell_of_changes,
)
from admet.data.structures.identity import (
    forget,
    relative_as_group,
    write_smiles,
)
from admet.data.structures.parent import StructureError, parent_of
from admet.data.structures.refused import SURELY_ORGANIC

__all__ = [
    "SURELY_ORGANIC",
    "Spread",
    "StructureChange",
    "StructureError",
    "changes_of",
    "forget",
    "parent_of",
    "relative_as_group",
    "structures_frame",
    "tell_of_changes",
    "write_smiles",
]
