"""What a wheel will hold, looked at without building one; `make wheel` looks into a built one."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_every_file_of_the_package_goes_into_the_wheel():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["admet"]
    files = [p for p in (ROOT / "src" / "admet").rglob("*") if p.is_file()]
    assert len(files) > 200
    for path in files:
        if path.suffix in {".py", ".pyc"}:
            continue
        name = path.relative_to(ROOT / "src" / "admet").as_posix()
        assert any(fnmatch(f"/{name}", f"/{own.replace('**/', '*')}") for own in patterns), name


def test_every_folder_of_modules_is_a_package():
    for path in (ROOT / "src" / "admet").rglob("*.py"):
        assert (path.parent / "__init__.py").is_file(), path


def test_the_versions_of_python_are_declared():
    named = PROJECT["project"]["classifiers"]
    for version in ("3.11", "3.12", "3.13"):
        assert f"Programming Language :: Python :: {version}" in named


def test_the_notice_names_whatever_is_installed():
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    users = [extra for extra in extras if extra not in {"dev", "docs"}]
    needed = project["dependencies"] + [text for extra in users for text in extras[extra]]
    words = {word.lower() for word in re.findall(r"[\w.-]+", NOTICE)}
    for text in needed:
        assert Requirement(text).name.lower() in words, text
    assert set(project["license-files"]) == {"LICENSE", "NOTICE"}
