"""A small client of Paystack's protocol, for the fake gateway; it trusts what it is told and tries nothing twice."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import httpx

from ai_addons.billing.gateways.base import (
    Charge,
    Checkout,
    Dispute,
    GatewayEvent,
    Outcome,
    Refund,
    RefundOutcome,
    SavedCard,
)
from ai_addons.billing.gateways.fake.server import KEY, PORT
from ai_addons.errors import BadSignature, GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.billing.gateways.base import Method, NextStep, PaymentRequest
    from ai_addons.clock import Clock
    from ai_addons.money import Money

_TIMEOUT_SECONDS: Final = 10.0
_NOT_FOUND: Final = 404
_SERVER_ERRORS: Final = 500
_NETWORKS: Final = {"mtn": "mtn", "telecel": "vod", "at": "atl"}
_PENDING: Final = (
    *("abandoned", "ongoing", "pending", "processing", "queued", "pay_offline"),
    *("send_otp", "send_pin", "send_phone", "send_birthday", "send_address", "open_url"),
)
_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "success": Outcome.PAID,
    "failed": Outcome.FAILED,
    "reversed": Outcome.REVERSED,
    **dict.fromkeys(_PENDING, Outcome.PENDING),
}
_REFUNDS: Final[Mapping[str, RefundOutcome]] = {
    "pending": RefundOutcome.PENDING,
    "processing": RefundOutcome.PENDING,
    "processed": RefundOutcome.DONE,
    "failed": RefundOutcome.FAILED,
    "needs-attention": RefundOutcome.NEEDS_ATTENTION,
}
_NEXT: Final[Mapping[str, NextStep]] = {"pay_offline": "approve_on_phone", "send_otp": "enter_otp"}
_METHODS: Final[Mapping[str, Method]] = {"mobile_money": "mobile_money", "card": "card"}


Topic: TypeAlias = Literal["payment", "refund", "dispute"]


class _Addressed(Protocol):
    """Settings that may say where the fake gateway listens."""

    @property
    def base_url(self) -> str | None: ...


class FakePaystack:
    """The gateway ``fake``: Paystack's protocol against a `FakeGatewayServer`.

    Args:
        base_url: Where it listens.
        key: Its secret key.
        transport: Another way there than the network.
    """

    name: str = "fake"
    live: bool = False

    def __init__(self, base_url: str, *, key: str = KEY, transport: httpx.BaseTransport | None = None) -> None:
        self._key = key
        self._http = httpx.Client(
            base_url=base_url,
            headers={"authorization": f"Bearer {key}"},
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
            trust_env=False,
        )
        self.live = key.startswith("sk_live_")

    def __repr__(self) -> str:
        """Without the key."""
        return f"{type(self).__name__}({str(self._http.base_url)!r})"

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def checkout(self, request: PaymentRequest) -> Checkout:
        """Open a page on which the payer pays; see `Gateway`."""
        body = _payment(request) | {"channels": list(request.methods)}
        if request.return_url is not None:
            body["callback_url"] = request.return_url
        data = self._call("POST", "/transaction/initialize", body)["data"]
        return Checkout(reference=data["reference"], url=data["authorization_url"], gateway_id=data["access_code"])

    def fetch(self, reference: str) -> Charge | None:
        """What became of an attempt; see `Gateway`."""
        try:
            return charge_in(self._call("GET", f"/transaction/verify/{reference}")["data"])
        except GatewayError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Check a webhook and read what it is about; see `Gateway`."""
        shown = {name.lower(): value for name, value in headers.items()}.get("x-paystack-signature", "")
        wanted = hmac.new(self._key.encode(), body, hashlib.sha512).hexdigest()
        if not hmac.compare_digest(shown.encode(), wanted.encode()):
            raise BadSignature
        return _event(body)

    def refund(self, reference: str, amount: Money, *, note: str = "") -> Refund:
        """Send money back; see `Gateway`."""
        asked = {"transaction": reference, "amount": amount.minor, "currency": amount.currency, "merchant_note": note}
        return _refund(self._call("POST", "/refund", asked)["data"], reference)

    def charge_phone(self, request: PaymentRequest, *, phone: str, network: str) -> Charge:
        """Prompt the payer; see `PhoneGateway`."""
        wallet = {"phone": _local(phone), "provider": _NETWORKS.get(network, network)}
        return charge_in(self._call("POST", "/charge", _payment(request) | {"mobile_money": wallet})["data"])

    def submit_otp(self, reference: str, otp: str) -> Charge:
        """Give the code that the payer was sent; see `PhoneGateway`."""
        return charge_in(self._call("POST", "/charge/submit_otp", {"reference": reference, "otp": otp})["data"])

    def charge_card(self, request: PaymentRequest, card: SavedCard) -> Charge:
        """Charge a card with nobody present; see `CardGateway`."""
        body = _payment(request) | {"authorization_code": card.code, "email": card.email}
        body["metadata"] = json.dumps(body["metadata"])
        return charge_in(self._call("POST", "/transaction/charge_authorization", body)["data"])

    def charges(self, since: int, until: int) -> Iterator[Charge]:
        """Every attempt between two instants; see `AuditableGateway`."""
        page, count = 1, 1
        while page <= count:
            query = {"from": _iso(since), "to": _iso(until), "per_page": "50", "page": str(page)}
            found = self._call("GET", "/transaction", query=query)
            yield from map(charge_in, found["data"])
            page, count = page + 1, found["meta"]["pageCount"]

    def refunds(self, reference: str) -> tuple[Refund, ...]:
        """Every refund of an attempt; see `AuditableGateway`."""
        rows = self._call("GET", "/refund", query={"transaction": reference, "perPage": "100"})["data"]
        return tuple(_refund(row, reference) for row in rows)

    def disputes(self, reference: str) -> tuple[Dispute, ...]:
        """Every dispute about an attempt; see `AuditableGateway`."""
        rows = self._call("GET", "/dispute", query={"transaction": reference, "perPage": "100"})["data"]
        return tuple(_dispute(row) for row in rows)

    def _call(self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  # JSON
        writes = method != "GET"
        try:
            response = self._http.request(method, path, json=body, params=query)
            answer = response.json()
        except (httpx.HTTPError, ValueError):
            # Whatever was under way names the address and the headers; the message does not.
            raise GatewayError(may_exist=writes) from None
        if response.is_success and answer.get("status") is True:
            return answer
        said = f"The fake gateway refused: {answer.get('message')}. Nothing was granted."
        raise GatewayError(
            said,
            status=response.status_code,
            reason=str(answer.get("code", "")),
            may_exist=writes and response.status_code >= _SERVER_ERRORS,
        )


def from_settings(
    settings: _Addressed,
    *,
    environ: Mapping[str, str] | None = None,  # noqa: ARG001  # every gateway is made with the same arguments
    transport: httpx.BaseTransport | None = None,
    clock: Clock | None = None,  # noqa: ARG001  # as above
    rate: object = None,  # noqa: ARG001  # as above
) -> FakePaystack:
    """The gateway ``fake`` as the settings have it.

    Args:
        settings: Its ``base_url``, if it does not listen on the port it has by itself.
        environ: Not used: its key is no secret.
        transport: Another way there than the network.
        clock: Not used.
        rate: Not used: it takes cedis.
    """
    url = settings.base_url or f"http://127.0.0.1:{PORT}"
    return FakePaystack(url, transport=transport)


def charge_in(data: dict[str, Any]) -> Charge:
    """A transaction or a step of a charge, in our words."""
    status = data["status"]
    domain = data.get("domain")
    return Charge(
        reference=data["reference"],
        outcome=_OUTCOMES.get(status, Outcome.UNKNOWN),
        raw_status=status,
        amount_minor=data.get("amount"),
        requested_minor=data.get("requested_amount"),
        currency=data.get("currency"),
        live=None if domain is None else domain == "live",
        method=_METHODS.get(str(data.get("channel"))),
        fees_minor=data.get("fees"),
        reason=data.get("display_text") or data.get("message") or data.get("gateway_response") or "",
        paid_at=_micros(data.get("paid_at")),
        next_step=_NEXT.get(status),
        card=_card(data),
        raw=json.dumps(data),
    )


def _local(phone: str) -> str:
    """A number as it is dialled in Ghana; what is none stays, and is refused at the other side."""
    digits = re.sub(r"[\s-]", "", phone)
    return re.sub(r"^\+?233(?=\d{9}$)", "0", digits)


def _payment(request: PaymentRequest) -> dict[str, Any]:
    return {
        "reference": request.reference,
        "amount": request.amount.minor,
        "currency": request.amount.currency,
        "email": request.email,
        "metadata": {"description": request.description, **request.metadata},
    }


def _card(data: dict[str, Any]) -> SavedCard | None:
    found: dict[str, Any] = data.get("authorization") or {}
    if found.get("reusable") is not True:
        return None
    return SavedCard(
        code=found["authorization_code"],
        email=data["customer"]["email"],
        brand=found["brand"],
        last4=found["last4"],
        expires=f"{found['exp_month']}/{found['exp_year']}",
    )


def _refund(data: dict[str, Any], reference: str) -> Refund:
    return Refund(
        id=str(data["id"]),
        reference=reference,
        amount_minor=int(data["amount"]),
        currency=data["currency"],
        outcome=_REFUNDS.get(data["status"], RefundOutcome.UNKNOWN),
        raw=json.dumps(data),
    )


def _dispute(data: dict[str, Any]) -> Dispute:
    is_open = data["status"] != "resolved"
    return Dispute(
        id=str(data["id"]),
        reference=data["transaction"]["reference"],
        open=is_open,
        lost=None if is_open else data["resolution"] != "declined",
        amount_minor=data["refund_amount"],
        currency=data["currency"],
        due_at=_micros(data["dueAt"]),
    )


def _event(body: bytes) -> GatewayEvent:
    """What a webhook is about; of a body that names no event, nothing."""
    name, data = _read(body)
    topic, reference = _about(name, data)
    which = data.get("id") or data.get("refund_reference") or reference or hashlib.sha256(body).hexdigest()
    key = f"{name}:{which}:{data.get('status')}"
    return GatewayEvent(key=key, name=name, topic=topic, reference=reference, body=body)


def _about(name: str, data: dict[str, Any]) -> tuple[Topic | None, str | None]:
    """What there is to ask about, and where this kind of event has the reference."""
    if name.startswith("charge.dispute."):
        return "dispute", data["transaction"]["reference"]
    if name.startswith("refund."):
        return "refund", data["transaction_reference"]
    return ("payment", data["reference"]) if name == "charge.success" else (None, None)


def _read(body: bytes) -> tuple[str, dict[str, Any]]:
    """Name and data of an event; nothing of what is no event."""
    try:
        read = json.loads(body)
        return read["event"], dict(read["data"])
    except (ValueError, TypeError, KeyError):
        return "", {}


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="milliseconds")


def _micros(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1_000) * 1_000
