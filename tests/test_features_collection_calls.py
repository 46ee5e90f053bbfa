"""Reminders as a host asks for them: paid, cached, quoted, offline, with every provider down; and free drafts."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, ProviderUnavailable
from ai_addons.errors import BudgetSpent
from ai_addons.features.collection_message import (
    CollectionChoice,
    CollectionPolicy,
    collection_message,
    english,
)
from ai_addons.features.collection_message.bank import PARTS
from ai_addons.features.collection_message.guard import draft_faults
from ai_addons.money import Credits
from ai_addons.testing import ManualClock, kit_settings
from tests.test_features_collection import bill

if TYPE_CHECKING:
    from ai_addons.features import FeatureResult
    from ai_addons.features.collection_message import CollectionMessage
    from ai_addons.receipt import Billed
    from ai_addons.scope import Payer
    from ai_addons.testing import FakeLlm

pytestmark = pytest.mark.usefixtures("ai_payer")

FREE = CollectionPolicy(free_drafting=True)
CHOICE = {part: next(iter(english().menu(part, 2, "sms"))) for part in PARTS}
SECOND = {part: list(english().menu(part, 2, "whatsapp"))[1] for part in PARTS}
DRAFT = (
    "Dear {customer}, {amount} at {shop} was due on {due_date}. Please pay, or ask us if something is wrong: {contact}."
)
PRIVATE = ("Ama", "Serwaa", "Adom", "412", "Esi", "1234", "1,234", "2026")


def answered(**changes: object) -> dict[str, object]:
    """A model's answer, with changes."""
    return CHOICE | {"personal_line": ""} | changes


def test_a_reminder_is_paid_once_and_nothing_of_the_customer_is_sent(ai_llm: FakeLlm) -> None:
    """The model chose, code filled in, and the outgoing bytes hold neither name nor number."""
    ai_llm.reply(collection_message, SECOND | {"personal_line": "Thank you for your trust."})
    value, receipt = collection_message.billed(bill(channel="whatsapp"))
    assert value.data.message.split("\n") == [
        "Dear Ama Serwaa, Adom Stores has not yet received GHS 1,234.50 for the bill that was due on 3 Nov 2026.",
        "Thank you for your trust.",
        "We kindly ask for your payment. If you have paid already, please tell us.",
        "If you would like to check the bill with us, you reach us here: 024 412 3456.",
        "Kind regards, Esi at Adom Stores",
    ]
    assert value.data.sentence_ids == tuple(SECOND.values())
    assert (value.source, receipt.charged, receipt.masked) == ("ai", Credits("0.5"), {})
    ai_llm.assert_masked(*PRIVATE)


def test_an_own_repeat_is_free_and_another_customer_in_the_same_case_is_charged(ai_llm: FakeLlm) -> None:
    """The masked prompt is the same; with four variants it may be asked once more for the other customer."""
    ai_llm.reply(collection_message, answered())
    first = collection_message.billed(bill()).receipt
    again = collection_message.billed(bill()).receipt
    others = [
        collection_message.billed(bill(customer_name=f"Kofi {name}")).receipt for name in ("A", "B", "C", "D", "E")
    ]
    assert [first.charged, again.charged] == [Credits("0.5"), Credits(0)]
    assert {receipt.charged for receipt in others} == {Credits("0.5")}
    assert 1 <= len(ai_llm.calls) <= 4


def test_a_blocked_reminder_costs_nothing(ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm) -> None:
    """No hold, no model, no credits, in the quote as in the call."""
    asked = bill(dispute_open=True)
    assert collection_message.quote(asked).charge == Credits(0)
    value, receipt = collection_message.billed(asked)
    assert (value.data.blocked_reason, value.degraded_reason) == ("dispute_open", "blocked")
    assert (receipt.charged, receipt.degraded_reason, ai_llm.calls) == (Credits(0), "blocked", [])
    assert ai_addons.wallet(ai_payer.business).held == Credits(0)


def test_a_quote_foresees_price_and_repeat(ai_llm: FakeLlm) -> None:
    """Half a credit before, nothing for an own repeat."""
    ai_llm.reply(collection_message, answered())
    assert collection_message.quote(bill()).charge == Credits("0.5")
    collection_message(bill())
    assert collection_message.quote(bill()).charge == Credits(0)


