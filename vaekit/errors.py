"""The one exception that a user's mistake raises, and the checks of arguments that raise it."""

import difflib
import numbers


class UserError(ValueError):
    """Bad input: the message says what was expected, what was found and what to do.

    The command lines print it as one line and exit with a status other than 0; no file is changed.
    """


def check_positive_integer(name, value, least=1):
    """Return `value` as an int, or raise a UserError unless it is an integer of at least `least`.

    Args:
        name: the argument's name, for the message.
        value: what the caller passed; bool is refused.
        least: 1 for a positive integer, 0 for a non-negative one.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        kind = {1: "a positive integer", 0: "a non-negative integer"}.get(
            least, f"an integer of at least {least}"
        )
        raise UserError(f"{name} must be {kind}, got {value!r}.")
    return int(value)


def check_positive_number(name, value):
    """Return `value` as a float, or raise a UserError unless it is a finite number above 0."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise UserError(f"{name} must be a positive number, got {value!r}.")
    return float(value)


def check_choice(name, value, known):
    """Return `value`, or raise a UserError unless it is one of `known`."""
    if value not in known:
        raise UserError(f"Unknown {name} {value!r}. {closest(value, known)}")
    return value


def closest(name, known):
    """The sentence that follows an unknown name: near matches first, then all names."""
    near = difflib.get_close_matches(str(name), [str(one) for one in known], n=3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}Known: {', '.join(sorted(map(str, known)))}."
