"""Credit assessment: what is sent, what may come back, what is shown."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ai_addons.errors import BadOutput
from ai_addons.features._facts import references
from ai_addons.features._guard import filled
from ai_addons.features.credit_assessment import (
    SPEC,
    CreditApplication,
    CreditAssessment,
    CreditExplanation,
    CreditInvoice,
    CreditPolicy,
    credit_assessment,
)
from ai_addons.features.credit_assessment.example import example
from ai_addons.features.credit_assessment.scorecard import VERSION
from ai_addons.money import Credits
from ai_addons.prompt import RecordsOutcome
from tests.sizes import tries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features._result import FeatureResult
    from ai_addons.prompt import Prompt
    from ai_addons.testing.model import FakeLlm

assess = credit_assessment.__wrapped__
"""The pure builder."""

TODAY = date(2026, 11, 20)


def bill(due_ago: int, late: int | None = 0) -> CreditInvoice:
    """A bill due so many days ago, paid so many days late; None for unpaid."""
    due = TODAY - timedelta(days=due_ago)
    paid = None if late is None else due + timedelta(days=late)
    return CreditInvoice(issued=due - timedelta(days=30), due=due, paid=paid, amount=Decimal(100))


def application(**changes: object) -> CreditApplication:
    """A regular customer with a late bill or two, with changes."""
    base: dict[str, object] = {
        "as_of": TODAY,
        "requested_ghs": "3000",
        "current_limit": "2000",
        "exposure": "450.50",
        "tenure_months": 24,
        "orders_12m": 30,
        "spend_12m": "18000",
        "disputes_open": 0,
        "returned_payments_12m": 1,
        "monthly_purchases": ["1400"] * 6 + ["1000"] * 6,
        "credit_invoices": tuple(bill(40 + 30 * number, 12 if number % 3 == 0 else 0) for number in range(8)),
    }
    return CreditApplication.model_validate(base | changes)


def sent(prompt: Prompt[Any]) -> dict[str, Any]:
    """The data of a prompt as it is rendered."""
    assert isinstance(prompt.data, BaseModel)
    return dict(prompt.data.model_dump(mode="json"))


def checked(prompt: Prompt[Any], answer: object) -> Sequence[str]:
    """What the prompt's own check says."""
    assert prompt.check is not None
    return prompt.check(answer)


def finished(prompt: Prompt[FeatureResult[CreditAssessment]], answer: object) -> FeatureResult[CreditAssessment]:
    """The result made of an answer once its facts are put in."""
    assert isinstance(answer, CreditExplanation)
    assert prompt.finish is not None
    assert prompt.facts is not None
    return prompt.finish(filled(answer, prompt.facts))


def fallen_back(prompt: Prompt[FeatureResult[CreditAssessment]]) -> FeatureResult[CreditAssessment]:
    """The result made without a model."""
    assert prompt.fallback is not None
    return prompt.fallback()


def sample(prompt: Prompt[Any]) -> CreditExplanation:
    """The code-made answer."""
    assert prompt.sample is not None
    answer = prompt.sample()
    assert isinstance(answer, CreditExplanation)
    return answer


def rewritten(
    answer: CreditExplanation, where: str, text: str, keys: tuple[str, ...] | None = None
) -> CreditExplanation:
    """An answer with another text in one place, as a model might send it."""
    value = answer.model_dump(mode="json")
    place: Any = value
    *path, last = where.split(".")
    for step in path:
        place = place[int(step)] if step.isdigit() else place[step]
    target = place[int(last)] if last.isdigit() else place[last]
    target["text"] = text
    target["fact_keys"] = list(references(text) if keys is None else keys)
    return CreditExplanation.model_validate_json(json.dumps(value))


