"""The commands that show operators figures, hand out tables and tell who did what."""

from __future__ import annotations

import getpass
import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, Money, Prompt, billed_feature
from ai_addons.testing import FakeLlm, kit_settings
from tests.test_cli_books import as_json, call, home, says

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["home"]


@pytest.fixture
def trade(home: Path) -> str:
    """Ten credits bought for eight cedis, and a call at two credits; its id."""

    @billed_feature("chalk_sign", credits="2", cache=None)
    def chalk_sign(number: int) -> Prompt:
        """Write a chalk_sign."""
        return Prompt(user=f"{number}?")

    settings = kit_settings(store={"url": f"sqlite:///{home / 'ai_addons.db'}"})
    with closing(AddOns(settings, llm=FakeLlm(), environ={})) as addons:
        addons.grant("b", 10, source="purchase", ref="order-1", paid=Money(8))
        addons.billing.charge_credits("b", "u", chalk_sign.spec.key, "0.01", 10, 5, 400, None, None, "k-1")
        return addons.transactions("b")[0].id


@pytest.mark.usefixtures("trade")
def test_kpis_are_told_with_interval_target_and_verdict(home: Path) -> None:
    """As a table and notes for people, as plain data for machines; subscribers come from files."""
    (home / "now.txt").write_text("b\n\nc\n", encoding="utf-8")
    text = says("kpis", "--active", "now.txt", "--active-before", "now.txt")
    assert "KPIs, last 30 days" in text
    assert "p50 400, p95 400, p99 400 ms" in text
    assert "Only the gateways know all confirmed payments: ask them." in text
    assert "1 call, USD 0.010000000000, booked as GHS 0.116460 at 11.646 GHS per USD (static, 2026-09-29" in text
    plain = as_json("kpis", "--days", "7", "--active", "now.txt")
    by_key = {line["key"]: line for line in plain["lines"]}
    assert (by_key["adoption"]["numerator"], by_key["adoption"]["denominator"]) == (1, 2)
    assert by_key["margin"]["verdict"] == "met"
    assert as_json("kpis", "--ask-gateways")["lines"]


def test_margins_by_pack_tell_rates_and_losers(trade: str) -> None:
    """By the grants that paid; at the booked rate and at two others."""
    assert trade
    text = says("margins", "b", "--by", "pack", "--by", "feature")
    assert "chalk_sign" in text
    assert "purchase" in text
    assert "at 16.00" in text
    report = as_json("margins", "--by", "business")
    (row,) = report["rows"]
    assert (row["business"], row["revenue_ghs"], row["margin"]) == ("b", "1.600000", "0.908")
    assert as_json("margins", "--losers", "3")["rows"] == []


@pytest.mark.usefixtures("trade")
def test_a_forecast_states_its_method() -> None:
    """What is booked, what is expected, and how that was reckoned."""
    text = says("forecast")
    assert "USD 0.010000000000 booked so far" in text
    assert "no interval: too few days" in text
    assert "Growth and week-ends are not in it" in text
    assert as_json("forecast")["from_days"] == 0


