"""The commands that read, check and correct the books, as a person and as a script would use them."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner, Result

from ai_addons import AddOns, Money, Prompt, billed_feature
from ai_addons.cli import main
from ai_addons.testing import FakeLlm, kit_settings

if TYPE_CHECKING:
    from pathlib import Path

WHO: Final = ("--actor", "ama@pos.example")
WHY: Final = (*WHO, "--reason", "mistake")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder: a new user's machine."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    assert "Traceback" not in result.output
    return result


def says(*arguments: str, code: int = 0) -> str:
    """What a command prints, its white space evened out."""
    return re.sub(r"\s+", " ", call(*arguments, code=code).stdout).strip()


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def audited(business: str = "") -> list[tuple[str, str]]:
    """Who did what, as the books say."""
    with closing(AddOns.from_env()) as addons:
        return [(entry.actor, entry.action) for entry in addons.audit(business)]


@pytest.fixture
def trade(home: Path) -> None:
    """Ten credits bought for eight cedis, and two calls at one credit, which cost us 0.01 US dollars each."""

    @billed_feature("market_cry", credits="1", cache=None, name="Slogans")
    def market_cry(number: int) -> Prompt:
        """Write a market_cry."""
        return Prompt(user=f"{number}?")

    settings = kit_settings(store={"url": f"sqlite:///{home / 'ai_addons.db'}"})
    with closing(AddOns(settings, llm=FakeLlm(), environ={})) as addons:
        addons.grant("b", 10, source="purchase", ref="order-1", paid=Money(8))
        for number in range(2):
            addons.billing.charge_credits("b", "u", market_cry.spec.key, "0.01", 10, 5, 400, None, None, f"k-{number}")


# Reading.


@pytest.mark.usefixtures("trade")
def test_usage_tells_what_its_cost_leaves_out(home: Path) -> None:
    """A call whose cost nobody knows is counted and named, not taken for free."""
    settings = kit_settings(store={"url": f"sqlite:///{home / 'ai_addons.db'}"})
    with closing(AddOns(settings, llm=FakeLlm(), environ={})) as addons:
        addons.billing.charge_credits("b", "u", "market_cry", None, 10, 5, 400, None, None, "k-2")
    text = says("usage", "b")
    assert "3 calls, 3 answered" in text
    assert text.endswith("cost to you: GHS 0.232920 (USD 0.020000000000) not in it: 1 call of unknown cost")


@pytest.mark.usefixtures("trade")
def test_usage_tells_calls_credits_and_cost() -> None:
    """By feature, with the balance, and what it cost the operator."""
    text = says("usage", "b", "--days", "7")
    assert "Usage of b, last 7 days" in text
    assert "Slogans │ 2 │ 2" in text
    assert "2 calls, 2 answered (100.0%), 400 ms on average" in text
    assert "2 credits used, 8 available" in text
    assert text.endswith("cost to you: GHS 0.232920 (USD 0.020000000000)")
    used = as_json("usage", "b")
    assert (used["period_days"], used["total_requests"], used["current_balance"]) == (30, 2, "8.00")
    assert (used["success_rate"], used["total_cost_ghs"]) == ("1.000", "0.232920")
    assert used["feature_breakdown"] == [
        {"feature": "market_cry", "feature_display_name": "Slogans", "count": 2, "credits": "2.00"}
    ]


def test_usage_of_a_business_never_seen_is_zero() -> None:
    """No error, no numbers in the scientific way, and no time of calls that were not made."""
    assert "0 calls, 0 answered (0.0%) 0 credits used, 0 available cost to you: GHS 0.000000 (USD 0.0000" in says(
        "usage", "nobody"
    )
    assert as_json("usage", "nobody")["total_cost_usd"] == "0.000000000000"


@pytest.mark.parametrize("days", ["0", "367", "x"])
@pytest.mark.parametrize("command", ["usage", "margins"])
def test_a_report_covers_up_to_a_year(command: str, days: str) -> None:
    """Other days are refused before anything is read."""
    assert "--days" in call(command, "b", "--days", days, code=2).stderr


@pytest.mark.usefixtures("trade")
def test_margins_tell_revenue_and_cost() -> None:
    """By feature and in all, of one business or of all; exact cedis for machines."""
    text = says("margins")
    assert "Margins of all businesses, last 30 days" in text
    assert "market_cry │ 2 │ 2 │ 1.600000 │ 0.031200 │ 0.232920 │ 0 │ 83.5%" in text
    assert "total │ 2 │ 2 │ 1.600000 │ 0.031200 │ 0.232920 │ 0 │ 83.5%" in text
    assert "Margins of c, last 7 days" in says("margins", "c", "--days", "7")
    assert as_json("margins", "b") == {
        "lines": [
            (
                line := {"feature": "market_cry", "calls": 2, "credits": "2.00", "unpriced": 0, "margin": "0.835"}
                | {"revenue_ghs": "1.600000", "tax_ghs": "0.000000", "fee_ghs": "0.031200", "cost_ghs": "0.232920"}
            )
        ],
        "total": line | {"feature": ""},
    }
    assert as_json("margins", "c")["total"]["margin"] is None
    assert re.search(r"total │ 0 │ .* │ - │", says("margins", "c"))


@pytest.mark.usefixtures("trade")
def test_a_statement_leads_from_one_balance_to_the_other() -> None:
    """As text for people, with every booking for machines."""
    today = datetime.now(UTC).date().isoformat()
    text = says("statement", "b", "--from", "2020-01-01", "--to", "2999-12-31")
    assert text.startswith("Statement of b 2020-01-01 to 2999-12-31, times in Africa/Accra Opening balance 0.00")
    assert "received 1 +10.00 used 2 -2.00 Closing balance 8.00" in text
    made = as_json("statement", "b", "--from", "2020-01-01", "--to", today)
    assert (made["first"], made["opening"], made["closing"]) == ("2020-01-01", "0.00", "8.00")
    assert [entry["kind"] for entry in made["entries"]] == ["grant", "usage", "usage"]
    assert made["names"] == {"market_cry": "Slogans"}


def test_a_statement_needs_its_days_the_right_way_round() -> None:
    """Missing, unreadable and swapped days are told."""
    assert "--to" in call("statement", "b", "--from", "2026-01-01", code=2).stderr
    assert "2026-13-01" in call("statement", "b", "--from", "2026-13-01", "--to", "2026-12-31", code=2).stderr
    swapped = ("statement", "b", "--from", "2026-02-01", "--to", "2026-01-31")
    assert "the first not after the last; nothing was booked" in call(*swapped, code=2).stderr
    assert as_json(*swapped, code=2)["code"] == "bad_value"


@pytest.mark.usefixtures("trade")
def test_the_ledger_is_verified() -> None:
    """Its rows on standard output, the verdict beside them."""
    shown = call("ledger", "b", "--verify")
    assert "the chain is whole and the balance follows from it" in shown.stderr
    assert "order-1" not in shown.stderr
    rows = json.loads(call("ledger", "b", "--verify", "--json").stdout)
    assert [row["balance_after"] for row in rows] == ["10.00", "9.00", "8.00"]


@pytest.mark.usefixtures("trade")
def test_daily_sums_are_made_anew(home: Path) -> None:
    """The doctor says they differ and exits with 1; with --rebuild they follow from the call log again."""
    with closing(sqlite3.connect(home / "ai_addons.db")) as raw, raw:
        raw.execute("UPDATE ai_usage_daily SET calls = calls + 1")
    assert "1 wallet checked, 1 finding\n" in call("doctor", code=1).stdout
    assert as_json("doctor", code=1)["findings"][0]["business"] == "b"
    assert "1 wallet checked, 0 findings" in call("doctor", "--rebuild").stdout
    assert as_json("doctor") == {"ok": True, "findings": [], "wallets": 1}
    assert as_json("usage", "b")["total_requests"] == 2


@pytest.mark.usefixtures("trade")
def test_rebuilding_mends_nothing_but_daily_sums(home: Path) -> None:
    """What the ledger contradicts stays a finding: no command makes it look right."""
    with closing(sqlite3.connect(home / "ai_addons.db")) as raw, raw:
        raw.execute("UPDATE business_ai_credits SET posted = posted + 5000000")
    assert "posted is the sum of the ledger" in call("doctor", "--rebuild", code=1).stdout


# Delivery.


def test_a_made_secret_signs_for_the_address_it_is_given_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `webhook-secret` prints is taken by the settings; with no events there is nothing to send."""
    made = call("webhook-secret").stdout.strip()
    assert as_json("webhook-secret")["secret"] != made
    assert "Set webhooks.url" in call("deliver", code=3).stderr
    assert as_json("deliver", code=3)["code"] == "config"
    monkeypatch.setenv("AI_ADDONS_WEBHOOKS__URL", "http://127.0.0.1:9/hooks")
    assert "needs a secret to sign with" in call("deliver", code=3).stderr
    monkeypatch.setenv("AI_ADDONS_WEBHOOKS__SECRETS", json.dumps([made]))
    assert call("deliver").stdout == "0 sent, 0 to be tried again, 0 given up, 0 left\n"
    assert as_json("deliver")["left"] == 0


