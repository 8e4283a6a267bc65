"""Publishers' files in a folder."""

import os
from pathlib import Path

from vaekit.datasets.image_files import ARCHIVES
from vaekit.errors import UserError

PREPARED = "prepared"  # prefix of our own folders beside the files


def files(folder, names, compressed=()):
    """Paths of all `names`, plain or with one of the suffixes `compressed`; [] if all are missing.

    Raises:
        UserError: only some are missing.
    """
    paths = [_first(Path(folder), name, compressed) for name in names]
    missing = [name for name, path in zip(names, paths, strict=True) if path is None]
    if missing and len(missing) < len(names):
        raise UserError(
            f"{folder} lacks {', '.join(missing)}. Put it beside the other "
            f"{'file' if len(names) == 2 else 'files'}"
            + (f", plain or compressed ({', '.join(compressed)})." if compressed else ".")
        )
    return [] if missing else paths


def cifar_batches(folder):
    """The archive or folder with CIFAR-10's Python batches, as a list of one path, or []."""
    folder = Path(folder)
    for name in ("cifar-10-python.tar.gz", "cifar-10-python.tar", "cifar-10-batches-py"):
        if (folder / name).exists():
            return [folder / name]
    return [folder] if (folder / "data_batch_1").is_file() else []


def image_tree(folder):
    """A folder with train/ and test/, or the only archive in it, as a list of one path, or [].

    Raises:
        UserError: there are several archives.
    """
    folder = Path(folder)
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        return [folder]
    archives = (
        sorted(path for path in folder.iterdir() if path.name.endswith(ARCHIVES))
        if folder.is_dir()
        else []
    )
    if len(archives) > 1:
        names = ", ".join(path.name for path in archives)
        raise UserError(
            f"Expected one archive in {folder}, got several ({names}). Remove all but one."
        )
    return archives


def signature(paths):
    """A cheap summary to notice changes: sizes of files, numbers of files in folders."""
    return {
        path.name: _count_files(path) if path.is_dir() else path.stat().st_size for path in paths
    }


def _count_files(folder):
    total = 0
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(PREPARED)]
        total += len(names)
    return total


def _first(folder, name, compressed):
    for suffix in ("", *compressed):
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{name}{suffix}"
    return None
