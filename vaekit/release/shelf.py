"""Released checkpoints by name: found in a clone, else downloaded, checked by sha256 and kept."""

import os
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from vaekit import files
from vaekit.datasets.download import Unavailable, fetch
from vaekit.errors import UserError, closest
from vaekit.reporting.reports import Table, plain_table

# Where the repository's checkpoints/ folder is served as plain files, for installations that are
# no clone (GitHub: https://raw.githubusercontent.com/OWNER/NAME/REVISION/checkpoints).
# $VAE_RELEASE_URL comes first; empty until the repository has a public address.
RELEASE_URL = ""
CLONE = Path(__file__).resolve().parents[2] / "checkpoints"
MANIFEST = "MANIFEST.json"
PACKAGES = ("balancingvae", "vampprior")
LARGEST = 10_000_000  # bytes; larger files are listed, not committed

# Parts of names and of files' paths begin with no dot: none leads out of its folder.
PART = r"[A-Za-z0-9_+=-][A-Za-z0-9_.+=-]*"
NAME = re.compile(rf"{PART}(/{PART}){{0,2}}")
FILE = re.compile(rf"{PART}(/{PART})*")


def resolve(name_or_directory, package):
    """The folder of a model: a directory as it is, a released checkpoint's name looked up.

    Args:
        name_or_directory: a path; or PACKAGE/PRESET/seedK, PRESET/seedK, or PRESET (its first
            seed).
        package: "balancingvae" or "vampprior".
    Returns:
        Path of the folder; what else looks like a path is returned as it is, for the loader to
        judge.
    Raises:
        UserError: no such name on the shelf, no network, or a file is not what the manifest says.
    """
    path = Path(name_or_directory)
    if path.is_dir() or not isinstance(name_or_directory, str):
        return path
    parts = name_or_directory.split("/")
    if not NAME.fullmatch(name_or_directory):
        return path
    if len(parts) == 3 and parts[0] != package:
        if parts[0] in PACKAGES:
            raise UserError(
                f"{name_or_directory} is a name of {parts[0]}'s. Load it with {parts[0]}.load, or "
                f"python -m {parts[0]}."
            )
        return path
    shelf = open_shelf()
    name = _full_name(name_or_directory, package, shelf)
    return shelf.fetch(name)


class Shelf:
    """The checkpoints of a folder that a manifest describes.

    Attributes:
        folder: the folder.
        entries: dict of name to what the manifest says.
        url: where missing files are fetched from; None in a clone, where all are there.
    """

    def __init__(self, folder, url=None):
        self.folder, self.url = Path(folder), url
        self.entries = _checked_entries(self.folder / MANIFEST)

    def fetch(self, name):
        """Path of a checkpoint's folder; what a model is loaded from was checked by sha256.

        Pictures and reports are not looked at, and not downloaded.
        """
        entry = self.entries[name]
        for file, about in entry["files"].items():
            path = self.folder / name / file
            if "/" in file or path.suffix not in (".json", ".npz"):
                continue
            if path.exists() and files.sha256(path) == about["sha256"]:
                continue
            if not about["committed"]:
                raise UserError(
                    f"{name}: {file} was not released; files above {LARGEST // 10**6} MB and the "
                    f"weights of further seeds are not. Make it with: {entry['command']}"
                )
            if self.url is None:
                raise UserError(
                    f"{path} is {'damaged' if path.exists() else 'missing'}: "
                    f"it is not the file of {MANIFEST}. Restore it: git checkout -- {path}"
                )
            _download(f"{self.url}/{quote(name)}/{quote(file)}", path, about["sha256"])
        return self.folder / name

    def names(self, package=None):
        """Names of one package or of all, sorted."""
        return sorted(n for n in self.entries if package in (None, n.split("/")[0]))


