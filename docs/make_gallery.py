"""Makes the pictures of the docs from the demo panel: `python docs/make_gallery.py FOLDER`.

FOLDER takes a panel, a training, a study and an inspection (some minutes); what is there already
is not made again. The pictures go to `docs/images`. Those of pages need Chromium.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
NOTEBOOK = ROOT / "examples" / "from_table_to_verdict.ipynb"
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "tests" / "service")]

import gallery_charts  # noqa: E402
from browser import Browser  # noqa: E402

MOST_BYTES = 150_000
WIDTH = 900
PORT = 8799
SMILES = """CC(=O)Nc1ccc(O)cc1 paracetamol
CC(C)Cc1ccc(cc1)C(C)C(=O)[O-].[Na+] ibuprofen sodium
Cn1cnc2c1c(=O)n(C)c(=O)n2C caffeine
[Na+].[Cl-] salt
CCCCCCCCCC(=O)Nc1ccccc1 anilide"""


def admet(*words: str | Path) -> str:
    """Runs a command of this project in the root of the repository; gives what it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-m", "admet.cli", *map(str, words)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def make_inputs(folder: Path) -> None:
    """Makes the panel, the training, the study and the inspection that are missing."""
    panel, run, study = folder / "panel.csv", folder / "run", folder / "study"
    if not panel.exists():
        admet("make_demo_panel", "--output", panel)
    if not run.exists():
        admet("train", "--config", "configs/demo.yaml", "--data-path", panel, "--save-dir", run)
    if not (study / "learning_curve.csv").exists():
        admet(
            "study", "--config", "configs/demo_study.yaml", "--data-path", panel,
            "--save-dir", study, "--study.learning-curve", "true",
        )  # fmt: skip
    if not (folder / "inspect").exists():
        admet("inspect", panel, "--save-dir", folder / "inspect")


def keep(picture: Image.Image, name: str, width: int = WIDTH) -> None:
    """Writes a picture of `docs/images` with as many colours as its bytes allow."""
    if picture.width > width:
        height = round(picture.height * width / picture.width)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    picture = picture.convert("RGB")
    data = packed(picture)
    for colours in (256, 128, 64):
        if len(data) < MOST_BYTES:
            break
        data = packed(picture.quantize(colours, kmeans=2, dither=Image.Dither.NONE))
    (IMAGES / name).write_bytes(data)
    print(f"{name}: {picture.width} x {picture.height}, {len(data) // 1000} kB")


def packed(picture: Image.Image) -> bytes:
    """Gives a picture as PNG."""
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return data.getvalue()


def keep_pictures_of_folders(folder: Path) -> None:
    """Keeps the pictures that the commands wrote."""
    for source, name in (
        ("inspect/pictures.png", "inspect.png"),
        ("run/affinity.png", "affinity.png"),
        ("run/affinity_clustered.png", "affinity_clustered.png"),
        *((f"study/pictures/{stem}.png", f"{stem}.png") for stem in
          ("differences", "arms", "arms_by_endpoint", "measured", "learning_curve")),
    ):  # fmt: skip
        keep(Image.open(folder / source), name)


def shot(page: Browser, width: int, height: int) -> Image.Image:
    """Gives the top of a page as a picture."""
    with tempfile.TemporaryDirectory() as folder:
        page.picture(Path(folder) / "shot.png")
        picture = Image.open(Path(folder) / "shot.png").convert("RGB")
    return picture.crop((0, 0, min(width, picture.width), min(height, picture.height)))


@contextmanager
def browser(width: int, height: int) -> Iterator[Browser]:
    """Opens a browser of its own profile."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        Browser(Path(profile), width, height) as page,
    ):
        yield page


def keep_reports(folder: Path) -> None:
    """Keeps the top of the study's report, on a screen and on a phone."""
    for name, width, height in (("report.png", 1000, 1300), ("report_phone.png", 390, 800)):
        with browser(width, height) as page:
            page.open((folder / "study" / "report.html").as_uri())
            time.sleep(2)
            keep(shot(page, width, height), name)


def keep_service(folder: Path) -> None:
    """Keeps the page of the service with an answer on it."""
    words = [sys.executable, "-m", "admet.cli", "serve", "--model-dir", str(folder / "run")]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    server = subprocess.Popen([*words, "--port", str(PORT)], cwd=ROOT, env=environment)
    try:
        address = f"http://127.0.0.1:{PORT}"
        wait_for(lambda: urllib.request.urlopen(f"{address}/health").status == 200)
        with browser(1100, 1250) as page:
            page.open(address)
            page.until("document.getElementById('model').textContent.includes('endpoints')")
            page.run(f"document.getElementById('smiles').value = {json.dumps(SMILES)}")
            page.run("document.getElementById('go').click()")
            page.until("!document.getElementById('found').hidden")
            page.until("[...document.querySelectorAll('#table img')].length > 3")
            time.sleep(3)
            keep(shot(page, 1100, 1250), "service.png")
    finally:
        server.terminate()
        server.wait(60)


def wait_for(ready: Callable[[], bool], seconds: float = 120) -> None:
    """Asks again until the answer is yes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise TimeoutError("the service did not start")


def keep_pages_of_text(folder: Path) -> None:
    """Keeps what a terminal and a notebook show."""
    shown = admet("show", folder / "run").replace(str(folder), "demo")
    for name, text, width, most in (
        ("help.png", gallery_charts.terminal_page("admet train --help", admet("train", "--help")),
         860, 1000),
        ("show.png", gallery_charts.terminal_page("admet show demo/run", shown), 760, 1000),
        ("notebook.png", gallery_charts.notebook_page(NOTEBOOK), 1000, 1700),
    ):  # fmt: skip
        path = folder / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        with browser(width, 200) as page:
            page.open(path.as_uri())
            height = min(most, page.run("document.documentElement.scrollHeight"))
        with browser(width, height) as page:
            page.open(path.as_uri())
            keep(shot(page, width, height), name)


def keep_charts(folder: Path) -> None:
    """Keeps charts of numbers that stand in the repository or in the run."""
    for name, figure in gallery_charts.charts(ROOT, folder / "run").items():
        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=110, bbox_inches="tight")
        keep(Image.open(data), name)


def main() -> None:
    """Makes everything, or the kinds that are named behind the folder."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    make_inputs(folder)
    kinds = {
        "folders": keep_pictures_of_folders,
        "charts": keep_charts,
        "text": keep_pages_of_text,
        "reports": keep_reports,
        "service": keep_service,
    }
    for name in sys.argv[2:] or kinds:
        kinds[name](folder)


if __name__ == "__main__":
    main()