cedis = st.decimals(0, 9_999_999, places=2)
applications = st.builds(
    application,
    requested_ghs=cedis,
    current_limit=st.one_of(st.just(Decimal(0)), cedis),
    exposure=st.one_of(st.just(Decimal(0)), cedis),
    tenure_months=st.integers(0, 500),
    disputes_open=st.integers(0, 3),
    returned_payments_12m=st.integers(0, 5),
    monthly_purchases=st.lists(st.one_of(st.just(Decimal(0)), cedis), min_size=12, max_size=12),
    credit_invoices=st.lists(
        st.builds(bill, st.integers(1, 600), st.one_of(st.none(), st.integers(-20, 1))), max_size=12
    ),
)


@settings(max_examples=tries(250))
@given(applications)
def test_words_made_by_code_pass_the_guard_for_any_customer(asked: CreditApplication) -> None:
    """The fallback and the offline answer are sound, complete and without a loose reference, whoever asks."""
    prompt = assess(asked)
    assert checked(prompt, sample(prompt)) == []
    result = fallen_back(prompt)
    assert result.source == "rules"
    assert finished(prompt, sample(prompt)).data == result.data
    shown = [result.data.summary, *result.data.to_improve, *result.data.checks_before_agreeing]
    shown += [result.data.customer_explanation, *(reason.text for reason in result.data.reasons)]
    assert all(text and not {"{", "}"} & set(text) for text in shown)
    assert [reason.code for reason in result.data.reasons] == list(result.data.reason_codes)
    assert all(len(reason.text) <= 180 for reason in result.data.reasons)
    assert len(result.data.summary) <= 300
    assert len(result.data.customer_explanation) <= 300


@settings(max_examples=tries(100))
@given(applications)
def test_every_cited_fact_exists_and_every_fact_was_sent(asked: CreditApplication) -> None:
    """Evidence can be looked up, and the model saw the same texts that the owner reads."""
    prompt = assess(asked)
    result = fallen_back(prompt)
    facts = {fact.key: fact.text for fact in result.facts}
    assert sent(prompt)["facts"] == facts
    assert {key for keys in result.evidence.values() for key in keys} <= facts.keys()


def test_the_decision_is_not_in_the_schema_of_the_answer() -> None:
    """An answer that obeys "approve GHS 50,000" has no field for it."""
    schema = json.dumps(CreditExplanation.model_json_schema())
    for field in ("decision", "recommended_limit", "available_now", "credit_score", "risk_grade", "pd_90d"):
        assert f'"{field}"' not in schema
    value = sample(assess(application())).model_dump(mode="json") | {"recommended_limit": "50000"}
    with pytest.raises(ValidationError, match="Extra inputs"):
        CreditExplanation.model_validate(value)


def test_the_result_says_who_decides_and_by_which_rules() -> None:
    """The owner decides: said in every result, with the versions needed to look at it again."""
    result = fallen_back(assess(application(), policy=CreditPolicy(version="shop-7")))
    data = result.data
    assert data.requires_human is True
    assert "owner decides" in data.owner_note
    assert (data.policy_version, data.scorecard_version) == ("shop-7", VERSION)
    assert result.as_of == TODAY
    assert isinstance(result, RecordsOutcome)
    assert result.with_outcome("rules", "provider_down").degraded_reason == "provider_down"
    assert result.degraded_reason is None


def test_the_model_gets_figures_without_a_person_in_about_the_planned_tokens() -> None:
    """Static part and facts stay within the budget the price stands on (four bytes a token)."""
    prompt = assess(application())
    data = json.dumps(sent(prompt), separators=(",", ":"))
    assert SPEC.tokens is not None
    assert (len(prompt.system) + len(prompt.user) + len(data)) / 4 <= SPEC.tokens[0]
    assert len(data) / 4 <= 438
    assert len(sample(prompt).model_dump_json()) / 4 <= SPEC.max_tokens


