"""A page as one HTML file, which loads nothing."""

import base64
import hashlib
import re
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from admet.report.content import Page

_FOLDER = "templates"
_JOINTS = re.compile(r"([_/])(?=\w)")


def render(page: Page) -> str:
    """Gives the file: style and script stand in it, and nothing else may run or load.

    The policy in its head names the script by its SHA-256, so that a browser would run no other,
    even if text of a table had become one.
    """
    script = _part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment = Environment(
        loader=PackageLoader("admet.report", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    template = environment.get_template("report.html.j2")
    return template.render(
        page=page,
        style=Markup(_part("report.css")),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704
        digest=digest,
    )


def _breakable(text: str) -> Markup:
    """Lets a long name break behind the signs that join its words."""
    return Markup(_JOINTS.sub(r"\1<wbr>", str(escape(text))))  # noqa: S704 - escaped before


def _part(name: str) -> str:
    return (files("admet.report") / _FOLDER / name).read_text(encoding="utf-8").strip()
