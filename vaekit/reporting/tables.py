"""Tables, and how their cells are shown."""

import dataclasses


@dataclasses.dataclass
class Table:
    """A table of results.

    Attributes:
        columns: names of the columns.
        rows: lists of strings or numbers, one per column; `show` gives their text.
    """

    columns: list
    rows: list


def show(value):
    """Text of a cell: numbers with four significant digits (log-likelihoods with two decimals)."""
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