def test_projections_come_from_options_and_files(home: Path) -> None:
    """The first plan's two without either; list prices where none is given; percentages as people write them."""
    text = says("project")
    assert "profit GHS 560.00 a month (70.0%), GHS 6,720.00 a year" in text
    assert "profit GHS 1,470.00 a month (70.0%), GHS 17,640.00 a year" in text
    (made,) = as_json("project", "--adoption", "30%", "--mix", "VALUE=20", "--mix", "ADDON=10@65%", "--fee", "1.95%")
    assert (made["revenue"], made["cost"], made["yearly_profit"]) == ("2100.00", "695.95", "16848.60")
    assert "1.95% payment fee in the cost" in says("project", "--mix", "PRO=1", "--fee", "0.0195")
    (home / "plan.toml").write_text(
        '[[scenario]]\nname = "q"\nsubscribers = 100\nadoption = "10%"\n'
        'mix = [{ what = "VALUE" }, { what = "X", price = 5, margin = 1 }]\n',
        encoding="utf-8",
    )
    (read,) = as_json("project", "--file", "plan.toml")
    assert (read["name"], read["revenue"], read["cost"]) == ("q", "425.00", "120.00")
    assert "profit GHS 0.00 a month (-)" in says("project", "--subscribers", "0", "--mix", "VALUE=1")


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--mix", "VALUE"], "is not WHAT=WEIGHT"),
        (["--mix", "VALUE=x"], "is no number such as"),
        (["--mix", "GOLD=1"], "has no list price"),
        (["--mix", "VALUE=1", "--adoption", "200%"], "adoption is a share"),
    ],
)
def test_what_cannot_be_projected_is_refused(arguments: list[str], refusal: str) -> None:
    """In one line, as a mistake of whoever asks."""
    assert refusal in call("project", *arguments, code=2).stderr


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("[[scenario", "is not valid TOML"),
        ("", "scenario: Field required"),
        ("[[scenario]]\nsubscribers = 1\nadoption = 'x'\nmix = []", "scenario.0.adoption: "),
        ("[[scenario]]\nsubscribers = 1\nadoption = 1\nmix = []", "the mix says nothing"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(home: Path, text: str, refusal: str) -> None:
    """With the field that is wrong."""
    (home / "plan.toml").write_text(text, encoding="utf-8")
    assert refusal in call("project", "--file", "plan.toml", code=2).stderr


@pytest.mark.usefixtures("trade")
def test_a_bill_is_compared_and_a_difference_ends_with_1(home: Path) -> None:
    """Another key's use is told as what it may be; the file's format says how sure it is."""
    today = datetime.now(UTC).date().isoformat()
    (home / "bill.csv").write_text(f"date,model,cost\n{today},gpt-6-luna,2.5\n", encoding="utf-8")
    text = says("reconcile", "--provider", "openai", "--file", "bill.csv", code=1)
    assert "openai beside our log, days of UTC" in text
    assert "no call of ours: another key" in text
    assert "billed USD 2.500000000000, logged USD 0.000000000000, 1 above tolerance" in text
    assert "CSV of the web page not verified" in text
    found = as_json("reconcile", "--provider", "openai", "--file", "bill.csv", "--tolerance", "1")
    assert (found["ok"], found["differences"][0]["off_usd"]) == (True, "2.500000000000")


@pytest.mark.parametrize(
    ("arguments", "code", "refusal"),
    [
        (["--provider", "openai"], 2, "--provider and --file go together"),
        (["--provider", "openai", "--file", "bill.csv", "--tolerance", "2"], 2, "a share from 0 to 1"),
        (["--provider", "openai", "--file", "bill.csv", "--tolerance", "x"], 2, "a share from 0 to 1"),
        (["--provider", "openai", "--file", "bill.csv"], 2, "the file has no lines"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(home: Path, arguments: list[str], code: int, refusal: str) -> None:
    """Before anything is read, or with what is wrong with the file."""
    (home / "bill.csv").write_text("", encoding="utf-8")
    assert refusal in call("reconcile", *arguments, code=code).stderr


@pytest.mark.usefixtures("trade")
def test_an_export_goes_to_a_new_file_and_is_noted(home: Path) -> None:
    """Who took it is in the audit log; an old file is never written over."""
    assert "in out.csv: 1 row of transactions" in says("export", "transactions", "out.csv", "--actor", "ama")
    assert (home / "out.csv").read_text(encoding="utf-8").startswith("business_id,id,attempt,at,")
    assert "out.csv is there already" in call("export", "ledger", "out.csv", "--actor", "ama", code=2).stderr
    day = ("--since", "2000-01-01", "--until", "2001-01-01")
    done = as_json("export", "ledger", "out.jsonl", "--format", "jsonl", "--business", "b", *day, "--actor", "ama")
    assert done == {"table": "ledger", "file": "out.jsonl", "rows": 0}
    found = [(one["actor"], one["action"], one["business"], one["detail"]) for one in as_json("audit")]
    assert found[0] == ("ama", "export", "", {"table": "transactions", "form": "csv"})
    assert found[-1] == ("ama", "export", "b", {"table": "ledger", "form": "jsonl"})


@pytest.mark.usefixtures("trade")
def test_retention_is_a_command() -> None:
    """Nothing is old enough yet."""
    assert ": 0 calls, 0 orders and 0 ratings forgot their users; the audit log" in says("retain", "--actor", "ama")
    assert as_json("retain", "--actor", "ama")["calls"] == 0


@pytest.mark.usefixtures("trade")
def test_what_an_operator_does_is_in_the_audit_log() -> None:
    """Also by commands that ask for no reason; the login name stands where no other is given."""
    call("grant", "b", "5", "--ref", "gift")
    call("doctor", "--rebuild")
    call("cache", "clear", "--business", "b", "--actor", "esi")
    me = getpass.getuser()
    found = [(one["actor"], one["action"], one["business"]) for one in as_json("audit", "--days", "1")]
    assert found == [(me, "grant", "b"), ("esi", "clear_cache", "b")]
    text = says("audit", "b")
    assert "Audit log, last 30 days" in text
    assert "source: adjustment" in text
    assert as_json("audit", "nobody") == []


def test_feedback_is_masked_before_it_is_kept(trade: str) -> None:
    """By the host's own masker; what cannot be masked is refused and not kept."""
    with closing(AddOns.from_env()) as addons:
        kept = addons.feedback("b", trade, user="u", rating=5, recommend=10, comment="Call me on 024 412 3456")
        assert kept.comment is not None
        assert "412" not in kept.comment
        assert addons.kpis().line("rating").denominator == 1
        with pytest.raises(ValueError, match="2000"):
            addons.feedback("b", trade, rating=1, comment="x" * 3_000)


@pytest.mark.anyio
async def test_figures_are_there_for_the_event_loop(trade: str, home: Path) -> None:
    """Every argument arrives."""
    with closing(AddOns.from_env()) as addons:
        aio = addons.aio
        assert (await aio.feedback("b", trade, user="u", rating=4, recommend=7, comment="ok")).rating == 4
        assert (await aio.kpis(7, active_before=["b"])).days == 7
        assert (await aio.margin_report(7, business="b")).total.calls == 1
        assert (await aio.spend_forecast()).from_days == 0
        bill = f"date,cost\n{datetime.now(UTC).date().isoformat()},1\n".encode()
        assert not (await aio.reconcile_bill("openai", bill)).ok
        with (home / "t.csv").open("w", encoding="utf-8", newline="") as file:
            assert await aio.export("usage", file, actor="ama", business="b") == 1
        assert (await aio.apply_retention(actor="ama")).calls == 0
        await aio.note_action("ama", "called", business="b", why="asked")
        done: list[Any] = [one.action for one in await aio.audit_log(1)]
        assert done == ["export", "retention", "called"]


def test_json_of_every_figure_is_json(trade: str) -> None:
    """Nothing in it needs a special encoder."""
    assert trade
    with closing(AddOns.from_env()) as addons:
        for found in (addons.kpis(), addons.margin_report(), addons.spend_forecast()):
            assert json.loads(json.dumps(found.for_operator()))


def test_operators_see_how_a_feature_is_rated(trade: str) -> None:
    """Stars and interval as a table, comments below it; neither who wrote them nor what would steer a terminal."""
    assert "nobody rated anything" in says("feedback")
    with closing(AddOns.from_env()) as addons:
        addons.feedback("b", trade, user="kofi", rating=5, comment="good\x1b[31m\nCall 024 412 3456")
    text = says("feedback", "--business", "b", "--feature", "chalk_sign", "--since", "2000-01-01")
    assert "Ratings of those who rated" in text
    assert "20.7% to 100.0%" in text
    assert ", b, chalk_sign, 5 stars: good [31m Call [PHONE_1]" in text
    assert "\x1b" not in text
    assert "kofi" not in text
    found = as_json("feedback")
    assert found["features"] == [
        {
            "feature": "chalk_sign",
            "ratings": 1,
            "stars": [0, 0, 0, 0, 1],
            "mean": "5.000000",
            "good": 1,
            "good_share": "1.000000",
            "interval": ["0.206549", "1.000000"],
        }
    ]
    assert [(one["business"], one["rating"]) for one in found["comments"]] == [("b", 5)]
    assert as_json("feedback", "--comments", "0")["comments"] == []
    assert as_json("feedback", "--since", "2100-01-01")["features"] == []
    with closing(AddOns.from_env()) as addons:
        addons.feedback("b", trade, user="esi", recommend=3, comment="hm")
    assert "chalk_sign, no stars: hm" in says("feedback")
