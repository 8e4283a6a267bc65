"""Mean and covariance of features in one pass, with the settings of the measurement."""

import dataclasses
import json

import numpy as np

from vaekit import files
from vaekit.errors import UserError

BLOCK = 2048  # rows of features per product


@dataclasses.dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and covariance of the features of one set of images, and how they were measured.

    `covariance` divides the scatter by count - ddof. `protocol` is the JSON text of all settings.
    Empty strings mean "unknown" and agree with anything, so that plain arrays can be compared.
    """

    mean: np.ndarray  # (d,) float64
    covariance: np.ndarray  # (d, d) float64
    count: int
    ddof: int = 1
    protocol: str = ""
    extractor: str = ""  # name to print
    extractor_digest: str = ""
    dataset: str = ""  # name:split:fingerprint, or "" for generated images
    generated: bool = False  # prepared like generated images (stretched, if the protocol says so)

    def check_comparable(self, other):
        """Raise a UserError unless extractor and protocol of both agree."""
        if _differ(self.extractor_digest, other.extractor_digest):
            raise UserError(
                f"Expected statistics of one extractor, got {_known_as(self)} and "
                f"{_known_as(other)}. Compute both with the same --extractor and weights; "
                "otherwise their distance has no meaning."
            )
        if _differ(self.protocol, other.protocol):
            raise UserError(
                "Expected statistics of one protocol, got different ones: "
                f"{_protocol_difference(self.protocol, other.protocol)}. "
                "Compute both with the same --protocol."
            )

    def save(self, path):
        """Write all fields into one .npz file."""
        files.save_npz(path, {k: np.asarray(v) for k, v in vars(self).items()})

    @classmethod
    def load(cls, path):
        """Read a file that `save` wrote.

        Raises:
            UserError: the file is missing, damaged, or holds no feature statistics.
        """
        return cls.from_arrays(files.load_npz(path), path)

    @classmethod
    def from_arrays(cls, arrays, source="the arrays"):
        """The same from the arrays of such a file; `source` names them in messages."""
        missing = {field.name for field in dataclasses.fields(cls)} - set(arrays)
        if missing:
            raise UserError(
                f"{source} holds no feature statistics: {', '.join(sorted(missing))} missing. "
                "Create them with `python -m vaekit.fid SOURCE --save FILE.npz`."
            )
        values = {f.name: arrays[f.name] for f in dataclasses.fields(cls)}
        plain = {k: v.item() if v.ndim == 0 else v for k, v in values.items()}
        return cls(**plain)


class Moments:
    """Running count, mean and scatter of feature rows; memory does not grow with their number."""

    def __init__(self):
        self.count, self.mean, self.scatter = 0, None, None
        self._waiting = []

    def update(self, features):
        """Add a batch of features `(n, d)`; float64 throughout.

        Raises:
            UserError: NaN or infinite features.
        """
        features = np.asarray(features, np.float64)
        if not np.isfinite(features).all():
            raise UserError(
                "Expected finite features, got NaN or infinite ones from the extractor. Check its "
                "weights and the images."
            )
        # Small batches are collected, because each product costs a pass over (d, d) numbers.
        self._waiting.append(features)
        if sum(map(len, self._waiting)) >= BLOCK:
            self._add_waiting()

    def add(self, count, mean, scatter):
        """Add a group with count, mean `(d,)` and centred sum of squares `(d, d)`.

        Chan et al. (1979).
        """
        if self.count == 0:
            self.count, self.mean, self.scatter = count, np.array(mean), np.array(scatter)
            return
        total = self.count + count
        step = mean - self.mean
        self.scatter += scatter
        self.scatter += np.outer(step, step * (self.count * count / total))
        self.mean = self.mean + step * (count / total)
        self.count = total

    def statistics(self, like):
        """`Statistics` with these moments and all other fields of `like`.

        Raises:
            UserError: fewer than two images.
        """
        self._add_waiting()
        if self.count < 2:
            raise UserError(f"Statistics need at least 2 images, got {self.count}.")
        return dataclasses.replace(
            like,
            mean=self.mean,
            covariance=self.scatter / (self.count - like.ddof),
            count=self.count,
        )

    def _add_waiting(self):
        if self._waiting:
            features = np.concatenate(self._waiting)
            self._waiting = []
            mean = features.mean(axis=0)
            centred = features - mean
            self.add(len(features), mean, centred.T @ centred)


def _differ(a, b):
    return bool(a and b and a != b)


def _known_as(statistics):
    return f"{statistics.extractor} (digest {statistics.extractor_digest[:12]})"


def _protocol_difference(a, b):
    a, b = json.loads(a), json.loads(b)
    keys = [k for k in a if a[k] != b.get(k)]
    return ", ".join(f"{k} {a[k]!r} against {b.get(k)!r}" for k in keys)
