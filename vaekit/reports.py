"""Command line that joins reports: `python -m vaekit.reports OUT TITLE DIRECTORY ...`."""

import argparse

from vaekit import cli
from vaekit.reporting.reports import join_reports, show_report


def main(argv=None):
    """Command line: join the reports of several directories into one."""
    parser = argparse.ArgumentParser(prog="python -m vaekit.reports", description=__doc__)
    parser.add_argument("out", help="folder of the joined report")
    parser.add_argument("title", help="its heading")
    parser.add_argument("directories", nargs="+", help="folders that hold a report.json")
    arguments = parser.parse_args(argv)
    join_reports(arguments.out, arguments.title, arguments.directories)
    show_report(arguments.out)


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