# Credits by hand.


def test_credits_are_taken_with_a_plain_minus_sign() -> None:
    """-5 takes five; once per reference, with who and why in the audit log."""
    call("grant", "b", "20", "--ref", "welcome")
    assert call("adjust", "b", "-5", "--ref", "a", *WHY).stdout == "-5 credits booked; 15 available\n"
    assert "were booked before; nothing changed; 15 available" in call("adjust", "b", "-5", "--ref", "a", *WHY).stdout
    assert as_json("adjust", "b", "0.5", "--ref", "c", *WHY) == {
        "amount": "0.50",
        "balance": "15.50",
        "replayed": False,
    }
    assert "Nothing was booked" in call("adjust", "b", "-15.6", "--ref", "d", *WHY, code=5).stderr
    assert as_json("adjust", "b", "-4", "--ref", "a", *WHY, code=5)["code"] == "idempotency_conflict"
    assert "nothing was booked" in call("adjust", "b", "0", "--ref", "e", *WHY, code=2).stderr
    assert "is not a number of credits" in call("adjust", "b", "-5x", "--ref", "e", *WHY, code=2).stderr
    assert audited("b")[1:] == [("ama@pos.example", "adjust")] * 2


@pytest.mark.parametrize(
    "command",
    [
        ("adjust", "b", "5", "--ref", "r", "--reason", "r"),
        ("adjust", "b", "5", "--ref", "r", "--actor", "a"),
        ("reverse", "b", "1", "--reason", "r"),
        ("reverse", "b", "1", "--actor", "a"),
        ("policy", "b", "hybrid"),
        ("erase", "b"),
        ("pause",),
        ("unpause",),
        ("limit", "set", "business", "day", "5"),
        ("limit", "remove", "business", "day"),
    ],
)
def test_an_operators_command_needs_a_name_and_a_reason(command: tuple[str, ...]) -> None:
    """Without --actor or --reason nothing is done."""
    assert re.search(r"Missing option '--(actor|reason)'", call(*command, code=2).stderr)
    assert audited() + audited("b") == []


