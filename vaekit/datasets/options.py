"""The options of `load`: defaults and checks."""

from numbers import Integral

from vaekit.errors import UserError

CHOICES = {
    "resize": ("bilinear", "nearest"),
    "split": ("partition", "listing"),
    "channels": (None, 1, 3),
    "jpeg": (False, True),
    "silhouette": (1, 0),
}
RANGES = {"size": (1, 128), "image_size": (1, 1024), "validation": (0, 100_000)}


def complete(name, defaults, given):
    """The options of a dataset.

    Args:
        name: name of the dataset, for messages.
        defaults: dict of its options and their defaults.
        given: dict of the options that were passed.
    Returns:
        dict of all its options.
    Raises:
        UserError: an unknown option, or a value that the option does not accept.
    """
    for key, value in given.items():
        if key not in defaults:
            known = ", ".join(f"{key}={value!r}" for key, value in defaults.items()) or "none"
            raise UserError(f"{name} has no option {key!r}. Its options and defaults: {known}.")
        if key in CHOICES:
            if value not in CHOICES[key]:
                known = " or ".join(map(repr, CHOICES[key]))
                raise UserError(f"{key} of {name} must be {known}, got {value!r}.")
            continue
        low, high = RANGES[key]
        absent = value is None and defaults[key] is None
        if not absent and not (isinstance(value, Integral) and low <= value <= high):
            raise UserError(
                f"{key} of {name} must be an integer from {low} to {high}, got {value!r}."
            )
    return {**defaults, **given}
