"""Models in the files of other programs: Chemprop's checkpoints, written and read."""

from admet.exchange.exported import export_run
from admet.exchange.imported import import_chemprop

__all__ = ["export_run", "import_chemprop"]
