"""What an answer must hold and must not hold: one correction that names placeholders, then no charge."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, get_args

import pytest
from pydantic import BaseModel

from ai_addons import Pii, Prompt, billed_feature
from ai_addons.errors import BadOutput, ConfigError
from ai_addons.money import Credits
from ai_addons.privacy.base import Kind
from ai_addons.prompt import PlaceholderType

if TYPE_CHECKING:
    from ai_addons import AddOns
    from ai_addons.scope import Payer
    from ai_addons.testing import FakeLlm

pytestmark = pytest.mark.usefixtures("ai_addons", "ai_payer")


class Debtor(BaseModel):
    """Somebody who owes."""

    name: Annotated[str, Pii.NAME] = "Ama Mensah"
    owed: Annotated[Decimal, Pii.AMOUNT] = Decimal("1250.00")


@billed_feature("due_reminder", credits=1)
def reminder(debtor: Debtor, *, wanted: tuple[Any, ...] = ("AMOUNT",)) -> Prompt[str]:
    """A message that must name the sum."""
    return Prompt(user="Write a kind reminder.", data=debtor, expects=wanted)


class Line(BaseModel):
    """A sentence about a customer."""

    text: str


@billed_feature("summary", credits=1)
def summary(debtor: Debtor) -> Prompt[str]:
    """A sentence that cites facts and a customer."""
    return Prompt.composed(
        answer=Line,
        user="Sum up.",
        data=debtor,
        facts={"total": "GHS 9 {name} [PERSON_1]", "days": "12 days"},
        check=lambda line: [] if "{total}" in line.text.replace(" ", "") else ["text: cite {total}"],
        finish=lambda line: line.text,
    )


def charged(ai_addons: AddOns, ai_payer: Payer) -> Credits:
    """What was taken so far."""
    return Credits(100) - ai_addons.wallet(ai_payer.business).posted


def test_a_message_with_its_sum_passes(ai_llm: FakeLlm) -> None:
    """The expected value may be decorated like any other."""
    ai_llm.reply(reminder, "Dear [PERSON_1], you owe <AMOUNT_2>.")
    assert reminder(Debtor()) == "Dear Ama Mensah, you owe 1250.00."


def test_a_missing_sum_is_asked_for_once_by_its_placeholder(ai_llm: FakeLlm) -> None:
    """The correction names `[AMOUNT_2]` and never the sum."""
    ai_llm.reply(reminder, "Dear [PERSON_1], you owe us money.")
    ai_llm.reply(reminder, "Dear [PERSON_1], you owe GHS [AMOUNT_2].")
    assert reminder(Debtor()) == "Dear Ama Mensah, you owe GHS 1250.00."
    correction = ai_llm.calls[1].request.messages[-1].content
    assert "the answer must hold [AMOUNT_2]" in correction
    assert "1250" not in correction
    assert "Ama" not in correction


def test_a_sum_that_stays_missing_is_not_charged(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """Two answers without it end the call."""
    before = charged(ai_addons, ai_payer)
    ai_llm.reply(reminder, "Dear [PERSON_1], please pay.")
    ai_llm.reply(reminder, "Dear [PERSON_1], please pay now.")
    with pytest.raises(BadOutput):
        reminder(Debtor())
    assert charged(ai_addons, ai_payer) == before


@pytest.mark.parametrize("wanted", ["PHONE", "SUM"])
def test_what_cannot_be_expected_is_said_before_anything_is_held(ai_llm: FakeLlm, wanted: str) -> None:
    """A type of which the call holds nothing, or that does not exist, is the developer's mistake."""
    with pytest.raises(ConfigError, match=f"{wanted}.*AMOUNT, PERSON.*Nothing was charged"):
        reminder(Debtor(), wanted=(wanted,))
    assert ai_llm.calls == []


def test_an_invented_contact_is_not_repeated_to_the_model(ai_llm: FakeLlm) -> None:
    """The correction says what is wrong without the number itself."""
    ai_llm.reply(reminder, "Dear [PERSON_1], pay [AMOUNT_2] to 024 765 4321.")
    ai_llm.reply(reminder, "Dear [PERSON_1], pay [AMOUNT_2].")
    assert reminder(Debtor()) == "Dear Ama Mensah, pay 1250.00."
    correction = ai_llm.calls[1].request.messages[-1].content
    assert "a telephone number or an e-mail address that is not in the data" in correction
    assert "765" not in correction


def test_names_are_no_references_and_facts_no_placeholders(ai_llm: FakeLlm) -> None:
    """One pass puts both in: a customer called {days} keeps that name, and a fact keeps its brackets."""
    ai_llm.reply(summary, {"text": "[PERSON_1] owes {{ total }} for {days}."})
    assert summary(Debtor(name="{days}")) == "{days} owes GHS 9 {name} [PERSON_1] for 12 days."


def test_a_reference_to_no_fact_is_corrected(ai_llm: FakeLlm) -> None:
    """A made-up key is named to the model once."""
    ai_llm.reply(summary, {"text": "[PERSON_1] owes {total} and {more}."})
    ai_llm.reply(summary, {"text": "[PERSON_1] owes {total}."})
    assert summary(Debtor()) == "Ama Mensah owes GHS 9 {name} [PERSON_1]."
    assert "{more} is not a placeholder" in ai_llm.calls[1].request.messages[-1].content


def test_a_bare_placeholder_in_json_is_the_model_s_to_mend(ai_llm: FakeLlm) -> None:
    """`{"text": [AMOUNT_2]}` is no JSON: nobody edits the answer's text, the model writes it again."""
    ai_llm.reply(summary, '{"text": [AMOUNT_2]}')
    ai_llm.reply(summary, {"text": "[PERSON_1] owes {total}."})
    assert summary(Debtor(name='Ama "Sweet"\nMensah')) == 'Ama "Sweet"\nMensah owes GHS 9 {name} [PERSON_1].'
    assert "must be a JSON object" in ai_llm.calls[1].request.messages[-1].content


def test_the_types_that_may_be_expected_are_those_that_are_made() -> None:
    """The typed words and the placeholders' own cannot drift apart."""
    assert set(get_args(PlaceholderType)) == {kind.value for kind in Kind}
