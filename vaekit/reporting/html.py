"""Reports as one HTML page that needs no other file and no network."""

import base64
import functools
from pathlib import Path

from vaekit.reporting.tables import show


def page(directory, title, sections):
    """The page as text; pictures are embedded, and all texts are escaped.

    Args:
        directory: folder to which the figures' paths are relative.
        title: heading of the page.
        sections: list of `reports.Section`.
    """

    def encoded(figure):
        return base64.b64encode((Path(directory) / figure.file).read_bytes()).decode()

    return _template().render(title=title, sections=sections, base64=encoded)


@functools.cache
def _template():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vaekit.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["show"] = show
    return environment.get_template("report.html")
