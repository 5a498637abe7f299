"""The pages as a site: they build without a warning, hold together, and show what comes out."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
IMAGES = DOCS / "images"
PAGES = sorted(p for p in DOCS.rglob("*.md") if not {"_build", "generated"} & set(p.parts))
READ = [*PAGES, ROOT / "README.md"]
NO_PICTURE = {"reference/index.md", "reference/files.md", "reference/python.md"}
"""Lists of names, which a picture would not explain."""

_FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]+)\)")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_HEAD = re.compile(r"^#{1,3} (?P<text>.+)$", re.MULTILINE)
OUTPUT_KINDS = ("text", "console", "csv", "{include}")


def name_of(page: Path) -> str:
    return page.relative_to(DOCS if DOCS in page.parents else ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    return _FENCE.sub("", text_of(page))


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub and MyST make of headings of up to three levels."""
    found: dict[str, int] = {}
    for match in _HEAD.finditer(prose_of(page)):
        text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", match["text"])
        anchor = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return set(found) | {f"{name}-{i}" for name, n in found.items() for i in range(1, n + 1)}


def trees_of(page: Path) -> Iterator[Path]:
    """The pages that a page has in its tables of contents."""
    for match in _FENCE.finditer(text_of(page)):
        if match["kind"].strip() == "{toctree}":
            for line in match["code"].splitlines():
                if line.strip() and not line.startswith(":"):
                    yield (page.parent / f"{line.strip()}.md").resolve()


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    missing = [m for m in ("sphinx", "myst_parser", "furo") if importlib.util.find_spec(m) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; the extra `dev` brings them")
    words = [
        sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
        "-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "html"),
    ]  # fmt: skip
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    for page in PAGES:
        made = tmp_path / "html" / Path(name_of(page)).with_suffix(".html")
        assert made.is_file(), page
    index = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    for caption in ("Start", "Use", "Understand", "Develop"):
        assert f'<span class="caption-text">{caption}</span>' in index


def test_every_page_stands_in_one_table_of_contents():
    listed = [child for page in PAGES for child in trees_of(page)]
    expected = {p.resolve() for p in PAGES if p != DOCS / "index.md"}
    generated = {p for p in listed if "generated" in p.parts}
    assert set(listed) - generated == expected
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("page", READ, ids=name_of)
def test_links_lead_to_headings(page):
    for match in _LINK.finditer(prose_of(page)):
        path, _, anchor = match["target"].partition("#")
        if "://" in path or "generated/" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), f"{page.name}: {match[0]}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(target), f"{page.name}: {match[0]}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_shows_what_comes_out(page):
    outputs = [m for m in _FENCE.finditer(text_of(page)) if m["kind"].startswith(OUTPUT_KINDS)]
    assert outputs, "no sample output: a ```text block, or an included table of results"
    if name_of(page) not in NO_PICTURE:
        assert _PICTURE.search(prose_of(page)), "no picture"


@pytest.mark.parametrize("page", READ, ids=name_of)
def test_pictures_are_there_and_say_what_they_show(page):
    for match in _PICTURE.finditer(prose_of(page)):
        assert (page.parent / match["path"]).is_file(), match[0]
        assert len(match["alt"].split()) >= 3, f"{match[0]} says nothing to those who cannot see it"


def test_no_picture_is_large_and_none_is_left_over():
    shown = {
        (page.parent / match["path"]).resolve()
        for page in READ
        for match in _PICTURE.finditer(prose_of(page))
    }
    there = {path.resolve() for path in IMAGES.iterdir()}
    assert there == {path for path in shown if path.parent == IMAGES.resolve()}
    for path in there:
        assert path.stat().st_size < 180_000, path
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert picture.width <= 1200, path


def test_the_gallery_shows_every_picture_that_its_script_makes():
    script = (DOCS / "make_gallery.py").read_text(encoding="utf-8")
    script += (DOCS / "gallery_charts.py").read_text(encoding="utf-8")
    made = set(re.findall(r'"(\w+\.png)"', script)) & {p.name for p in IMAGES.iterdir()}
    shown = {Path(m["path"]).name for m in _PICTURE.finditer(text_of(DOCS / "gallery.md"))}
    assert made <= shown


def test_the_glossary_explains_the_words_of_the_inside():
    explained = anchors_of(DOCS / "glossary.md")
    for word in ("look", "slot", "serve", "unfolding", "doubt", "side"):
        assert word in explained
