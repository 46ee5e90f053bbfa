"""The browser that the tests use: it reads this machine only, and says what broke on a page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
PNG = b"\x89PNG\r\n"


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A path at which there is no browser, where the tests would look for one."""
    path = tmp_path / "chromium"
    monkeypatch.setenv(browser.VARIABLE, str(path))
    return path


def test_a_machine_without_a_browser_says_so(nowhere: Path) -> None:
    """The reason for skipping tells what to install; `.ci/skips` allows no such reason."""
    why = browser.missing()
    assert why == (
        "no browser: install chromium from the system's packages, or set AI_ADDONS_TEST_CHROMIUM to its path"
    )
    done = subprocess.run([sys.executable, "-m", "tests.browser"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "\n", f"{why}\n")


def test_a_named_browser_is_used(nowhere: Path) -> None:
    """The variable's program, if it can be run."""
    nowhere.write_text("#!/bin/sh\n")
    assert browser.program() is None
    nowhere.chmod(0o700)
    assert browser.program() == str(nowhere)


def test_no_other_machine_is_reached(page: Page) -> None:
    """A name that the world knows is unknown here."""
    with pytest.raises(Exception, match=re.escape("net::ERR_NAME_NOT_RESOLVED at http://example.com/")):
        page.goto("http://example.com/")


@pytest.mark.parametrize(("scripts", "text"), [(True, "after"), (False, "before")])
def test_scripts_run_if_they_may(new_page: browser.NewPage, scripts: bool, text: str) -> None:
    """A page that needs none can be read without."""
    page = new_page(scripts=scripts)
    page.set_content("<p>before</p><script>document.querySelector('p').textContent = 'after'</script>")
    assert page.text_content("p") == text


def test_the_reader_is_who_was_asked_for(new_page: browser.NewPage) -> None:
    """Size, colours, zone and language of a small phone in Accra at night."""
    page = new_page(size=browser.PHONE, dark=True)
    told = page.evaluate(
        "[innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches, navigator.language,"
        " Intl.DateTimeFormat().resolvedOptions().timeZone]"
    )
    assert told == [360, 740, True, "en-GB", "Africa/Accra"]


def test_a_picture_is_kept_where_it_is_wanted(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nowhere else."""
    monkeypatch.delenv(browser.PICTURES, raising=False)
    page.set_content("<p>Akwaaba</p>")
    assert browser.picture(page, "one").startswith(PNG)
    monkeypatch.setenv(browser.PICTURES, str(tmp_path / "pictures"))
    taken = browser.picture(page, "two")
    assert [(path.name, path.read_bytes() == taken) for path in (tmp_path / "pictures").iterdir()] == [
        ("two.png", True)
    ]


COMPLAINING = """
import pytest

@pytest.mark.parametrize("html", {pages!r})
def test_it(page, html):
    page.set_content(html)
    page.wait_for_timeout(50)
"""


@pytest.mark.timeout(300)
def test_a_page_that_breaks_fails_its_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its end, whatever it asserted; a warning is none of its business."""
    if (why := browser.missing()) is not None:
        pytest.skip(why)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    scripts = ("missing()", "console.error('broken')", "console.warn('fine')")
    pytester.makeconftest("from tests.browser import *")
    pytester.makepyfile(COMPLAINING.format(pages=[f"<script>{script}</script>" for script in scripts]))

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rA")

    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines_random(["ERROR *missing()*", "ERROR *broken*"])
    result.stdout.no_fnmatch_line("ERROR *fine*")
