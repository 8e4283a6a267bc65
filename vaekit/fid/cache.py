"""Statistics of reference images, kept under `fid/` in the data folder and reused."""

import hashlib
from pathlib import Path

from vaekit.datasets.cache import is_writable
from vaekit.datasets.resolve import data_folder
from vaekit.errors import UserError
from vaekit.fid.statistics import Statistics


def reference_statistics(measurement, images, dataset, data_dir=None):
    """Statistics of a dataset's split: read if they are kept, otherwise computed and kept.

    Args:
        measurement: `Measurement`.
        images: the images of the split, read only if nothing is kept.
        dataset: identity "name:split:fingerprint".
        data_dir: data folder; None: $VAE_DATA_DIR, else ./data. If it is read-only, ./data.
    """
    header = measurement.header(dataset=dataset)
    name = _file_name(header, measurement.protocol.name)
    folders = [data_folder(data_dir), Path("data")]
    for folder in folders:
        kept = _read(folder / "fid" / name, header)
        if kept is not None:
            return kept
    statistics = measurement.statistics(images, dataset=dataset)
    folder = next((f for f in folders if is_writable(f / "fid")), None)
    if folder is not None:
        statistics.save(folder / "fid" / name)
    return statistics


def _file_name(header, protocol):
    identity = "\n".join((header.dataset, header.protocol, header.extractor_digest))
    dataset, split, _ = header.dataset.rsplit(":", 2)
    dataset = dataset.rsplit("/", 1)[-1]  # a folder's own name
    words = [dataset, split, protocol, header.extractor]
    plain = ["".join(c if c.isalnum() else "_" for c in word) for word in words]
    return "-".join([*plain, hashlib.sha256(identity.encode()).hexdigest()[:16]]) + ".npz"


def _read(path, header):
    if not path.exists():
        return None
    try:
        kept = Statistics.load(path)
    except UserError:
        return None  # damaged: computed again and replaced
    same = ("dataset", "protocol", "extractor_digest", "ddof", "generated")
    return kept if all(getattr(kept, k) == getattr(header, k) for k in same) else None