@pytest.mark.usefixtures("trade")
def test_a_charge_is_undone_by_its_row() -> None:
    """The row of the ledger; a second time says so; a row that cannot be undone is told."""
    assert call("reverse", "b", "2", *WHY).stdout == "row 2 of 1 credits undone; 9 available\n"
    assert call("reverse", "b", "2", *WHY).stdout == "row 2 was undone before; nothing changed; 9 available\n"
    assert as_json("reverse", "b", "3", *WHY) == {"amount": "1.00", "balance": "10.00", "replayed": False}
    assert "no row 9" in call("reverse", "b", "9", *WHY, code=5).stderr
    assert "'x' is not a valid integer" in call("reverse", "b", "x", *WHY, code=2).stderr
    assert as_json("doctor")["ok"] is True


# Terms of a business.


def test_a_business_is_put_under_another_policy() -> None:
    """By its name; `default` goes back to that of the settings; a misspelt one is told."""
    assert call("policy", "b", "hybrid", *WHO).stdout == "b buys credits by the policy hybrid; 5 available\n"
    assert [pack["type"] for pack in as_json("prices", "--business", "b")["packs"]] == ["QUICK", "VALUE"]
    wallet = as_json("policy", "b", "default", *WHO)
    assert (wallet["policy"], wallet["available"]) == ("prepaid", "5.00")
    assert as_json("policy", "b", "hibrid", *WHO, code=3)["code"] == "unknown_plugin"
    assert audited("b") == [("ama@pos.example", "set_policy")] * 2


