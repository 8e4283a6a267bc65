"""How a Frechet distance was measured, as named and frozen settings.

Two FIDs compare only when all of these agree. `docs/fid.md` shows how far each setting moves one.
"""

import dataclasses
import json

import numpy as np

from vaekit.errors import UserError

RESIZES = {
    "tf1_bilinear": "TF1 bilinear without half-pixel centres",
    "bilinear": "bilinear with half-pixel centres",
    "clean": "Pillow bicubic, antialiased, in float",
}
SCALINGS = {"unit": "x/127.5 - 1", "minus128": "(x - 128)/128"}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Everything about an FID but the network and the images."""

    name: str
    resize: str  # a key of RESIZES; extractors that take images at their own size skip it
    scaling: str  # a key of SCALINGS, of pixels 0..255
    round_uint8: bool  # images are rounded to 256 levels first, as files are
    reference: str  # split that generated images are compared with
    num_reference: int | None  # None: the whole split
    num_generated: int
    whole_batches: int = 1  # the remainder of a division by this is left out
    ddof: int = 1  # the covariance divides by n - ddof
    stretch_generated: bool = False  # each generated image to minimum 0 and maximum 1

    def __post_init__(self):
        for value, known in ((self.resize, RESIZES), (self.scaling, SCALINGS)):
            if value not in known:
                raise UserError(f"Unknown {value!r}; known are {', '.join(known)}.")
        if self.ddof not in (0, 1):
            raise UserError(f"ddof {self.ddof} came; the covariance divides by n - 0 or n - 1.")

    def choose(self, count, generated, seed=0):
        """Sorted indices of the images that count, a seeded choice when there are too many.

        Many sets are stored class by class, so the first ones would not do.

        Raises:
            UserError: fewer images than one whole batch, or fewer than two.
        """
        limit = self.num_generated if generated else self.num_reference
        used = min(count, limit or count) // self.whole_batches * self.whole_batches
        if used < 2:
            raise UserError(
                f"{count} images came; the {self.name} protocol takes whole batches of "
                f"{self.whole_batches}, and statistics take at least 2 images. Give more images "
                "or choose another protocol."
            )
        if used == count:
            return np.arange(count)
        return np.sort(np.random.default_rng(seed).permutation(count)[:used])

    def key(self):
        """JSON text of all settings."""
        return json.dumps(dataclasses.asdict(self))

    def describe(self):
        """One line of all settings, to stand beside a number."""
        reference = f"{self.num_reference:,}" if self.num_reference else "all"
        parts = [
            RESIZES[self.resize],
            SCALINGS[self.scaling],
            "rounded to uint8" if self.round_uint8 else "not rounded",
            f"{self.num_generated:,} images against {reference} of the {self.reference} split",
            f"covariance over n{'-1' if self.ddof else ''}",
        ]
        if self.whole_batches > 1:
            parts.append(f"whole batches of {self.whole_batches}")
        if self.stretch_generated:
            parts.append("each generated image stretched to 0..1")
        return f"{self.name}: " + "; ".join(parts)


# Asperti & Trentin (2020) and Asperti (2020), read off their code: tf.contrib.gan in batches of 64.
BALANCING = Protocol(
    name="balancing",
    resize="tf1_bilinear",
    scaling="unit",
    round_uint8=False,
    reference="test",
    num_reference=10_000,
    num_generated=10_000,
    whole_batches=64,
)
# Dai & Wipf (2019), read off their code: the graph of 2015 resizes; only fakes are stretched.
TWO_STAGE = dataclasses.replace(
    BALANCING, name="two_stage", scaling="minus128", whole_batches=1, stretch_generated=True
)
# Ghosh et al. (2019), read off their code: the same graph on images saved as files, hence rounded.
RAE = dataclasses.replace(TWO_STAGE, name="rae", round_uint8=True, stretch_generated=False)
# What generative papers report today: 50,000 rounded samples against the training set.
STANDARD = dataclasses.replace(
    RAE, name="standard", reference="train", num_reference=None, num_generated=50_000
)
# The same with pytorch-fid's and clean-fid's ways of resizing.
STANDARD_BILINEAR = dataclasses.replace(
    STANDARD, name="standard_bilinear", resize="bilinear", scaling="unit"
)
STANDARD_CLEAN = dataclasses.replace(STANDARD, name="standard_clean", resize="clean")

PROTOCOLS = {
    p.name: p for p in (BALANCING, TWO_STAGE, RAE, STANDARD, STANDARD_BILINEAR, STANDARD_CLEAN)
}


def get_protocol(protocol):
    """A `Protocol` as it is, or the preset of that name.

    Raises:
        UserError: an unknown name.
    """
    if isinstance(protocol, Protocol):
        return protocol
    if protocol not in PROTOCOLS:
        raise UserError(f"Unknown FID protocol {protocol!r}. Known are: {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[protocol]
