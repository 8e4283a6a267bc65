"""All that resuming needs in one .npz file: weights, random state, optimiser slots, counters."""

import json
import re

import numpy as np

from vaekit import files
from vaekit.errors import UserError

STATE = "state"  # key of the JSON text that stands beside the arrays


def save(path, groups, state):
    """Write variables and a JSON-able state whole into one file.

    Args:
        path: the .npz file.
        groups: dict of group name to a list of Keras variables or arrays-by-name dict.
        state: JSON-able dict (epoch, early stopping, elapsed seconds).
    Raises:
        NotFinite: a variable is NaN or infinite; the file is left as it was.
    """
    arrays = {}
    for group, variables in groups.items():
        named = variables if isinstance(variables, dict) else to_arrays(variables)
        arrays.update({f"{group}/{name}": array for name, array in named.items()})
    bad = [name for name, array in arrays.items() if not all_finite(array)]
    if bad:
        raise NotFinite(bad)
    arrays[STATE] = np.array(json.dumps(state))
    files.save_npz(path, arrays)


def load(path):
    """Read a file of `save` back: (dict of group to dict of arrays, state).

    Raises:
        UserError: the file is missing, damaged, or no checkpoint.
    """
    arrays = files.load_npz(path)
    try:
        state = json.loads(str(arrays.pop(STATE)))
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{path} is no checkpoint of this package: it holds no readable state."
        ) from error
    groups = {}
    for key, array in arrays.items():
        group, name = key.split("/", 1)
        groups.setdefault(group, {})[name] = array
    return groups, state


def to_arrays(variables):
    """Keras variables as a dict of arrays, named by position and path, so that names are unique."""
    # Copies: JAX reuses the buffers of the weights that a step replaces.
    values = (np.array(variable.numpy()) for variable in variables)
    return dict(zip(_names(variables), values, strict=True))


def assign(variables, arrays, source):
    """Set Keras variables from the arrays that `to_arrays` made.

    Raises:
        UserError: a variable is missing, left over or has another shape; nothing was assigned.
    """
    names = _names(variables)
    problems = [f"{name} is missing" for name in names if name not in arrays]
    problems += [f"{name} is not in this model" for name in arrays if name not in names]
    problems += [
        f"{name} has shape {arrays[name].shape}, the model's is {tuple(variable.shape)}"
        for name, variable in zip(names, variables, strict=True)
        if name in arrays and arrays[name].shape != tuple(variable.shape)
    ]
    if problems:
        raise UserError(
            f"{source} does not fit this model: "
            + "; ".join(problems[:8])
            + (f"; and {len(problems) - 8} more" if len(problems) > 8 else "")
            + ". It belongs to another configuration: load it with its own, or train anew."
        )
    for name, variable in zip(names, variables, strict=True):
        variable.assign(arrays[name])


def all_finite(array):
    """Whether no entry is NaN or infinite; integers always are finite."""
    array = np.asarray(array)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


class NotFinite(ArithmeticError):
    """Some variables are NaN or infinite; `names` says which."""

    def __init__(self, names):
        super().__init__(f"not finite: {', '.join(names[:4])}")
        self.names = names


def _names(variables):
    # Automatic names count up over a process ("dense_7_kernel_momentum"): the numbers go, the
    # position in front identifies a variable.
    plain = (re.sub(r"_\d+(?=_|$)", "", variable.name) for variable in variables)
    return [f"{index:03d}.{name}" for index, name in enumerate(plain)]
