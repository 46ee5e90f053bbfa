"""The arithmetic of a credit decision."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ai_addons.features.credit_assessment import BindingRule, CreditApplication, CreditInvoice, CreditPolicy, GradeRule
from ai_addons.features.credit_assessment.scorecard import assess, decimal, history
from tests.sizes import tries

if TYPE_CHECKING:
    from random import Random

TODAY = date(2026, 11, 20)
POLICY = CreditPolicy()


def bill(due_ago: int, late: int | None = 0, *, term: int = 30) -> CreditInvoice:
    """A bill due so many days ago, paid so many days late; None for unpaid."""
    due = TODAY - timedelta(days=due_ago)
    paid = None if late is None else due + timedelta(days=late)
    return CreditInvoice(issued=due - timedelta(days=term), due=due, paid=paid, amount=Decimal(100))


GOOD = tuple(bill(40 + 30 * number) for number in range(8))


def application(**changes: object) -> CreditApplication:
    """A customer whom every rule likes, with changes."""
    base: dict[str, object] = {
        "as_of": TODAY,
        "requested_ghs": "1000",
        "current_limit": "1000",
        "exposure": "0",
        "tenure_months": 24,
        "orders_12m": 30,
        "spend_12m": "12000",
        "disputes_open": 0,
        "returned_payments_12m": 0,
        "monthly_purchases": ["1000"] * 12,
        "credit_invoices": GOOD,
    }
    return CreditApplication.model_validate(base | changes)


cedis = st.decimals(0, 50_000, places=2)
bills = st.builds(
    bill,
    st.integers(1, 400),
    st.one_of(st.none(), st.integers(-20, 0)),
    term=st.integers(0, 60),
)
applications = st.builds(
    application,
    requested_ghs=cedis,
    current_limit=st.one_of(st.just(Decimal(0)), cedis),
    exposure=cedis,
    tenure_months=st.integers(0, 120),
    disputes_open=st.integers(0, 3),
    returned_payments_12m=st.integers(0, 5),
    monthly_purchases=st.lists(st.one_of(st.just(Decimal(0)), cedis), min_size=12, max_size=12),
    credit_invoices=st.lists(bills, max_size=14),
)


@settings(max_examples=tries(300))
@given(applications)
def test_every_result_is_in_range_and_adds_up(asked: CreditApplication) -> None:
    """A shop never sees a score outside 0-100, a limit above any cap, or fewer than two reasons."""
    verdict = assess(asked, POLICY)
    assert sum(part.most for part in verdict.components) == 100
    assert 100 - sum(part.lost for part in verdict.components) == verdict.score
    assert all(0 <= part.lost <= part.most for part in verdict.components)
    assert 0 <= verdict.score <= 100
    assert 0 <= verdict.limit <= min(asked.requested_ghs, POLICY.absolute_cap)
    assert verdict.limit % 50 == 0
    assert verdict.available_now == max(Decimal(0), verdict.limit - asked.exposure)
    codes = [reason.code for reason in verdict.reasons]
    assert 2 <= len(codes) <= 4
    assert len(set(codes)) == len(codes)
    if asked.current_limit:
        assert verdict.limit <= POLICY.growth_cap * asked.current_limit
    if verdict.decision in {"approve", "approve_reduced"}:
        assert verdict.limit > 0
        assert (verdict.limit == asked.requested_ghs) == (verdict.decision == "approve")


@settings(max_examples=tries(300))
@given(applications, st.data())
def test_paying_a_bill_later_never_helps(asked: CreditApplication, data: st.DataObject) -> None:
    """Nobody gains points, a better grade or a higher limit by paying a bill later than they did."""
    settled = [number for number, one in enumerate(asked.credit_invoices) if one.paid is not None]
    if not settled:
        return
    chosen = data.draw(st.sampled_from(settled))
    was = asked.credit_invoices[chosen]
    assert was.paid is not None
    latest = (TODAY - was.paid).days
    paid = was.paid + timedelta(days=data.draw(st.integers(0, latest)))
    bills_later = list(asked.credit_invoices)
    bills_later[chosen] = was.model_copy(update={"paid": paid})
    before, after = (
        assess(asked, POLICY),
        assess(asked.model_copy(update={"credit_invoices": tuple(bills_later)}), POLICY),
    )
    assert after.score <= before.score
    assert after.limit <= before.limit


@given(applications, st.decimals(0, 20_000, places=2))
def test_asking_for_more_never_raises_the_score(asked: CreditApplication, more: Decimal) -> None:
    """A larger request is never judged safer."""
    larger = asked.model_copy(update={"requested_ghs": asked.requested_ghs + more})
    assert assess(larger, POLICY).score <= assess(asked, POLICY).score


@given(st.lists(bills, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_bills_does_not_matter(some: list[CreditInvoice], draw: Random) -> None:
    """The same bills in another order give the same history."""
    mixed = list(some)
    draw.shuffle(mixed)
    assert history(some, TODAY) == history(mixed, TODAY)


def test_an_unpaid_bill_past_due_counts_as_late_so_far() -> None:
    """The worst payer, who never pays, is not invisible."""
    past = history([bill(10, None), bill(100, 3)], TODAY)
    assert (past.n, past.late, past.last, past.worst, past.overdue_now) == (2, 2, 10, 10, 10)
    assert past.mean == Fraction(13, 2)


def test_a_bill_not_yet_due_says_nothing() -> None:
    """An open bill within its term neither helps nor harms."""
    assert history([bill(-5, None), bill(0, None)], TODAY).n == 0


def test_bills_older_than_two_years_are_set_aside_unless_unpaid() -> None:
    """Old settled bills are counted out, and said so; old debts stay."""
    past = history([bill(900, 5), bill(900, None)], TODAY)
    assert (past.n, past.ignored, past.overdue_now) == (1, 1, 900)


def test_two_years_before_a_leap_day_begins_in_march() -> None:
    """A leap day has no twin two years earlier, and nothing breaks."""
    day = date(2028, 2, 29)
    edge = CreditInvoice(issued=date(2026, 3, 1), due=date(2026, 3, 1), paid=date(2026, 3, 1), amount=Decimal(1))
    before = CreditInvoice(issued=date(2026, 2, 28), due=date(2026, 3, 1), paid=date(2026, 3, 1), amount=Decimal(1))
    past = history([edge, before], day)
    assert (past.n, past.ignored) == (1, 1)


def test_of_two_bills_due_the_same_day_the_later_paid_one_is_the_last() -> None:
    """A tie of due dates is settled by the worse one."""
    assert history([bill(50, 0), bill(50, 9)], TODAY).last == 9


def test_without_history_the_score_assumes_half_late_and_five_days() -> None:
    """No record costs 17.5 + 20 x 5/30 + 15 x 5/60 + 15 points, worked by hand."""
    verdict = assess(application(credit_invoices=()), POLICY)
    assert verdict.score == 100 - (Fraction(35, 2) + Fraction(10, 3) + Fraction(5, 4) + 15)
    assert decimal(verdict.score) == Decimal("62.916666")


def test_the_components_are_those_of_the_scorecard() -> None:
    """Two of eight bills late by 15 and 30 days, last one 15: worked by hand."""
    paid = (bill(40, 15), bill(70, 30), *(bill(100 + 30 * number) for number in range(6)))
    verdict = assess(application(credit_invoices=paid, requested_ghs="1500"), POLICY)
    lost = [part.lost for part in verdict.components]
    assert lost == [Fraction(35, 4), 10, Fraction(15, 2), 0, Fraction(15, 2)]
    assert verdict.score == Fraction("66.25")
    assert verdict.grade.grade == "B"


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, "approve"),
        ({"requested_ghs": "1001"}, "approve_reduced"),
        ({"credit_invoices": (*GOOD, bill(60, None))}, "approve"),
        ({"credit_invoices": (*GOOD, bill(61, None))}, "decline"),
        ({"credit_invoices": (*GOOD, bill(61, None)), "disputes_open": 1}, "decline"),
        ({"disputes_open": 1}, "refer"),
        ({"tenure_months": 5}, "refer"),
        ({"tenure_months": 6}, "approve"),
        ({"credit_invoices": GOOD[:2]}, "refer"),
        ({"credit_invoices": GOOD[:3]}, "approve"),
        ({"credit_invoices": ()}, "refer"),
        ({"credit_invoices": tuple(bill(70 + 30 * number, 60) for number in range(4))}, "decline"),
        ({"credit_invoices": tuple(bill(70 + 30 * number, 60) for number in range(2))}, "refer"),
        ({"credit_invoices": tuple(bill(70 + 30 * number, 20) for number in range(6))}, "refer"),
        ({"requested_ghs": "0"}, "refer"),
        ({"monthly_purchases": ["0"] * 12}, "refer"),
        ({"current_limit": "100", "requested_ghs": "100"}, "approve"),
    ],
)
def test_the_first_rule_that_fits_decides(changes: dict[str, Any], decision: str) -> None:
    """Each path to a decision, and its edges, in the order of the rules."""
    assert assess(application(**changes), POLICY).decision == decision


def graded(score: Fraction) -> str:
    """The grade of an exact score."""
    return next(rule.grade for rule in POLICY.grades if score >= Fraction(rule.from_score))


@pytest.mark.parametrize(
    ("late_days", "score", "grade"),
    # One of eight bills late so many days, the most recent one, and nothing else: 100 - 4.375 - 2/3 d - 1/4 d.
    [(0, Fraction(100), "A"), (16, Fraction("80.958333") + Fraction(1, 3_000_000), "A"), (18, Fraction("79.125"), "B")],
)
def test_grades_begin_at_their_score(late_days: int, score: Fraction, grade: str) -> None:
    """A score on the threshold has the better grade; a hair below has not."""
    verdict = assess(application(credit_invoices=(bill(20, late_days), *(bill(60 + n) for n in range(7)))), POLICY)
    assert verdict.score == score
    assert verdict.grade.grade == grade


@pytest.mark.parametrize(
    ("score", "grade"),
    [("100", "A"), ("80", "A"), ("79.999", "B"), ("65", "B"), ("50", "C"), ("35", "D"), ("34.99", "E"), ("0", "E")],
)
def test_the_default_grades_have_their_thresholds(score: str, grade: str) -> None:
    """A from 80, B from 65, C from 50, D from 35, else E."""
    assert graded(Fraction(score)) == grade


@pytest.mark.parametrize(
    ("changes", "limit", "rule"),
    [
        ({"requested_ghs": "999"}, 950, "requested"),
        ({"requested_ghs": "49.99"}, 0, "requested"),
        ({"requested_ghs": "9000", "current_limit": "1000"}, 1500, "growth_cap"),
        ({"requested_ghs": "9000", "current_limit": "8000", "exposure": "500"}, 2000, "purchases_multiple"),
        (
            {"requested_ghs": "90000", "current_limit": "80000", "monthly_purchases": ["9000"] * 12},
            10000,
            "absolute_cap",
        ),
        # Ties: the request, the cap, the purchases, the growth, in this order.
        ({"requested_ghs": "2000", "current_limit": "8000"}, 2000, "requested"),
        ({"requested_ghs": "10000", "current_limit": "8000", "monthly_purchases": ["5000"] * 12}, 10000, "requested"),
        (
            {"requested_ghs": "11000", "current_limit": "10000", "monthly_purchases": ["5000"] * 12},
            10000,
            "absolute_cap",
        ),
        ({"requested_ghs": "2500", "current_limit": "2000", "monthly_purchases": ["1500"] * 12}, 2500, "requested"),
    ],
)
def test_the_smallest_rule_sets_the_limit(changes: dict[str, Any], limit: int, rule: BindingRule) -> None:
    """The limit is the smallest of four, down to GHS 50, and says which rule it was."""
    verdict = assess(application(**changes), POLICY)
    assert verdict.limit == limit
    assert verdict.binding_rule == rule


def test_equal_purchase_and_growth_limits_name_the_purchases() -> None:
    """The last tie: purchases before growth."""
    asked = application(requested_ghs="9000", current_limit="2000", monthly_purchases=["1875"] * 12)
    verdict = assess(asked, POLICY)
    assert verdict.grade.grade == "A"
    tied = assess(asked.model_copy(update={"monthly_purchases": (Decimal(1500),) * 12}), POLICY)
    assert tied.limit == 3000
    assert tied.binding_rule == "purchases_multiple"


def test_the_median_of_twelve_months_is_the_middle_of_the_two() -> None:
    """One exceptional month does not raise a limit."""
    months = [str(amount) for amount in (100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 99999)]
    assert assess(application(monthly_purchases=months), POLICY).median_purchases == 650


def test_the_request_is_measured_against_limit_then_purchases_then_two() -> None:
    """A first request is compared with what is usually bought; with nothing, it costs all its points."""
    assert assess(application(requested_ghs="1500"), POLICY).ratio == Fraction(3, 2)
    assert assess(application(requested_ghs="1500", current_limit="0"), POLICY).ratio == Fraction(3, 2)
    nothing = assess(application(current_limit="0", monthly_purchases=["0"] * 12), POLICY)
    assert nothing.ratio is None
    assert nothing.components[-1].lost == 15


def test_the_trend_compares_half_years() -> None:
    """Last six months against the six before; nothing before, no trend."""
    assert assess(application(monthly_purchases=["100"] * 6 + ["150"] * 6), POLICY).trend == Fraction(1, 2)
    assert assess(application(monthly_purchases=["0"] * 6 + ["150"] * 6), POLICY).trend is None


def test_a_full_approval_names_strengths_and_anything_else_weaknesses() -> None:
    """Reasons speak for an approval; otherwise hard rules come first, then the costliest points."""
    assert all(reason.sign == 1 for reason in assess(application(), POLICY).reasons)
    weak = assess(application(disputes_open=1, tenure_months=1, credit_invoices=(bill(50, 40),)), POLICY).reasons
    assert [reason.code for reason in weak] == ["OPEN_DISPUTE", "SHORT_TENURE", "FEW_INVOICES", "LATE_SHARE"]
    assert all(reason.sign == -1 for reason in weak)


def test_a_single_weakness_is_joined_by_the_greatest_strength() -> None:
    """There are always two reasons."""
    found = assess(application(disputes_open=1), POLICY).reasons
    assert [(reason.code, reason.sign) for reason in found] == [("OPEN_DISPUTE", -1), ("LATE_SHARE", 1)]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Ama"},
        {"sex": "f"},
        {"age": 30},
        {"region": "Ashanti"},
        {"phone": "0245550111"},
        {"religion": "x"},
        {"marital_status": "x"},
        {"ethnicity": "x"},
        {"requested_ghs": 10.5},
        {"requested_ghs": True},
        {"requested_ghs": "-1"},
        {"requested_ghs": "1.005"},
        {"monthly_purchases": ["1"] * 11},
        {"as_of": None},
        {"credit_invoices": (bill(-3, 0),)},
    ],
)
def test_what_must_not_decide_cannot_be_given(changes: dict[str, Any]) -> None:
    """No field for a person's traits, no float, no bill from the future."""
    with pytest.raises(ValidationError) as caught:
        application(**changes)
    assert "Ama" not in str(caught.value)


