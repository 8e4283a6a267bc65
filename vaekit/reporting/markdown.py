"""Reports as Markdown, the same for report.md and for the pages of docs/."""

from vaekit.reporting.tables import show


def table(content):
    """A `Table` as lines of Markdown, joined; names may contain "|" and "<"."""
    lines = [_row(content.columns), "|" + "---|" * len(content.columns)]
    return "\n".join([*lines, *(_row(map(show, row)) for row in content.rows)])


def section(content, level, path_of, most_rows=None):
    """A `Section` as lines of Markdown.

    Args:
        content: `reports.Section`.
        level: of its heading.
        path_of: function from a `Figure` to its path relative to the page.
        most_rows: longer tables are left out, with a remark; None: none is.
    Returns:
        list of lines; the last one is empty.
    """
    lines = [f"{'#' * level} {text(content.title)}", ""]
    for paragraph in content.text:
        lines += [text(paragraph), ""]
    for one in content.tables:
        if most_rows is not None and len(one.rows) > most_rows:
            lines += [f"({len(one.rows)} rows: in the report of the command.)", ""]
        else:
            lines += [table(one), ""]
    for figure in content.figures:
        caption = text(figure.caption)
        lines += [f"![{caption}]({path_of(figure)})", "", f"*{caption}*", ""]
    return lines


def text(plain):
    """Plain text for Markdown: "<" begins no HTML."""
    return plain.replace("<", "&lt;")


def _row(cells):
    return "| " + " | ".join(text(cell).replace("|", r"\|") for cell in cells) + " |"
