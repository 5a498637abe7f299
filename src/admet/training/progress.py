"""Shows how far a training is, where somebody watches."""

import sys

from lightning.pytorch.callbacks import ProgressBar, RichProgressBar, TQDMProgressBar


def progress_bar() -> ProgressBar | None:
    """Makes a progress bar that suits a notebook or a terminal; None where nobody would see it."""
    if in_notebook():
        return TQDMProgressBar(leave=True)
    return RichProgressBar(leave=False) if sys.stderr.isatty() else None


def in_notebook() -> bool:
    """Tells whether the code runs in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config
