"""Pages of measured results in docs/: reports' text, tables and pictures, none typed by hand."""

import argparse
import shutil
from pathlib import Path

from vaekit import files, reports

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
    arguments = parser.parse_args(argv)
    write_page(arguments.out, introduction, arguments.reports)
