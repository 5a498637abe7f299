"""Sphinx configuration."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import generate_reference

import admet

project = "admet"
author = "The admet developers"
copyright = author
version = release = admet.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "description"
autodoc_member_order = "bysource"
default_role = "code"

html_theme = "furo"
html_title = f"admet {version}"


def setup(app: Any) -> None:
    """Makes the generated pages before Sphinx looks for sources."""
    app.connect("builder-inited", lambda _: generate_reference.main())