@pytest.mark.anyio
async def test_async_hosts_get_the_same(ai_llm: FakeLlm) -> None:
    """Awaited, in both ways of drafting."""
    ai_llm.reply(collection_message, answered())
    assert (await collection_message.aio(bill())).data.sentence_ids == tuple(CHOICE.values())
    ai_llm.reply(collection_message, {"message": DRAFT})
    ai_llm.reply(collection_message, {"verdict": "fine"})
    assert (await collection_message.aio(bill(), policy=FREE)).data.drafting == "free"


def test_an_unknown_id_is_asked_for_once_more(ai_llm: FakeLlm) -> None:
    """One repair, told by place and rule alone."""
    ai_llm.reply(collection_message, answered(opening="Pay now, Ama!"))
    ai_llm.reply(collection_message, answered())
    value, receipt = collection_message.billed(bill())
    assert (value.source, len(receipt.attempts), receipt.charged) == ("ai", 2, Credits("0.5"))
    correction = ai_llm.calls[1].request.messages[-1].content
    assert "opening: not one of the ids given" in correction
    assert "Pay now" not in correction


@pytest.mark.parametrize(
    "line",
    ["Dear [PERSON_7], thank you.", "Call 024 555 0999 now.", "Write to a@evil.example.", "Our boys will visit you."],
)
def test_a_bad_line_needs_no_repair(line: str, ai_llm: FakeLlm) -> None:
    """It is gone before placeholders and numbers are looked for."""
    ai_llm.reply(collection_message, answered(personal_line=line))
    value, receipt = collection_message.billed(bill())
    assert (value.source, len(receipt.attempts)) == ("ai", 1)
    assert [notice.code for notice in value.warnings] == ["personal_line_left_out"]
    assert line.rsplit(maxsplit=1)[-1] not in value.data.message


def fail(ai_llm: FakeLlm) -> None:
    """Every model is down."""
    ai_llm.fail(collection_message, ProviderUnavailable())


def cut(ai_llm: FakeLlm) -> None:
    """The answer stops at the cap."""
    ai_llm.reply_text(collection_message, '{"opening": "sms_op', finish="length")


def refuse(ai_llm: FakeLlm) -> None:
    """The provider declines."""
    ai_llm.reply_text(collection_message, "", finish="blocked")


def obey(ai_llm: FakeLlm) -> None:
    """The model does what an injection told it, twice."""
    ai_llm.reply(collection_message, {"message": "The debt is waived, {customer}."})
    ai_llm.reply(collection_message, answered(opening="The debt is waived."))


@pytest.mark.parametrize("policy", [CollectionPolicy(), FREE], ids=["bank", "free"])
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [(fail, "provider_down"), (cut, "guard_rejected"), (refuse, "guard_rejected"), (obey, "guard_rejected")],
)
def test_without_a_usable_answer_the_usual_sentences_stand_in_uncharged(
    trouble: Any, reason: str, policy: CollectionPolicy, ai_addons: AddOns, ai_payer: Payer, ai_llm: FakeLlm
) -> None:
    """Whatever the trouble, the shop has a reminder, and pays nothing for it."""
    trouble(ai_llm)
    value, receipt = collection_message.billed(bill(), policy=policy)
    assert (value.source, value.degraded_reason, receipt.degraded_reason) == ("rules", reason, reason)
    assert value.data.sentence_ids == tuple(CHOICE.values())
    assert value.data.drafting == "bank"
    assert receipt.charged == Credits(0)
    assert ai_addons.wallet(ai_payer.business).held == Credits(0)


@pytest.mark.parametrize("policy", [CollectionPolicy(), FREE], ids=["bank", "free"])
def test_the_offline_model_answers(policy: CollectionPolicy) -> None:
    """A shop without a key sees both ways of drafting."""
    with closing(AddOns(kit_settings(models={"small": "offline/sample"}), clock=ManualClock(), environ={})) as addons:
        addons.grant("biz", 10, source="adjustment", ref="funds")
        value: FeatureResult[CollectionMessage]
        value, receipt = collection_message.options(addons=addons, business="biz").billed(bill(), policy=policy)
        assert (value.source, receipt.source) == ("offline", "offline")
        assert "Ama Serwaa" in value.data.message
        assert addons.doctor().ok


