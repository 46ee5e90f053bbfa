"""A real browser for the tests: Chromium from the system's packages, without a window, driven by Playwright.

``AI_ADDONS_TEST_CHROMIUM`` names a program to use; without it the usual names are looked
up. Nothing is downloaded. Where there is none, a test that asks for `page` or `new_page` is
skipped with the reason, and `.ci/skips` fails. A page reaches this machine and no other; when
the test ends, a script that broke or a content security policy that was violated fails it.
``AI_ADDONS_TEST_PICTURES`` names a folder that keeps what `picture` takes, to be looked at.

Playwright keeps an event loop running in the thread it is used in: in a module with a
browser, what needs a loop of its own (``asyncio.run``, an async test) runs in another thread.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

VARIABLE: Final = "AI_ADDONS_TEST_CHROMIUM"
PICTURES: Final = "AI_ADDONS_TEST_PICTURES"
DESKTOP: Final = (1280, 800)
PHONE: Final = (360, 740)
"""Width and height in CSS pixels of a small phone, as shop owners have."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PLACES: Final = os.pathsep.join((os.environ.get("PATH", ""), "/usr/bin", "/usr/local/bin"))
_PATIENCE: Final = 10_000
"""Milliseconds that a page may take for anything: the machine may be busy."""

_ARGUMENTS: Final = (
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # no other machine has a name
    "--disable-dev-shm-usage",  # containers have little shared memory
)


def program() -> str | None:
    """Path of the browser; None if there is none."""
    if (named := os.environ.get(VARIABLE)) is not None:
        return shutil.which(named)
    return next((found for name in _NAMES if (found := shutil.which(name, path=_PLACES)) is not None), None)


def missing() -> str | None:
    """Why no browser can be started; None if one can."""
    if find_spec("playwright") is None:
        return "no browser: Playwright is not installed; run: pip install 'ai-addons[dev]'"
    if program() is None:
        return f"no browser: install chromium from the system's packages, or set {VARIABLE} to its path"
    return None


class NewPage(Protocol):
    """Opens pages, each in a profile of its own."""

    def __call__(self, *, size: tuple[int, int] = DESKTOP, scripts: bool = True, dark: bool = False) -> Page:
        """A new, empty page.

        Args:
            size: Width and height in CSS pixels.
            scripts: Whether scripts run; a page that works without them is tested without.
            dark: Whether the reader asks for dark colours.
        """
        ...


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a module's tests; skips them where there is none."""
    if (why := missing()) is not None:
        pytest.skip(why)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only tests with a browser need it

    with sync_playwright() as playwright:
        # Without Chromium's own sandbox, which root may not use: it reads pages of this machine only.
        browser = playwright.chromium.launch(executable_path=program(), args=_ARGUMENTS, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """Opens pages; fails the test at its end if one of them complained."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def make(*, size: tuple[int, int] = DESKTOP, scripts: bool = True, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            timezone_id="Africa/Accra",
            reduced_motion="reduce",
        )
        opened.append(context)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        _listen(page, complaints)
        return page

    yield make
    for context in opened:
        context.close()
    assert complaints == []


def _listen(page: Page, complaints: list[str]) -> None:
    """Note what broke; a status of 400 and above is the test's to judge."""

    def error(raised: Error) -> None:
        complaints.append(str(raised))

    def console(said: ConsoleMessage) -> None:
        if said.type == "error" and not said.text.startswith("Failed to load resource"):
            complaints.append(said.text)

    page.on("pageerror", error)
    page.on("console", console)


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page, of a desktop's size."""
    return new_page()


def picture(page: Page, name: str) -> bytes:
    """Take a picture of the whole page: a PNG, also kept as a file where somebody wants to look at it."""
    taken = page.screenshot(full_page=True, animations="disabled")
    if (folder := os.environ.get(PICTURES)) is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(taken)
    return taken


if __name__ == "__main__":
    print(program() or "")  # noqa: T201  # whoever asks reads it
    sys.exit(missing())
