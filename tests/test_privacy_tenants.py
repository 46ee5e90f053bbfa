"""Two businesses side by side: what one asks and is answered is nothing to the other."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Final

import pytest
from pydantic import BaseModel

from ai_addons import AddOns, Credits, FreeText, Pii, Prompt, bill_to, billed_feature
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from tests.canaries import canary
from tests.leaks import Net, files_under, rows_of_sqlite, told_by
from tests.test_privacy_fuzz import dice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_addons.feature import Feature


class Debtor(BaseModel):
    """Somebody who owes."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    note: Annotated[str, FreeText]
    owes: int


AMA: Final = Debtor(name="Ama Mensah", phone="0244123456", note="pays on Fridays", owes=50)
KOFI: Final = Debtor(name="Kofi Boateng", phone="0209876543", note="pays on Fridays", owes=50)


@pytest.fixture
def addons(tmp_path: Path, ai_llm: FakeLlm) -> Iterator[AddOns]:
    """An installation with a cache on disk and two businesses in credit."""
    settings = kit_settings(
        store={"url": f"sqlite:///{tmp_path / 'shop.db'}"},
        cache={"backend": "disk", "directory": str(tmp_path / "cache")},
    )
    with closing(AddOns(settings, clock=ManualClock(), llm=ai_llm, environ={})) as wired:
        for business in ("biz_7", "biz_8"):
            wired.grant(business, 100, source="adjustment", ref="start")
        yield wired


@pytest.fixture
def remind(addons: AddOns) -> Feature[[Debtor], str]:
    """A feature whose answers are kept."""

    @billed_feature("remind", credits=1, cache="6h")
    def remind(debtor: Debtor) -> Prompt:
        """Write a reminder."""
        return Prompt(user="Remind them.", data=debtor)

    return remind.options(addons=addons)


def test_the_same_question_of_two_businesses_is_answered_to_each(
    addons: AddOns, ai_llm: FakeLlm, remind: Feature[[Debtor], str]
) -> None:
    """Word for word the same, and still asked anew and charged: a stored answer belongs to who paid for it."""
    ai_llm.reply("remind", "[PERSON_1] of the first shop")
    ai_llm.reply("remind", "[PERSON_1] of the second shop")
    with bill_to("biz_7"):
        first = remind.billed(AMA)
    with bill_to("biz_8"):
        second = remind.billed(AMA)
    assert (first.value, second.value) == ("Ama Mensah of the first shop", "Ama Mensah of the second shop")
    assert (second.receipt.cached, second.receipt.charged, len(ai_llm.calls)) == (False, Credits(1), 2)
    with bill_to("biz_7"):
        again = remind.billed(AMA)
    assert (again.value, again.receipt.cached, len(ai_llm.calls)) == (first.value, True, 2)


def test_a_stored_answer_is_restored_with_the_asker_s_own_customer(
    addons: AddOns, ai_llm: FakeLlm, remind: Feature[[Debtor], str]
) -> None:
    """Inside one business two customers may share a masked answer; never a name or a number."""
    ai_llm.reply("remind", "Dear [PERSON_1], is [PHONE_2] yours?")
    with bill_to("biz_7"):
        ama, kofi = remind.billed(AMA), remind.billed(KOFI)
    assert kofi.receipt.cached
    assert ama.value == "Dear Ama Mensah, is 0244123456 yours?"
    assert kofi.value == "Dear Kofi Boateng, is 0209876543 yours?"


def test_a_key_of_one_business_is_nothing_to_another(
    addons: AddOns, ai_llm: FakeLlm, remind: Feature[[Debtor], str]
) -> None:
    """The same idempotency key in two businesses is two calls: no replay, no conflict."""
    ai_llm.reply("remind", "first")
    ai_llm.reply("remind", "second")
    keyed = remind.options(idempotency_key="sale-1", cache=False)
    answers = []
    for business, debtor in (("biz_7", AMA), ("biz_8", KOFI), ("biz_7", AMA)):
        with bill_to(business):
            answers.append(keyed(debtor))
    assert answers == ["first", "second", "first"]


def test_a_dump_of_cache_and_books_names_nobody(tmp_path: Path, addons: AddOns, ai_llm: FakeLlm) -> None:
    """Whoever copies the files finds masked answers and amounts, and no business either among the answers."""
    net, rolls = Net(), dice(3)

    @billed_feature("dumped", credits=1, cache="6h")
    def dumped(debtor: Debtor) -> Prompt:
        """Write a reminder."""
        return Prompt(user=f"Remind {debtor.name}.", data=debtor)

    ai_llm.reply("dumped", "Dear [PERSON_1], call me.")
    for number in range(30):
        one = canary(rolls)
        net.add(one)
        note = f"{one.name.spell(rolls)} {one.phone.spell(rolls)}"
        debtor = Debtor(name=one.name.text, phone=one.phone.text, note=note, owes=number)
        with bill_to(f"biz_{7 + number % 2}"):
            assert one.name.text in dumped.options(addons=addons, idempotency_key=f"sale-{number}")(debtor)
    cached = files_under(tmp_path / "cache")
    assert "Dear [PERSON_1], call me." in cached
    assert "biz_7" not in cached
    assert net.catch(cached) == set()
    assert net.catch(rows_of_sqlite(tmp_path / "shop.db")) == set()
    assert net.catch(files_under(tmp_path), shortest=5) == set()


def test_the_net_catches_an_error_that_tells() -> None:
    """What searches errors elsewhere sees a name behind an error, also where the chain is suppressed."""
    net, one = Net(), canary(dice(4))
    net.add(one)
    error = ValueError()
    error.__context__ = LookupError(one.name.text)
    assert net.catch(told_by(error)) == {one.name.text}