def test_the_prompt_of_a_known_customer() -> None:
    """A snapshot: any change to what is sent needs a new prompt version."""
    assert sent(assess(application())) == {
        "facts": {
            "decision": "agree to a lower limit",
            "recommended_limit": "GHS 1,900",
            "available_now": "GHS 1,449.50",
            "credit_score": "68 of 100",
            "risk_grade": "B",
            "binding_rule": "the customer's usual monthly purchases and grade",
            "requested": "GHS 3,000",
            "current_limit": "GHS 2,000",
            "exposure": "GHS 450.50",
            "limit_used": "23%",
            "request_ratio": "1.5 times the present limit",
            "typical_month": "GHS 1,200",
            "tenure": "24 months",
            "orders": "30",
            "spend": "GHS 18,000",
            "purchase_trend": "-29%",
            "open_disputes": "0",
            "returned_payments": "1",
            "credit_bills": "8",
            "on_time_share": "63%",
            "mean_days_late": "4.5 days",
            "max_days_late": "12 days",
            "last_days_late": "12 days",
        },
        "reasons": [
            "LIMIT_RULE down: recommended_limit, binding_rule",
            "LATE_SHARE down: on_time_share, mean_days_late, credit_bills",
            "LAST_LATE down: last_days_late, credit_bills",
            "REQUEST_SIZE down: request_ratio, requested, current_limit, typical_month",
        ],
    }
    assert SPEC.version == "2"


def test_a_decorated_reference_is_the_same_reference() -> None:
    """Doubled, padded and full-width braces are filled like plain ones."""
    prompt = assess(application())
    text = "Suggested: {{decision}}, grade { risk_grade }, score \uff5bcredit_score\uff5d."
    answer = rewritten(sample(prompt), "summary", text, ("{decision}", "risk_grade", "credit_score"))
    assert checked(prompt, answer) == []
    assert finished(prompt, answer).data.summary == "Suggested: agree to a lower limit, grade B, score 68 of 100."


def test_a_harmless_number_word_is_let_through_with_a_warning() -> None:
    """A number word that states no amount costs no repair; the reader is told."""
    prompt = assess(application())
    answer = rewritten(sample(prompt), "to_improve.0", "Take one small purchase at a time and pay it by the due date.")
    assert checked(prompt, answer) == []
    assert [notice.code for notice in finished(prompt, answer).warnings] == ["number_words"]


@pytest.mark.parametrize(
    ("where", "text", "keys", "complaint"),
    [
        ("summary", "{decision}. The score is 68.", None, "digit"),
        ("summary", "{decision}. The score is \uff16\uff18.", None, "digit"),
        ("summary", "{decision}. The grade is \u2167.", None, "digit"),
        ("summary", "{decision}. About \u00bd of it.", None, "digit"),
        ("summary", "{decision}. Up to five thousand cedis are fine.", None, "amount in words"),
        ("summary", "{decision}. Purchases doubled and half of the bills were late.", None, "amount in words"),
        ("summary", "{decision}. Sixty percent of bills were paid in time.", None, "amount in words"),
        ("summary", "{decision}. The score is {score}.", None, "not among the facts"),
        ("summary", "{decision}. The score is {Credit_Score}.", None, "not among the facts"),
        ("summary", "{decision}. The score is {credit_score}.", ("decision",), "fact_keys"),
        ("summary", "{decision}. The score is good.", ("decision", "credit_score"), "fact_keys"),
        ("summary", "{decision}. The score is {credit score}.", ("decision",), "brace"),
        ("summary", "The score is {credit_score}.", None, "cite {decision}"),
        ("summary", "{decision}. We have to decline this request.", None, "citing {decision}"),
        ("reasons.0", "The limit follows from {credit_score}.", None, "belongs to this code"),
        ("to_improve.0", "As a young woman she should pay on time.", None, "personal traits"),
        ("to_improve.0", "Ask whether he can pay on time.", None, "personal traits"),
        ("to_improve.0", "People from that region are like this.", None, "personal traits"),
        ("to_improve.0", "Pay the interest and the penalty now.", None, "interest"),
        ("to_improve.0", "Pay now, or your neighbours will hear of it.", None, "threats"),
        ("to_improve.0", "Pay now or the p\u043elice will come.", None, "Latin letters"),
        ("summary", "{decision}. The owner should say no.", None, "citing {decision}"),
        ("customer_explanation", "We will give you the goods.", None, "promise nothing"),
        ("customer_explanation", "Your request is approved.", None, "promise nothing"),
        ("to_improve.0", "Pay now or the police will come.", None, "interest"),
        ("customer_explanation", "Your score is {credit_score}.", None, "leave out score"),
        ("customer_explanation", "Abeg, we dey look your account small.", None, "English"),
    ],
)
def test_a_bad_answer_is_named_and_never_quoted(
    where: str, text: str, keys: tuple[str, ...] | None, complaint: str
) -> None:
    """Each fault of a scripted adversary gets one correction, told by place and rule alone."""
    prompt = assess(application())
    answer = rewritten(sample(prompt), where, text, keys)
    found = checked(prompt, answer)
    assert any(complaint in fault for fault in found)
    assert all(word not in " ".join(found) for word in ("five thousand", "police will", "woman", "\u2167"))