def test_a_bill_cannot_be_due_before_it_is_issued() -> None:
    """A mistyped date is found at the door."""
    with pytest.raises(ValidationError, match="due before"):
        CreditInvoice(issued=TODAY, due=TODAY - timedelta(days=1), amount=Decimal(1))


def test_a_policy_grades_every_score() -> None:
    """Own grades must run down to 0."""
    top = GradeRule(grade="A", from_score=Decimal(80), factor=Decimal(1), pd_90d=Decimal("0.03"))
    with pytest.raises(ValidationError, match="down to 0"):
        CreditPolicy(grades=(top,))
    own = CreditPolicy(grades=(top.model_copy(update={"from_score": Decimal(0)}),))
    assert assess(application(), own).grade.grade == "A"


def test_a_strength_that_is_half_lost_is_not_praised() -> None:
    """An approval names only what saved at least half of its points, beyond the two best."""
    mixed = (bill(40, 16), bill(70, 31), *(bill(100 + 30 * number) for number in range(8)))
    verdict = assess(application(credit_invoices=mixed, requested_ghs="1400", current_limit="1400"), POLICY)
    assert verdict.decision == "approve"
    saved = {part.code: part.saved / part.most for part in verdict.components}
    assert saved["LAST_LATE"] < Fraction(1, 2)
    assert [reason.code for reason in verdict.reasons] == ["LATE_SHARE", "SHORT_HISTORY", "REQUEST_SIZE"]
