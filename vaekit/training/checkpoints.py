"""Everything needed to resume, in one .npz file: weights, random state, optimiser, counters."""

import json
import re

import numpy as np

from vaekit import files
from vaekit.errors import UserError

STATE = "state"  # key of the JSON text that is stored beside the arrays


def save(path, groups, state):
    """Write variables and a state atomically into one file.

    Args:
        path: the .npz file.
        groups: dict of group name to a list of Keras variables, or to a dict of name to array.
        state: dict that JSON can hold (epoch, early stopping, elapsed seconds).
    Raises:
        NotFinite: a variable is NaN or infinite; an existing file is not changed.
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
    """Read a file that `save` wrote: (dict of group to dict of arrays, state).

    Raises:
        UserError: the file is missing, damaged, or not a checkpoint.
    """
    arrays = files.load_npz(path)
    try:
        state = json.loads(str(arrays.pop(STATE)))
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{path} is not a checkpoint of a training: it contains no readable state. Restore it "
            "from a copy, or delete the run's folder and train again."
        ) from error
    groups = {}
    for key, array in arrays.items():
        group, name = key.split("/", 1)
        groups.setdefault(group, {})[name] = array
    return groups, state


def to_arrays(variables):
    """Keras variables as a dict of arrays; position and name form a unique key."""
    # Copies, because JAX reuses the buffers of weights that a step replaces.
    values = (np.array(variable.numpy()) for variable in variables)
    return dict(zip(_names(variables), values, strict=True))


def assign(variables, arrays, source):
    """Set Keras variables from arrays made by `to_arrays`.

    Args:
        variables: list of Keras variables.
        arrays: dict of name to array.
        source: origin of the arrays, for messages.
    Raises:
        UserError: an array is missing, left over or of another shape; nothing was assigned.
    """
    names = _names(variables)
    problems = [f"{name} is missing" for name in names if name not in arrays]
    problems += [f"{name} is not in this model" for name in arrays if name not in names]
    problems += [
        f"{name} has shape {arrays[name].shape}, expected {tuple(variable.shape)}"
        for name, variable in zip(names, variables, strict=True)
        if name in arrays and arrays[name].shape != tuple(variable.shape)
    ]
    if problems:
        raise UserError(
            f"{source} does not fit this model: "
            + "; ".join(problems[:8])
            + (f"; and {len(problems) - 8} more" if len(problems) > 8 else "")
            + ". It belongs to another configuration: load it with that one, or train again."
        )
    for name, variable in zip(names, variables, strict=True):
        variable.assign(arrays[name])


def all_finite(array):
    """Whether all entries are finite; integers always are."""
    array = np.asarray(array)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


class NotFinite(ArithmeticError):
    """Some variables are NaN or infinite; `names` says which."""

    def __init__(self, names):
        super().__init__(f"not finite: {', '.join(names[:4])}")
        self.names = names


def _names(variables):
    # Automatic names are numbered over a process ("dense_7_kernel_momentum"). The numbers are
    # removed, and the position in front identifies a variable.
    plain = (re.sub(r"_\d+(?=_|$)", "", variable.name) for variable in variables)
    return [f"{index:03d}.{name}" for index, name in enumerate(plain)]
