"""Trial credits: once per business, and once per person behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.errors import TrialClaimed
from ai_addons.money import Credits
from tests.books import Books, new_database

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

PHONE, TAX_ID = {"hmac-of-phone": "phone"}, {"hmac-of-tax-id": "tax_id"}


def test_a_new_business_gets_its_trial_once() -> None:
    """Asking again replays the first answer, also when the policy gives more by now."""
    books = Books("0")
    trial = PrepaidPolicy().trial
    first = books.funding.claim_trial("biz_7", trial, PHONE | TAX_ID)
    again = books.funding.claim_trial("biz_7", trial, PHONE)
    later = books.funding.claim_trial("biz_7", Credits(50), TAX_ID)
    assert [booking.replayed for booking in (first, again, later)] == [False, True, True]
    assert [booking.grant.id for booking in (first, again, later)] == [first.grant.id] * 3
    assert books.balance() == ("5", "0")


@pytest.mark.parametrize("claims", [PHONE, TAX_ID, PHONE | {"hmac-of-other-tax-id": "tax_id"}])
def test_one_known_detail_is_enough_to_refuse(claims: dict[str, str]) -> None:
    """A second business of the same owner gets no trial, and its new details are not used up by trying."""
    books = Books("0")
    books.funding.claim_trial("biz_7", Credits(5), PHONE | TAX_ID)
    with pytest.raises(TrialClaimed):
        books.funding.claim_trial("biz_8", Credits(5), claims)
    assert books.store.wallet("biz_8").posted == Credits(0)
    assert not books.funding.claim_trial("biz_9", Credits(5), {"hmac-of-other-tax-id": "tax_id"}).replayed


def test_a_trial_needs_something_to_know_its_owner_by() -> None:
    """Without any claim key a trial would be free for ever, so it is refused."""
    books = Books("0")
    with pytest.raises(ValueError, match="at least one claim key"):
        books.funding.claim_trial("biz_7", Credits(5), {})
    assert books.balance() == ("0", "0")


def test_claims_survive_the_business() -> None:
    """Claims hold keyed hashes only and no business, so deleting a business does not give it a new trial."""
    books = Books("0")
    books.funding.claim_trial("biz_7", Credits(5), PHONE)
    assert books.sql("SELECT key_hmac, kind FROM ai_trial_claims") == [("hmac-of-phone", "phone")]


def test_parallel_claims_of_one_owner_give_one_trial(tmp_path: Path) -> None:
    """A farm of businesses that all claim at once with one phone gets one trial."""
    books = Books("0", database=new_database(tmp_path))

    def claim(number: int) -> bool:
        try:
            books.funding.claim_trial(f"biz_{number}", Credits(5), PHONE | {f"tax-{number}": "tax_id"})
        except TrialClaimed:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(claim, range(16))) == 1
    assert books.report().wallets == 1
    books.close()