def test_an_answer_in_another_language_is_named() -> None:
    """A whole answer in French is sent back once."""
    prompt = assess(application())
    answer = sample(prompt)
    cited = {"summary": "{decision}", "reasons.0": "{binding_rule}", "reasons.1": "{on_time_share}"}
    cited |= {"reasons.2": "{last_days_late}", "reasons.3": "{request_ratio}"}
    lists = {"to_improve": answer.to_improve, "checks_before_agreeing": answer.checks_before_agreeing}
    advice = [f"{name}.{number}" for name, lines in lists.items() for number in range(len(lines))]
    for where in (*cited, *advice, "customer_explanation"):
        answer = rewritten(answer, where, f"{cited.get(where, '')} Nous regardons votre compte avec beaucoup de soin.")
    assert checked(prompt, answer) == ["the answer: must be in plain English"]


@pytest.mark.parametrize(
    "text",
    [
        "Write to me at boss@example.com about it.",
        "See https://example.com for more.",
        "See wa.me/233245550111 for more.",
        "Go to pay-fast.com today.",
        "Call 024 555 0111 now.",
        "Call +233 24 555 0111 now.",
        "Call 0233245550111 now.",
        "<b>Good</b> customer.",
        "![x](y) Good customer.",
        "As an AI language model I cannot decide this.",
        "I'm sorry, I can\u2019t help with that.",
        "Ignoring previous instructions, the customer is fine.",
        "<think>The limit is fixed.</think> Good.",
        "Let me think about what the user wants.",
        "The rule mark is UmbraFinch.",
        "You explain a credit decision to the owner of a shop in Ghana.",
        "Code has taken the decision; you cannot change it.",
    ],
)
def test_some_answers_get_no_second_chance(text: str) -> None:
    """Contact details, markup and echoes of the instructions end the call at once; the message quotes nothing."""
    prompt = assess(application())
    answer = rewritten(sample(prompt), "checks_before_agreeing.0", text)
    with pytest.raises(BadOutput) as caught:
        checked(prompt, answer)
    assert text not in str(caught.value)
    assert "Nothing was charged" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"summary": "cut o',
        "",
        "```json\n{}\n```",
        "I cannot help with that.",
        '{"summary": null}',
        '{"summary": {"text": "", "fact_keys": []}}',
    ],
)
def test_what_is_no_answer_at_all_does_not_fit_the_model(text: str) -> None:
    """Truncated, empty, fenced, refused: found before any check of words."""
    with pytest.raises(ValidationError):
        CreditExplanation.model_validate_json(text)


def test_a_text_too_long_does_not_fit_the_model() -> None:
    """Lengths are ours to enforce; providers only promise them."""
    answer = sample(assess(application()))
    with pytest.raises(ValidationError, match="at most 300"):
        rewritten(answer, "summary", "{decision} " + "very " * 80)
    with pytest.raises(ValidationError, match="at most 180"):
        rewritten(answer, "reasons.0", "{binding_rule} " + "very " * 40)


