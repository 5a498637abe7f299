"""The page in a browser: what a chemist does, at two widths, with no word on the console."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browser import CHROMIUM, Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
SMILES = ["CCO ethanol", "c1ccccc1 <script>alert(1)</script>", "nonsense"]


@pytest.mark.parametrize("width", [1280, 390])
def test_pasted_molecules_are_shown(running, tmp_path, width):
    with Browser(tmp_path / "profile", width) as page:
        page.open(running[1])
        page.until("document.getElementById('model').textContent.includes('endpoints')")
        page.run(f"document.getElementById('smiles').value = {json.dumps(chr(10).join(SMILES))}")
        page.run("document.getElementById('go').click()")
        page.until("!document.getElementById('found').hidden")
        pictures = "[...document.querySelectorAll('#table img')]"
        page.until(f"{pictures}.length === 2 && {pictures}.every(i => i.naturalWidth > 0)")
        assert page.run("document.querySelectorAll('#map td').length") == 8 * 3
        assert "invalid SMILES" in page.run("document.getElementById('table').textContent")
        assert "<script>alert(1)" in page.run("document.getElementById('table').textContent")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        page.run("document.querySelector('#table td button').click()")
        page.until("document.querySelectorAll('.more img').length > 0")
        page.run("document.querySelector('#table th button').click()")
        page.open(f"{running[1]}/docs")
        page.until("document.querySelectorAll('section').length > 10")
        assert page.console == []


def test_a_file_that_is_dropped_comes_back(running, tmp_path):
    table = Path(tmp_path / "panel.csv")
    table.write_text("id,SMILES\n1,CCO\n2,nonsense\n3,CCN\n")
    with Browser(tmp_path / "profile", 1280) as page:
        page.open(running[1])
        page.until("document.getElementById('model').textContent.includes('endpoints')")
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        node = page.call("DOM.querySelector", {"nodeId": root, "selector": "#file"})["nodeId"]
        page.call("DOM.setFileInputFiles", {"files": [str(table)], "nodeId": node})
        page.until("document.getElementById('drop-name').textContent === 'panel.csv'")
        folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
        page.call("Page.setDownloadBehavior", folder)
        page.run("document.getElementById('go').click()")
        page.until("document.getElementById('summary').textContent.includes('3 rows, 1 without')")
        page.run("document.querySelector('#downloads button').click()")
        found = tmp_path / "panel_predictions.csv"
        for _ in range(100):
            page.run("new Promise(resolve => setTimeout(resolve, 50))")
            if found.exists():
                break
        assert found.exists(), list(tmp_path.iterdir())
        assert found.read_text().startswith("id,SMILES,LogD_pred")
        assert page.console == []
