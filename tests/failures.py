"""What went wrong with credits elsewhere, and which test shows that it does not here.

``B`` are failures that users of other systems reported, ``D`` are mistakes of the
first plan of this one. After a change run ``python -m tests.failures``: it writes the
page of the docs anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "explanation" / "failures-others-had.md"

_CALLS: Final = "test_billing_failures_calls"
_TIME: Final = "test_billing_failures_time"
_PLAN: Final = "test_billing_failures_plan"
OWN: Final = (_CALLS, _TIME, _PLAN)
"""Modules whose tests are named after the failures they are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failure.

    Attributes:
        id: ``B`` or ``D`` and its number.
        wrong: What went wrong.
        tests: Each test that shows that it does not here, as ``module::function``.
    """

    id: str
    wrong: str
    tests: tuple[str, ...]


def _failure(id_: str, wrong: str, *tests: str) -> Failure:
    return Failure(id=id_, wrong=wrong, tests=tests)


_REFUNDS: Final = "test_billing_refunds"
_DIES: Final = f"{_CALLS}::test_b6_b10_d3_work_that_dies_at_any_step_is_done_once_when_it_is_repeated"
_ONE_BALANCE: Final = f"{_CALLS}::test_b1_d1_calls_at_once_cannot_pass_one_balance"
_ONE_ORDER: Final = f"{_CALLS}::test_b7_b8_b9_one_order_is_one_grant_whoever_brings_it_and_how_often"
_ONE_ALERT: Final = f"{_PLAN}::test_b21_d30_a_hundred_calls_across_the_threshold_tell_once"
_MONTH_ENDS: Final = f"{_TIME}::test_b13_d8_no_month_end_drifts_in_four_years"
_LOG: Final = f"{_PLAN}::test_b28_d27_no_page_reads_the_raw_log"
_REPORTS: Final = "test_billing_usage::test_reports_read_ranges_of_keys_and_no_log"
_PAYMENTS: Final = "test_billing_payment_races"
_ONE_PAYMENT: Final = f"{_PAYMENTS}::test_b7_b8_b9_webhook_browser_and_reconciler_at_once_are_one_grant"
_PAYMENT_DIES: Final = f"{_PAYMENTS}::test_b6_b10_d3_a_process_that_is_gone_at_any_step_of_a_payment_grants_once"
_FAILED: Final = f"{_PLAN}::test_b5_d28_a_failure_keeps_its_cost_and_an_unknown_is_no_zero"
_EXACT: Final = f"{_PLAN}::test_b19_d13_d14_amounts_of_any_size_are_exact"
_SOURCES: Final = f"{_PLAN}::test_d10_d29_d40_every_credit_has_a_source_and_every_balance_a_name"
_FORGOTTEN: Final = f"{_PLAN}::test_d31_d33_forgetting_people_leaves_the_books_whole_and_no_pseudonym"
_CANCELLED: Final = f"{_TIME}::test_d9_d11_a_cancelled_add_on_ends_by_itself"
_PRICE_LIST: Final = "test_catalog::test_the_price_list_is_the_published_one"

REPORTED: Final = (
    _failure(
        "B1",
        "The balance was checked and charged later, so many calls at once passed one balance.",
        _ONE_BALANCE,
        "test_billing_races::test_parallel_calls_cannot_pass_one_balance",
        "test_billing_races::test_processes_and_threads_share_one_wallet_exactly",
    ),
    _failure(
        "B2",
        "A call that was cancelled, cut off or crashed kept its credits held for ever.",
        f"{_CALLS}::test_b2_a_process_that_is_gone_at_any_step_of_a_call_leaks_no_hold",
        "test_call_interrupted::test_a_cancelled_task_leaves_no_hold",
        "test_call_interrupted::test_a_closed_coroutine_leaves_no_hold",
        "test_call_interrupted::test_ctrl_c_leaves_no_hold",
        "test_billing_kills::test_whatever_a_killed_process_did_is_there_once_or_not_at_all",
    ),
    _failure(
        "B3",
        "The counter that enforced a budget and the database that recorded it said different things.",
        f"{_CALLS}::test_b3_what_is_enforced_and_what_is_booked_never_drift_apart",
        "test_billing_machine::test_books_follow_the_model",
    ),
    _failure(
        "B4",
        "A stream that broke off was given back whole, though most of the answer had been read.",
        f"{_CALLS}::test_b4_a_part_is_charged_as_a_part_and_never_above_the_hold",
        "test_stream::test_a_reader_who_stops_pays_in_full",
    ),
    _failure(
        "B5",
        "A stream that failed before its first word was charged to the customer.",
        _FAILED,
        "test_stream::test_a_provider_that_breaks_off_is_not_paid_for",
        "test_stream::test_a_reader_who_never_begins_pays_nothing",
    ),
    _failure("B6", "Credits were given back in one step and marked so in another; a retry did it twice.", _DIES),
    _failure("B7", "The same top-up sent twice gave its credits twice.", _ONE_ORDER, _ONE_PAYMENT),
    _failure(
        "B8",
        "A webhook delivered again gave its credits again.",
        _ONE_ORDER,
        "test_billing_races::test_one_grant_in_parallel_is_booked_once",
        _ONE_PAYMENT,
    ),
    _failure(
        "B9",
        "Two handlers shared a list of messages seen, so the second skipped a purchase that was valid.",
        _ONE_ORDER,
        f"{_PAYMENTS}::test_b9_two_messages_under_one_key_are_two_grants_for_two_orders",
    ),
    _failure("B10", "A crash between record and credit: the retry saw the record and gave nothing.", _DIES),
    _failure(
        "B11",
        "Refunds and disputes took back nothing, or took it twice.",
        f"{_REFUNDS}_machine::test_b11_b12_money_and_credits_agree_whatever_happens_in_whatever_order",
        f"{_REFUNDS}_races::test_b11_a_refund_told_many_times_at_once_takes_once",
        f"{_REFUNDS}_races::test_b11_a_refund_that_dies_at_any_step_is_done_once_when_it_is_repeated",
        f"{_REFUNDS}::test_a_dispute_that_is_won_frees_its_credits",
    ),
    _failure(
        "B12",
        "A refund came after the credits were spent, and nobody had decided what then.",
        f"{_REFUNDS}::test_credits_that_are_spent_follow_the_policy",
        f"{_REFUNDS}::test_credits_bought_later_pay_a_debt_first",
        f"{_REFUNDS}::test_a_suspended_wallet_goes_on_once_it_has_paid",
        f"{_REFUNDS}_races::test_b12_calls_and_a_refund_at_once_share_the_credits_out",
    ),
    _failure(
        "B13",
        "Renewals of the 31st moved to the 28th and stayed there.",
        _MONTH_ENDS,
        "test_billing_months::test_forty_eight_months_follow_one_another_without_gap_or_overlap",
    ),
    _failure(
        "B14",
        "A grant due exactly at the boundary was counted twice.",
        f"{_TIME}::test_b14_a_grant_due_at_the_boundary_is_given_once",
    ),
    _failure(
        "B15",
        "A renewal or a change of plan wiped credits that had been bought.",
        f"{_PLAN}::test_b15_nothing_about_an_add_on_touches_what_was_bought",
    ),
    _failure(
        "B16",
        "The nightly job and the next call did the same work differently: one forgot the cap.",
        f"{_TIME}::test_b16_a_shop_that_no_job_visits_has_the_same_ledger",
        f"{_TIME}::test_b16_a_call_over_the_turn_of_a_period_leaves_the_same_ledger",
    ),
    _failure(
        "B17",
        "At the change of period a grant got lost, and a late message paid for the wrong period.",
        f"{_TIME}::test_b17_a_renewal_and_a_purchase_at_the_turn_of_the_period_are_both_given",
        f"{_TIME}::test_b17_a_late_message_pays_for_its_own_period",
    ),
    _failure(
        "B18",
        "Expired credits could be spent until somebody swept, and the sweep took bought ones along.",
        f"{_TIME}::test_b18_expired_credits_cannot_pay_though_nobody_swept",
        f"{_TIME}::test_b18_expiry_that_races_with_calls_takes_its_own_grant_alone",
    ),
    _failure(
        "B19",
        "Rounding let the balance and its entries drift apart.",
        _EXACT,
        "test_billing_lifecycle::test_every_micro_credit_is_accounted_for",
    ),
    _failure(
        "B20",
        "A daily limit started afresh hours late, at midnight somewhere else.",
        f"{_TIME}::test_b20_a_limit_starts_afresh_at_midnight_in_the_shop",
        "test_billing_limit_rules::test_windows_follow_the_calendar_of_the_shop",
    ),
    _failure(
        "B21",
        "A balance that hovered around the threshold sent ten alerts a week.",
        _ONE_ALERT,
        "test_billing_alert_rules::test_hovering_around_the_level_fires_once",
    ),
    _failure(
        "B22",
        "An automatic top-up was ordered again at each look, or stopped without a word.",
        "test_billing_topping_up::test_many_machines_at_once_buy_once",
        "test_billing_topping_up::test_a_runaway_buys_no_more_than_was_agreed",
        "test_billing_topping_up::test_a_declined_card_ends_its_order_and_is_tried_again_later",
    ),
    _failure(
        "B23",
        "A trial was claimed again after deleting the account, and by farms of accounts.",
        f"{_PLAN}::test_b23_a_trial_is_claimed_once_though_the_business_was_deleted",
        f"{_PLAN}::test_b23_a_farm_of_accounts_has_its_bound",
        "test_billing_trials::test_parallel_claims_of_one_owner_give_one_trial",
    ),
    _failure(
        "B24",
        "One tenant could look up or verify the payment of another.",
        "test_billing_orders::test_another_business_learns_nothing",
        "test_web_access::test_anothers_thing_looks_like_one_that_is_not_there",
    ),
    _failure(
        "B25",
        "A payment of 10 was taken for one of 100.",
        "test_billing_orders::test_a_payment_that_does_not_fit_grants_nothing",
    ),
    _failure(
        "B26",
        "A check of the balance forgot what was held by calls under way.",
        f"{_CALLS}::test_b26_credits_in_flight_are_nobodys_to_take",
        "test_billing_doctor::test_the_database_refuses_an_overdraft",
    ),
    _failure(
        "B27",
        "Two captures of one hold both went through.",
        f"{_CALLS}::test_b27_one_hold_is_captured_once_however_many_try",
        f"{_CALLS}::test_b27_a_capture_and_a_void_at_once_have_one_outcome",
    ),
    _failure("B28", "The usage page read every call ever made and took half a minute.", _LOG, _REPORTS),
    _failure(
        "B29",
        "Writers at once were told that the database is locked.",
        f"{_CALLS}::test_b29_thirty_two_writers_never_see_a_locked_database",
    ),
    _failure(
        "B30",
        "A balance kept in a cache went stale and brought spent credits back.",
        f"{_CALLS}::test_b30_no_host_keeps_a_balance_that_another_has_changed",
    ),
)

PLANNED: Final = (
    _failure(
        "D1",
        "Check, call, then charge: twenty calls were made on a balance for two.",
        _ONE_BALANCE,
        "test_call_money::test_twenty_threads_on_twelve_credits_get_two_answers",
    ),
    _failure(
        "D2",
        "The balance was read, changed and saved: a top-up beside captures was lost.",
        f"{_CALLS}::test_d2_top_ups_that_race_with_captures_lose_nothing",
    ),
    _failure("D3", "An order was marked as paid before its credits came, and again.", _DIES, _PAYMENT_DIES),
    _failure(
        "D4",
        "A payment was verified without comparing tenant, amount, currency and mode.",
        "test_billing_orders::test_a_payment_that_does_not_fit_grants_nothing",
        "test_billing_orders::test_another_business_learns_nothing",
        "test_billing_orders::test_a_key_that_changed_its_mode_grants_nothing",
    ),
    _failure(
        "D5",
        "Only the buyer's browser brought the credits; who closed it paid for nothing.",
        "test_billing_inbox::test_a_webhook_makes_us_ask_and_grants",
        "test_billing_reconciling::test_what_nobody_told_us_of_is_granted",
        f"{_PAYMENTS}::test_whoever_is_killed_between_the_payment_and_its_grant_grants_once",
    ),
    _failure(
        "D6",
        "Taking the add-on gave its credits unpaid, as often as one liked.",
        f"{_PLAN}::test_d6_an_add_on_that_nobody_paid_gives_nothing_however_often_it_is_taken",
        "test_billing_addon::test_an_add_on_that_nobody_paid_gives_nothing",
    ),
    _failure(
        "D7",
        "Two add-ons could be open, and then cancelling crashed.",
        f"{_PLAN}::test_d7_there_is_one_open_add_on_and_it_can_be_cancelled",
    ),
    _failure("D8", "The first period was 30 days, later ones months from the last date, all in UTC.", _MONTH_ENDS),
    _failure(
        "D9",
        "The renewal needed no payment, could be repeated, ignored a cancellation, and nothing called it.",
        f"{_TIME}::test_d9_a_renewal_needs_its_payment_and_happens_by_itself",
        _CANCELLED,
    ),
    _failure("D10", "One number for all credits: no cap on what rolls over was possible.", _SOURCES),
    _failure(
        "D11",
        "Cancelling set a flag that nothing read, and the text “false” counted as true.",
        "test_billing_failures_time::test_d9_d11_a_cancelled_add_on_ends_by_itself",
        "test_web_door::test_booleans_are_strict",
    ),
    _failure(
        "D12",
        "Nobody could tell whether free credits come once or monthly, and nothing stopped a second time.",
        f"{_PLAN}::test_d12_free_credits_come_once_or_monthly_as_the_policy_says",
    ),
    _failure(
        "D13",
        "Money went through floating point.",
        _EXACT,
        "test_money::test_floats_and_bools_are_no_amounts",
    ),
    _failure("D14", "Columns too narrow: 100 overflowed, and small costs became nothing.", _EXACT),
    _failure(
        "D15",
        "Bonus and saving were typed by hand, and wrong.",
        "test_billing_packs::test_bonus_and_saving_are_not_the_same_share",
        "test_billing_packs::test_savings_and_unit_prices_are_derived",
    ),
    _failure(
        "D16",
        "Credits minus cedis was called a margin, and shown to the shop.",
        f"{_PLAN}::test_d16_a_call_earns_what_was_paid_for_the_credits_that_paid",
        "test_call_money::test_a_shop_never_sees_the_operators_cost",
    ),
    _failure(
        "D17",
        "A feature was sold below its cost, and nothing noticed.",
        "test_billing_prices::test_a_price_is_judged_against_floor_and_target",
    ),
    _failure("D18", "Prices and names stood in five places, and one feature in none.", _PRICE_LIST),
    _failure(
        "D19",
        "A free feature was taken for an unknown one.",
        "test_call_money::test_a_free_feature_holds_and_charges_nothing",
        "test_catalog::test_a_feature_without_any_price_is_refused",
    ),
    _failure(
        "D20",
        "One constant rate of exchange, without day or source.",
        f"{_PLAN}::test_d20_every_cost_keeps_the_rate_it_was_converted_by",
        "test_billing_rates::test_every_row_keeps_its_rate_day_source_and_staleness",
    ),
    _failure(
        "D21",
        "The answer to a wrong reference told who exists; references could be guessed.",
        "test_billing_orders::test_another_business_learns_nothing",
        "test_web_access::test_anothers_thing_looks_like_one_that_is_not_there",
    ),
    _failure(
        "D22",
        "GHS 30 was sent as 30 pesewas.",
        "test_gateways_paystack::test_a_page_is_opened_with_the_amount_in_pesewas",
        "test_money::test_money_knows_the_minor_unit_of_its_currency",
    ),
    _failure(
        "D23",
        "A double tap made two orders, and the amount was noted as paid before it was.",
        f"{_PAYMENTS}::test_d23_a_double_tap_is_one_order_and_one_prompt",
        "test_billing_orders::test_the_same_key_is_one_order_and_one_prompt",
    ),
    _failure(
        "D24",
        "Method and gateway were one list, and a pack of any size was offered but not handled.",
        "test_billing_packs::test_a_custom_pack_is_priced_by_its_tier",
        "test_billing_packs::test_an_amount_outside_the_bounds_is_refused_in_plain_words",
        "test_billing_orders::test_a_custom_amount_buys_by_its_tier_without_a_bonus",
        "test_billing_orders::test_a_prompt_is_approved_on_the_phone",
    ),
    _failure(
        "D25",
        "Examples with missing imports and names that did not exist.",
        "test_docs::test_a_reader_can_follow_the_page",
        "test_examples::test_the_credit_opinion_is_given_and_charged_once",
    ),
    _failure(
        "D26",
        "Any number of days could be asked for, and text ended in an error 500.",
        "test_billing_usage::test_a_report_covers_one_to_366_days",
        "test_web_credits::test_days_out_of_bounds_are_told_and_not_repeated",
    ),
    _failure("D27", "Reports read all raw rows through an index that did not fit.", _LOG, _REPORTS),
    _failure(
        "D28",
        "Failed calls were logged as free and instant, and errors repeated what the user wrote.",
        _FAILED,
        "test_call_money::test_no_error_carries_a_name_in_its_chain",
    ),
    _failure("D29", "Free credits were counted as bought.", _SOURCES),
    _failure("D30", "Below ten credits every single call warned.", _ONE_ALERT),
    _failure("D31", "Deleting a business deleted its books.", _FORGOTTEN),
    _failure("D32", "Features were a fixed list in the database.", _PRICE_LIST),
    _failure("D33", "The hash of a number stood for a person: it is the number itself.", _FORGOTTEN),
    _failure(
        "D34",
        "Any cashier could buy, cancel and see costs.",
        "test_web_door::test_without_a_hook_of_the_host_everything_is_refused",
        "test_web_access::test_nobody_sees_or_changes_what_is_not_theirs",
        "test_web_pages::test_no_page_shows_what_calls_cost_the_operator",
    ),
    _failure(
        "D35",
        "An order could be called refunded, and there was no way to get there.",
        "test_billing_sending_back::test_two_refunds_in_part_make_a_whole_and_there_is_no_third",
    ),
    _failure(
        "D36",
        "No version of a price, no key on a charge, no rule for an answer that comes late.",
        f"{_CALLS}::test_d36_a_key_a_price_version_and_a_late_answer_each_stay_with_their_call",
        "test_stream::test_a_slow_reader_keeps_the_hold",
    ),
    _failure(
        "D37",
        "“Renews by itself”, with a way of paying that cannot be pulled.",
        "test_billing_failures_time::test_d37_a_renewal_that_nobody_approved_is_asked_for_and_then_ends",
        "test_billing_renewing::test_without_a_card_the_order_waits_for_its_owner_with_a_page",
        "test_billing_renewing::test_a_renewal_can_be_paid_until_its_grace_is_over",
    ),
    _failure(
        "D38",
        "Projections left out the payment fee and the tax.",
        "test_billing_margin::test_the_margin_counts_extra_attempts_and_the_payment_fee",
        "test_billing_projection::test_a_fee_is_cost",
    ),
    _failure(
        "D39",
        "Only one path took a lock, SQLite ignored it, and a charge made an empty wallet.",
        f"{_CALLS}::test_d39_a_charge_makes_no_wallet",
    ),
    _failure("D40", "“Balance” meant three things.", _SOURCES),
)

ALL: Final = REPORTED + PLANNED

_HEAD: Final = """\
# Failures others had

Credits for AI have gone wrong in many systems before this one. Each line below is a failure that users of others
reported (B), or a mistake in the first plan of this package (D). Beside it stands the test that shows that it does not
happen here. The tests of the books run on SQLite and on PostgreSQL.
"""


def page() -> str:
    """The page of the docs."""
    parts = [
        _HEAD,
        "## Reported elsewhere\n",
        _table(REPORTED),
        "\n## Mistakes of the first plan\n",
        _table(PLANNED),
    ]
    return "\n".join(parts) + "\n"


def _table(failures: tuple[Failure, ...]) -> str:
    lines = [f"| {failure.id} | {failure.wrong} | {_proof(failure)} |" for failure in failures]
    return "\n".join(["| | what went wrong | what shows that it does not here |", "| --- | --- | --- |", *lines])


def _proof(failure: Failure) -> str:
    return "<br>".join(f"`{test}`" for test in failure.tests)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
