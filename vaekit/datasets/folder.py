"""Images of your own: `folder:PATH`, a folder, zip or tar."""

import hashlib
from collections import Counter
from pathlib import Path

from vaekit.datasets import prepare, splits
from vaekit.datasets.image_files import ARCHIVES, SUFFIXES, ImageStore, decode, decode_all, stack
from vaekit.datasets.resolve import cache_folder, protocol_name, through_cache
from vaekit.errors import UserError

FOLDER_OPTIONS = {"image_size": None, "channels": None}
MODES = {1: "L", 3: "RGB"}
VALIDATION = ("validation", "val", "valid")


def _cache_name(path):
    """Name of the cache folder: readable, and unique for folders of the same name."""
    path = Path(path).resolve()
    return f"{path.name}-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"


def _signature(path):
    """A digest of names, sizes and times, to notice changed images."""
    path = Path(path)
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in found:
        if file.is_file():
            status = file.stat()
            name = file.relative_to(path).as_posix()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return {path.name: digest.hexdigest()}


def check_folder(path):
    """The path of an existing folder or archive."""
    path = Path(path).expanduser()
    if not path.exists():
        raise UserError(f"{path} does not exist. Name a folder, zip or tar of images: folder:PATH.")
    if not path.is_dir() and not path.name.endswith(ARCHIVES):
        raise UserError(
            f"Expected a folder or an archive ({', '.join(ARCHIVES)}) of images, got {path}."
        )
    return path


def read_folder(path, options, split_seed):
    """The three parts of a folder or archive.

    If train/ and test/ (and validation/) exist at the top, they are the parts. Otherwise all
    images, at any depth, are divided 80/10/10 by the seed.

    Returns:
        `(parts, note)`.
    """
    with ImageStore(path) as store:
        if not store.names:
            raise UserError(
                f"{path} contains no images. Expected files ending in {', '.join(SUFFIXES)}."
            )
        names = sorted(store.names)
        images = decode_all(store, names, _decoder(options), path.name)
    _check_alike(images, names, path)
    top = [name.split("/")[0] for name in names]
    if "train" in top and "test" in top:
        parts = {
            part: stack(
                [image for image, folder in zip(images, top, strict=True) if folder in folders],
                [name for name, folder in zip(names, top, strict=True) if folder in folders],
                images[0].shape,
            )
            for part, folders in zip(splits.PARTS, (("train",), VALIDATION, ("test",)), strict=True)
        }
        return parts, "split by its folders"
    if len(images) < 3:
        raise UserError(
            f"Expected at least 3 images to split in {path}, got {len(images)}. Add images."
        )
    tenth = max(1, len(images) // 10)
    return splits.split(stack(images, names), (tenth, tenth), split_seed), "split 80/10/10 by seed"


def _decoder(options):
    from PIL import ImageOps

    def upright(image):
        # Cameras store the orientation of the picture beside the pixels.
        image = ImageOps.exif_transpose(image)
        size = options["image_size"]
        return prepare.centre_square(image, size) if size else image

    return lambda data, name: decode(data, name, MODES.get(options["channels"]), upright)


def _check_alike(images, names, path):
    examples = {}
    for image, name in zip(images, names, strict=True):
        examples.setdefault(image.shape, name)
    counts = Counter(image.shape for image in images)
    channels = {shape[2] for shape in counts}
    if len(channels) > 1:
        grey = next(name for shape, name in examples.items() if shape[2] == 1)
        colour = next(name for shape, name in examples.items() if shape[2] == 3)
        raise UserError(
            f"{path} mixes grey images ({grey}) and colour images ({colour}). "
            "Pass channels=1 or channels=3 to convert all of them."
        )
    if len(counts) > 1:
        sizes = "; ".join(
            f"{count} of {shape[0]} x {shape[1]}, such as {examples[shape]}"
            for shape, count in counts.most_common(3)
        )
        raise UserError(
            f"Expected images of one size in {path}, got {len(counts)} (height x width): {sizes}. "
            "Pass image_size=64, for example, to crop and resize all of them."
        )


def load_folder(path, options, split_seed, check_all, data_dir):
    """Read through the cache under `<data_dir>/folder/`.

    Returns:
        `(parts, source, fingerprint)`.
    """
    protocol = {**options, "split_seed": split_seed}
    folder = cache_folder(data_dir, "folder") / _cache_name(path) / protocol_name(protocol)

    def make():
        parts, note = read_folder(path, options, split_seed)
        return parts, f"images in {path.name}, {note}"

    return through_cache([folder], make, lambda: _signature(path), protocol, check_all)