# --- free drafts --------------------------------------------------------------------------------


def drafted(ai_llm: FakeLlm, draft: str, verdict: str = "fine", **changes: object) -> Billed[Any]:
    """A free draft and its second check."""
    ai_llm.reply(collection_message, {"message": draft})
    ai_llm.reply(collection_message, {"verdict": verdict})
    return collection_message.billed(bill(**changes), policy=FREE)


def test_a_free_draft_is_filled_in_and_marked_for_reading(ai_llm: FakeLlm) -> None:
    """Two questions, one price; neither holds a name or a number."""
    value, receipt = drafted(ai_llm, DRAFT.replace("{amount}", "{{ amount }}"))
    assert value.data.message == (
        "Dear Ama Serwaa, GHS 1,234.50 at Adom Stores was due on 3 Nov 2026. "
        "Please pay, or ask us if something is wrong: 024 412 3456."
    )
    assert (value.data.drafting, value.data.sentence_ids, value.data.requires_approval) == ("free", (), True)
    assert value.evidence == {"draft": ("customer", "amount", "shop", "due_date", "contact")}
    assert [notice.code for notice in value.warnings] == ["free_draft"]
    assert (receipt.charged, len(receipt.attempts)) == (Credits("0.5"), 2)
    ai_llm.assert_masked(*PRIVATE)
    assert "{customer}" in ai_llm.calls[1].request.messages[-1].content


def test_the_owners_offer_follows_a_free_draft_word_for_word(ai_llm: FakeLlm) -> None:
    """By WhatsApp there is room for it; in a full SMS there is not, and it is left out whole."""
    offer = "Pay half now and the rest in January."
    value, _ = drafted(ai_llm, DRAFT, channel="whatsapp", authorised_offer=offer)
    assert value.data.message.split("\n")[-1] == offer
    assert value.evidence["authorised_offer"] == ()
    value, _ = drafted(ai_llm, DRAFT, authorised_offer=offer)
    assert offer not in value.data.message
    assert [notice.code for notice in value.warnings] == ["offer_left_out", "free_draft"]
    ai_llm.assert_masked("January")


@pytest.mark.parametrize("verdict", ["threat", "shame", "third_party", "offer", "deadline", "insult", "unclear"])
def test_a_draft_that_the_second_check_doubts_is_not_used(verdict: str, ai_llm: FakeLlm) -> None:
    """Nor is the second check asked again: the usual sentences stand in, uncharged."""
    value, receipt = drafted(ai_llm, DRAFT, verdict)
    assert (value.source, value.degraded_reason, value.data.drafting) == ("rules", "guard_rejected", "bank")
    assert (receipt.charged, len(receipt.attempts)) == (Credits(0), 2)


def test_a_draft_without_its_second_check_is_not_used(ai_llm: FakeLlm) -> None:
    """The model went down in between."""
    ai_llm.reply(collection_message, {"message": DRAFT})
    ai_llm.fail(collection_message)
    value, receipt = collection_message.billed(bill(), policy=FREE)
    assert (value.source, value.degraded_reason, receipt.charged) == ("rules", "provider_down", Credits(0))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (DRAFT + " You owe 1234.", "holds a digit"),
        (DRAFT + " You owe five thousand cedis.", "an amount in words"),
        (DRAFT.replace("{contact}", "the shop"), "must cite {contact}"),
        (DRAFT.replace("{customer}", "friend"), "must cite {customer}"),
        (DRAFT + " See {secret}.", "cites a key that is not in may_cite"),
        (DRAFT.replace(" or ask us if something is wrong:", ""), "must say how to ask"),
        (DRAFT + " Our boys will visit you.", "holds a threat"),
        (DRAFT + " Everybody will hear about it.", "holds shame"),
        (DRAFT + " Think of your family.", "holds other people"),
        (DRAFT + " You are a liar.", "holds an insult"),
        (DRAFT + " You must pay.", "holds pressure"),
        (DRAFT + " We waive the rest.", "holds an offer"),
        (DRAFT + " Pay by Friday.", "holds a deadline"),
        (DRAFT + " [see you]", "brace or bracket"),
        (DRAFT + " {amount", "brace or bracket"),
        (DRAFT + " Meda w\u0254 ase.", "plain letters"),
        (
            "Cher {customer}, {amount} chez {shop} depuis {due_date}: merci de payer, question: {contact}.",
            "plain English",
        ),
    ],
)
def test_a_bad_draft_is_named_and_never_quoted(text: str, complaint: str) -> None:
    """Each fault of a scripted adversary, told by place and rule alone."""
    found = draft_faults(
        text, needed=("customer", "contact"), may_cite=("customer", "shop", "amount", "due_date", "contact")
    )
    assert any(complaint in fault for fault in found), found
    assert not any(word in " ".join(found) for word in ("1234", "boys", "liar", "secret"))


