"""What kinds of task there are: a file each, with all that depends on the kind."""

from admet.kinds.base import Kind
from admet.kinds.binary import BINARY, Binary
from admet.kinds.regression import REGRESSION, Regression
from admet.kinds.table import KINDS, infer_kind, kind_of

__all__ = [
    "BINARY",
    "KINDS",
    "REGRESSION",
    "Binary",
    "Kind",
    "Regression",
    "infer_kind",
    "kind_of",
]
