"""Where a dataset is found: prepared arrays, files, TensorFlow Datasets or a download.

The sources are tried in this order; if all fail, one error names them.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from vaekit import network
from vaekit.datasets import cache, find, tfds_source
from vaekit.datasets.official import Found
from vaekit.datasets.recipes import RECIPES
from vaekit.errors import UserError
from vaekit.network import Unavailable


def data_folder(data_dir=None):
    """The data folder: the argument, else $VAE_DATA_DIR, else ./data."""
    return Path(data_dir or os.environ.get("VAE_DATA_DIR") or "data").expanduser()


def cache_folder(data_dir, name):
    """Folder for arrays and downloads of `name`: the data folder, or ./data if it is read-only."""
    return (data_dir if cache.is_writable(data_dir / name) else Path("data")) / name


def resolve(name, data_dir, options, split_seed, check_all=False):
    """The three parts of a published dataset.

    Returns:
        `(parts, source, fingerprint)`.
    Raises:
        UserError: nothing found (the message lists what was tried), or a damaged file.
    """
    recipe = RECIPES[name]
    protocol = dict(options)
    if recipe.seeded and options.get("validation", 1):
        protocol["split_seed"] = split_seed
    folders = dict.fromkeys([data_dir / name, cache_folder(data_dir, name)])  # each once
    return through_cache(
        [folder / protocol_name(protocol) for folder in folders],
        lambda: make(name, data_dir, options, split_seed),
        lambda: _files_signature(recipe, data_dir / name),
        protocol,
        check_all,
    )


def through_cache(folders, make_parts, sign, protocol, check_all=False):
    """Read prepared arrays, or create and write them.

    Args:
        folders: folders to search; new arrays are written to the last one.
        make_parts: function to `(parts, note)`.
        sign: function to the signature of the files from which the arrays would be made; {} if
            there are none (existing arrays are then valid).
        protocol: dict of the options that these arrays depend on.
        check_all: verify sha256 digests of arrays of any size.
    Returns:
        `(parts, source, fingerprint)`.
    """
    signature = sign()
    for folder in folders:
        description = cache.describe(folder)
        if description and signature in ({}, description.get("made_from")):
            parts = cache.read(folder, description, check_all)
            source = f"prepared arrays{_where(folder, folders)}, made from {description['source']}"
            return parts, source, description["fingerprint"]
    folder = folders[-1]
    if not cache.is_writable(folder):
        raise UserError(
            f"Cannot write prepared arrays to {folder.absolute()}. Start in a folder that you may "
            "write to, or name one with --data-dir or $VAE_DATA_DIR."
        )
    parts, note = make_parts()
    print(f"Writing prepared arrays to {folder}", file=sys.stderr)
    cache.write(folder, parts, note, protocol, sign())
    description = cache.describe(folder)
    source = note + (f"; prepared arrays{where}" if (where := _where(folder, folders)) else "")
    return cache.read(folder, description), source, description["fingerprint"]


def make(name, data_dir, options, split_seed):
    """The three parts, from files, TensorFlow Datasets or the publisher.

    Returns:
        `(parts, note)`; the note describes the origin of the content.
    """
    recipe = RECIPES[name]
    found = _read_source(name, recipe, data_dir, options)
    for part, count in recipe.counts.items():
        if len(found.parts[part]) != count:
            raise UserError(
                f"Expected {count:,} images of {name} for {part}, got {len(found.parts[part]):,} "
                f"({found.note}). Download the files again."
            )
    return recipe.divide(found.parts, options, split_seed), found.note


def protocol_name(protocol):
    """Folder name of arrays prepared under a protocol; different protocols never share a folder."""
    return "-".join([find.PREPARED, *(f"{key}_{value}" for key, value in sorted(protocol.items()))])


def _read_source(name, recipe, data_dir, options):
    folder = data_dir / name
    paths = recipe.find(folder)
    if paths:
        return _from_files(recipe, paths, options)
    try:
        if name in tfds_source.SETS:
            return _from_tfds(name, recipe, cache_folder(data_dir, "tfds"), options)
        path = cache_folder(data_dir, name) / recipe.url.rsplit("/", 1)[-1]
        return _from_publisher(recipe, path, options)
    except Unavailable as error:
        source = "TensorFlow Datasets" if name in tfds_source.SETS else "download"
        raise UserError(_nothing_found(name, recipe, folder, f"{source}: {error}")) from error


def _from_files(recipe, paths, options):
    found = recipe.read(paths, options)
    return replace(found, note=f"files {', '.join(path.name for path in paths)}: {found.note}")


def _from_tfds(name, recipe, folder, options):
    prepare = recipe.tfds_pixels
    parts = tfds_source.read(
        name, folder, (lambda pixels: prepare(pixels, options)) if prepare else None
    )
    found = Found(parts, f"TensorFlow Datasets {tfds_source.SETS[name].name}")
    return recipe.tfds_found(found, options) if recipe.tfds_found else found


def _from_publisher(recipe, path, options):
    """Download the file, and keep it only if its content is the known one."""
    waiting = path.with_name(f"unverified_{path.name}")
    network.download(recipe.url, waiting)  # the known digest is that of the images in the file
    unknown = Unavailable(
        f"the content of {recipe.url} differs from the known one and was deleted; if you trust it, "
        f"save it as {path}"
    )
    try:
        found = recipe.read([waiting], options)
        if not found.verified:
            raise unknown
        os.replace(waiting, path)
    except UserError as error:
        raise unknown from error
    finally:
        waiting.unlink(missing_ok=True)
    return replace(found, note=f"downloaded {path.name}: {found.note}")


def _files_signature(recipe, folder):
    try:
        return find.signature(recipe.find(folder))
    except UserError:  # incomplete files matter only without prepared arrays
        return {}


def _nothing_found(name, recipe, folder, fetching):
    return (
        f"{name} was not found. Tried: prepared arrays and files in {folder}: none found; "
        f"{fetching}. Choose one of three remedies: "
        f"(1) put the publisher's files into {folder}: {recipe.takes}; "
        "(2) run once with a network, so that they are downloaded; "
        "(3) name a folder that has them with --data-dir or $VAE_DATA_DIR. "
        "The dataset digits needs no files."
    )


def _where(folder, folders):
    return " in ./data (the data folder is read-only)" if folder != folders[0] else ""
