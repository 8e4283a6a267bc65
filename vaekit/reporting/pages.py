"""Pages of measured results in docs/: reports' text, tables and pictures, none typed by hand."""

import argparse
import shutil
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError
from vaekit.reporting import reports

# Longer tables stay in the reports.
MOST_ROWS = 40


def write_page(out, introduction, folders):
    """Write the page and copy its pictures beside it, into images/.

    Args:
        out: the Markdown file.
        introduction: its beginning, heading included.
        folders: folders that hold a report.json each.
    """
    out = Path(out)
    lines = [introduction]
    for folder in map(Path, folders):
        title, sections = reports.read_report(folder)
        lines += [f"## {title}", ""]
        for section in sections:
            lines += _section(section, folder, out)
    files.write_text(out, "\n".join(lines).rstrip() + "\n")


def write_overview(page, folder, program):
    """Put the first table of a report between the marks of a page: README's, for example.

    The marks are the lines `<!-- overview: PROGRAM -->` and `<!-- end of overview -->`.

    Args:
        page: a Markdown file with the marks.
        folder: folder that holds a report.json; of its first section text and table are taken.
        program: name of the command that writes it.
    Raises:
        UserError: the page has no marks.
    """
    text = Path(page).read_text(encoding="utf-8")
    start, end = f"<!-- overview: {program} -->", "<!-- end of overview -->"
    before, found, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise UserError(f"{page} has no lines {start!r} and {end!r} to put the overview between.")
    section = reports.read_report(folder)[1][0]
    lines = [start, "", *section.text, "", *_table(section.tables[0]), end]
    files.write_text(page, before + "\n".join(lines) + after)


def _section(section, folder, out):
    lines = [f"### {section.title}", ""]
    for paragraph in section.text:
        lines += [paragraph, ""]
    for table in section.tables:
        if len(table.rows) > MOST_ROWS:
            lines += [f"({len(table.rows)} rows: in the report of the command.)", ""]
        else:
            lines += _table(table)
    for figure in section.figures:
        name = "_".join([out.stem, *folder.resolve().parts[-2:], Path(figure.file).name])
        (out.parent / "images").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / figure.file, out.parent / "images" / name)
        lines += [f"![{figure.caption}](images/{name})", "", f"*{figure.caption}*", ""]
    return lines


def _table(table):
    rows = ["| " + " | ".join(map(reports.show, row)) + " |" for row in table.rows]
    return ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns), *rows, ""]


def main(argv, program, introduction):
    """Command line of a page: where to write it, and from which reports.

    Args:
        argv: arguments; None for the process's own.
        program: name of the command.
        introduction: as for `write_page`.
    """
    parser = argparse.ArgumentParser(prog=program, description="Write a page from reports.")
    parser.add_argument("out", help="Markdown file, such as docs/variance.md")
    parser.add_argument("reports", nargs="+", help="folders that hold a report.json")
    parser.add_argument("--overview", help="also put the first report's first table into this page")
    arguments = parser.parse_args(argv)
    write_page(arguments.out, introduction, arguments.reports)
    if arguments.overview:
        write_overview(arguments.overview, arguments.reports[0], program)
