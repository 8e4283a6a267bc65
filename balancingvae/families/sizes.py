"""Which image sizes a family takes, checked before anything is built."""

from vaekit.errors import UserError

LEAST, MOST = 8, 64


def check_sides(family, image_shape, multiple):
    """Refuse images whose sides the family cannot halve and double back.

    Args:
        family: its name, for the message.
        image_shape: `(height, width, channels)`.
        multiple: what both sides must be multiples of.
    Raises:
        UserError: the message lists the sides that the family takes.
    """
    height, width, _ = image_shape
    sides = [side for side in range(LEAST, MOST + 1) if side % multiple == 0]
    if height in sides and width in sides:
        return
    taken = f"{sides[0]} to {MOST} in steps of {multiple}" if multiple > 1 else f"{LEAST} to {MOST}"
    raise UserError(
        f"The network {family!r} takes images whose sides are {taken}; {height} x {width} came. "
        "Take another network (resnet halves any side from 4 on), or pad or resize the images."
    )
