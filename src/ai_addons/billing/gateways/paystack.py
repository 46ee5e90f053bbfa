"""Paystack: cards and Mobile Money in Ghana, over its HTTP API (paystack.com/docs/api).

Written to the documentation and to what its test API was seen to answer. Not called here: retrying a refund with the
customer's bank details, resolving a dispute, and the lifetime of checkouts; the dashboard does all three.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, TypeVar

from ai_addons.billing.gateways import _lenient as lenient
from ai_addons.billing.gateways import paystack_answers as answers
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
from ai_addons.clock import SystemClock
from ai_addons.errors import PaymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from ai_addons.billing.gateways._http import Answer, Pairs
    from ai_addons.billing.gateways._lenient import Table
    from ai_addons.billing.gateways.base import Charge, Dispute, GatewayEvent, PaymentRequest, Refund, SavedCard
    from ai_addons.billing.records import Rate
    from ai_addons.clock import Clock
    from ai_addons.money import Money
    from ai_addons.settings import GatewaySettings

_T = TypeVar("_T")

BASE_URL: Final = "https://api.paystack.co"
KEY_VARIABLE: Final = "PAYSTACK_SECRET_KEY"
SIGNATURE: Final = "x-paystack-signature"

_PREFIXES: Final = {"sk_test_": False, "sk_live_": True}
# Vodafone became Telecel and AirtelTigo AT; Paystack kept the old names.
_NETWORKS: Final = {"mtn": "mtn", "telecel": "vod", "at": "atl"}
_LOCAL: Final = re.compile(r"0[0-9]{9}")
# Refusals after which a transaction may stand in Paystack's books all the same.
_CARRIED_OUT: Final = ("duplicate_reference", "processor_error", "api_error")
_PAGE: Final = 100
# A list that goes on for longer is one whose pages are not counted.
_MOST_PAGES: Final = 1_000


class Paystack:
    """Takes Mobile Money and cards with Paystack.

    The first key signs requests; any of them may have signed a webhook, so that a key can be changed without a gap.

    Args:
        settings: Its section of the settings.
        environ: Where the key is looked for if the settings have none.
        transport: What carries the requests, for tests; None for the network.
        clock: Waits between the attempts at a read.
        rate: Not used: Paystack charges in the currency of the price.

    Raises:
        ConfigError: If there is no key that can be one, or an address where it could be read on its way.
    """

    name: str = "paystack"
    live: bool

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        environ: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        rate: Callable[[], Rate] | None = None,
    ) -> None:
        del rate
        self._keys = keys_of(settings.keys, KEY_VARIABLE, environ)
        key, self.live = main_key("Paystack", self._keys, KEY_VARIABLE, _PREFIXES)
        self._currency = settings.currency or "GHS"
        self._api = Api(
            "Paystack",
            settings.base_url or BASE_URL,
            key,
            timeout=seconds_of(settings),
            clock=clock or SystemClock(),
            transport=transport,
        )

    @quiet
    def checkout(self, request: PaymentRequest) -> Checkout:
        """Open a hosted page (initialize).

        Raises:
            GatewayError: If there is none. The reason ``duplicate_reference`` means that the attempt exists: `fetch`
                it; its page is lost, so a new attempt needs a new reference.
            ValueError: For a reference or an amount that cannot be sent.
            ConfigError: For a price in another currency.
        """
        body = {**self._asked(request), "label": request.description, "channels": list(request.methods)}
        if request.return_url is not None:
            body["callback_url"] = request.return_url
        if request.metadata:
            body["metadata"] = dict(request.metadata)
        answer = self._api.write("/transaction/initialize", body)
        data = self._data(answer)
        url = lenient.address(data.get("authorization_url"))
        if url is None or data.get("reference") != request.reference:
            raise self._api.unusable(answer)
        return Checkout(reference=request.reference, url=url, gateway_id=lenient.word(data.get("access_code")))

    @quiet
    def fetch(self, reference: str) -> Charge | None:
        """What became of an attempt (verify); the only basis for credits.

        Raises:
            GatewayError: If it cannot be asked.
        """
        return self._known(reference, f"/transaction/verify/{reference}")

    @quiet
    def check(self, reference: str) -> Charge | None:
        """How far a prompt on a telephone is, ten seconds after it at the earliest; `fetch` decides.

        Raises:
            GatewayError: If it cannot be asked.
        """
        return self._known(reference, f"/charge/{reference}")

    @quiet
    def charge_phone(self, request: PaymentRequest, *, phone: str, network: str) -> Charge:
        """Prompt for Mobile Money on a telephone, which the payer has 180 seconds to approve.

        Args:
            request: What to collect.
            phone: In any way it is written in Ghana.
            network: ``mtn``, ``telecel`` or ``at``.

        Raises:
            PaymentError: For a number or a network that there is not; nothing was sent.
            GatewayError: If it was refused, or nobody can say.
            ValueError: For a reference or an amount that cannot be sent.
            ConfigError: For a price in another currency.
        """
        wallet = {"phone": local_phone(phone), "provider": _provider(network)}
        body = {**self._asked(request), "mobile_money": wallet}
        if request.metadata:
            body["metadata"] = dict(request.metadata)
        return self._charged("/charge", body, request.reference)

    @quiet
    def submit_otp(self, reference: str, otp: str) -> Charge:
        """Give the voucher or code that the payer was sent; a wrong one ends the attempt.

        Raises:
            GatewayError: If it was refused, or nobody can say.
        """
        return self._charged("/charge/submit_otp", {"otp": otp, "reference": reference}, reference)

    @quiet
    def charge_card(self, request: PaymentRequest, card: SavedCard, *, queued: bool = False) -> Charge:
        """Charge a saved card, with the address it was saved with.

        Args:
            request: What to collect; its own address is not used.
            card: From an earlier `Charge`.
            queued: Let Paystack choose the moment, for many charges at a time.

        Raises:
            GatewayError: If it was refused, or nobody can say.
            ValueError: For a reference or an amount that cannot be sent.
            ConfigError: For a price in another currency.
        """
        body = {**self._asked(request), "email": card.email, "authorization_code": card.code}
        if request.metadata:
            # Text here, an object elsewhere: that is how it is documented.
            body["metadata"] = json.dumps(dict(request.metadata))
        if queued:
            body["queue"] = True
        return self._charged("/transaction/charge_authorization", body, request.reference)

    @quiet
    def refund(self, reference: str, amount: Money, *, note: str = "") -> Refund:
        """Send money back; the note is for the merchant's own dashboard.

        Raises:
            GatewayError: If it was refused, or nobody can say.
        """
        body: dict[str, object] = {"transaction": reference, "amount": amount.minor, "currency": amount.currency}
        answer = self._api.write("/refund", body | ({"merchant_note": note} if note else {}))
        return self._read(answer, answers.read_refund(self._data(answer), reference, answer.raw))

    @quiet
    def refunds(self, reference: str) -> tuple[Refund, ...]:
        """Every refund of an attempt, also those from the dashboard; two requests or more.

        Raises:
            GatewayError: If it cannot be asked, or one of them cannot be read.
        """
        found = self._about("/refund", reference)
        return tuple(self._read(page, answers.read_refund(one, reference, answers.kept(one))) for page, one in found)

    @quiet
    def disputes(self, reference: str) -> tuple[Dispute, ...]:
        """Every dispute about an attempt; two requests or more.

        Raises:
            GatewayError: If it cannot be asked, or one of them cannot be read.
        """
        return tuple(
            self._read(page, answers.read_dispute(one, reference)) for page, one in self._about("/dispute", reference)
        )

    def charges(self, since: int, until: int) -> Iterator[Charge]:
        """Every transaction between two instants (UTC microseconds), page by page; those without a name are left out.

        Raises:
            GatewayError: If it cannot be asked.
        """
        span = (("from", lenient.iso(since)), ("to", lenient.iso(until)), ("per_page", str(_PAGE)))
        for _, data in self._pages("/transaction", span):
            if (reference := lenient.named(data.get("reference"))) is not None:
                yield answers.read_charge(data, reference, answers.kept(data))

    def refunds_between(self, since: int, until: int) -> Iterator[Refund]:
        """Every refund between two instants (UTC microseconds), also those from the dashboard, page by page.

        Raises:
            GatewayError: If it cannot be asked, or one of ours cannot be read.
        """
        for page, one in self._pages("/refund", _span(since, until)):
            if (reference := answers.whose(one)) is not None:
                yield self._read(page, answers.read_refund(one, reference, answers.kept(one)))

    def disputes_between(self, since: int, until: int) -> Iterator[Dispute]:
        """Every dispute between two instants (UTC microseconds), page by page.

        Raises:
            GatewayError: If it cannot be asked, or one of ours cannot be read.
        """
        for page, one in self._pages("/dispute", _span(since, until)):
            if (reference := answers.whose(one)) is not None:
                yield self._read(page, answers.read_dispute(one, reference))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Check the HMAC-SHA512 of the raw body, and read what it is about.

        It has no time in it, so an old one can come again: only the books keep it from counting twice.

        Raises:
            BadSignature: If no key of the settings signed it.
        """
        if not signed_by(self._keys, body, [header(headers, SIGNATURE)], "sha512"):
            wrong, remedy = "is not signed with Paystack's secret key", "Compare the key with the dashboard's."
            raise untrusted(wrong, remedy)
        return answers.read_event(body)

    def _asked(self, request: PaymentRequest) -> dict[str, object]:
        check_request("Paystack", request, self._currency)
        return {
            "email": request.email,
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "reference": request.reference,
        }

    def _charged(self, path: str, body: Mapping[str, object], reference: str) -> Charge:
        answer = self._api.write(path, body)
        return self._charge(answer, reference)

    def _known(self, reference: str, path: str) -> Charge | None:
        # One that could never be sent does not exist, and has no place in an address.
        if lenient.named(reference) is None:
            return None
        answer = self._api.read(path)
        return None if _never_heard(answer) else self._charge(answer, reference)

    def _charge(self, answer: Answer, reference: str) -> Charge:
        data = self._data(answer)
        if data.get("reference") != reference:
            raise self._api.unusable(answer)
        return answers.read_charge(data, reference, answer.raw)

    def _data(self, answer: Answer) -> Table:
        """``data`` of an envelope that says true."""
        data = self._envelope(answer).get("data")
        if not lenient.is_table(data):
            raise self._api.unusable(answer)
        return data

    def _envelope(self, answer: Answer) -> Table:
        body = answer.body
        if not answer.ok or body is None or body.get("status") is not True:
            reason = _reason(body or {})
            raise self._api.unusable(answer, reason, carried_out=reason in _CARRIED_OUT)
        return body

    def _read(self, answer: Answer, value: _T | None) -> _T:
        if value is None:
            raise self._api.unusable(answer)
        return value

    def _about(self, path: str, reference: str) -> Iterator[tuple[Answer, Table]]:
        """What a list holds about an attempt: asked for by its number, and looked through here all the same."""
        if lenient.named(reference) is None:
            return
        answer = self._api.read(f"/transaction/verify/{reference}")
        if _never_heard(answer):
            return
        data = self._data(answer)
        number = lenient.whole(data.get("id"))
        begun = lenient.instant(data.get("created_at"))
        query = [("perPage", str(_PAGE))]
        query += [("transaction", str(number))] if number is not None else []
        query += [("from", lenient.iso(begun))] if begun is not None else []
        for page, one in self._pages(path, query):
            if answers.about(one, reference, number):
                yield page, one

    def _pages(self, path: str, query: Pairs) -> Iterator[tuple[Answer, Table]]:
        """The items of a list, until a page is empty or the last."""
        before: object = None
        number = 0
        while True:
            number += 1
            answer = self._api.read(path, [*query, ("page", str(number))])
            body = self._envelope(answer)
            found = self._read(answer, lenient.rows(body.get("data")))
            if found and (found == before or number == _MOST_PAGES):
                raise self._api.unusable(answer, "pages_without_end")
            yield from ((answer, one) for one in found)
            last = lenient.whole(lenient.table(body.get("meta")).get("pageCount"))
            if not found or (last and number >= last):
                return
            before = found


