"""A shop whose owner looks at its pages: books, gateway and clock of the test, pages as they are read."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from ai_addons import AddOns
from ai_addons.billing.profile import BusinessProfile
from ai_addons.testing.fakes import ManualClock
from ai_addons.testing.gateway import FakeGateway
from ai_addons.testing.kit import kit_settings
from ai_addons.web import Principal, Web, WebRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.web import Action, WebResponse

SHOP: Final = "biz_7"
ROOT: Final = "/shop/"
TOKEN: Final = "token-of-the-form"
HOSTILE: Final = "<script>alert(1)</script> & \"Sons\" 'Ltd'"
"""A shop's name that no page may take for markup."""
VOID: Final = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """A page as it is read. Tags that do not match fail, and so does an id that stands twice."""

    def __init__(self, response: WebResponse) -> None:
        super().__init__()
        self.status = response.status
        self.html = response.body.decode()
        self.text = ""
        self.title = ""
        self.headings: list[tuple[str, str]] = []
        self.links: dict[str, str] = {}
        self.forms: list[dict[str, Any]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labelled: set[str] = set()
        self._open: list[str] = []
        self._href = ""
        self.feed(self.html)
        self.close()
        assert self._open == []
        ids = [attrs["id"] for _, attrs in self.tags if "id" in attrs]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "br":
            self.text += " "
        if tag in {"h1", "h2", "h3"}:
            self.headings.append((tag, ""))
        elif tag == "form":
            self.forms.append({"action": known["action"], "method": known["method"], "fields": {}, "button": ""})
        elif tag in {"input", "select"} and self.forms:
            self.forms[-1]["fields"][known["name"]] = known.get("value") or ""
        elif tag == "label":
            self.labelled.add(str(known["for"]))
        elif tag == "a":
            self._href = str(known["href"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in {
            "td",
            "th",
            "p",
            "li",
            "h1",
            "h2",
            "h3",
            "caption",
            "option",
            "button",
            "a",
            "dd",
            "dt",
            "text",
            "span",
        }:
            self.text += " "

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data
        within = self._open[-1] if self._open else ""
        if within == "title" and "svg" not in self._open:
            self.title += data
        elif within in {"h1", "h2", "h3"}:
            self.headings[-1] = (within, self.headings[-1][1] + data)
        elif within == "button" and self.forms:
            self.forms[-1]["button"] += data
        elif within == "a":
            self.links[data] = self._href

    @property
    def words(self) -> str:
        """Its text on one line."""
        return " ".join(self.text.split())

    def form(self, button: str) -> dict[str, Any]:
        """The form with a button of this name."""
        (found,) = [form for form in self.forms if form["button"] == button]
        return found


class Shop:
    """A shop with its pages.

    Args:
        policy: Its billing policy.
        profile: What the host knows of it.
        denied: Actions that its user may not do.
        **settings: Sections of the settings.
    """

    def __init__(
        self,
        *,
        policy: str = "prepaid",
        profile: BusinessProfile | None = None,
        denied: frozenset[str] = frozenset(),
        origin: str | None = None,
        **settings: Any,
    ) -> None:
        known = profile or BusinessProfile(name="Ama's Shop", email="ama@shop.example", phone="0244000001")
        self.clock = ManualClock()
        self.gateway = FakeGateway(self.clock)
        self.denied = denied
        self.origin = origin
        self.addons = AddOns(
            kit_settings(billing={"policy": policy}, receipts={"seller": "Sika POS Ltd"}, **settings),
            clock=self.clock,
            environ={},
            gateways=(self.gateway,),
            profile=lambda business: known if business == SHOP else BusinessProfile(email="other@shop.example"),
        )
        self.web = Web(self.addons, authorize=self._may)
        self.page: Page | None = None

    def _may(self, principal: Principal, action: Action) -> bool:
        assert principal.user_id == "u_1"
        return action not in self.denied

    def close(self) -> None:
        """Let go of everything."""
        self.addons.close()
        self.gateway.close()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        business: str | None = SHOP,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> WebResponse:
        """Send a request; the path may carry a query string."""
        parts = urlsplit(path)
        principal = None if business is None else Principal(business_id=business, user_id="u_1")
        return self.web.dispatch(
            WebRequest(
                method=method,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers=headers or {},
                body=body,
                principal=principal,
                root=ROOT,
                csrf_token=TOKEN,
                origin=self.origin,
            )
        )

    def see(self, path: str = "", *, status: int = 200, business: str | None = SHOP) -> Page:
        """Read a page below ``ai/ui/``."""
        response = self.ask(f"ai/ui/{path}", business=business)
        assert response.status == status, response.body.decode()
        self.page = Page(response)
        return self.page

    def send(self, path: str, *, business: str = SHOP, **fields: str) -> WebResponse:
        """Send a form to an address below ``ai/ui/``."""
        return self.ask(f"ai/ui/{path}", method="POST", business=business, body=urlencode(fields).encode())

    def press(self, button: str, typed: Mapping[str, str] | None = None, *, status: int = 200, **more: str) -> Page:
        """Press a button of the page that was read last, and follow where it leads."""
        assert self.page is not None
        form = self.page.form(button)
        fields = {name: value for name, value in form["fields"].items() if value} | dict(typed or {}) | more
        path = form["action"].removeprefix(ROOT)
        if form["method"] == "get":
            response = self.ask(f"{path}?{urlencode(fields)}")
        else:
            assert form["fields"]["csrfmiddlewaretoken"] == TOKEN
            response = self.ask(path, method="POST", body=urlencode(fields).encode())
        if response.status == 303:
            response = self.ask(response.headers["location"].removeprefix(ROOT))
        assert response.status == status, response.body.decode()
        self.page = Page(response)
        return self.page

    def deaf(self) -> None:
        """The gateway hears nothing from now on."""
        self.gateway.fail_next("lost_request", times=99)

    def heard(self) -> None:
        """The gateway hears again."""
        self.gateway._wire._faults.clear()

    def buy_by_phone(self, pack: str = "VALUE", network: str = "mtn") -> str:
        """Order a pack by Mobile Money; the id of the order."""
        self.see("buy/")
        self.press(f"Choose {pack.capitalize()}")
        price = {"STARTER": "30.00", "QUICK": "30.00", "VALUE": "80.00", "PRO": "180.00"}[pack]
        self.press(f"Pay GHS {price} by phone", phone="024 400 0001", network=network)
        return self.addons.orders.history(SHOP, most=1)[0].id

    def reference(self, order: str) -> str:
        """Our name of the last attempt at an order."""
        return self.addons.orders.find(SHOP, order)[1][-1].reference
