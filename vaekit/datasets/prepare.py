"""Preparation of pixels by the protocols of the papers."""

import io

import numpy as np

from vaekit.errors import UserError

CELEBA_SIZE = (178, 218)  # width, height of the aligned images
CELEBA_BOX = (25, 45, 153, 173)  # left, top, right, bottom: rows 45:173, columns 25:153


def jpeg_round_trip(images):
    """Write every image as JPEG and read it back, like the original code for CIFAR-10.

    The settings are Pillow's defaults: quality 75, chroma subsampled 4:2:0. The result depends
    slightly on Pillow's JPEG library (libjpeg-turbo and IJG differ by 1 grey level on average).

    Args:
        images: uint8 array `(n, height, width, 3)`.
    Returns:
        uint8 array of the same shape.
    """
    from PIL import Image
    from tqdm import tqdm

    result = np.empty_like(images)
    for index, pixels in enumerate(tqdm(images, desc="JPEG", unit="image", disable=None)):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=75, subsampling="4:2:0")
        with Image.open(file) as image:
            result[index] = np.asarray(image)
    return result


def celeba_face(image, size=64, resize="bilinear"):
    """Crop the 128 x 128 face out of an aligned CelebA image and shrink it.

    Pillow's bilinear filter is widened for shrinking and therefore antialiases; "nearest" leaves
    jagged edges, a mistake that the balancing paper reports of its earlier version.

    Args:
        image: Pillow image, 178 wide and 218 high.
        size: height and width of the result.
        resize: "bilinear" or "nearest".
    Returns:
        Pillow image, size x size.
    """
    from PIL import Image

    if image.size != CELEBA_SIZE:
        raise UserError(
            "expected an aligned image of CelebA (img_align_celeba), 178 wide and 218 high, got "
            f"{image.size[0]} wide and {image.size[1]} high"
        )
    modes = {"bilinear": Image.BILINEAR, "nearest": Image.NEAREST}
    return image.crop(CELEBA_BOX).resize((size, size), modes[resize])


def centre_square(image, size):
    """The largest centred square of a Pillow image, resized with antialiasing to size x size."""
    from PIL import Image

    side = min(image.size)
    left, top = (image.size[0] - side) // 2, (image.size[1] - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.BILINEAR, box=box)
