"""The options of `load`: defaults filled in, values that mean nothing refused."""

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
        name: of the dataset, for errors.
        defaults: dict of the options that it has.
        given: dict of the options that were passed.
    Returns:
        dict of all its options.
    Raises:
        UserError: an option that the dataset lacks, or a value that the option does not take.
    """
    for key, value in given.items():
        if key not in defaults:
            taken = ", ".join(f"{key}={value!r}" for key, value in defaults.items()) or "none"
            raise UserError(f"{name} has no option {key!r}. Its options and defaults: {taken}.")
        if key in CHOICES:
            if value not in CHOICES[key]:
                taken = ", ".join(map(repr, CHOICES[key]))
                raise UserError(f"{key}={value!r} came; {name} takes {taken}.")
            continue
        low, high = RANGES[key]
        absent = value is None and defaults[key] is None
        if not absent and not (isinstance(value, Integral) and low <= value <= high):
            raise UserError(f"{key}={value!r} came; {name} takes a whole number {low}..{high}.")
    return {**defaults, **given}
