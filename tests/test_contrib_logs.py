"""Events as log lines: fixed names, levels that mean something, no content at any level."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from ai_addons import ContentBlocked, Credits, ProviderUnavailable
from ai_addons.contrib.logs import LoggingHook, level_of
from ai_addons.events import (
    BudgetStopped,
    BudgetWarned,
    CallRefused,
    CapturedLate,
    CircuitClosed,
    CircuitOpened,
    HoldTimedOut,
    OperatorAlert,
    WalletEvent,
    WebhookDelivered,
    WebhookFailed,
)
from ai_addons.money import PicoUsd
from tests.features import AMA, OPINION, opinion, slogan
from tests.hearing import BUSINESS, USER, hearing

if TYPE_CHECKING:
    from ai_addons.events import Event

BUDGET = {"spent": PicoUsd(40_000_000_000_000), "budget": PicoUsd(50_000_000_000_000)}


def test_a_charged_call_is_one_line_at_info(caplog: pytest.LogCaptureFixture) -> None:
    """The line reads by itself, and the record has the same under fixed names."""
    caplog.set_level(logging.INFO, "ai_addons")
    with hearing(LoggingHook()) as heard:
        heard.llm.before_answer(lambda: heard.clock.advance(0.25))
        _, receipt = opinion.billed(AMA)
    (record,) = caplog.records

    business = heard.events[0].business  # type: ignore[union-attr]  # a call begins with CallStarted
    assert record.getMessage() == (
        f"call charged call_id={receipt.id} business={business} feature=opinion charged=3 cached=False "
        "replayed=False model=openai/gpt-6-luna cost_usd=0.000035000000 latency_ms=250"
    )
    assert {name: value for name, value in vars(record).items() if name.startswith("ai_")} == {
        "ai_event": "CallCharged",
        "ai_call_id": receipt.id,
        "ai_business": business,
        "ai_feature": "opinion",
        "ai_charged": "3",
        "ai_cached": False,
        "ai_replayed": False,
        "ai_model": "openai/gpt-6-luna",
        "ai_cost_usd": "0.000035000000",
        "ai_latency_ms": 250,
    }


def test_debug_logs_hold_no_prompt_answer_name_or_key(caplog: pytest.LogCaptureFixture) -> None:
    """At the finest level too, of every logger of the process."""
    caplog.set_level(logging.DEBUG)
    with hearing(LoggingHook()) as heard:
        heard.llm.reply(opinion, {"reasons": ["owes for cement"], "verdict": "careful"})
        opinion(AMA)
        heard.llm.reply_text(slogan, "broken answer", finish="blocked")
        with pytest.raises(ContentBlocked):
            slogan(1)

    assert {record.levelname for record in caplog.records if record.name == "ai_addons"} == {"DEBUG", "INFO", "WARNING"}
    written = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    for secret in (
        BUSINESS,
        "Kwabena",
        USER,
        "Ama",
        "Serwaa",
        "cement",
        "careful",
        "GHS",
        "broken",
        "test-key",
        "Slog",
    ):
        assert secret not in written


@pytest.mark.parametrize(
    ("event", "level", "line"),
    [
        (CallRefused(feature="opinion", code="paused"), "INFO", "call refused feature=opinion code=paused"),
        (
            HoldTimedOut(call_id="c", feature="f", amount=Credits("0.5")),
            "WARNING",
            "hold timed out call_id=c feature=f amount=0.5",
        ),
        (
            CapturedLate(call_id="c", feature="f", charged=Credits(0), unpaid=Credits(4)),
            "INFO",
            "captured late call_id=c feature=f charged=0 unpaid=4",
        ),
        (
            CircuitOpened(model="openai/m", code="provider_timeout", seconds=30.0),
            "WARNING",
            "circuit opened model=openai/m code=provider_timeout seconds=30.0",
        ),
        (CircuitClosed(model="openai/m"), "INFO", "circuit closed model=openai/m"),
        (
            BudgetWarned(window="month", **BUDGET),
            "WARNING",
            "budget warned window=month spent_usd=40.000000000000 budget_usd=50.000000000000",
        ),
        (
            BudgetStopped(window="day", **BUDGET),
            "ERROR",
            "budget stopped window=day spent_usd=40.000000000000 budget_usd=50.000000000000",
        ),
        (
            WebhookDelivered(topic="limit.warning", attempts=2),
            "INFO",
            "webhook delivered topic=limit.warning attempts=2",
        ),
        (
            WebhookFailed(topic="limit.warning", attempts=2, given_up=False),
            "WARNING",
            "webhook failed topic=limit.warning attempts=2 given_up=False",
        ),
        (
            WebhookFailed(topic="limit.warning", attempts=25, given_up=True),
            "ERROR",
            "webhook failed topic=limit.warning attempts=25 given_up=True",
        ),
        (
            OperatorAlert(code="bad_key", detail="openai/gpt-6-luna is refused"),
            "ERROR",
            "operator alert code=bad_key detail='openai/gpt-6-luna is refused'",
        ),
        (
            WalletEvent(topic="wallet.low_balance", business="biz_7", facts={"posted": "9.50", "threshold": "10.00"}),
            "WARNING",
            "wallet event topic=wallet.low_balance posted=9.50 threshold=10.00",
        ),
        (
            WalletEvent(topic="addon.renewal_due", business="biz_7", facts={"period": "1"}),
            "INFO",
            "wallet event topic=addon.renewal_due period=1",
        ),
        (
            CapturedLate(call_id="100%\nERROR forged", feature="f", charged=Credits(1), unpaid=Credits(0)),
            "INFO",
            r"captured late call_id='100%\nERROR forged' feature=f charged=1 unpaid=0",
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "__slots__") else "",
)
def test_a_line_says_what_happened_and_how_much_it_matters(
    caplog: pytest.LogCaptureFixture, event: Event, level: str, line: str
) -> None:
    """A wallet's business stays in the books; text of a host keeps to its line."""
    caplog.set_level(logging.DEBUG, "ai_addons")
    LoggingHook()(event)

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [(level, line)]
    assert logging.getLevelName(level_of(event)) == level


def test_a_failed_attempt_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Retries can be seen without DEBUG."""
    caplog.set_level(logging.INFO, "ai_addons")
    with hearing(LoggingHook()) as heard:
        heard.llm.fail(opinion, ProviderUnavailable(), retry=True)
        heard.llm.reply(opinion, OPINION)
        opinion(AMA)

    assert [(record.levelname, record.getMessage().split(" call_id")[0]) for record in caplog.records] == [
        ("WARNING", "attempt made"),
        ("INFO", "call charged"),
    ]


def test_another_logger_may_be_given(caplog: pytest.LogCaptureFixture) -> None:
    """A host may keep these lines apart; the level of that logger counts."""
    logger = logging.getLogger("pos.ai")
    logger.setLevel(logging.WARNING)
    hook = LoggingHook(logger)
    hook(CircuitClosed(model="openai/m"))
    hook(OperatorAlert(code="bad_key", detail="openai/m"))

    assert [record.name for record in caplog.records] == ["pos.ai"]
