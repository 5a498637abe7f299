import re

import pytest

from admet.report import write_report

pytestmark = pytest.mark.slow

SAVES = """
view.URL.createObjectURL = (blob) => { view.kept = blob; return 'blob:x'; };
view.HTMLAnchorElement.prototype.click = function () { view.named = this.download; };
const save = async (block, kind) => {
  view.kept = null;
  block.querySelector(`[data-save=${kind}]`).click();
  for (let i = 0; i < 9000 && !view.kept; i++) await new Promise((done) => setTimeout(done, 20));
  return view.kept;
};
"""


@pytest.fixture(scope="module", params=["study", "run"])
def page(request, tmp_path_factory):
    name = {"study": "hostile_study", "run": "trained"}[request.param]
    folder = request.getfixturevalue(name)
    return write_report(folder, tmp_path_factory.mktemp("page") / "page.html")


@pytest.mark.parametrize("width", [1280, 390, 360])
def test_a_page_opens_without_a_word_and_fits_its_width(browse, page, width):
    said, console = browse(
        page,
        width,
        "const broken = [...page.images].filter((i) => !i.naturalWidth).length;"
        "return [broken, page.images.length, page.documentElement.scrollWidth].join(' ')",
    )
    assert console == ""
    broken, images, wide = map(int, said.removeprefix("said:").split())
    assert (broken, wide) == (0, width)
    assert images > 8


def test_tables_sort_up_and_down(browse, page):
    said, console = browse(
        page,
        1280,
        "const table = page.querySelector('#verdict table');"
        "const place = [...table.tHead.rows[0].cells].findIndex((c) => /^(labels|n)$/.test("
        "c.textContent.trim()));"
        "const read = () => [...table.tBodies[0].rows].map((r) => r.cells[place].textContent);"
        "const button = table.tHead.rows[0].cells[place].querySelector('button');"
        "button.click(); const up = read(); button.click(); const down = read();"
        "return JSON.stringify([up, down])",
    )
    assert console == ""
    up, down = ([int(n) for n in re.findall(r"\d+", part)] for part in said.split("],["))
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)
    assert up != down


def test_pictures_and_numbers_are_saved(browse, page):
    said, console = browse(
        page,
        1280,
        SAVES + "const block = page.querySelector('#verdict figure.block');"
        "const svg = await (await save(block, 'svg')).text();"
        "const png = await save(block, 'png');"
        "const first = new Uint8Array(await png.arrayBuffer()).slice(0, 4).join('.');"
        "const csv = await (await save(block, 'csv')).text();"
        "const table = await (await save(page.querySelector('#verdict .table'), 'csv')).text();"
        "return [svg.includes('</svg>'), first, png.size > 5000, csv.split('\\n')[0].trim(),"
        "view.named, table.split('\\n').length > 3].join('|')",
    )
    assert console == ""
    svg, png, large, head, named, rows = said.removeprefix("said:").split("|")
    assert (svg, png, large, rows) == ("true", "137.80.78.71", "true", "true")
    assert head.lstrip("\ufeff").startswith("task,")
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.csv", named)


def test_a_name_that_is_a_script_runs_nowhere(browse, hostile_study, tmp_path):
    path = write_report(hostile_study, tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"  # as if the name had not been escaped
    spoilt.write_text(text.replace("<h1>", "<h1><script>parent.ran = 1</script>"), encoding="utf-8")
    said, console = browse(path, 1280, "return String(window.ran)")
    assert (said, console) == ("said:undefined", "")
    said, console = browse(spoilt, 1280, "return String(window.ran)")
    assert said == "said:undefined"
    assert "Content Security Policy" in console
