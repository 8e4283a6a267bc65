"""Reports: sections of text, tables and pictures, saved as JSON, Markdown and HTML."""

import dataclasses
import os
from pathlib import Path

from vaekit import files
from vaekit.environment import ENVIRONMENT
from vaekit.reporting import html, markdown
from vaekit.reporting.tables import Table, plain_table, show

__all__ = [
    "Figure",
    "Section",
    "Table",
    "join_reports",
    "plain_section",
    "plain_table",
    "provenance",
    "read_report",
    "relative_to",
    "sentence",
    "show",
    "show_report",
    "write_report",
]


@dataclasses.dataclass
class Figure:
    """A PNG file (path relative to the report's folder) and its caption."""

    file: str
    caption: str


@dataclasses.dataclass
class Section:
    """A heading followed by paragraphs, tables and figures; 2 is the top level of headings."""

    title: str
    text: list = dataclasses.field(default_factory=list)
    tables: list = dataclasses.field(default_factory=list)
    figures: list = dataclasses.field(default_factory=list)
    level: int = 2


def write_report(directory, title, sections):
    """Write report.json, report.md and the self-contained report.html into `directory`.

    Args:
        directory: folder to which the paths of figures are relative.
        title: heading of the page.
        sections: list of `Section`.
    Returns:
        Path of the HTML page.
    """
    directory = Path(directory)
    content = {"title": title, "sections": [dataclasses.asdict(s) for s in sections]}
    files.write_json(directory / "report.json", content)
    lines = [f"# {markdown.text(title)}", ""]
    for section in sections:
        lines += markdown.section(section, section.level, lambda figure: figure.file)
    files.write_text(directory / "report.md", "\n".join(lines))
    files.write_text(directory / "report.html", html.page(directory, title, sections))
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
    """Write one report with the sections of several; it refers to their figures.

    Args:
        directory: folder of the new report.
        title: its heading.
        sources: folders that contain a report.json.
    Returns:
        Path of the HTML page.
    """
    joined, relative = [], relative_to(directory)
    for source in sources:
        heading, sections = read_report(source)
        joined.append(Section(heading))
        for section in sections:
            section.level += 1
            for figure in section.figures:
                figure.file = relative(Path(source) / figure.file)
        joined += sections
    return write_report(directory, title, joined)


def relative_to(folder):
    """A function from a path to its text relative to `folder`, for the figures of a report."""
    return lambda path: Path(os.path.relpath(path, folder)).as_posix()


def provenance(runs):
    """Section about the origin of the figures of `runs` (`vaekit.runs.Run`), one row for each."""
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
    text = ["Wall time of training alone, summed over the epochs of the run."]
    return Section("How these figures were made", text=text, tables=[Table(columns, rows)])


def _beginning(before):
    """The shorter run that a run continued (`vaekit.training.continued`), in words, or nothing."""
    if before is None:
        return ""
    earlier = _beginning(before.get("continued_from"))
    return (
        f"; its first {before['epochs']} epochs are those of {before['run']} "
        f"({before['command']}, revision {before['git_revision']}, {before['hardware']}{earlier})"
    )


def sentence(note):
    """A note as a sentence, with a capital letter and a full stop."""
    return f"{note[0].upper()}{note[1:].rstrip('.')}."


def plain_section(section):
    """A section's title and tables as text for a terminal."""
    return "\n\n".join([section.title, *map(plain_table, section.tables)])


def show_report(directory):
    """Print the first table of each part of a report, and the path of the page."""
    shown = set()
    part = None
    for section in read_report(directory)[1]:
        part = section.title if section.level == 2 else part
        for table in section.tables[:1] if part not in shown else ():
            shown.add(part)
            print(f"\n{section.title}\n{plain_table(table)}")
    print(f"\nReport: {Path(directory) / 'report.html'} (and report.md, report.json beside it)")
