"""Debian's Chromium, headless, and a page in it that is not allowed to want anything."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser, Page, Playwright

_PATH = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
]


@contextmanager
def launched(playwright: Playwright) -> Generator[Browser]:
    """A running browser."""
    chromium = playwright.chromium.launch(executable_path=_PATH, args=_ARGUMENTS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all the tests of a worker; where there is none they are skipped, unless it is required."""
    if _PATH is None:
        assert "FLEETKEEP_REQUIRE_CHROMIUM" not in os.environ, "Chromium is required and not installed"
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - most tests need no browser, and it is large

    with sync_playwright() as playwright, launched(playwright) as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when it complains, asks for anything, or shows a box."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda box: complaints.append(box.message))
    page.on("request", lambda request: complaints.extend(_strange(request.url)))
    yield page
    context.close()
    assert complaints == []


def _strange(url: str) -> list[str]:
    return [] if url.startswith(("file:", "blob:", "data:")) else [url]
