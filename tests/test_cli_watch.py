"""The commands that show operators what their page shows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from ai_addons.cli import main
from tests.operator_month import DAY, Office, buy, open_office, trade

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.web import WebResponse


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An office whose books the commands find; their clock is the machine's, so they look at a year."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'books.db'}"
    monkeypatch.setenv("AI_ADDONS_STORE__URL", url)
    opened = open_office(url)
    yield opened
    opened.close()


def says(*arguments: str) -> str:
    """What a command prints, its white space evened out."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return re.sub(r"\s+", " ", result.stdout).strip()


def same(answer: WebResponse, *arguments: str) -> tuple[Any, Any]:
    """What the endpoint answers, and what the command prints for machines."""
    return json.loads(answer.body), json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)


def at_machine_time(office: Office) -> None:
    """The month of trade, made in the last days before now."""
    from ai_addons.clock import SystemClock  # noqa: PLC0415  # only this test lives in real time

    office.clock.set(SystemClock().now() - 8 * DAY * 1_000_000)
    trade(office)
    buy(office)
    office.clock.set(SystemClock().now())
    office.addons.sweep()


def test_machines_get_what_the_endpoints_answer(office: Office) -> None:
    """The same figures under the same names."""
    at_machine_time(office)
    for name in ("calls", "payments"):
        answered, printed = same(office.get(f"ai/admin/{name}/"), name)
        assert printed == answered
    answered, printed = same(office.get("ai/admin/status/"), "status")
    # Read a moment later; and a week is not over in between.
    assert {**printed, "at": None} == {**answered, "at": None}


def test_people_get_tables(office: Office) -> None:
    """With units, and words in the place of codes."""
    at_machine_time(office)
    told = says("status")
    for words in ("Waiting: payments that do not fit their order (1).", "month 0.00 0.00 0.00 50.00 0.0 %"):
        assert words in re.sub(r"[\u2500-\u257f]+ ?", "", told)
    told = re.sub(r"[\u2500-\u257f]+ ?", "", says("calls"))
    for words in ("credit_assessment model, rules 4 2 2.75 s 30 s 30 s", "provider_timeout 1 credit_assessment 1"):
        assert words in told
    assert "report_summary 12 2 16.7 % 0.0233 0.0020" in told
    told = re.sub(r"[\u2500-\u257f]+ ?", "", says("payments", "--days", "10"))
    for words in ("successful 1 1 GHS 80.00", "fake mobile money paid paid 1", "1 payments do not fit their order"):
        assert words in told


def test_an_office_where_nothing_happened_has_empty_tables(office: Office) -> None:
    """And says what is missing while no sweep has run."""
    assert "Errors" in says("calls")
    assert "do not fit" not in says("payments")
    trade(office)
    office.clock.advance(3 * DAY)
    assert "days that no sweep has counted yet" in says("calls", "--days", "366")


def test_nothing_needs_anybody(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fresh rate and nothing that waits."""
    monkeypatch.setenv("AI_ADDONS_FX__SOURCES", '["tests.operator_month:leaping"]')
    monkeypatch.syspath_prepend(".")
    says("rates", "refresh")
    assert says("status").startswith(("nothing needs anybody now", "Waiting: exchange rates"))


def test_why_calls_are_paused_is_kept(office: Office) -> None:
    """By the commands too."""
    says("pause", "--business", "shop_a", "--actor", "esi", "--reason", "prices")
    says("unpause", "--business", "shop_a", "--actor", "esi", "--reason", "mended")
    assert [one.detail["reason"] for one in office.addons.audit("shop_a")] == ["prices", "mended"]
