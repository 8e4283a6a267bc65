"""The order in which a dataset is looked for: prepared arrays, files, TensorFlow Datasets or a
download; and one error when nothing was found."""

import os
import sys
from pathlib import Path

import numpy as np

from vaekit.datasets import cache, find, official, tfds_source
from vaekit.datasets.celeba import face_from_pixels
from vaekit.datasets.download import Unavailable, fetch
from vaekit.datasets.recipes import RECIPES, jpeg_if_wanted
from vaekit.errors import UserError


def data_folder(data_dir=None):
    """The data folder: the argument, else $VAE_DATA_DIR, else ./data."""
    return Path(data_dir or os.environ.get("VAE_DATA_DIR") or "data").expanduser()


def cache_folder(data_dir, name):
    """Where arrays and downloads of `name` go: in the data folder, or ./data if it is read-only."""
    return (data_dir if cache.is_writable(data_dir / name) else Path("data")) / name


def resolve(name, data_dir, options, split_seed, check_all=False):
    """The three parts of a published dataset.

    Returns:
        `(parts, source, fingerprint)`.
    Raises:
        UserError: nothing found (it says what was tried), or something found is damaged.
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
    """Read prepared arrays, or make and write them.

    Args:
        folders: where to look for them; the last one is written to.
        make_parts: function to `(parts, note)`.
        sign: function to the signature of the files that the arrays would be made from; {} where
            there are none (arrays then count as they are).
        protocol: dict of the options that these arrays depend on.
        check_all: verify sha256 digests however large the arrays.
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
            f"Cannot write to {folder.absolute()}, where prepared arrays would go. Start in a "
            "folder that you may write to, or name one with --data-dir or $VAE_DATA_DIR."
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
        `(parts, note)`: the note says the route and what is known about the content.
    """
    recipe = RECIPES[name]
    parts, note = _read_source(name, recipe, data_dir, options)
    for part, count in recipe.counts.items():
        if len(parts[part]) != count:
            raise UserError(
                f"{name}: {len(parts[part]):,} images came for {part}, its publisher has "
                f"{count:,} ({note}). Fetch the files again."
            )
    return recipe.divide(parts, options, split_seed), note


def protocol_name(protocol):
    """Folder name of arrays prepared under a protocol, so that no two share one."""
    return "-".join([find.PREPARED, *(f"{key}_{value}" for key, value in sorted(protocol.items()))])


def _read_source(name, recipe, data_dir, options):
    folder = data_dir / name
    paths = recipe.find(folder)
    if paths:
        return _from_files(recipe, paths, options)
    try:
        if name in tfds_source.SETS:
            return _from_tfds(name, cache_folder(data_dir, "tfds"), options)
        path = cache_folder(data_dir, name) / recipe.url.rsplit("/", 1)[-1]
        return _from_publisher(recipe, path, options)
    except Unavailable as error:
        route = "TensorFlow Datasets" if name in tfds_source.SETS else "download"
        raise UserError(_nothing_found(name, recipe, folder, f"{route}: {error}")) from error


def _from_files(recipe, paths, options):
    parts, note = recipe.read(paths, options)
    return parts, f"files {', '.join(path.name for path in paths)}: {note}"


def _from_tfds(name, folder, options):
    face = (lambda pixels: face_from_pixels(pixels, options)) if name == "celeba" else None
    parts = tfds_source.read(name, folder, face)
    note = f"TensorFlow Datasets {tfds_source.SETS[name][0]}"
    if name == "static_mnist":
        parts = {part: np.minimum(images, 1) for part, images in parts.items()}
    if name == "cifar10":
        return jpeg_if_wanted(parts, options, note)
    return parts, note


def _from_publisher(recipe, path, options):
    """Download, then keep the file only if its content is the known one."""
    waiting = path.with_name(f"unverified_{path.name}")
    fetch(recipe.url, waiting)
    strange = Unavailable(
        f"{recipe.url} answered with another content than the known one, which was thrown away; "
        f"if you trust it, put it at {path} yourself"
    )
    try:
        parts, note = recipe.read([waiting], options)
        if not note.startswith(official.VERIFIED):
            raise strange
        os.replace(waiting, path)
    except UserError as error:
        raise strange from error
    finally:
        waiting.unlink(missing_ok=True)
    return parts, f"downloaded {path.name}: {note}"


def _files_signature(recipe, folder):
    try:
        return find.signature(recipe.find(folder))
    except UserError:  # incomplete files matter only where no arrays are prepared
        return {}


def _nothing_found(name, recipe, folder, fetching):
    return (
        f"{name} was not found. Tried: prepared arrays and files in {folder}: none found; "
        f"{fetching}. Three ways out: "
        f"(1) put the publisher's files into {folder}: {recipe.takes}; "
        "(2) run once with a network, so that they are downloaded; "
        "(3) name a folder that has them with --data-dir or $VAE_DATA_DIR. "
        "The dataset digits needs no files."
    )


def _where(folder, folders):
    return " in ./data (the data folder is read-only)" if folder != folders[0] else ""
