"""What a gateway says beside what the books say, both ways round."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.billing.gateways.base import AuditableGateway, Dispute, Outcome, Refund, ReturnsGateway
from ai_addons.billing.order_rows import collected, read_attempt
from ai_addons.billing.orders import REFERENCE
from ai_addons.billing.progress import Stage
from ai_addons.billing.sql import purchases as sql
from ai_addons.errors import AddOnsError, GatewayError, StoreUnavailable
from ai_addons.money import MICRO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.billing.applying import Applied, Applying
    from ai_addons.billing.books import Books
    from ai_addons.billing.gateways.base import Charge, Gateway
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sending_back import SendingBack
    from ai_addons.billing.sql import Row

Difference: TypeAlias = Literal["unknown_reference", "not_listed", "amount", "cannot_ask", "quarantined"]
"""The gateway has a payment of ours that the books do not know; it does not list one that they have; it lists another
amount; it could not be asked; a payment waits for an operator."""

DAY: Final = 86_400 * MICRO
FAILURES: Final = 5
"""After so many in a row a gateway is not asked any more: each may cost a timeout."""

# Clocks differ: what lies at the edge of the days looked at may be on one side only.
_EDGE: Final = 3_600 * MICRO
_MOST_OPEN: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One thing that gateway and books do not agree on.

    Attributes:
        what: Which sort.
        reference: The attempt.
        detail: For the operator.
    """

    what: Difference
    reference: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a comparison found.

    Attributes:
        asked: How many attempts the gateways were asked about.
        granted: Orders that were paid and had not been granted; they are now.
        returned: Refunds and disputes, or ends of them, that nobody had told us of; they are booked now.
        abandoned: Orders that nobody paid in time.
        discrepancies: What is left for an operator.
    """

    asked: int
    granted: int
    abandoned: int
    discrepancies: tuple[Discrepancy, ...]
    returned: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is left to an operator."""
        return not self.discrepancies


class Reconciler:
    """Compares the books with the gateways.

    Args:
        books: The open books.
        applying: Applies what was missed.
        back: Asks about refunds and disputes.
    """

    def __init__(self, books: Books, applying: Applying, back: SendingBack) -> None:
        self._books = books
        self._applying = applying
        self._back = back

    def run(self, gateways: Iterable[Gateway], *, days: int, on_progress: OnProgress | None = None) -> Reconciliation:
        """Ask about every attempt that is open, then go through what the gateways list.

        Args:
            gateways: Those of the settings.
            days: How far to look back.
            on_progress: Is told of every payment that was asked about, then of everything that a gateway lists.

        Raises:
            StoreUnavailable: If the database cannot be used; run it again.
        """
        now = self._books.about_now()
        span = now - days * DAY, now
        pass_ = _Pass(self._books, self._applying, self._back, span=span, on_progress=on_progress)
        pass_.ask_about_open()
        for order, code in self._back.work(FAILURES):
            pass_.differ("cannot_ask", "", f"refunds and disputes of order {order}: {code}")
        for gateway in gateways:
            if isinstance(gateway, AuditableGateway):
                pass_.compare(gateway.name, gateway)
            if isinstance(gateway, ReturnsGateway):
                pass_.look_back(gateway.name, gateway)
        for one in self._applying.quarantined(_MOST_OPEN):
            pass_.differ("quarantined", one.reference, f"{one.id} of {one.business}: {one.reason}")
        return Reconciliation(
            asked=pass_.asked,
            granted=pass_.granted,
            abandoned=0,
            discrepancies=tuple(pass_.found),
            returned=pass_.returned,
        )


