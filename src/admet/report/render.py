"""A page as one HTML file, which loads nothing."""

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from admet.report.content import Page

_FOLDER = "templates"


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
    template = environment.get_template("report.html.j2")
    return template.render(
        page=page,
        style=Markup(_part("report.css")),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704
        digest=digest,
    )


def _part(name: str) -> str:
    return (files("admet.report") / _FOLDER / name).read_text(encoding="utf-8").strip()
