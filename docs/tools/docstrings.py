"""A griffe extension: the parts of a docstring follow each other without an empty line here."""

import re

import griffe

PARTS = re.compile(r"\n(?=(?:Args|Attributes|Returns|Yields|Raises):\n)")


class SeparateParts(griffe.Extension):
    """Put the empty line in that griffe's parser asks for."""

    def on_object(self, *, obj, **_):
        """Called once for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = PARTS.sub("\n\n", obj.docstring.value)