class _Pass:
    """One comparison."""

    def __init__(
        self,
        books: Books,
        applying: Applying,
        back: SendingBack,
        *,
        span: tuple[int, int],
        on_progress: OnProgress | None,
    ) -> None:
        self._books = books
        self._applying = applying
        self._back = back
        self._since, self._until = span
        self._on_progress = on_progress
        self._failed = Counter[str]()
        self.asked = 0
        self.granted = 0
        self.returned = 0
        self.found: list[Discrepancy] = []

    def differ(self, what: Difference, reference: str, detail: str) -> None:
        """Note what an operator has to see."""
        self.found.append(Discrepancy(what=what, reference=reference, detail=detail))

    def ask_about_open(self) -> None:
        """Look what became of every attempt that has no end yet."""
        stage = Stage(self._on_progress, "payments without an end asked about", self._several_open)
        for row in stage.over(self._open()):
            if self._failed[row.gateway] < FAILURES:
                self._apply(row.gateway, row.reference)

    def _several_open(self) -> int:
        since = {"since": self._since}
        (row,) = self._books.database.read(lambda tx: tx.rows(sql.SEVERAL_UNPAID, since))
        return int(row.attempts)

    def _open(self) -> Iterator[Row]:
        after_at, after = self._since, ""
        while page := self._page(after_at, after):
            yield from page
            after_at, after = page[-1].created_at, page[-1].reference

    def _page(self, after_at: int, after: str) -> list[Row]:
        place = {"since": self._since, "after_at": after_at, "after": after}
        return self._books.database.read(lambda tx: tx.rows(sql.UNPAID_ATTEMPTS, place))

    def _apply(self, gateway: str, reference: str) -> Applied | None:
        self.asked += 1
        try:
            applied = self._applying.apply(reference)
        except StoreUnavailable:
            raise
        except AddOnsError as error:
            # Also where its gateway is not in the settings any more: that keeps nobody else's payment waiting.
            self._failed[gateway] += 1
            self.differ("cannot_ask", reference, error.code)
            return None
        self._failed[gateway] = 0
        self.granted += applied.verdict == "grant"
        return applied

    def compare(self, name: str, gateway: AuditableGateway) -> None:
        """Go through what a gateway lists, and look for what it does not."""
        listed = set[str]()
        try:
            stage = Stage(self._on_progress, f"payments listed by {name} compared")
            for charge in stage.over(gateway.charges(self._since, self._until)):
                listed.add(charge.reference)
                self._compare_one(name, charge)
        except GatewayError as error:
            self.differ("cannot_ask", "", f"{name}: {error.code}")
            return
        asked = {"gateway": name, "since": self._since + _EDGE, "until": self._until}
        rows = self._books.database.read(lambda tx: tx.rows(sql.PAID_ATTEMPTS, asked))
        for row in rows:
            if row.reference not in listed:
                self.differ("not_listed", row.reference, f"paid in the books, not listed by {name}")

    def look_back(self, name: str, gateway: ReturnsGateway) -> None:
        """Book what a gateway lists of refunds and disputes that the books do not know: a webhook was lost."""
        span = self._since, self._until
        try:
            told: Refund | Dispute
            listed = chain[Refund | Dispute](gateway.refunds_between(*span), gateway.disputes_between(*span))
            for told in Stage(self._on_progress, f"refunds and disputes listed by {name} compared").over(listed):
                fate = self._back.hear(told)
                self.returned += fate == "booked"
                if fate == "unknown" and told.reference.startswith(REFERENCE):
                    self.differ("unknown_reference", told.reference, f"{name} sends it back, the books do not know it")
        except GatewayError as error:
            self.differ("cannot_ask", "", f"{name}, refunds and disputes: {error.code}")

    def _compare_one(self, name: str, charge: Charge) -> None:
        if charge.outcome not in {Outcome.PAID, Outcome.REVERSED}:
            return
        named = {"reference": charge.reference}
        rows, released = self._books.database.read(lambda tx: tx.gather((sql.ATTEMPT, named), (sql.RELEASED, named)))
        if not rows:
            # A gateway's account may collect for more than this package.
            if charge.reference.startswith(REFERENCE):
                self.differ("unknown_reference", charge.reference, f"{name} has it, the books do not")
            return
        attempt = read_attempt(rows[0])
        if charge.outcome is Outcome.REVERSED or attempt.state not in {"paid", "quarantined"}:
            self._apply(name, charge.reference)
        elif attempt.state == "paid":
            booked = collected(attempt, released)
            if booked != (charge.amount_minor, charge.currency):
                minor, currency = booked
                self.differ("amount", charge.reference, f"{minor} {currency} booked, {charge.amount_minor} listed")
