"""Checks whether images have sizes that a network supports, before anything is built."""

from vaekit.errors import UserError

LEAST, MOST = 8, 64


def check_sides(network, image_shape, multiple):
    """Raise a UserError if the network cannot halve the sides and double them again.

    Args:
        network: name of the network, for the message.
        image_shape: `(height, width, channels)`.
        multiple: number of which both sides must be multiples.
    Raises:
        UserError: the message lists the supported sides.
    """
    height, width, _ = image_shape
    sides = [side for side in range(LEAST, MOST + 1) if side % multiple == 0]
    if height in sides and width in sides:
        return
    fitting = f"{LEAST} to {MOST}"
    if multiple > 1:
        fitting = f"{sides[0]} to {MOST} in steps of {multiple}"
    raise UserError(
        f"Image sides must be {fitting} for the network {network!r}, got {height} x {width}. "
        "Use another network (resnet fits any side from 4 on), or pad or resize the images."
    )
