"""The page of measured results: tables and pictures of finished reports, with their verdicts.

`python -m balancingvae.study_page OUT REPORT ...` writes it; no number on it is typed by hand.
"""

import argparse
import shutil
from pathlib import Path

from vaekit import cli, files, reports

INTRODUCTION = """\
# Variance loss, gamma and renormalisation, measured

What Asperti (LOD 2020) and Asperti & Trentin (2020) claim, and what runs of this package show at
budgets that two CPU cores can pay. Every table says what was trained and on how much; none of
these are full trainings, and a claim that is not reproduced at a small budget may hold at a large
one. This page is written by `python -m balancingvae.study_page` from the reports' own numbers.

| command | what it makes |
|---|---|
| `python -m balancingvae variance` | the PCA theorem, smoothing, Figure 4 |
| `python -m balancingvae policies cifar10_paper --scale small` | every rule for gamma |
| `python -m balancingvae baselines cifar10_paper --scale small` | RAEs, densities on latents |
| `python -m balancingvae renormalization DIRECTORY` | every reading of renormalisation |
| `python -m balancingvae figures cifar10_paper --scale small` | latents and errors by epoch |

The comparisons below add `--seeds 3 --images 5000 --gammas 1 0.1 --no-fid`, the baselines also
`--kinds l2 --networks rae --policies computed learned fixed`.
Without `--scale small` the same commands train the papers' networks for the papers' epochs.
"""
# Longer tables stay in the reports.
MOST_ROWS = 40


def write_page(out, folders):
    """Write the page and copy its pictures beside it, into images/.

    Args:
        out: the Markdown file.
        folders: folders that hold a report.json each.
    """
    out = Path(out)
    lines = [INTRODUCTION]
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


def main(argv=None):
    """Command line: write the page from reports."""
    parser = argparse.ArgumentParser(
        prog="python -m balancingvae.study_page", description=main.__doc__
    )
    parser.add_argument("out", help="Markdown file, such as docs/variance.md")
    parser.add_argument("reports", nargs="+", help="folders that hold a report.json")
    arguments = parser.parse_args(argv)
    write_page(arguments.out, arguments.reports)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
