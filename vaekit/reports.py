"""Combine reports: `python -m vaekit.reports OUT TITLE DIRECTORY ...`."""

import argparse

from vaekit import cli
from vaekit.reporting.reports import join_reports, show_report


def main(argv=None):
    """Parse the arguments, combine the reports and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m vaekit.reports", description=__doc__)
    parser.add_argument("out", help="folder of the combined report")
    parser.add_argument("title", help="its heading")
    parser.add_argument("directories", nargs="+", help="folders that contain a report.json")
    arguments = parser.parse_args(argv)
    join_reports(arguments.out, arguments.title, arguments.directories)
    show_report(arguments.out)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