def local_phone(phone: str) -> str:
    """A Ghanaian telephone number in the form that Paystack documents.

    Raises:
        PaymentError: If it is none. The number is not repeated.

    >>> local_phone("+233 55 123-4987")
    '0551234987'
    """
    digits = re.sub(r"[\s()-]", "", phone)
    local = re.sub(r"^(?:\+|00)?233(?:0(?=[0-9]{9}$))?", "0", digits)
    if not _LOCAL.fullmatch(local):
        msg = "This is no Ghanaian telephone number. Nothing was sent. Write it like 0551234987."
        raise PaymentError(msg)
    return local


def _span(since: int, until: int) -> Pairs:
    """What is begun between two instants, as refunds and disputes are asked for."""
    return [("from", lenient.iso(since)), ("to", lenient.iso(until)), ("perPage", str(_PAGE))]


def _provider(network: str) -> str:
    if network not in _NETWORKS:
        msg = f"There is no Mobile Money network of that name. Nothing was sent. Choose {', '.join(_NETWORKS)}."
        raise PaymentError(msg)
    return _NETWORKS[network]


def _reason(body: Table) -> str:
    """Paystack's own code; its documentation disagrees on whether ``code`` or ``type`` holds it."""
    told = lenient.code(body.get("message"))
    if told.casefold() == "duplicate transaction reference":
        return "duplicate_reference"
    return lenient.code(body.get("code"), body.get("type")) or told


def _never_heard(answer: Answer) -> bool:
    """Whether Paystack says that there is no such transaction; any other 404 may come from something between."""
    body = answer.body or {}
    named = "transaction_not_found" in (body.get("code"), body.get("type"))
    told = lenient.said(body.get("message")).rstrip(".").casefold() == "transaction reference not found"
    return answer.status in (400, 404) and (named or told)
