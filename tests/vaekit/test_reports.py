"""Reports, their pages and pictures."""

import json
import re

import numpy as np
import pytest

from vaekit import cli, environment, runs
from vaekit import reports as reports_command
from vaekit.errors import UserError
from vaekit.reporting import pages, plots, reports


@pytest.fixture
def report(tmp_path):
    plots.image_grid(
        tmp_path / "run/figures/grid.png", np.random.default_rng(0).random((7, 8, 8, 1)), 3
    )
    plots.curves(tmp_path / "run/figures/curve.png", {"<b>": ([0, 1], [1, 2])}, "epoch", "loss")
    section = reports.Section(
        "Figures & <numbers>",
        text=["a < b"],
        tables=[
            reports.Table(["name", "value|s"], [["a", 1234.5678], ["b<i>|", 0.00123456], ["c", 3]])
        ],
        figures=[
            reports.Figure("figures/grid.png", "a grid"),
            reports.Figure("figures/curve.png", ""),
        ],
    )
    reports.write_report(tmp_path / "run", "Title", [section])
    return tmp_path


def test_report_is_self_contained_and_escaped(report):
    page = (report / "run" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "a &lt; b" in page and "<numbers>" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "<td>b&lt;i&gt;|</td><td>0.001235</td>" in page and "<th>value|s</th>" in page
    text = (report / "run" / "report.md").read_text()
    assert "| a | 1234.57 |" in text and "## Figures & &lt;numbers>" in text
    assert "| name | value\\|s |" in text and "| b&lt;i>\\| | 0.001235 |" in text
    assert json.loads((report / "run" / "report.json").read_text())["sections"][0]["text"] == [
        "a < b"
    ]


def test_joined_report_finds_the_figures(report, capsys):
    assert (
        cli.run(reports_command.main, [str(report / "out" / "x"), "All", str(report / "run")]) == 0
    )
    page = (report / "out" / "x" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2 and "<h2>Title</h2>\n<h3>Figures &amp;" in page
    assert "../../run/figures/grid.png" in (report / "out" / "x" / "report.md").read_text()
    printed = capsys.readouterr().out
    assert "0.001235" in printed and "report.html" in printed


def test_provenance_says_how_a_run_was_made(tmp_path):
    with runs.Run(tmp_path / "digits" / "seed0", {}) as run:
        for epoch in range(2):
            run.log({"phase": "one", "epoch": epoch, "seconds": 1.5})
    section = reports.provenance([run])
    row = dict(zip(section.tables[0].columns, section.tables[0].rows[0], strict=True))
    assert row["run"] == "digits/seed0" and row["training seconds"] == "3"
    assert row["hardware"] == environment.hardware() and str(tmp_path) not in row["run"]


def test_grid_pixels_are_the_images(tmp_path):
    from PIL import Image

    images = np.zeros((2, 56, 56, 3), np.uint8)
    images[1] = (1, 2, 3)
    plots.image_grid(tmp_path / "g.png", images)
    pixels = np.asarray(Image.open(tmp_path / "g.png"))
    assert pixels.shape == (60, 118, 3)
    assert pixels[30, 30].tolist() == [0, 0, 0] and pixels[30, 90].tolist() == [1, 2, 3]


def test_page_takes_sections_and_pictures_of_reports(report):
    page = report / "docs" / "page.md"
    pages.main([str(page), str(report / "run")], "make", "# Results\n")
    text = page.read_text()
    assert text.startswith("# Results\n\n## Title\n\n### Figures & &lt;numbers>\n\na &lt; b\n")
    assert "| name | value\\|s |\n|---|---|\n| a | 1234.57 |" in text
    (name,) = re.findall(r"\(images/(.*grid\.png)\)", text)
    assert (page.parent / "images" / name).is_file()


def test_long_tables_are_left_to_the_report(report, monkeypatch):
    monkeypatch.setattr(pages, "MOST_ROWS", 2)
    pages.write_page(report / "page.md", "# Results", [report / "run"])
    assert "(3 rows: in the report of the command.)" in (report / "page.md").read_text()


def test_overview_goes_between_its_marks(report):
    page = report / "README.md"
    page.write_text("before\n<!-- overview: make -->\nold\n<!-- end of overview -->\nafter\n")
    for _ in range(2):
        pages.write_overview(page, report / "run", "make")
    text = page.read_text()
    assert text.startswith("before\n<!-- overview: make -->\n\na &lt; b\n\n| name |")
    assert text.endswith("| c | 3 |\n\n<!-- end of overview -->\nafter\n") and "old" not in text
    with pytest.raises(UserError, match=r"Expected the lines '<!-- overview: other -->' and"):
        pages.write_overview(page, report / "run", "other")


def test_paths_relative_to_a_report(tmp_path):
    relative = reports.relative_to(tmp_path / "report")
    assert relative(tmp_path / "run" / "a.png") == "../run/a.png"