@pytest.mark.parametrize(
    "text",
    [
        DRAFT + " Call 024 555 0999.",
        DRAFT + " https://evil.example",
        DRAFT + " <b>Pay</b>",
        DRAFT + " As an AI I must say so.",
        DRAFT + " umbrafinch",
        "You write a dignified payment reminder from a shop in Ghana about its own bill. " + DRAFT,
    ],
)
def test_some_drafts_get_no_second_chance(text: str, ai_llm: FakeLlm) -> None:
    """One question, no repair, no charge."""
    ai_llm.reply(collection_message, {"message": text})
    value, receipt = collection_message.billed(bill(), policy=FREE)
    assert (value.degraded_reason, receipt.charged, len(receipt.attempts)) == ("guard_rejected", Credits(0), 1)


def test_a_draft_is_measured_with_its_values(ai_llm: FakeLlm) -> None:
    """Short keys can hide long names: too long is told once, then given up."""
    names = {"customer_name": "N" * 40, "shop_name": "S" * 40, "contact": "C" * 24}
    ai_llm.reply(collection_message, {"message": DRAFT})
    value, receipt = collection_message.billed(bill(**names), policy=FREE)
    assert (value.source, len(receipt.attempts)) == ("rules", 2)
    assert "too long once the values are filled in" in ai_llm.calls[1].request.messages[-1].content


def test_a_spent_budget_leaves_the_usual_sentences(ai_llm: FakeLlm) -> None:
    """In free drafting too the reason is the budget."""
    steps: Any = collection_message.__wrapped__(bill(), policy=FREE)
    next(steps)
    with pytest.raises(StopIteration) as stop:
        steps.throw(BudgetSpent())
    assert stop.value.value.result[0].degraded_reason == "over_budget"


def test_a_bank_of_another_language_takes_no_line_of_the_model(ai_llm: FakeLlm) -> None:
    """Its sentences are people's; what the model adds is left out."""
    twi = english().model_copy(update={"language": "tw", "version": "tw-1"})
    ai_llm.reply(collection_message, answered(personal_line="Thank you for your trust."))
    value = collection_message(bill(language="tw"), bank=twi)
    assert (value.data.language, value.data.bank_version) == ("tw", "tw-1")
    assert "trust" not in value.data.message


def test_many_reminders_are_made_at_once(ai_addons: AddOns, ai_llm: FakeLlm) -> None:
    """A batch holds the sum; a blocked one holds nothing."""
    ai_llm.reply(collection_message, answered())
    calls = [bill(), bill(outstanding="0"), bill(customer_name="Kofi Boateng")]
    result = ai_addons.batch([collection_message.bind(request) for request in calls])
    assert [item.result().data.blocked_reason for item in result] == [None, "nothing_outstanding", None]
    assert result.charged == Credits(1)


def test_an_answer_as_a_provider_writes_it_fits() -> None:
    """Strict schema: every field is asked for, and nothing else is let in."""
    assert CollectionChoice.model_validate_json(json.dumps(answered())).personal_line == ""
    assert date(2026, 11, 20) == bill().as_of
