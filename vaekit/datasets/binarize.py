"""Binary images from grey ones, drawn once for validation and test."""

import numpy as np

from vaekit.errors import UserError, check_choice


def binarize(images, mode="stochastic", seed=0):
    """Pixels 0 or 1 from grey levels.

    Args:
        images: uint8 array of any shape, 0..255.
        mode: "stochastic": one Bernoulli draw per pixel with probability grey level / 255, as in
            Salakhutdinov & Murray (2008); "threshold": 1 where the level is above 127.
        seed: of the draws; "threshold" does not use it.
    Returns:
        uint8 array of the same shape, 0 or 1.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise UserError(f"Expected uint8 images with grey levels 0..255, got {images.dtype}.")
    check_choice("mode", mode, ("stochastic", "threshold"))
    if mode == "threshold":
        return (images > 127).astype(np.uint8)
    # Uniform integers in 0..254: P(draw < level) is level / 255 exactly.
    draws = np.random.Generator(np.random.PCG64(seed)).integers(
        0, 255, size=images.shape, dtype=np.uint8
    )
    return (draws < images).astype(np.uint8)