@pytest.mark.usefixtures("trade")
def test_people_are_forgotten() -> None:
    """One user or all; the books stay whole."""
    assert call("erase", "b", "--user", "v", *WHO).stdout == "b: the user is forgotten; no credit moved\n"
    with closing(AddOns.from_env()) as addons:
        assert {line.user for line in addons.transactions("b")} == {"u"}
    assert call("erase", "b", *WHO).stdout == "b: all its users are forgotten; no credit moved\n"
    with closing(AddOns.from_env()) as addons:
        assert {line.user for line in addons.transactions("b")} == {None}
        assert addons.doctor().ok
    assert as_json("erase", "b", *WHO) == {"business": "b", "erased": "all"}
    assert as_json("erase", "b", "--user", "u", *WHO) == {"business": "b", "erased": "user"}


# Stopping and limiting.


@pytest.mark.parametrize(
    ("options", "whose"),
    [
        ((), "all features, all businesses"),
        (("--business", "b"), "all features, b"),
        (("--feature", "credit_assessment"), "credit_assessment, all businesses"),
        (("--business", "b", "--feature", "credit_assessment"), "credit_assessment, b"),
    ],
)
def test_the_kill_switch_is_pulled_and_released(options: tuple[str, ...], whose: str) -> None:
    """What is said names whom it stops; what was pulled otherwise is not released."""
    call("paused")  # begins the books, and says so
    stopped = call("pause", *options, *WHO)
    assert (stopped.stdout, stopped.stderr) == (f"paused: {whose}\n", "")
    other = ("--business", "another")
    assert "not paused by a switch of its own, nothing changed: all features, another" in says("unpause", *other, *WHO)
    named = tuple(value for option, value in pairwise(options) if option == "--business")
    assert call("paused", *named).stdout.startswith(f"paused: {whose}, by ama@pos.example at 20")
    assert [one["actor"] for one in as_json("paused", *named)] == ["ama@pos.example"]
    assert call("unpause", *options, *WHO).stdout == f"released: {whose}\n"
    assert call("paused", *named).stdout == "nothing is paused\n"
    assert as_json("paused", *named) == []
    assert as_json("unpause", *options, *WHO)["released"] is False


def test_a_switch_for_a_feature_nobody_knows_is_noted() -> None:
    """It is pulled all the same, for the host may declare the feature; a misspelt key does not pass in silence."""
    pulled = call("pause", "--feature", "credit_asessment", *WHO, "--json")
    assert json.loads(pulled.stdout) == {"paused": True, "business": None, "feature": "credit_asessment"}
    assert "no feature 'credit_asessment' is known here" in pulled.stderr
    assert as_json("unpause", "--feature", "credit_asessment", *WHO) == {
        "released": True,
        "business": None,
        "feature": "credit_asessment",
    }


