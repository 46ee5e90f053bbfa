"""Stripe: cards, on its hosted Checkout page, over its HTTP API (docs.stripe.com/api).

Written to the documentation; no request of it has been made to a real account yet. Stripe lists no cedis for accounts
in the United States, so a price in GHS is charged in US dollars, by a fresh rate or not at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from ai_addons.billing.gateways import _lenient as lenient
from ai_addons.billing.gateways import stripe_answers as answers
from ai_addons.billing.gateways._http import (
    Api,
    check_request,
    header,
    keys_of,
    main_key,
    quiet,
    seconds_of,
    signed_by,
    untrusted,
)
from ai_addons.billing.gateways.base import Checkout
from ai_addons.billing.gateways.conversion import in_dollars, share
from ai_addons.clock import SystemClock
from ai_addons.errors import ConfigError, PaymentError, StaleRate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from ai_addons.billing.gateways._http import Answer, Pairs
    from ai_addons.billing.gateways._lenient import Table
    from ai_addons.billing.gateways.base import Charge, Dispute, GatewayEvent, PaymentRequest, Refund
    from ai_addons.billing.records import Rate
    from ai_addons.clock import Clock
    from ai_addons.money import Money
    from ai_addons.settings import GatewaySettings

_T = TypeVar("_T")

BASE_URL: Final = "https://api.stripe.com"
KEY_VARIABLE: Final = "STRIPE_SECRET_KEY"
WEBHOOK_VARIABLE: Final = "STRIPE_WEBHOOK_SECRET"
VERSION: Final = "2024-06-20"
"""The version of the API that the answers are read by, whatever the account is set to."""

TOLERANCE: Final = 300
"""Seconds a webhook may be old, or ahead of this machine's clock."""

_PREFIXES: Final = {"sk_test_": False, "rk_test_": False, "sk_live_": True, "rk_live_": True}
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,255}")
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_PAYMENT: Final = "payment_intent.latest_charge.balance_transaction"
# A clock may be wrong by an hour; a session can be opened for as long as its idempotency key is kept, a day.
_BEFORE: Final = 3_600
_AFTER: Final = 25 * 3_600
# Refusals of a request whose idempotency key was seen before.
_CARRIED_OUT: Final = frozenset({"idempotency_key_in_use", "idempotency_error"})
_PAGE: Final = 100
_MOST_PAGES: Final = 200


