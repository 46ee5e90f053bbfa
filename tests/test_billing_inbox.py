"""Webhooks of gateways: forged, repeated, out of order, about nothing of ours; and gateways that cannot be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.gateways.base import RefundOutcome
from ai_addons.billing.inbox import KEPT, MOST_TRIES, Worked, backoff, body_text
from ai_addons.errors import BadSignature, GatewayError, NotFound, StoreUnavailable
from ai_addons.events import OperatorAlert
from tests.books import Books, new_database
from tests.scripted_gateway import Till, webhook

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


def inbox(till: Till) -> list[tuple[Any, ...]]:
    """What the inbox holds: name, times seen, tries, whether it is done, error."""
    rows = till.books.sql(
        "SELECT name, seen, tries, processed_at IS NOT NULL, error FROM ai_gateway_events ORDER BY gateway, key"
    )
    return [(name, seen, tries, bool(done), error) for name, seen, tries, done, error in rows]


def test_a_webhook_makes_us_ask_and_grants() -> None:
    """It is kept first, and what it says is not believed."""
    till = Till()
    payment = till.start()
    till.orders.receive("scripted", *webhook(payment.attempt.reference))
    assert inbox(till) == [("charge.success", 1, 0, False, None)]
    assert till.orders.work_inbox() == Worked(done=1)
    assert till.balance() == "0"

    till.gateway.pay(payment.attempt.reference)
    # Byte for byte the same message: due again, because its key is not unique for certain.
    till.orders.receive("scripted", *webhook(payment.attempt.reference))
    assert inbox(till) == [("charge.success", 2, 0, False, None)]
    assert till.orders.work_inbox() == Worked(done=1)
    assert till.orders.work_inbox() == Worked()
    assert (till.balance(), inbox(till)) == ("100", [("charge.success", 2, 1, True, None)])


@pytest.mark.parametrize(("headers", "more"), [({}, b""), (webhook("aia-1")[0], b" "), ({"x-signature": "0"}, b"")])
def test_a_forged_webhook_is_refused_and_not_kept(headers: dict[str, str], more: bytes) -> None:
    """No signature, another body, another signature."""
    till = Till()
    with pytest.raises(BadSignature) as told:
        till.orders.receive("scripted", headers, webhook("aia-1")[1] + more)
    assert told.value.http_status == 401
    assert inbox(till) == []


def test_a_webhook_for_a_gateway_that_is_not_there_is_not_found() -> None:
    """Whatever its path says."""
    with pytest.raises(NotFound):
        Till().orders.receive("other", *webhook("aia-1"))


@pytest.mark.parametrize(
    ("reference", "topic", "error"),
    [
        ("aia-none", "payment", "not_found"),
        (None, "payment", "not_found"),
        (None, None, None),
        ("aia-none", "refund", "not_found"),
    ],
)
def test_what_is_none_of_ours_is_kept_and_done_with(reference: str | None, topic: Any, error: str | None) -> None:
    """Nobody is asked again about it."""
    till = Till()
    till.orders.receive("scripted", *webhook(reference, name="invoice.create", topic=topic))
    assert till.orders.work_inbox() == Worked(done=1)
    assert inbox(till) == [("invoice.create", 1, 1, True, error)]
    assert till.gateway.asked == []


@pytest.mark.parametrize("topic", ["refund", "dispute"])
def test_money_that_goes_back_is_asked_about(topic: str) -> None:
    """What the webhook says is a hint: the gateway's lists decide what is booked."""
    till = Till()
    payment, _ = till.paid()
    reference = payment.attempt.reference
    till.gateway.tell_refund(reference, 4_000, RefundOutcome.DONE)
    till.orders.receive("scripted", *webhook(reference, name=f"{topic}.pending", topic=topic))
    assert till.orders.work_inbox() == Worked(done=1)
    assert (till.order(payment).state, till.balance()) == ("partially_refunded", "50")


