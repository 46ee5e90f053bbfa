"""Which page or button answers a request of a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from ai_addons.billing.gateways.fake import pages
from ai_addons.billing.gateways.fake.refusals import Refused
from ai_addons.billing.gateways.fake.wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.gateways.fake.desk import Desk
    from ai_addons.billing.gateways.fake.hooks import HookSender

_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_CSP: Final = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_HEADERS: Final = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: browsers then hide where a form comes from.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_CHECKOUT: Final = re.compile(r"/checkout/([0-9a-f]+)(?:/(approve|decline|hang|done))?")


class Site:
    """The pages and their buttons.

    Args:
        desk: What they show and change.
        hooks: What sends webhooks.
    """

    def __init__(self, desk: Desk, hooks: HookSender) -> None:
        self._desk = desk
        self._hooks = hooks

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a browser.

        Args:
            method: ``GET`` or ``POST``.
            path: Without the query.
            headers: With names in lower case.
            body: Of a form.
        """
        try:
            if not is_local(headers):
                return _html(pages.refused("This site is for this machine only."), 403)
            if method == "GET":
                return self._page(path)
            form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
            return _see(self._press(path, form))
        except Refused as why:
            return _html(pages.refused(why.message), why.status)
        except (KeyError, ValueError):
            return _html(pages.refused("There is no such page or button."), 404)

    def _page(self, path: str) -> Answer:
        if path == "/style.css":
            return Answer(200, pages.STYLE.encode(), _HEADERS | {"content-type": "text/css; charset=utf-8"})
        found = _CHECKOUT.fullmatch(path)
        if found is not None:
            payment = self._desk.at(found[1])
            over = found[2] == "done" or payment.paid_at is not None or payment.status == "failed"
            return _html(pages.done(payment) if over else pages.checkout(payment))
        made: dict[str, Callable[[], str]] = {
            "/": pages.start,
            "/phone": lambda: pages.phone(self._desk.prompts()),
            "/operator": lambda: pages.operator(self._desk, self._hooks.deliveries),
        }
        return _html(made[path]())

    def _press(self, path: str, form: Mapping[str, str]) -> str:
        """Do what a button says; where to look afterwards."""
        found = _CHECKOUT.fullmatch(path)
        if found is not None:
            return self._pay(found[1], found[2], form)
        _, where, what = path.split("/")
        presses = {"phone": self._on_phone, "operator": self._by_operator}
        presses[where](what, form)
        return f"/{where}"

    def _pay(self, access_code: str, what: str | None, form: Mapping[str, str]) -> str:
        payment = self._desk.at(access_code)
        if what == "approve":
            # A way that is not offered is a button that is not there: ValueError.
            channel = payment.channels[payment.channels.index(form["channel"])]
            self._desk.approve(payment.reference, channel=channel, save_card="save" in form)
        elif what == "decline":
            self._desk.decline(payment.reference)
        return f"/checkout/{access_code}/done"

    def _on_phone(self, what: str, form: Mapping[str, str]) -> None:
        presses: dict[str, Callable[[str], object]] = {"approve": self._desk.approve, "decline": self._desk.decline}
        presses[what](form["reference"])

    def _by_operator(self, what: str, form: Mapping[str, str]) -> None:
        desk = self._desk
        presses: dict[str, Callable[[], object]] = {
            "approve": lambda: desk.approve(form["reference"]),
            "decline": lambda: desk.decline(form["reference"], "Declined by the operator"),
            "dispute": lambda: desk.open_dispute(form["reference"]),
            "refund": lambda: desk.begin_refund(desk.payment(form["reference"]), None),
            "break-card": lambda: desk.break_card(desk.payment(form["reference"]).card or ""),
            "resend": lambda: self._resend(form["reference"]),
            "move-refund": lambda: desk.move_refund(int(form["id"]), form["state"]),
            "resolve": lambda: desk.resolve(int(form["id"]), form["resolution"]),
            "remind": lambda: desk.remind(int(form["id"])),
        }
        presses[what]()

    def _resend(self, reference: str) -> None:
        for event in self._desk.events_of(reference):
            self._hooks.send(event)


def is_local(headers: Mapping[str, str]) -> bool:
    """Whether a browser means this server, and a form comes from its own pages.

    A page anywhere on the web can send a browser here; that must not press a button.
    """
    host, origin = headers.get("host", ""), headers.get("origin")
    named = urlsplit(f"//{host}").hostname in _HERE
    return named and (origin is None or urlsplit(origin).netloc == host)


def _html(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), _HEADERS | {"content-type": "text/html; charset=utf-8"})


def _see(path: str) -> Answer:
    """Look there (303), so that going back does not press a button twice."""
    return Answer(303, b"", _HEADERS | {"location": path})
