"""Released checkpoints: `python -m vaekit.shelf list`, `verify`, `release RUN_DIR`."""

import argparse
from pathlib import Path

from vaekit import cli
from vaekit.errors import UserError
from vaekit.release.publish import release
from vaekit.release.shelf import CLONE, print_list, verify


def main(argv=None):
    """Parse the arguments and run the command."""
    parser = argparse.ArgumentParser(prog="python -m vaekit.shelf", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the released checkpoints")
    commands.add_parser("verify", help="compare every file with its sha256")
    publish = commands.add_parser("release", help="copy finished runs into checkpoints/")
    publish.add_argument("runs", nargs="+", metavar="RUN_DIR")
    publish.add_argument("--metrics-only", action="store_true", help="leave out the weights")
    publish.add_argument("--checkpoints", default=CLONE, type=Path, help="folder of the shelf")
    arguments = parser.parse_args(argv)
    if arguments.command == "list":
        print_list()
    elif arguments.command == "release":
        for run in arguments.runs:
            print(release(run, arguments.checkpoints, weights=not arguments.metrics_only))
    else:
        problems = verify()
        if problems:
            raise UserError(
                f"Expected the files of the manifest, but {'; '.join(problems)}. Restore them, or "
                "release the runs again."
            )
        print("every file agrees with the manifest")


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