def test_a_gateway_that_cannot_be_asked_is_asked_again_later_and_at_last_no_more() -> None:
    """One trouble keeps no other message waiting; the operator is told at the end."""
    told: list[Any] = []
    till = Till(hooks=[told.append])
    payment = till.start()
    till.orders.receive("scripted", *webhook(payment.attempt.reference))
    till.orders.receive("scripted", *webhook(None, name="zz", topic=None))
    till.gateway.fetch_fails = GatewayError(status=503)
    assert till.orders.work_inbox() == Worked(done=1, failed=1)
    assert till.orders.work_inbox() == Worked()
    for tries in range(1, MOST_TRIES - 1):
        till.clock.advance(backoff(tries - 1) // 1_000_000)
        assert till.orders.work_inbox() == Worked(failed=1)
    till.clock.advance(6 * 3_600)
    assert till.orders.work_inbox() == Worked(given_up=1)
    assert [event.code for event in told if isinstance(event, OperatorAlert)] == ["gateway_event_given_up"]
    assert inbox(till)[0] == ("charge.success", 1, MOST_TRIES, True, "gateway")

    # It comes once more, and the gateway is back.
    till.gateway.fetch_fails = None
    till.gateway.pay(payment.attempt.reference)
    till.orders.receive("scripted", *webhook(payment.attempt.reference))
    assert till.orders.work_inbox() == Worked(done=1)
    assert till.balance() == "100"


def test_the_waits_grow_to_six_hours() -> None:
    """A minute first."""
    assert [backoff(tries) // 60_000_000 for tries in (0, 1, 2, 8, 9, 40)] == [1, 2, 4, 256, 360, 360]


def test_a_message_that_comes_again_while_it_is_worked_on_is_worked_on_again() -> None:
    """What the second one is about may have happened after we asked."""
    till = Till()
    payment = till.start()
    sent = webhook(payment.attempt.reference)
    till.orders.receive("scripted", *sent)
    fetch = till.gateway.fetch

    def meanwhile(reference: str) -> Any:
        till.gateway.fetch = fetch  # type: ignore[method-assign]  # once
        till.orders.receive("scripted", *sent)
        return fetch(reference)

    till.gateway.fetch = meanwhile  # type: ignore[method-assign]  # as above
    assert till.orders.work_inbox() == Worked(done=1)
    assert inbox(till) == [("charge.success", 2, 0, False, None)]
    assert till.orders.work_inbox() == Worked(done=1)


def test_messages_are_dropped_a_month_after_they_were_worked_on() -> None:
    """They may name the payer."""
    till = Till()
    till.orders.receive("scripted", *webhook(None, topic=None))
    till.orders.work_inbox()
    till.clock.advance(KEPT // 1_000_000 - 1)
    till.orders.work_inbox()
    assert len(inbox(till)) == 1
    till.clock.advance(1)
    till.orders.work_inbox()
    assert inbox(till) == []


def test_a_store_that_is_away_marks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message stays due."""
    till = Till(books=Books("0", database=new_database(tmp_path)))
    payment = till.start()
    till.orders.receive("scripted", *webhook(payment.attempt.reference))
    with monkeypatch.context() as broken:
        broken.setattr(till.orders._applying, "apply", lambda _: (_ for _ in ()).throw(StoreUnavailable()))
        with pytest.raises(StoreUnavailable):
            till.orders.work_inbox()
    assert inbox(till) == [("charge.success", 1, 0, False, None)]
    till.books.close()


@pytest.mark.parametrize(
    ("body", "kept"),
    [(b'{"a": "\xc3\xa9"}', '{"a": "\u00e9"}'), (b"\xff", "hex:ff"), (b"a\0b", "hex:610062")],
)
def test_a_body_is_kept_so_that_either_database_can_hold_it(body: bytes, kept: str) -> None:
    """Text as it came; anything else as its bytes."""
    assert body_text(body) == kept
