"""The calls of Paystack's API that the SDK makes, answered from a `Desk`."""

from __future__ import annotations

import hmac
import re
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import unquote

from ai_addons.billing.gateways.fake import collecting, returning
from ai_addons.billing.gateways.fake.refusals import Refusal, Refused
from ai_addons.billing.gateways.fake.wire import Answer, envelope, json_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.billing.gateways.fake.desk import Desk

Fault: TypeAlias = Literal["lost_request", "lost_answer"] | int
"""How a request goes wrong: it never arrives, its answer never does, or it is answered with this HTTP status."""

_ROUTES: Final[Sequence[tuple[str, str, Callable[..., Answer]]]] = (
    ("POST", "/transaction/initialize", collecting.initialize),
    ("GET", "/transaction/verify/([^/]+)", collecting.verify),
    ("GET", "/transaction", collecting.transactions),
    ("POST", "/transaction/charge_authorization", collecting.charge_authorization),
    ("POST", "/charge", collecting.charge),
    ("POST", "/charge/submit_otp", collecting.submit_otp),
    ("GET", "/charge/([^/]+)", collecting.check),
    ("POST", "/refund", returning.refund),
    ("GET", "/refund", returning.refunds),
    ("GET", "/refund/([^/]+)", returning.one_refund),
    ("POST", "/refund/retry_with_customer_details/([^/]+)", returning.retry_refund),
    ("GET", "/dispute", returning.disputes),
    ("GET", "/dispute/transaction/([^/]+)", returning.dispute_of),
    ("GET", "/dispute/([^/]+)", returning.one_dispute),
    ("PUT", "/dispute/([^/]+)/resolve", returning.resolve),
)


class PaystackApi:
    """Paystack's side of the wire.

    Args:
        desk: What it works on.
        key: The secret key that callers must show.
    """

    def __init__(self, desk: Desk, *, key: str) -> None:
        self._desk = desk
        self._key = key
        self._faults: list[Fault] = []

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Let the next requests go wrong."""
        self._faults.extend(repeat(fault, times))

    def answer(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer | None:
        """Answer one request; None if the connection breaks instead.

        Args:
            method: ``GET``, ``POST`` or ``PUT``.
            path: Without the query.
            query: Its parameters.
            headers: With names in lower case.
            body: As it came.
        """
        fault = self._faults.pop(0) if self._faults else None
        if fault == "lost_request":
            return None
        if isinstance(fault, int):
            return envelope(fault, "An error occurred", status=False, code="api_error")
        answered = self._authorised(method, path, query, headers, body)
        return None if fault == "lost_answer" else answered

    def _authorised(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        try:
            self._check_key(headers.get("authorization", ""))
            call = self._route(method, path)
            with self._desk.lock:
                return call(dict(query) if method == "GET" else json_object(body))
        except Refused as refused:
            return envelope(refused.status, refused.message, status=False, code=refused.code)

    def _check_key(self, shown: str) -> None:
        if not hmac.compare_digest(shown.encode(), f"Bearer {self._key}".encode()):
            raise Refused(Refusal.INVALID_KEY)

    def _route(self, method: str, path: str) -> Callable[[dict[str, Any]], Answer]:
        for verb, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found is not None:
                return partial(handler, self._desk, *map(unquote, found.groups()))
        raise Refused(Refusal.UNKNOWN_CALL)
