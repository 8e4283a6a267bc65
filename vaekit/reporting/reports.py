"""Reports: sections of text, tables and pictures, kept as JSON, shown as Markdown and as HTML."""

import base64
import dataclasses
import html
import os
from pathlib import Path

from vaekit import files
from vaekit.runs import ENVIRONMENT

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1b1b; background: #fff; }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0;
        font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }
figure { margin: 0; flex: 0 1 27rem; } figcaption { color: #555; font-size: .9rem; }
img { width: 100%; image-rendering: pixelated; } h2 { margin-top: 3rem; border-top: 2px solid #ccc;
padding-top: 1rem; } h3 { margin-top: 2rem; } .table { overflow-x: auto; }
"""


@dataclasses.dataclass
class Table:
    """Columns' names, and rows of strings or numbers (numbers are shown with four digits)."""

    columns: list
    rows: list


@dataclasses.dataclass
class Figure:
    """A PNG file (path relative to the report's folder) and its caption."""

    file: str
    caption: str


@dataclasses.dataclass
class Section:
    """A heading with paragraphs, tables and figures under it, in this order; level 2 is topmost."""

    title: str
    text: list = dataclasses.field(default_factory=list)
    tables: list = dataclasses.field(default_factory=list)
    figures: list = dataclasses.field(default_factory=list)
    level: int = 2


def write_report(directory, title, sections):
    """Write report.json, report.md and the self-contained report.html into `directory`.

    Args:
        directory: folder; the figures' paths are relative to it.
        title: heading of the page.
        sections: list of `Section`.
    Returns:
        Path of the HTML page.
    """
    directory = Path(directory)
    content = {"title": title, "sections": [dataclasses.asdict(s) for s in sections]}
    files.write_json(directory / "report.json", content)
    files.write_text(directory / "report.md", _markdown(title, sections))
    files.write_text(directory / "report.html", _html(directory, title, sections))
    return directory / "report.html"


def read_report(directory):
    """The (title, sections) of a directory's report.json."""
    content = files.read_json(Path(directory) / "report.json")
    sections = [
        Section(
            title=section["title"],
            text=section["text"],
            tables=[Table(**table) for table in section["tables"]],
            figures=[Figure(**figure) for figure in section["figures"]],
            level=section["level"],
        )
        for section in content["sections"]
    ]
    return content["title"], sections


def join_reports(directory, title, sources):
    """Write one report with the sections of several; figures are referred to where they lie."""
    joined = []
    for source in sources:
        heading, sections = read_report(source)
        joined.append(Section(heading))
        for section in sections:
            section.level += 1
            for figure in section.figures:
                figure.file = Path(
                    os.path.relpath(Path(source) / figure.file, directory)
                ).as_posix()
        joined += sections
    return write_report(directory, title, joined)


def provenance(runs):
    """Section on how the figures of `runs` (`vaekit.runs.Run`) were made, a table row for each."""
    rows = []
    for run in runs:
        made = files.read_json(run.directory / ENVIRONMENT)
        seconds = f"{run.seconds:.0f}"
        library = made["backend"]
        rows.append(
            [
                "/".join(run.directory.parts[-2:]),
                seconds if run.records() else "not trained here",
                run.hardware,
                f"Keras {made['libraries']['keras']}, {library} "
                f"{made['libraries'].get(library, '')}".strip(),
                made["git_revision"] or "unknown",
                made["command"] + _beginning(made.get("continued_from")),
            ]
        )
    columns = ["run", "training seconds", "hardware", "software", "revision", "command"]
    text = ["Wall time of training alone, summed over the epochs that the run kept."]
    return Section("How these figures were made", text=text, tables=[Table(columns, rows)])


def _beginning(before):
    """How a run began that went on from a shorter one (`vaekit.training.continued`), or nothing."""
    if before is None:
        return ""
    earlier = _beginning(before.get("continued_from"))
    return (
        f"; its first {before['epochs']} epochs are those of {before['run']} "
        f"({before['command']}, revision {before['git_revision']}, {before['hardware']}{earlier})"
    )


def sentence(note):
    """A note as a sentence: a capital and a full stop."""
    return f"{note[0].upper()}{note[1:].rstrip('.')}."


def show(value):
    """A cell's text: numbers with four significant digits (log-likelihoods with two decimals)."""
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return "" if value is None else str(value)
    value = float(value)
    return f"{value:.2f}" if 10 <= abs(value) < 1e5 else f"{value:.4g}"


def plain_table(table):
    """A table as aligned lines for a terminal."""
    rows = [table.columns, *([show(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = [
        "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def plain_section(section):
    """A section's title and tables as text for a terminal."""
    return "\n\n".join([section.title, *map(plain_table, section.tables)])


def show_report(directory):
    """Print the first table of each part of a report, and where the page is."""
    shown = set()
    part = None
    for section in read_report(directory)[1]:
        part = section.title if section.level == 2 else part
        for table in section.tables[:1] if part not in shown else ():
            shown.add(part)
            print(f"\n{section.title}\n{plain_table(table)}")
    print(f"\nReport: {Path(directory) / 'report.html'} (and report.md, report.json beside it)")


def _markdown(title, sections):
    lines = [f"# {title}", ""]
    for section in sections:
        lines += [f"{'#' * section.level} {section.title}", ""]
        for paragraph in section.text:
            lines += [paragraph, ""]
        for table in section.tables:
            lines.append("| " + " | ".join(table.columns) + " |")
            lines.append("|" + "---|" * len(table.columns))
            lines += ["| " + " | ".join(map(show, row)) + " |" for row in table.rows]
            lines.append("")
        for figure in section.figures:
            lines += [f"![{figure.caption}]({figure.file})", "", f"*{figure.caption}*", ""]
    return "\n".join(lines)


def _html(directory, title, sections):
    body = [f"<h1>{html.escape(title)}</h1>"]
    for section in sections:
        body.append(f"<h{section.level}>{html.escape(section.title)}</h{section.level}>")
        body += [f"<p>{html.escape(paragraph)}</p>" for paragraph in section.text]
        body += [_html_table(table) for table in section.tables]
        figures = [_html_figure(directory, figure) for figure in section.figures]
        if figures:
            body += ['<div class="figures">', *figures, "</div>"]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _html_table(table):
    head = "".join(f"<th>{html.escape(column)}</th>" for column in table.columns)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(show(cell))}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="table"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _html_figure(directory, figure):
    data = base64.b64encode((Path(directory) / figure.file).read_bytes()).decode()
    caption = html.escape(figure.caption)
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