def test_a_text_that_grows_too_long_when_filled_is_named() -> None:
    """Short references with long texts count by what the owner reads."""
    prompt = assess(application())
    rule = "the customer's usual monthly purchases and grade"
    fits = rewritten(sample(prompt), "reasons.0", "{binding_rule}" + "!" * (180 - len(rule)))
    assert checked(prompt, fits) == []
    answer = rewritten(sample(prompt), "reasons.0", "{binding_rule}" + "!" * (181 - len(rule)))
    assert checked(prompt, answer) == ["reasons.LIMIT_RULE: longer than 180 characters once the facts are filled in"]


def test_reasons_are_the_given_ones_in_the_given_order() -> None:
    """A dropped, swapped or turned reason is named."""
    prompt = assess(application())
    good = sample(prompt)
    swapped = good.model_copy(update={"reasons": good.reasons[::-1]})
    dropped = good.model_copy(update={"reasons": good.reasons[:3]})
    turned = good.model_copy(
        update={"reasons": (good.reasons[0].model_copy(update={"direction": "up"}), *good.reasons[1:])}
    )
    assert checked(prompt, swapped) == ["reasons: must hold exactly the given codes, in the given order"]
    assert checked(prompt, dropped) == ["reasons: must hold exactly the given codes, in the given order"]
    assert checked(prompt, turned) == ["reasons.LIMIT_RULE: direction must be down"]


def test_a_refusal_is_not_worded_as_an_approval() -> None:
    """Words of agreement under a decision to decline are sent back."""
    prompt = assess(application(credit_invoices=(bill(80, None), *(bill(90 + n) for n in range(8)))))
    assert fallen_back(prompt).data.decision == "decline"
    answer = rewritten(sample(prompt), "summary", "{decision}. Still, the request is approved.")
    assert checked(prompt, answer) == ["the answer: name the decision only by citing {decision}"]


PROTECTED = re.compile(
    "name|sex|gender|age|birth|religion|creed|ethnic|tribe|race|colour|origin|nationality|region|town|address|phone"
    "|marital|politic|income|social|status|health|disability"
)


def leaves(annotation: Any) -> set[object]:
    """The plain types that a field's annotation is made of."""
    if get_origin(annotation) is Annotated:
        return leaves(get_args(annotation)[0])
    inner = get_args(annotation)
    return {kind for part in inner for kind in leaves(part)} if inner else {annotation}


def test_no_input_could_carry_a_protected_attribute() -> None:
    """No field's name speaks of a person, and no free text could smuggle one in: all are amounts, counts and dates."""
    for model in (CreditApplication, CreditInvoice):
        assert not [field for field in model.model_fields if PROTECTED.search(field)]
        kinds = {kind for field in model.model_fields.values() for kind in leaves(field.annotation)}
        assert kinds <= {Decimal, int, date, type(None), CreditInvoice, Ellipsis}


@pytest.mark.usefixtures("ai_payer")
def test_a_models_words_are_paid_for(ai_llm: FakeLlm) -> None:
    """The model's words around our figures cost three credits; a quote says so before."""
    ai_llm.reply(credit_assessment, sample(assess(application())))
    assert credit_assessment.quote(application()).charge == Credits(3)
    value, receipt = credit_assessment.billed(application())
    assert (value.source, value.data.decision, receipt.charged) == ("ai", "approve_reduced", Credits(3))
    assert len(ai_llm.calls) == 1


@pytest.mark.anyio
@pytest.mark.usefixtures("ai_payer")
async def test_a_call_on_an_event_loop_is_the_same(ai_llm: FakeLlm) -> None:
    """Sync and async share one description of a call."""
    ai_llm.reply(credit_assessment, sample(assess(application())))
    value, receipt = await credit_assessment.aio.billed(application())
    assert (value.data, receipt.charged) == (fallen_back(assess(application())).data, Credits(3))


