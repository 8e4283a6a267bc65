"""A griffe extension for our docstrings, whose parts have no empty line between them."""

import re

import griffe

PARTS = re.compile(r"\n(?=(?:Args|Attributes|Returns|Yields|Raises):\n)")


class SeparateParts(griffe.Extension):
    """Insert the empty lines that griffe's parser needs."""

    def on_object(self, *, obj, **_):
        """Called once for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = PARTS.sub("\n\n", obj.docstring.value)
