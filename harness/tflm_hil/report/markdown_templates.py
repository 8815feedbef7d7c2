"""Templates of Markdown pages."""

from __future__ import annotations

import jinja2

from tflm_hil.report.markup import code
from tflm_hil.report.text import number, percent


def markdown_environment(package: str) -> jinja2.Environment:
    """The templates in the folder `templates` of `package`, with the filters that every page needs."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters.update(number=number, percent=percent, code=code)
    return environment