@pytest.mark.parametrize(
    ("options", "whose"),
    [
        (("operator", "month"), "all businesses together"),
        (("business", "day"), "each business"),
        (("business", "day", "--business", "b"), "b"),
        (("user", "day", "--business", "b", "--key", "trainee"), "trainee of b"),
        (("user", "month", "--key", "trainee"), "trainee of each business"),
        (("feature", "day", "--business", "b"), "each feature of b"),
        (("feature", "day"), "each feature of each business"),
    ],
)
def test_a_limit_is_set_shown_and_removed(options: tuple[str, ...], whose: str) -> None:
    """What is said names whose spending it bounds."""
    scope, window, *names = options
    assert call("limit", "list", "b").stdout == "no limits\n"
    assert call("limit", "set", scope, window, "2.5", *names, *WHO).stdout == (
        f"at most 2.5 credits a {window}: {whose}\n"
    )
    named = dict(zip(names[::2], names[1::2], strict=True))
    made: dict[str, str | None] = {"scope": scope, "window": window, "amount": "2.50"}
    made |= {"business": named.get("--business"), "key": named.get("--key")}
    assert as_json("limit", "list", "b") == [made]
    assert as_json("limit", "list") == ([] if "--business" in names else [made])
    row = f"{scope} │ {window} │ 2.5 │ {made['business'] or 'each'} │ {made['key'] or 'each'}"
    assert row in says("limit", "list", "b")
    assert as_json("limit", "set", scope, window, "2.5", *names, *WHO) == made
    assert call("limit", "remove", scope, window, *names, *WHO).stdout == "removed\n"
    assert call("limit", "remove", scope, window, *names, *WHO).stdout == "no such limit was set; nothing changed\n"
    assert as_json("limit", "remove", scope, window, *names, *WHO) == {"removed": False}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("shop", "day", "5"), "'shop' is not one of"),
        (("user", "week", "5"), "'week' is not one of"),
        (("user", "day", "much"), "'much' is not a number of credits"),
        (("operator", "day", "5", "--business", "b"), "leave out the business"),
        (("business", "day", "5", "--key", "u"), "has no key"),
        (("business", "day", "5", "--business", ""), "never empty"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told(arguments: tuple[str, ...], told: str) -> None:
    """Nothing is set, and the message says what to write."""
    assert told in call("limit", "set", *arguments, *WHO, code=2).stderr
    assert as_json("limit", "list", "b") == []


# The monthly add-on.


def test_an_add_on_is_led_through_its_life() -> None:
    """Taken, paid once per month, cancelled, resumed, ended; each line says what it is and what is left."""
    call("policy", "b", "hybrid", *WHO)
    head = "monthly add-on of b: "
    assert call("addon", "subscribe", "b").stdout == (
        f"{head}incomplete, GHS 50.00 for 100 credits, not paid yet; 5 credits available\n"
    )
    assert call("addon", "subscribe", "b").stdout.startswith(f"nothing changed; {head}incomplete")
    paid = call("addon", "pay", "b", "--period", "0").stdout
    assert re.fullmatch(
        rf"{head}active, GHS 50\.00 for 100 credits, paid until \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC; "
        r"105 credits available\n",
        paid,
    )
    assert call("addon", "pay", "b", "--period", "0").stdout == f"nothing changed; {paid}"
    further = call("addon", "pay", "b").stdout
    assert further.endswith("; 105 credits available\n")
    assert further > paid
    assert "cancel_at_end" in call("addon", "cancel", "b").stdout
    assert f"{head}active" in call("addon", "resume", "b").stdout
    assert as_json("addon", "resume", "b", code=5)["code"] == "addon_conflict"


def test_an_add_on_is_ended_at_once() -> None:
    """With --immediate there is no renewal; the credits stay, and there is nothing to resume."""
    call("policy", "b", "hybrid", *WHO)
    call("addon", "subscribe", "b", "--paid")
    ended = as_json("addon", "cancel", "b", "--immediate")
    assert (ended["subscription"]["state"], ended["balance"], ended["replayed"]) == ("ended", "105.00", False)
    assert as_json("addon", "resume", "b", code=5)["code"] == "addon_conflict"


def test_an_add_on_whose_money_is_collected_starts_at_once() -> None:
    """--paid gives the month's credits with the subscription."""
    call("policy", "b", "hybrid", *WHO)
    taken = as_json("addon", "subscribe", "b", "--paid")
    assert (taken["subscription"]["state"], taken["balance"]) == ("active", "105.00")
    assert taken["subscription"]["plan"]["price"] == {"amount": "50.00", "currency": "GHS"}


def test_an_add_on_that_is_not_sold_is_told() -> None:
    """Under prepaid there is none to take, and one never taken cannot be paid."""
    assert as_json("addon", "subscribe", "b", code=5)["code"] == "addon_not_offered"
    for command in ("pay", "cancel", "resume"):
        assert "This business has no monthly add-on" in call("addon", command, "b", code=5).stderr


# What is on sale.


def test_prices_show_all_that_is_on_sale(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pack of any size by its tiers, the add-on where there is one, and what the point-of-sale system costs."""
    text = says("prices")
    for row in (
        "CUSTOM │ GHS 10.00 to below GHS 80.00 │ one for GHS 1.00",
        "CUSTOM │ GHS 80.00 to below GHS 180.00 │ one for GHS 0.80",
        "CUSTOM │ GHS 180.00 to GHS 5,000.00 │ one for GHS 0.72",
    ):
        assert row in text
    assert "Monthly add-on" not in text
    assert text.endswith(
        "Point-of-sale system a month, by storefronts: 1: GHS 100.00, 2: GHS 150.00, 3: GHS 180.00, 4: GHS 200.00, "
        "each further one GHS 50.00"
    )
    monkeypatch.setenv("AI_ADDONS_BILLING__POLICY", "hybrid")
    assert "Monthly add-on: GHS 50.00 for 100 credits a month; up to 50 unused ones live on for one more" in says(
        "prices"
    )


def test_prices_are_exact_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts are decimal strings, periods are days."""

    def cedis(amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": "GHS"}

    listed = as_json("prices")
    assert listed["custom"] == {
        "least": cedis("10.00"),
        "most": cedis("5000.00"),
        "tiers": [
            {"from": cedis("10.00"), "ghs_per_credit": "1.00"},
            {"from": cedis("80.00"), "ghs_per_credit": "0.80"},
            {"from": cedis("180.00"), "ghs_per_credit": "0.72"},
        ],
        "quantum": "0.01",
    }
    assert listed["addon"] is None
    assert listed["storefronts"] == {
        "prices": [cedis("100.00"), cedis("150.00"), cedis("180.00"), cedis("200.00")],
        "further": cedis("50.00"),
    }
    monkeypatch.setenv("AI_ADDONS_BILLING__POLICY", "hybrid")
    assert as_json("prices")["addon"] == {
        "price": cedis("50.00"),
        "credits": "100.00",
        "rollover_cap": "50.00",
        "grace_days": 7,
    }


# All of them.


@pytest.mark.parametrize(
    "command",
    [
        ("balance", ""),
        ("usage", ""),
        ("margins", ""),
        ("statement", "", "--from", "2026-01-01", "--to", "2026-01-02"),
        ("adjust", "", "5", "--ref", "r", *WHY),
        ("reverse", "", "1", *WHY),
        ("policy", "", "hybrid", *WHO),
        ("erase", "", *WHO),
        ("pause", "--business", "", *WHO),
        ("addon", "subscribe", ""),
    ],
    ids=lambda command: command[0],
)
def test_an_empty_business_is_refused(command: tuple[str, ...]) -> None:
    """A script whose variable is empty changes nothing, and reads nobody's books."""
    assert as_json(*command, code=2)["code"] == "bad_value"
    assert audited() == []