class Stripe:
    """Takes cards with Stripe.

    Args:
        settings: Its section of the settings.
        environ: Where the key and the webhook's secret are looked for if the settings have none.
        transport: What carries the requests, for tests; None for the network.
        clock: Ages of webhooks and rates, and waits between the attempts at a read.
        rate: A fresh rate for prices in cedis; it raises `StaleRate` if it has none.

    Raises:
        ConfigError: If there is no key that can be one, or an address where it could be read on its way.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        environ: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        rate: Callable[[], Rate] | None = None,
    ) -> None:
        self.live: bool
        key, self.live = main_key("Stripe", keys_of(settings.keys, KEY_VARIABLE, environ), KEY_VARIABLE, _PREFIXES)
        self.name = "stripe"
        self._webhook_secrets = keys_of(settings.webhook_secrets, WEBHOOK_VARIABLE, environ)
        self._currency = settings.currency or "USD"
        self._clock, self._rate = clock or SystemClock(), rate
        self._api = Api(
            "Stripe",
            settings.base_url or BASE_URL,
            key,
            timeout=seconds_of(settings),
            clock=self._clock,
            headers={"Stripe-Version": VERSION},
            transport=transport,
        )

    @quiet
    def checkout(self, request: PaymentRequest) -> Checkout:
        """Open a hosted page. Sent again within a day it gives the same page, as long as nothing of it differs.

        Returns:
            The page, what is charged and, for a price in cedis, by which rate: keep both, `fetch` tells the former.

        Raises:
            GatewayError: If there is none; whether the attempt exists is then for `fetch` to say.
            StaleRate: If a price in cedis has no fresh rate.
            PaymentError: If the payer does not want to pay by card.
            ValueError: For a reference or an amount that cannot be sent, or no address to come back to.
            ConfigError: For a price that cannot be charged in the currency of the settings.
        """
        check_request("Stripe", request, None)
        if "card" not in request.methods:
            msg = "Stripe takes cards only. Nothing was charged. Choose another way to pay."
            raise PaymentError(msg)
        charged, rate = self._charged(request.amount)
        form = [*_form(request, charged), *_price_form(request.amount, rate)]
        answer = self._api.write_form("/v1/checkout/sessions", form, idempotency_key=request.reference)
        session = self._object(answer)
        url, name = lenient.address(session.get("url")), lenient.word(session.get("id"))
        if url is None or name is None or session.get("client_reference_id") != request.reference:
            raise self._api.unusable(answer)
        return Checkout(reference=request.reference, url=url, gateway_id=name, charged=charged, rate=rate)

    @quiet
    def fetch(self, reference: str, *, gateway_id: str | None = None) -> Charge | None:
        """What became of an attempt; the only basis for credits.

        Stripe knows sessions by its own name. Without it, those of the day after the reference was made are looked
        through for ours; a reference without a UUIDv7 at its end has all sessions looked through.

        Args:
            reference: Our name of the attempt.
            gateway_id: Stripe's name of it, from its `Checkout`, for one request in place of two or more.

        Raises:
            GatewayError: If it cannot be asked, or if that session is another's.
        """
        found = self._session(reference, gateway_id)
        return None if found is None else answers.read_session(found[1], reference, found[0].raw)

    @quiet
    def close_checkout(self, reference: str) -> None:
        """Close the page of an attempt (expire the session), so that nobody can pay there any more.

        Raises:
            GatewayError: If it cannot be closed, or is paid or closed already: `fetch` tells.
        """
        name = self._find(reference)
        if name is not None:
            path = f"/v1/checkout/sessions/{name}/expire"
            self._object(self._api.write_form(path, [], idempotency_key=f"{reference}-expire"))

    @quiet
    def refund(self, reference: str, amount: Money, *, note: str = "") -> Refund:
        """Send money back.

        Args:
            reference: Our name of the attempt.
            amount: In the currency that was charged; or in that of the price, and the same share of what was charged
                goes back, by the rate of then.
            note: Kept at Stripe beside it.

        Raises:
            GatewayError: If it was refused, or nobody can say.
            PaymentError: If there is nothing of that attempt to send back.
        """
        found = self._session(reference, None)
        intent = answers.intent_id(found[1]) if found is not None else None
        if found is None or intent is None:
            msg = "There is no payment to refund. Nothing was sent back. Look at the order."
            raise PaymentError(msg)
        session = found[1]
        gone = lenient.whole(answers.latest_charge(session).get("amount_refunded")) or 0
        minor = _to_refund(session, amount, gone)
        form = [("payment_intent", intent), ("amount", str(minor)), ("metadata[reference]", reference)]
        form += [("metadata[note]", note)] if note else []
        # What is gone already tells a second refund of one amount from the first, sent again.
        answer = self._api.write_form("/v1/refunds", form, idempotency_key=f"{reference}-refund-{gone}-{minor}")
        return self._read(answer, answers.read_refund(self._object(answer), reference, answer.raw))

    @quiet
    def refunds(self, reference: str) -> tuple[Refund, ...]:
        """Every refund of an attempt, also those from the dashboard.

        Raises:
            GatewayError: If it cannot be asked, or one of them cannot be read.
        """
        found = self._about("/v1/refunds", reference)
        return tuple(self._read(page, answers.read_refund(one, reference, answers.kept(one))) for page, one in found)

    @quiet
    def disputes(self, reference: str) -> tuple[Dispute, ...]:
        """Every dispute about an attempt.

        Raises:
            GatewayError: If it cannot be asked, or one of them cannot be read.
        """
        found = self._about("/v1/disputes", reference)
        return tuple(self._read(page, answers.read_dispute(one, reference)) for page, one in found)

    def charges(self, since: int, until: int) -> Iterator[Charge]:
        """Every session that was opened between two instants (UTC microseconds), page by page.

        Raises:
            GatewayError: If it cannot be asked.
        """
        span = [("created[gte]", str(since // 1_000_000)), ("created[lte]", str(until // 1_000_000))]
        for _, session in self._pages("/v1/checkout/sessions", [*span, ("expand[]", f"data.{_PAYMENT}")]):
            if (reference := lenient.named(session.get("client_reference_id"))) is not None:
                yield answers.read_session(session, reference, answers.kept(session))

    def refunds_between(self, since: int, until: int) -> Iterator[Refund]:
        """Every refund that was begun between two instants (UTC microseconds), also in the dashboard, page by page.

        Raises:
            GatewayError: If it cannot be asked, or one of ours cannot be read.
        """
        for page, one in self._going_back("/v1/refunds", since, until):
            if (reference := answers.whose(one)) is not None:
                yield self._read(page, answers.read_refund(one, reference, answers.kept(one)))

    def disputes_between(self, since: int, until: int) -> Iterator[Dispute]:
        """Every dispute that was opened between two instants (UTC microseconds), page by page.

        Raises:
            GatewayError: If it cannot be asked, or one of ours cannot be read.
        """
        for page, one in self._going_back("/v1/disputes", since, until):
            if (reference := answers.whose(one)) is not None:
                yield self._read(page, answers.read_dispute(one, reference))

    def _going_back(self, path: str, since: int, until: int) -> Iterator[tuple[Answer, Table]]:
        span = [("created[gte]", str(since // 1_000_000)), ("created[lte]", str(until // 1_000_000))]
        # The payment has our reference, whoever began the refund.
        return self._pages(path, [*span, ("expand[]", "data.payment_intent")])

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Check the signature over time and raw body, and read what it is about.

        Raises:
            BadSignature: If no secret of the settings signed it, or it is more than five minutes old or ahead.
        """
        parts = [part.strip().partition("=") for part in header(headers, "stripe-signature").split(",")]
        times = [value for name, _, value in parts if name == "t"]
        signatures = [value for name, _, value in parts if name == "v1"]
        if len(times) != 1 or not _SECONDS.fullmatch(times[0]):
            wrong, remedy = "has no proper stripe-signature header", "Drop it."
            raise untrusted(wrong, remedy)
        if not signed_by(self._webhook_secrets, times[0].encode() + b"." + body, signatures, "sha256"):
            wrong, remedy = "carries no signature by a known secret", "Compare the secret with the dashboard's."
            raise untrusted(wrong, remedy)
        if abs(self._clock.now() // 1_000_000 - int(times[0])) > TOLERANCE:
            wrong, remedy = "is too old or from the future", "Compare this machine's clock; a real one is sent again."
            raise untrusted(wrong, remedy)
        return answers.read_event(body)

    def _charged(self, price: Money) -> tuple[Money, Rate | None]:
        """What the payer is charged for a price, and the rate if it is in another currency."""
        if price.currency == self._currency:
            return price, None
        if (price.currency, self._currency) != ("GHS", "USD"):
            msg = f"No price in {price.currency} can be charged in {self._currency}. Nothing was charged."
            raise ConfigError(msg)
        if self._rate is None:
            raise StaleRate
        rate = self._rate()
        return in_dollars(price, rate, now=self._clock.now()), rate

    def _session(self, reference: str, gateway_id: str | None) -> tuple[Answer, Table] | None:
        """A session with its payment; None if there is none of that reference."""
        name = gateway_id if gateway_id is not None else self._find(reference)
        if name is None:
            return None
        if not _NAME.fullmatch(name):
            msg = "that is no name of a Checkout session"
            raise ValueError(msg)
        answer = self._api.read(f"/v1/checkout/sessions/{name}", [("expand[]", _PAYMENT)])
        session = self._object(answer)
        if session.get("client_reference_id") != reference:
            raise self._api.unusable(answer, "another_reference")
        return answer, session

    def _find(self, reference: str) -> str | None:
        if lenient.named(reference) is None:
            return None
        begun = answers.begun_at(reference)
        span: list[tuple[str, str]] = []
        if begun is not None:
            span = [("created[gte]", str(begun - _BEFORE)), ("created[lte]", str(begun + _AFTER))]
        for answer, session in self._pages("/v1/checkout/sessions", span):
            if session.get("client_reference_id") == reference:
                return self._read(answer, lenient.word(session.get("id")))
        return None

    def _about(self, path: str, reference: str) -> Iterator[tuple[Answer, Table]]:
        found = self._session(reference, None)
        intent = answers.intent_id(found[1]) if found is not None else None
        if intent is not None:
            yield from self._pages(path, [("payment_intent", intent)])

    def _pages(self, path: str, query: Pairs) -> Iterator[tuple[Answer, Table]]:
        """The items of a list, the newest first."""
        after: list[tuple[str, str]] = []
        number = 0
        while True:
            number += 1
            answer = self._api.read(path, [*query, ("limit", str(_PAGE)), *after])
            body = self._object(answer)
            found = self._read(answer, lenient.rows(body.get("data")))
            yield from ((answer, one) for one in found)
            if body.get("has_more") is not True:
                return
            before = after
            after = [("starting_after", self._read(answer, lenient.word(found[-1].get("id")) if found else None))]
            if after == before or number == _MOST_PAGES:
                raise self._api.unusable(answer, "pages_without_end")

    def _object(self, answer: Answer) -> Table:
        body = answer.body
        if not answer.ok or body is None or not isinstance(body.get("object"), str):
            error = lenient.table((body or {}).get("error"))
            names = (error.get("code"), error.get("type"))
            reason = lenient.code(*names, error.get("message"))
            raise self._api.unusable(answer, reason, carried_out=not _CARRIED_OUT.isdisjoint(map(str, names)))
        return body

    def _read(self, answer: Answer, value: _T | None) -> _T:
        if value is None:
            raise self._api.unusable(answer)
        return value


def _form(request: PaymentRequest, charged: Money) -> Iterator[tuple[str, str]]:
    """The form of a session for one thing at one price."""
    if request.return_url is None:
        msg = "a hosted page needs a return_url"
        raise ValueError(msg)
    yield "mode", "payment"
    yield "success_url", _back(request.return_url, request.reference, "&session_id={CHECKOUT_SESSION_ID}")
    yield "cancel_url", _back(request.return_url, request.reference, "")
    yield "client_reference_id", request.reference
    yield "customer_email", request.email
    yield "payment_method_types[0]", "card"
    yield "line_items[0][quantity]", "1"
    yield "line_items[0][price_data][currency]", charged.currency.lower()
    yield "line_items[0][price_data][unit_amount]", str(charged.minor)
    yield "line_items[0][price_data][product_data][name]", request.description
    for name, value in request.metadata.items():
        if name != "reference":
            yield f"metadata[{name}]", value
    # On the payment too: what is refunded or disputed later knows the payment only.
    for place in ("metadata", "payment_intent_data[metadata]"):
        yield f"{place}[reference]", request.reference


def _price_form(price: Money, rate: Rate | None) -> Iterator[tuple[str, str]]:
    """The price in cedis and the rate, kept beside the payment."""
    if rate is not None:
        yield "metadata[price_minor]", str(price.minor)
        yield "metadata[price_currency]", price.currency
        yield "metadata[rate_scaled]", str(rate.scaled)
        yield "metadata[rate_day]", rate.day.isoformat()
        yield "metadata[rate_source]", rate.source


def _back(url: str, reference: str, more: str) -> str:
    """Where the browser comes back to, with our reference; the braces of Stripe's place-holder stay as they are."""
    address, hash_sign, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}reference={reference}{more}{hash_sign}{fragment}"


def _to_refund(session: Table, amount: Money, gone: int) -> int:
    """How much goes back, in minor units of what was charged."""
    total, kept = lenient.whole(session.get("amount_total")), lenient.table(session.get("metadata"))
    if amount.currency == lenient.currency(session.get("currency")):
        return amount.minor
    price = lenient.whole(kept.get("price_minor"))
    if total is None or not price or amount.currency != kept.get("price_currency"):
        msg = f"This payment was not made in {amount.currency}. Nothing was sent back. Look at the order."
        raise PaymentError(msg)
    # Shares that are rounded up must not come to more than there is.
    return min(share(amount.minor, of=price, whole=total), max(total - gone, 1))
