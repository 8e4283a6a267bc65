"""MkDocs hooks: pages from the metrics of runs, and formulas as MathML, which needs no script."""

import html
import os
import re
import sys
from pathlib import Path

import latex2mathml.converter
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_files(files, config):
    """Add the pages of `reproduce/`."""
    os.environ.setdefault("KERAS_BACKEND", "numpy")  # only presets and figures are needed
    sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
    import tables

    for uri, text in tables.pages(ROOT).items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_content(content, page, config, files):
    """Convert LaTeX between dollars to MathML."""
    return FORMULA.sub(_mathml, content)


def _mathml(match):
    tag, bracket, latex = match.groups()
    display = "block" if bracket == "[" else "inline"
    formula = latex2mathml.converter.convert(html.unescape(latex).strip(), display=display)
    return f"<{tag}>{formula}</{tag}>"
