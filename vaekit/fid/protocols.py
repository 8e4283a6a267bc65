"""Protocols: named, frozen settings of a Frechet distance.

Two FIDs are comparable only if all settings agree. `docs/fid.md` shows the effect of each setting.
"""

import dataclasses
import json

import numpy as np

from vaekit.errors import UserError, check_choice

RESIZES = {
    "tf1_bilinear": "TF1 bilinear without half-pixel centres",
    "bilinear": "bilinear with half-pixel centres",
    "clean": "Pillow bicubic, antialiased, in float",
}
SCALINGS = {"unit": "x/127.5 - 1", "minus128": "(x - 128)/128"}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All settings of an FID apart from the network and the images."""

    name: str
    resize: str  # a key of RESIZES, unused by extractors without a fixed image size
    scaling: str  # a key of SCALINGS, applied to pixels 0..255
    round_uint8: bool  # images are first rounded to 256 levels, as in files
    reference: str  # split with which generated images are compared
    num_reference: int | None  # None: the whole split
    num_generated: int
    whole_batches: int = 1  # batch size of which incomplete batches are left out
    ddof: int = 1  # the covariance divides by n - ddof
    stretch_generated: bool = False  # each generated image to minimum 0 and maximum 1

    def __post_init__(self):
        check_choice("resize", self.resize, RESIZES)
        check_choice("scaling", self.scaling, SCALINGS)
        check_choice("ddof", self.ddof, (0, 1))

    def choose(self, count, generated, seed=0):
        """Sorted indices of the images to measure, a seeded choice if there are more than needed.

        Many sets are stored class by class, so the first images are not a fair choice.

        Raises:
            UserError: fewer images than one whole batch, or fewer than two.
        """
        limit = self.num_generated if generated else self.num_reference
        used = min(count, limit or count) // self.whole_batches * self.whole_batches
        if used < 2:
            raise UserError(
                f"Expected at least {max(2, self.whole_batches)} images for the {self.name} "
                f"protocol, which uses whole batches of {self.whole_batches}, got {count}. "
                "Provide more images or choose another protocol."
            )
        if used == count:
            return np.arange(count)
        return np.sort(np.random.default_rng(seed).permutation(count)[:used])

    def key(self):
        """JSON text of all settings."""
        return json.dumps(dataclasses.asdict(self))

    def describe(self):
        """All settings in one line, to be printed beside a number."""
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


# Asperti & Trentin (2020) and Asperti (2020), from their code: tf.contrib.gan in batches of 64.
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
# Dai & Wipf (2019), from their code: the graph of 2015 resizes, and generated images are stretched.
TWO_STAGE = dataclasses.replace(
    BALANCING, name="two_stage", scaling="minus128", whole_batches=1, stretch_generated=True
)
# Ghosh et al. (2019), from their code: the same graph on images saved as files, hence rounded.
RAE = dataclasses.replace(TWO_STAGE, name="rae", round_uint8=True, stretch_generated=False)
# What generative papers report today: 50,000 rounded samples against the training set.
STANDARD = dataclasses.replace(
    RAE, name="standard", reference="train", num_reference=None, num_generated=50_000
)
# The same with the resizing of pytorch-fid and of clean-fid.
STANDARD_BILINEAR = dataclasses.replace(
    STANDARD, name="standard_bilinear", resize="bilinear", scaling="unit"
)
STANDARD_CLEAN = dataclasses.replace(STANDARD, name="standard_clean", resize="clean")

PROTOCOLS = {
    p.name: p for p in (BALANCING, TWO_STAGE, RAE, STANDARD, STANDARD_BILINEAR, STANDARD_CLEAN)
}


def get_protocol(protocol):
    """The protocol of that name; a `Protocol` is returned unchanged.

    Raises:
        UserError: an unknown name.
    """
    if isinstance(protocol, Protocol):
        return protocol
    return PROTOCOLS[check_choice("FID protocol", protocol, PROTOCOLS)]
