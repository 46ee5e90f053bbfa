"""The operator's page in a real browser: without scripts, on a phone, in the dark, under its strict policy."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ai_addons.web import WebRequest
from tests.browser import PHONE, picture
from tests.operator_month import DAY, WRITER, Office, buy, open_office, trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import NewPage


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office after the month of trade and its orders, counted by a sweep; who pauses something resumes it."""
    opened = open_office(f"sqlite:///{tmp_path_factory.mktemp('office') / 'books.db'}")
    trade(opened)
    buy(opened)
    opened.clock.advance(3 * DAY)
    opened.addons.sweep()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(office: Office) -> Iterator[str]:
    """Its address, where an operator who may change things is signed in."""

    class Door(BaseHTTPRequestHandler):
        """Hands each request on."""

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes) -> None:
            place = urlsplit(self.path)
            answer = office.web.dispatch(
                WebRequest(
                    method=self.command,
                    path=place.path.removeprefix("/pos/"),
                    query=dict(parse_qsl(place.query, keep_blank_values=True)),
                    body=body,
                    principal=WRITER,
                    root="/pos/",
                    csrf_token="token",
                )
            )
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-type": answer.content_type}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name in the library
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/pos/ai/admin/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_operator_pauses_and_resumes_from_a_phone(
    new_page: NewPage, site: str, office: Office, scripts: bool
) -> None:
    """Asked before each change, told after it; the list of switches says it."""
    page = new_page(size=PHONE, scripts=scripts)
    page.goto(site)
    page.get_by_label("Feature, empty for all").fill("report_summary")
    page.get_by_role("button", name="Pause …").click()
    page.get_by_role("heading", level=1, name="Pause paid calls", exact=True).wait_for()
    picture(page, "admin-question-phone")
    page.get_by_role("button", name="Pause paid calls").click()
    # The browser itself asks for the reason first.
    assert page.get_by_role("heading", level=1).inner_text() == "Pause paid calls"
    page.get_by_label("Why").fill("wrong totals")
    page.get_by_role("button", name="Pause paid calls").click()
    page.get_by_role("status").and_(page.get_by_text("Paid calls are paused.", exact=True)).wait_for()
    assert [one.feature for one in office.addons.operating.switches()] == ["report_summary"]
    page.get_by_role("link", name="Resume …").click()
    page.get_by_label("Why").fill("mended")
    page.get_by_role("button", name="Resume paid calls").click()
    go_on = page.get_by_text("Paid calls go on, unless another switch holds.", exact=True)
    page.get_by_role("status").and_(go_on).wait_for()
    assert office.addons.operating.switches() == ()


@pytest.mark.parametrize("dark", [False, True])
def test_pages_fit_a_phone_in_the_light_and_in_the_dark(new_page: NewPage, site: str, dark: bool) -> None:
    """The page itself does not scroll sideways, its tables do; the ground is that of the reader's scheme."""
    page = new_page(size=PHONE, dark=dark)
    for name in ("", "pages/figures/", "pages/books/?check=yes"):
        page.goto(f"{site}{name}")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(18, 22, 27)" if dark else "rgb(255, 255, 255)"), name
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0], name
        picture(page, f"admin-{name.split('/')[1] if name else 'today'}-{'dark' if dark else 'light'}-phone")


def test_the_chart_takes_the_colour_of_the_page(new_page: NewPage, site: str) -> None:
    """Its letters are those of the page in the dark; its bars keep their two colours."""
    page = new_page(dark=True)
    page.goto(site)
    letters = page.locator("svg .axis text").first
    assert letters.evaluate("one => getComputedStyle(one).fill") == "rgb(232, 236, 241)"
    bars = page.locator("svg rect.rect.reactive")
    assert {bars.nth(at).evaluate("one => getComputedStyle(one).fill") for at in range(bars.count())} == {
        "rgb(0, 114, 178)",
        "rgb(213, 94, 0)",
    }
    picture(page, "admin-today-dark")
    page = new_page()
    page.goto(site)
    picture(page, "admin-today-light")
    page.goto(f"{site}pages/figures/")
    picture(page, "admin-figures-light")