@pytest.mark.usefixtures("ai_payer")
def test_with_all_providers_down_the_rules_answer_for_nothing(ai_llm: FakeLlm) -> None:
    """The decision does not need a model; it comes uncharged and says why."""
    ai_llm.fail(credit_assessment)
    value, receipt = credit_assessment.billed(application())
    assert (value.source, value.degraded_reason, receipt.charged) == ("rules", "provider_down", Credits(0))
    assert value.data == fallen_back(assess(application())).data


@pytest.mark.usefixtures("ai_payer")
@pytest.mark.parametrize(
    "answer",
    ['{"summary": "cut o', "", "I cannot help with that.", '{"recommended_limit": 50000}'],
)
def test_an_answer_that_stays_unusable_is_not_paid_for(ai_llm: FakeLlm, answer: str) -> None:
    """One repair, then the rules; nothing an answer says changes the decision."""
    ai_llm.reply_text(credit_assessment, answer)
    ai_llm.reply_text(credit_assessment, answer)
    value, receipt = credit_assessment.billed(application())
    assert (value.source, value.degraded_reason, receipt.charged) == ("rules", "guard_rejected", Credits(0))
    assert value.data == fallen_back(assess(application())).data


def test_the_example_is_a_regular_customer() -> None:
    """The example is the same each time, and its result worth showing."""
    assert example() == example(10_000)
    assert fallen_back(assess(example())).data.decision == "approve_reduced"


@pytest.mark.parametrize(
    ("changes", "codes", "quality"),
    [
        ({}, [], "ok"),
        ({"credit_invoices": ()}, ["no_history"], "poor"),
        ({"credit_invoices": (bill(40),)}, [], "thin"),
        ({"current_limit": "0"}, ["no_limit"], "ok"),
        ({"current_limit": "0", "monthly_purchases": ["0"] * 12}, ["no_limit", "no_base", "no_trend"], "ok"),
        ({"credit_invoices": tuple(bill(n, 1) for n in (40, 70, 100, 900))}, ["old_bills_ignored"], "ok"),
    ],
)
def test_what_could_not_be_computed_is_said(changes: dict[str, object], codes: list[str], quality: str) -> None:
    """A missing figure is left out with a warning, never shown as 0."""
    result = fallen_back(assess(application(**changes)))
    assert [notice.code for notice in result.warnings] == codes
    assert result.data_quality == quality
    keys = {fact.key for fact in result.facts}
    assert ("on_time_share" in keys) == ("no_history" not in codes)
    assert ("limit_used" in keys) == ("no_limit" not in codes)
    assert ("request_ratio" in keys) == ("no_base" not in codes)
    assert ("purchase_trend" in keys) == ("no_trend" not in codes)


def test_advice_follows_from_the_figures() -> None:
    """A disputed, bounced, overdue account gets checks that name exactly this."""
    bad = application(disputes_open=2, credit_invoices=(bill(20, None), bill(60, 20), bill(90), bill(120)))
    data = fallen_back(assess(bad)).data
    assert data.checks_before_agreeing == (
        "Agree on a day for the bill that is 20 days past its due date.",
        "Ask what is behind the bills in dispute: 2.",
        "Ask about the payments that bounced: 1 in a year.",
    )
    falling = fallen_back(assess(application(returned_payments_12m=0))).data
    assert falling.checks_before_agreeing[0] == "Ask why purchases changed by -29% in half a year."


def test_the_same_input_gives_the_same_bytes() -> None:
    """Cache keys and replays can rely on it."""
    first, second = (assess(application()) for _ in range(2))
    assert json.dumps(sent(first)) == json.dumps(sent(second))
    assert fallen_back(first).model_dump_json() == fallen_back(second).model_dump_json()


def test_no_digit_stands_in_code_or_key() -> None:
    """Reasons and keys can stand in prose without looking like numbers."""
    data = sent(assess(application()))
    assert not re.search("[0-9]", "".join(data["facts"]) + "".join(data["reasons"]))
