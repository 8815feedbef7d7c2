"""Characters that a reader would not see, or that reorder what stands around them, written as escapes."""

from __future__ import annotations

from markupsafe import Markup

from tflm_hil.report import markup


def visible(value: object) -> object:
    """`value`, if it is plain text with each such character as in `\\u202e`; what is HTML already stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "\n".join(map(markup.visible, value.split("\n")))
