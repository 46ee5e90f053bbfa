"""`ai-addons rates`, as a person and as a script would use it, and what `check` says of the rate."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing.fx.base import RateUnavailable
from ai_addons.billing.fx.desk import RateDesk
from tests.rates import Bulletin, rate
from tests.test_cli import as_json, call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with a store and no settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-invented")
    monkeypatch.setenv("AI_ADDONS_STORE__URL", f"sqlite:///{tmp_path / 'shop.db'}")
    return tmp_path


@pytest.fixture
def says(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Configures the source ``bog``, and lets it say something."""
    monkeypatch.setenv("AI_ADDONS_FX__SOURCES", '["bog"]')
    bulletin = Bulletin(bog="11.4")
    monkeypatch.setattr(RateDesk, "_sources", lambda _: [("bog", bulletin.sources["bog"])])

    def say(what: Any) -> None:
        bulletin.say("bog", rate(what, as_of=today()) if isinstance(what, str) else what)

    return say


def today() -> date:
    """The day by the machine's clock, which the commands go by."""
    return datetime.now(UTC).date()


def warnings() -> list[str]:
    """What `check` warns of about rates."""
    return [one["text"] for one in as_json("check")["findings"] if "rate" in one["text"]]


def test_a_static_rate_is_shown_and_never_refreshed(shop: Path) -> None:
    """By default nobody is asked, and that is said; it is stale, and no reason to warn."""
    old = (today() - date(2026, 9, 29)).days
    shown = f"GHS 11.646 per USD from static, as of 2026-09-29 ({max(old, 0)} days ago): stale\nSources: static\n"
    assert call("rates").stdout == shown
    assert call("rates", "refresh").stdout == f"No source was asked: fx.sources names none but `static`.\n{shown}"
    assert as_json("rates")["rate"]["rate"] == "11.646"
    assert warnings() == []


def test_a_refresh_shows_what_each_source_said(says: Callable[[Any], None]) -> None:
    """Exit code 1 where none of them gave a good rate; the last good one stays."""
    says("11.4")
    shown = f"GHS 11.4 per USD from bog, as of {today()} (0 days ago): fresh\nSources: bog\n"
    assert call("rates", "refresh").stdout == f"bog: good\n{shown}"
    says(RateUnavailable("no answer in time"))
    assert call("rates", "refresh", code=1).stdout == f"bog: failed, no answer in time\n{shown}"
    failed = {"asked": [{"source": "bog", "outcome": "failed", "fault": "no answer in time"}]}
    assert as_json("rates", "refresh", code=1) == failed
    assert call("rates").stdout == shown


def test_a_refused_rate_is_shown_and_confirmed(says: Callable[[Any], None]) -> None:
    """By its number, with a name and a reason; `check` says what waits."""
    says("11.4")
    call("rates", "refresh")
    says("16")
    assert "bog: refused, 16 is 40 % away from 11.4, the last good one" in call("rates", "refresh", code=1).stdout
    why = "The rate 16 from bog was refused: 16 is 40 % away from 11.4, the last good one."
    assert warnings() == [f"{why} If it is right, run `ai-addons rates confirm 16`."]
    assert "Refused until" in call("rates").stdout
    by = ("--actor", "esi", "--reason", "devaluation")
    assert "No rate of 17 waits" in call("rates", "confirm", "17", *by, code=5).stderr
    taken = f"GHS 16 per USD from bog, as of {today()}, is taken from now on\n"
    assert call("rates", "confirm", "16", *by).stdout == taken
    says("19")
    call("rates", "refresh", code=1)
    assert as_json("rates", "confirm", "19", *by)["rate"] == "19"
    assert as_json("rates")["waiting"] == []
    assert warnings() == []


def test_check_warns_of_an_old_rate(says: Callable[[Any], None]) -> None:
    """Five days old is old where a source should give a new one."""
    says(rate("11.4", as_of=today() - timedelta(days=5)))
    call("rates", "refresh")
    assert "(5 days ago): old" in call("rates").stdout
    assert warnings() == [
        "The exchange rate from bog is 5 days old, so cost in cedis may be wrong. Run `ai-addons rates refresh`."
    ]


def test_check_names_a_source_that_is_not_there(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped source is an error with a suggestion before the first call."""
    monkeypatch.setenv("AI_ADDONS_FX__SOURCES", '["bogg"]')
    found = as_json("check", code=1)["findings"]
    assert [one["level"] for one in found if "Did you mean 'bog'?" in one["text"]] == ["error"]


def test_check_says_so_where_the_books_cannot_be_read(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault of the store is told once, by those who look after it."""
    monkeypatch.setenv("AI_ADDONS_STORE__URL", f"sqlite:///{shop / 'none' / 'shop.db'}")
    monkeypatch.setenv("AI_ADDONS_FX__SOURCES", '["bog"]')
    found = as_json("check", code=1)
    assert ["exchange rate", "unknown; from bog"] in found["parts"]
    assert [one["level"] for one in found["findings"] if "store" in one["text"]] == ["error"]
