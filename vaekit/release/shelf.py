"""Released checkpoints by name: found in a clone or downloaded, checked by sha256, and kept."""

import os
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

from vaekit import files, network
from vaekit.errors import UserError, closest
from vaekit.reporting.tables import Table, plain_table

# Address that serves the repository's checkpoints/ folder as plain files, for installations outside
# a clone (GitHub: https://raw.githubusercontent.com/OWNER/NAME/REVISION/checkpoints). It is empty
# until the repository has a public address; $VAE_RELEASE_URL overrides it.
RELEASE_URL = ""
CLONE = Path(__file__).resolve().parents[2] / "checkpoints"
MANIFEST = "MANIFEST.json"
PACKAGES = ("balancingvae", "vampprior")
LARGEST = 10_000_000  # bytes; larger files are listed but not committed

# No part of a name or path begins with a dot, so that none points outside its folder.
PART = r"[A-Za-z0-9_+=-][A-Za-z0-9_.+=-]*"
NAME = re.compile(rf"{PART}(/{PART}){{0,2}}")
FILE = re.compile(rf"{PART}(/{PART})*")


def resolve(name_or_directory, package):
    """The folder of a model, from a directory or the name of a released checkpoint.

    Args:
        name_or_directory: a path; or PACKAGE/PRESET/seedK, PRESET/seedK, or PRESET (its first
            seed).
        package: "balancingvae" or "vampprior".
    Returns:
        Path of the folder; any other path is returned unchanged, and the loader reports errors.
    Raises:
        UserError: unknown name, no network, or a file that differs from the manifest.
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
                f"{name_or_directory} is a checkpoint of {parts[0]}, not of {package}. Load it "
                f"with {parts[0]}.load, or python -m {parts[0]}."
            )
        return path
    shelf = open_shelf()
    name = _full_name(name_or_directory, package, shelf)
    return shelf.fetch(name)


class Shelf:
    """A folder of checkpoints that a manifest describes.

    Attributes:
        folder: the folder.
        entries: dict of name to entry of the manifest.
        url: address from which missing files are downloaded; None in a clone, which is complete.
    """

    def __init__(self, folder, url=None):
        self.folder, self.url = Path(folder), url
        self.entries = _checked_entries(self.folder / MANIFEST)

    def fetch(self, name):
        """Path of a checkpoint's folder, with all files for loading the model checked by sha256.

        Pictures and reports are neither checked nor downloaded.
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
                    f"{file} of {name} was not released, like all files above "
                    f"{LARGEST // 10**6} MB and the weights of further seeds. Create it with: "
                    f"{entry['command']}"
                )
            if self.url is None:
                raise UserError(
                    f"{path} is {'damaged' if path.exists() else 'missing'} according to "
                    f"{MANIFEST}. Restore it: git checkout -- {path}"
                )
            self._download(f"{quote(name)}/{quote(file)}", path, about["sha256"])
        return self.folder / name

    def names(self, package=None):
        """Sorted names of the checkpoints of one package or of all."""
        return sorted(n for n in self.entries if package in (None, n.split("/")[0]))

    def _download(self, file, path, sha256):
        try:
            network.download(f"{self.url}/{file}", path, f"sha256:{sha256}")
        except network.Unavailable as error:
            raise UserError(
                f"Cannot download {file} ({error}). Connect to the network, or load the folder of "
                "a run."
            ) from error


def open_shelf():
    """The shelf of the clone that contains this package, otherwise the downloaded one.

    Raises:
        UserError: neither is available, or the manifest is damaged.
    """
    url = os.environ.get("VAE_RELEASE_URL", RELEASE_URL).rstrip("/")
    if (CLONE / MANIFEST).exists():
        return Shelf(CLONE)
    if not url:
        raise UserError(
            "No released checkpoints are available outside a clone of the repository. Load the "
            "folder of a run, run from a clone, or set $VAE_RELEASE_URL to the address of its "
            "checkpoints/ folder."
        )
    if urlsplit(url).scheme not in ("https", "http"):
        raise UserError(f"$VAE_RELEASE_URL must be an https:// address, got {url!r}.")
    folder = cache_folder() / "checkpoints"
    try:
        network.download(f"{url}/{MANIFEST}", folder / MANIFEST)
    except network.Unavailable as error:
        if not (folder / MANIFEST).exists():
            raise UserError(
                f"Cannot download the list of released checkpoints ({error}). Connect to the "
                "network, or load the folder of a run."
            ) from error
    return Shelf(folder, url)


def cache_folder():
    """Folder of downloads: $VAE_CACHE, else ~/.cache/balancingvae."""
    return Path(os.environ.get("VAE_CACHE") or "~/.cache/balancingvae").expanduser()


def table(package=None):
    """The released checkpoints of one package or of all, as a `Table`."""
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
    """Print `table`, or a remark if it is empty."""
    found = table(package)
    print(
        plain_table(found)
        if found.rows
        else f"No released checkpoint{f' of {package}' if package else ''}."
    )


def verify(folder=CLONE):
    """Problems of a shelf: files that are missing, changed, or not in the manifest."""
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
            f"{name!r} is neither a folder nor a released checkpoint of {package}. "
            + (closest(name, short) if short else "There is none yet.")
        )
    return min(found, key=lambda n: (len(n), n))  # seed2 before seed10


def _checked_entries(path):
    """The checkpoints of a manifest, with its structure and every path in it checked."""
    content = files.read_json(path)
    try:
        entries = content["checkpoints"]
        for name, entry in entries.items():
            for file, about in entry["files"].items():
                if not FILE.fullmatch(name) or not FILE.fullmatch(file):
                    raise ValueError(f"{name}/{file} points outside the folder")
                if not re.fullmatch(r"[0-9a-f]{64}", about["sha256"]):
                    raise ValueError(f"{file} has no sha256")
                about["bytes"], about["committed"]
            entry["command"], entry["dataset"], entry["figure"], entry["training_seconds"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{path} is damaged: {error!r}. Restore it from the repository.") from error
    return entries