def open_shelf():
    """The shelf of the clone that this package runs from, else the released one.

    Raises:
        UserError: there is neither; the manifest is damaged.
    """
    url = os.environ.get("VAE_RELEASE_URL", RELEASE_URL).rstrip("/")
    if (CLONE / MANIFEST).exists():
        return Shelf(CLONE)
    if not url:
        raise UserError(
            "No released checkpoints are at hand: this installation is no clone of the repository. "
            "Load a run's folder, run from a clone, or name the address of its checkpoints/ folder "
            "in $VAE_RELEASE_URL."
        )
    if urlsplit(url).scheme not in ("https", "http"):
        raise UserError(f"$VAE_RELEASE_URL is {url!r}; an https:// address is taken.")
    folder = cache_folder() / "checkpoints"
    try:
        fetch(f"{url}/{MANIFEST}", folder / MANIFEST)
    except Unavailable as error:
        if not (folder / MANIFEST).exists():
            raise UserError(
                f"The list of released checkpoints is out of reach ({error}). Connect to the "
                "network, or load a run's folder."
            ) from error
    return Shelf(folder, url)


def cache_folder():
    """Where downloads are kept: $VAE_CACHE, else ~/.cache/balancingvae."""
    return Path(os.environ.get("VAE_CACHE") or "~/.cache/balancingvae").expanduser()


def table(package=None):
    """What is on the shelf, as a `reports.Table`; `package` narrows it."""
    shelf = open_shelf()
    rows = []
    for name in shelf.names(package):
        entry = shelf.entries[name]
        size = f"{sum(about['bytes'] for about in entry['files'].values()) / 1e6:.1f} MB"
        if not all(about["committed"] for about in entry["files"].values()):
            size = "metrics only"
        minutes = f"{entry['training_seconds'] / 60:.1f} min"
        rows.append([name, entry["dataset"], entry["figure"], size, minutes])
    return Table(["name", "dataset", "figure", "size", "training"], rows)


def print_list(package=None):
    """Print `table`, or that the shelf is empty."""
    found = table(package)
    print(plain_table(found) if found.rows else f"No released checkpoint of {package or 'any'}.")


def verify(folder=CLONE):
    """Names of files that are missing, changed, or not in the manifest; empty where all is well."""
    shelf, problems = Shelf(folder), []
    listed = {MANIFEST, "README.md"}
    for name, entry in shelf.entries.items():
        for file, about in entry["files"].items():
            path = shelf.folder / name / file
            listed.add(f"{name}/{file}")
            if not path.exists():
                if about["committed"]:
                    problems.append(f"{name}/{file} is missing")
            elif files.sha256(path) != about["sha256"]:
                problems.append(f"{name}/{file} has another sha256")
    there = (p.relative_to(shelf.folder) for p in shelf.folder.rglob("*") if p.is_file())
    problems += [f"{p.as_posix()} is not listed" for p in there if p.as_posix() not in listed]
    return problems


def _full_name(name, package, shelf):
    known = shelf.names(package)
    wanted = name if name.startswith(f"{package}/") else f"{package}/{name}"
    found = [n for n in known if n == wanted or n.rpartition("/")[0] == wanted]
    if not found:
        short = [n.removeprefix(f"{package}/") for n in known]
        raise UserError(
            f"{name!r} is no folder and no released checkpoint of {package}. "
            + (closest(name, short) if short else "None is released yet.")
        )
    return min(found, key=lambda n: (len(n), n))  # seed2 before seed10


def _checked_entries(path):
    """The manifest's checkpoints, after a look at its shape and at every path in it."""
    content = files.read_json(path)
    try:
        entries = content["checkpoints"]
        for name, entry in entries.items():
            for file, about in entry["files"].items():
                if not FILE.fullmatch(name) or not FILE.fullmatch(file):
                    raise ValueError(f"{name}/{file} leads out of the folder")
                if not re.fullmatch(r"[0-9a-f]{64}", about["sha256"]):
                    raise ValueError(f"{file} has no sha256")
                about["bytes"], about["committed"]
            entry["command"], entry["dataset"], entry["figure"], entry["training_seconds"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{path} is damaged: {error!r}. Restore it from the repository.") from error
    return entries


def _download(url, path, sha256):
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        fetch(url, part)
        if files.sha256(part) != sha256:
            raise UserError(
                f"{url} is not the file that the manifest lists: its sha256 differs. Nothing was "
                "kept; try again later, or take a clone of the repository."
            )
        os.replace(part, path)
    except Unavailable as error:
        raise UserError(
            f"Cannot download {url} ({error}). Connect to the network, or load a run's folder."
        ) from error
    finally:
        part.unlink(missing_ok=True)
