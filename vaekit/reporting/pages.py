"""Pages of measured results in docs/: text, tables and pictures of reports, none typed by hand."""

import argparse
import shutil
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError
from vaekit.reporting import markdown, reports

MOST_ROWS = 40  # longer tables are left to the reports


def write_page(out, introduction, folders):
    """Write the page and copy its pictures beside it, into images/.

    Args:
        out: the Markdown file.
        introduction: the beginning of the page, with its heading.
        folders: folders that contain a report.json.
    """
    out = Path(out)
    lines = [introduction]
    for folder in map(Path, folders):
        title, sections = reports.read_report(folder)
        lines += [f"## {markdown.text(title)}", ""]

        def path_of(figure, folder=folder):
            return _copy(figure, folder, out)

        for section in sections:
            lines += markdown.section(section, 3, path_of, MOST_ROWS)
    files.write_text(out, "\n".join(lines).rstrip() + "\n")


def write_overview(page, folder, program):
    """Put the first table of a report between two marks in a page, for example in README.md.

    The marks are the lines `<!-- overview: PROGRAM -->` and `<!-- end of overview -->`.

    Args:
        page: a Markdown file that contains the marks.
        folder: folder that contains a report.json; text and table of its first section are used.
        program: name of the command that writes the overview.
    Raises:
        UserError: the page has no marks.
    """
    text = Path(page).read_text(encoding="utf-8")
    start, end = f"<!-- overview: {program} -->", "<!-- end of overview -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise UserError(
            f"Expected the lines {start!r} and {end!r} in {page}. Add them where the overview "
            "belongs."
        )
    section = reports.read_report(folder)[1][0]
    overview = [*map(markdown.text, section.text), "", markdown.table(section.tables[0])]
    lines = [start, "", *overview, "", end]
    files.write_text(page, before + "\n".join(lines) + after)


def _copy(figure, folder, out):
    """Copy a figure into images/ beside the page `out`; returns its path relative to the page."""
    name = "_".join([out.stem, *folder.resolve().parts[-2:], Path(figure.file).name])
    (out.parent / "images").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / figure.file, out.parent / "images" / name)
    return f"images/{name}"


def main(argv, program, introduction):
    """Command line that writes a page from reports.

    Args:
        argv: arguments; None for the process's own.
        program: name of the command.
        introduction: as for `write_page`.
    """
    parser = argparse.ArgumentParser(prog=program, description="Write a page from reports.")
    parser.add_argument("out", help="Markdown file, such as docs/variance.md")
    parser.add_argument("reports", nargs="+", help="folders that contain a report.json")
    parser.add_argument("--overview", help="put the first table of the first report into this page")
    arguments = parser.parse_args(argv)
    write_page(arguments.out, introduction, arguments.reports)
    if arguments.overview:
        write_overview(arguments.overview, arguments.reports[0], program)
