"""Heads kept outside the database show a ledger that was rewritten as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_addons.billing import heads
from ai_addons.billing.heads import compare
from ai_addons.money import Credits
from tests.books import OK, Books

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_head_is_the_last_row_of_each_ledger() -> None:
    """Every business with bookings has one; a wallet without any has none."""
    books = Books("12")
    books.store.record(books.call(business="biz_8"), OK)
    (head,) = heads.heads(books.database)
    last = books.store.ledger("biz_7")[-1]
    assert (head.business, head.seq, head.hash) == ("biz_7", last.seq, last.hash)


def test_heads_are_read_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many businesses there are, all of their heads come, each once and in order."""
    monkeypatch.setattr(heads, "_PAGE", 2)
    books = Books("0")
    names = [f"biz_{number}" for number in range(5)]
    for name in names:
        books.funding.grant(name, Credits(1), source="promo", ref="x")
    assert [head.business for head in heads.heads(books.database)] == names


def test_a_ledger_that_only_grew_goes_on_from_its_kept_head() -> None:
    """Bookings after the heads were kept are no finding."""
    books = Books("12")
    kept = list(heads.heads(books.database))
    books.store.capture(books.hold("5"), OK)
    report = compare(books.database, kept)
    assert (report.ok, report.wallets) == (True, 1)


def test_a_ledger_rewritten_with_new_seals_is_found() -> None:
    """Chain and wallet agree with each other, and still the kept head tells."""
    books = Books("12")
    (head,) = heads.heads(books.database)
    forged, gone = replace(head, hash="0" * 64), replace(head, seq=9)
    report = compare(books.database, [forged, gone])
    assert [finding.detail for finding in report.findings] == ["row 1 has another hash", "row 9 is missing"]
    assert {finding.business for finding in report.findings} == {"biz_7"}
