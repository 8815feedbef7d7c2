"""Chromium without a screen, for tests that open what we draw."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PROGRAM = next(filter(None, map(shutil.which, _NAMES)), None)
MISSING = (
    "no Chromium: apt-get install chromium-headless-shell"
    if _PROGRAM is None
    else "no Playwright: pip install playwright"
    if importlib.util.find_spec("playwright") is None
    else ""
)
"""Why nothing can be opened, "" if it can."""
needs_browser = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser, which is closed in the end. As root Chromium refuses to run with its sandbox."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=_PROGRAM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
