"""The description of a run in config.json: its package, its configuration, and more."""

import dataclasses
from pathlib import Path

from vaekit import files
from vaekit.errors import UserError

CONFIG = "config.json"


def describe(package, config, **more):
    """The content of config.json.

    Args:
        package: name of the package to which the configuration belongs.
        config: a dataclass.
        **more: further values that define the run, such as the fingerprint of the data.
    """
    return {"package": package, "config": dataclasses.asdict(config), **more}


def config_from_dict(package, config_class, values):
    """A configuration from the dict that `dataclasses.asdict` gave.

    Args:
        package: name of the package, for messages.
        config_class: dataclass of the configuration; fields with a default may be missing.
        values: dict of the fields.
    Raises:
        UserError: unknown or missing fields, which one message lists, or values of wrong types.
    """
    if not isinstance(values, dict):
        raise UserError(f"Expected a dict of fields of a {package} configuration, got {values!r}.")
    fields = dataclasses.fields(config_class)
    required = {field.name for field in fields if not _has_default(field)}
    unknown = sorted(values.keys() - {field.name for field in fields})
    missing = sorted(required - values.keys())
    if unknown or missing:
        problems = [f"unknown field {name}" for name in unknown]
        problems += [f"missing field {name}" for name in missing]
        raise UserError(
            f"Expected a {package} configuration, got one with {'; '.join(problems)}. "
            f"Use the {CONFIG} of a {package} run."
        )
    try:
        return config_class(**values)
    except TypeError as error:
        raise UserError(
            f"A {package} configuration has a value of the wrong type: {error}. "
            f"Use the {CONFIG} of a {package} run."
        ) from error


def read_config(directory, package, config_class):
    """The configuration of a run or released checkpoint.

    Args:
        directory: folder that contains config.json.
        package, config_class: as for `config_from_dict`.
    Raises:
        UserError: config.json is missing, damaged, or describes a run of another package.
    """
    path = Path(directory) / CONFIG
    content = files.read_json(path)
    found = content.get("package") if isinstance(content, dict) else None
    if found != package:
        raise UserError(
            f"{path} does not describe a run of {package}, but of {found or 'no package'}. "
            f"Name the directory of a {package} run."
        )
    return config_from_dict(package, config_class, content.get("config", {}))


def _has_default(field):
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing
