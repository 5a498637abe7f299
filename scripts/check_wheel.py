"""Looks into a built wheel and source distribution: is everything there, and nothing else?

Usage: python scripts/check_wheel.py [dist]
Ends with 1 and a line for each fault; prints the sizes otherwise.
"""

import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 5_000_000  # bytes of a wheel; it holds code and page templates only
DATA = {".html", ".css", ".js", ".j2", ".svg"}
PYTHONS = ("3.11", "3.12", "3.13")
IN_SDIST = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "NOTICE",
    "Makefile",
    "constraints.txt",
    "configs/demo.yaml",
    "src/admet/__init__.py",
    "tests/conftest.py",
    "docs/index.md",
)


def check_wheel(wheel: Path) -> list[str]:
    """Lists what is wrong with a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        about = next(name for name in held if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(about).decode("utf-8"))
    source = ROOT / "src"
    package = {
        path.relative_to(source).as_posix()
        for path in (source / "admet").rglob("*")
        if path.suffix in {".py", *DATA} or path.name == "py.typed"
    }
    configs = {path.name for path in (ROOT / "configs").glob("*.yaml")}
    shipped = {name.rpartition("/")[2] for name in held if "/share/admet/configs/" in name}
    inside = {name for name in held if name.startswith("admet/")}
    faults = [f"not in the wheel: {name}" for name in sorted(package - inside)]
    faults += [f"in the wheel, not in src: {name}" for name in sorted(inside - package)]
    faults += [f"not in the wheel: configs/{name}" for name in sorted(configs - shipped)]
    for name in ("LICENSE", "NOTICE"):
        if not any(own.endswith(f"licenses/{name}") for own in held):
            faults.append(f"not in the wheel: {name}")
    if any(part in name for name in held for part in ("tests/", "__pycache__")):
        faults.append("in the wheel: tests or compiled files")
    if wheel.stat().st_size > LARGEST:
        faults.append(f"the wheel has {wheel.stat().st_size:,} bytes, more than {LARGEST:,}")
    if metadata["Name"] != "admet-grouping":
        faults.append(f"the distribution is called {metadata['Name']!r}")
    named = metadata.get_all("Classifier") or []
    wanted = [f"Programming Language :: Python :: {version}" for version in PYTHONS]
    return faults + [f"no classifier: {text}" for text in wanted if text not in named]


def check_sdist(sdist: Path) -> list[str]:
    """Lists what is wrong with a source distribution."""
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    return [f"not in the source distribution: {name}" for name in IN_SDIST if name not in held]


def main() -> int:
    """Checks both; gives the exit code."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    wheels, sdists = list(folder.glob("*.whl")), list(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        print(f"{folder} must hold one wheel and one .tar.gz; run `make wheel`")
        return 1
    faults = check_wheel(wheels[0]) + check_sdist(sdists[0])
    print(*faults, sep="\n", end="\n" * bool(faults))
    for path in (*wheels, *sdists):
        print(f"{path}: {path.stat().st_size / 1024:,.0f} KiB")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
