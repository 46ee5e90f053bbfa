"""A shop with a payment gateway behind the endpoints, and what asks them, for the tests of the web layer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ai_addons import AddOns
from ai_addons.billing.profile import BusinessProfile
from ai_addons.testing import ManualClock
from ai_addons.testing.gateway import FakeGateway
from ai_addons.testing.kit import kit_settings
from ai_addons.web import Principal, Web, WebRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.events import Event
    from ai_addons.web import Action, WebResponse
    from ai_addons.web.base import Endpoint

OWNER: Final = Principal(business_id="biz_7", user_id="u_1")
OTHER: Final = Principal(business_id="biz_8", user_id="u_9")
EMAIL: Final = "ama@shop.example"


def profile(business: str) -> BusinessProfile:
    """What the host knows of any business; each has an owner of its own."""
    return BusinessProfile(
        name=f"Shop {business}", email=EMAIL, phone=f"0244{sum(map(ord, business)):06d}", storefronts=3
    )


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, read."""

    status: int
    body: Any
    raw: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def code(self) -> str:
        """Of a problem."""
        return str(self.body["code"])


class Shop:
    """The endpoints of one `AddOns` in memory, with a gateway whose payers do what the test says.

    Args:
        policy: The billing policy.
        web: Settings of the section ``web``.
        authorize: Who may what; all may all, unless given.
        endpoints: Others than the usual ones.
        **settings: Other sections.
    """

    def __init__(
        self,
        policy: str = "prepaid",
        *,
        web: dict[str, Any] | None = None,
        authorize: Callable[[Principal, Action], bool] | None = lambda _principal, action: (
            not action.startswith("admin")
        ),
        endpoints: Sequence[Endpoint] | None = None,
        **settings: Any,
    ) -> None:
        self.clock = ManualClock()
        self.gateway = FakeGateway(self.clock)
        self.events: list[Event] = []
        made = kit_settings(**{"billing": {"policy": policy}, "web": web or {}} | settings)
        self.addons = AddOns(
            made, clock=self.clock, environ={}, gateways=[self.gateway], profile=profile, hooks=[self.events.append]
        )
        self.web = (
            Web(self.addons, authorize=authorize)
            if endpoints is None
            else Web(self.addons, authorize=authorize, endpoints=endpoints)
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: Principal | None = OWNER,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        **more: Any,
    ) -> Told:
        """Ask an endpoint; a body that is not bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json"} | (headers or {})
        request = WebRequest(method=method, path=path, query=query or {}, headers=sent, body=raw, principal=who, **more)
        return read(self.web.dispatch(request))

    def get(self, path: str, **more: Any) -> Told:
        """Ask for something."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Told:
        """Send something."""
        return self.ask("POST", path, {} if body is None else body, **more)

    def buy(self, pack: str = "VALUE", **more: Any) -> Told:
        """Order a pack."""
        return self.post("ai/purchase/", {"pack_type": pack, **more})

    def close(self) -> None:
        """Let go of all of it."""
        self.addons.close()
        self.gateway.close()


def read(answer: WebResponse) -> Told:
    """An answer as a client reads it."""
    is_json = "json" in answer.content_type and answer.body
    return Told(
        status=answer.status,
        body=json.loads(answer.body) if is_json else answer.body.decode(),
        raw=answer.body,
        content_type=answer.content_type,
        headers=dict(answer.headers),
    )
