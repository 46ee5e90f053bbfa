"""`ai-addons orders` and `ai-addons reconcile`, and `AddOns.orders` with gateways of the settings."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from ai_addons import AddOns, Settings
from ai_addons.cli import main
from ai_addons.errors import BadSignature, ConfigError, NotFound
from tests.scripted_gateway import CARD, EMAIL, ScriptedGateway, webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.gateways.base import Charge, Refund

HERE = f"{__name__}:CliGateway"


class CliGateway(ScriptedGateway):
    """A host's own gateway, made by its path in the settings; what it knows outlives each command."""

    known: ClassVar[dict[str, Charge]] = {}
    returned: ClassVar[dict[str, list[Refund]]] = {}

    def __init__(self, settings: Any, *, environ: Any, clock: Any, rate: Any) -> None:
        super().__init__()
        assert callable(rate)
        assert settings.keys == ()
        assert environ is not None
        assert clock is not None
        self.charged = self.known
        self.sent_back = self.returned


@pytest.fixture
def shop(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddOns]:
    """Books in a file and a gateway, by the environment alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AI_ADDONS_STORE__URL", f"sqlite:///{tmp_path / 'shop.db'}")
    monkeypatch.setenv("AI_ADDONS_PAYMENTS__GATEWAYS", json.dumps([HERE]))
    CliGateway.known.clear()
    CliGateway.returned.clear()
    with closing(AddOns.from_env()) as addons:
        yield addons


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def gateway(addons: AddOns) -> ScriptedGateway:
    """The one that the settings name."""
    found = addons._wiring.gateways.one(None)
    assert isinstance(found, ScriptedGateway)
    return found


def test_an_operator_follows_an_order_to_its_credits(shop: AddOns) -> None:
    """List, show, verify; a second look adds nothing."""
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    reference, order = payment.attempt.reference, payment.order.id
    listed = call("orders", "list", "biz_7").stdout
    assert "VALUE" in listed
    assert "GHS 80.00" in listed
    shown = call("orders", "show", "biz_7", order).stdout
    assert f"{order}: VALUE, 100 credits for GHS 80.00, pending" in shown
    assert "scripted" in shown
    pending = f"pending: order {order} is pending; 0 credits added, 0 available\n"
    assert call("orders", "verify", "biz_7", reference).stdout == pending
    gateway(shop).pay(reference, reason="[bold]Approved")
    assert as_json("orders", "verify", "biz_7", reference) == {
        "verdict": "grant",
        "success": True,
        "already_applied": False,
        "credits_added": "100.00",
        "new_balance": "100.00",
        "order": as_json("orders", "list", "biz_7")[0],
    }
    told = as_json("orders", "show", "biz_7", order)
    assert (told["order"]["state"], told["attempts"][0]["state"]) == ("successful", "paid")
    assert EMAIL not in json.dumps(told)
    assert "[bold]" in call("orders", "show", "biz_7", order).stdout
    assert "not_found" in call("orders", "show", "biz_8", order, code=5).output
    call("doctor")


def test_an_operator_gives_up_an_order(shop: AddOns) -> None:
    """It says that this is not final."""
    first, second = (shop.orders.start("biz_7", "STARTER", email=EMAIL).order.id for _ in range(2))
    assert call("orders", "cancel", "biz_7", first).stdout.startswith(f"order {first} is failed; a payment that is")
    assert as_json("orders", "cancel", "biz_7", second)["state"] == "failed"


def test_an_operator_decides_about_payments_that_do_not_fit(shop: AddOns) -> None:
    """Shown by reconcile with exit code 1 until each is released or sent back."""
    for changes in ({"amount_minor": 1}, {"currency": "NGN", "amount_minor": None}):
        payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
        gateway(shop).pay(payment.attempt.reference, **changes)
    told = call("reconcile", code=1).stdout
    assert told.startswith("2 attempts asked about, 0 orders granted, 0 given up\n")
    assert "quarantined" in told
    assert not as_json("reconcile", code=1)["ok"]
    shown = call("orders", "quarantine").stdout
    assert "GHS 1 minor" in shown
    one, two = as_json("orders", "quarantine")
    assert (one["reason"], two["reason"]) == ("amount", "currency")
    decided = ("--actor", "kofi", "--reason", "goodwill")
    done = call("orders", "release", "biz_7", one["id"], *decided).stdout
    assert done == f"payment {one['id']} of order {one['order']}: released\n"
    assert as_json("orders", "release", "biz_7", two["id"], "--refunded", *decided)["resolution"] == "refunded"
    assert call("reconcile").stdout == "0 attempts asked about, 0 orders granted, 0 given up\n"
    assert as_json("reconcile", "--days", "1")["ok"]
    assert shop.wallet("biz_7").available.short == "100"


def test_an_error_of_reconcile_is_none_of_its_findings(shop: AddOns) -> None:
    """Exit code 1 says that something is left to do, so an error has another one."""
    del shop
    Path("shop.db").write_bytes(b"no database" * 1_000)
    assert call("reconcile", code=4).stdout == ""


def test_without_a_gateway_nothing_is_sold() -> None:
    """It says what to set; a name that is not configured is told too."""
    with closing(AddOns(Settings.model_validate({"store": {"url": "sqlite://"}}))) as addons:
        with pytest.raises(ConfigError, match="No payment gateway is configured"):
            addons.orders.start("biz_7", "VALUE", email=EMAIL)
        assert addons.orders.reconcile().ok
        with pytest.raises(NotFound):
            addons.orders.receive("paystack", {}, b"{}")


def test_gateways_given_to_addons_win_over_the_settings() -> None:
    """The first is the usual one; the others are named."""
    settings = Settings.model_validate({"store": {"url": "sqlite://"}, "payments": {"gateways": ["paystack"]}})
    first, second = ScriptedGateway("first"), ScriptedGateway("second")
    with closing(AddOns(settings, gateways=(first, second))) as addons:
        assert addons.orders.start("biz_7", "VALUE", email=EMAIL).attempt.gateway == "first"
        assert addons.orders.start("biz_7", "VALUE", email=EMAIL, gateway="second").attempt.gateway == "second"
        with pytest.raises(ConfigError, match="No payment gateway 'third' is configured"):
            addons.orders.start("biz_7", "VALUE", email=EMAIL, gateway="third")


def test_an_async_host_does_the_same() -> None:
    """Every operation of `Payments`, beside the event loop."""
    scripted = ScriptedGateway()

    async def sell(addons: AddOns) -> None:
        orders = addons.aio.orders
        payment = await orders.start("biz_7", "VALUE", email=EMAIL)
        scripted.decline(payment.attempt.reference)
        assert (await orders.verify("biz_7", payment.attempt.reference)).verdict == "failed"
        again = await orders.attempt("biz_7", payment.order.id, phone="0201234987", network="telecel")
        await orders.submit_otp("biz_7", again.attempt.reference, "1234")
        order, attempts = await orders.find("biz_7", payment.order.id)
        assert (order.state, len(attempts)) == ("successful", 2)
        third = await orders.start("biz_7", "STARTER", email=EMAIL)
        scripted.pay(third.attempt.reference, card=CARD)
        await orders.receive("scripted", *webhook(third.attempt.reference))
        with pytest.raises(BadSignature):
            await orders.receive("scripted", {}, b"{}")
        assert (await orders.work_inbox()).done == 1
        (card,) = await orders.cards("biz_7")
        assert await orders.forget_card("biz_7", card.id)
        short = [await orders.start("biz_7", "STARTER", email=EMAIL) for _ in range(2)]
        for one in short:
            scripted.pay(one.attempt.reference, amount_minor=1)
            assert (await orders.apply(one.attempt.reference)).verdict == "quarantine"
        good, bad = await orders.quarantined()
        await orders.release("biz_7", good.id, actor="kofi", reason="goodwill")
        await orders.mark_refunded("biz_7", bad.id, actor="kofi", reason="sent back")
        last = await orders.start("biz_7", "STARTER", email=EMAIL)
        assert (await orders.cancel("biz_7", last.order.id)).state == "failed"
        assert (await orders.expire(), len(await orders.history("biz_7"))) == (0, 5)
        assert (await orders.reconcile()).ok

    settings = Settings.model_validate({"store": {"url": "sqlite://"}})
    with closing(AddOns(settings, gateways=(scripted,))) as addons:
        asyncio.run(sell(addons))
        assert addons.wallet("biz_7").available.short == "160"


def test_an_operator_sends_money_back(shop: AddOns) -> None:
    """The same key again shows what became of it, for people and for machines."""
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    gateway(shop).pay(payment.attempt.reference)
    shop.orders.verify("biz_7", payment.attempt.reference)
    order = payment.order.id
    command = (*f"orders refund biz_7 {order} --key r1 --actor kofi --amount 20 --reason".split(), "wrong pack")
    told = call(*command).stdout
    assert told == f"order {order} is successful: 0 of 8000 minor units; 0 credits taken back, 25 frozen\n"
    found = as_json(*command)
    assert (found["at_risk_minor"], found["frozen"], found["state"]) == (2_000, "25.00", "successful")
    assert shop.orders.money_back("biz_7", order).frozen.short == "25"


def test_a_receipt_is_printed_and_written_as_a_page(
    shop: AddOns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the credit notes of its refunds; without a seller there is none."""
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    gateway(shop).pay(payment.attempt.reference)
    shop.orders.verify("biz_7", payment.attempt.reference)
    order, page = payment.order.id, tmp_path / "receipt.html"
    assert "Set receipts.seller" in call("orders", "receipt", "biz_7", order, code=3).output
    monkeypatch.setenv("AI_ADDONS_RECEIPTS__SELLER", "Sika POS Ltd")
    shop.orders.refund("biz_7", order, key="r1", actor="kofi", reason="wrong pack")
    gateway(shop).end_refund(payment.attempt.reference)
    shop.orders.refund("biz_7", order, key="r1", actor="kofi", reason="wrong pack")
    told = call("orders", "receipt", "biz_7", order).stdout
    assert "Receipt R-000001" in told
    assert "Credit note CN-000001" in told
    assert call("orders", "receipt", "biz_7", order, "--html", str(page)).stdout == f"receipt R-000001 is in {page}\n"
    assert "<h1>Receipt R-000001</h1>" in page.read_text("utf-8")


def test_renewals_are_run_from_the_command_line(shop: AddOns, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due comes first; a business that cannot be asked makes it exit with 1."""
    monkeypatch.setenv("AI_ADDONS_BILLING__POLICY", "hybrid")
    assert call("renew").stdout == "0 months paid, 0 wait, 0 could not be asked\n"
    with closing(AddOns.from_env()) as addons:
        addons.subscriptions.subscribe("biz_7", paid=True)
        addons._wiring.database.write(lambda tx: tx.connection.execute("UPDATE ai_monthly_addons SET anchor_at = 0"))
        assert asyncio.run(addons.aio.orders.renew()).failed == (("biz_7", "payment"),)
    found = as_json("renew", code=1)
    assert found["failed"] == [["biz_7", "payment"]]
    assert call("renew", code=1).stdout.endswith("biz_7: payment\n")


def test_refunds_that_nobody_told_of_are_counted(shop: AddOns, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that lists them makes up for webhooks that were lost."""
    known: list[str] = []
    monkeypatch.setattr(CliGateway, "refunds_between", lambda self, *_: iter(self.sent_back[known[0]]), raising=False)
    monkeypatch.setattr(CliGateway, "disputes_between", lambda *_: iter(()), raising=False)
    reference = shop.orders.start("biz_7", "VALUE", email=EMAIL).attempt.reference
    known.append(reference)
    gateway(shop).pay(reference)
    shop.orders.verify("biz_7", reference)
    gateway(shop).tell_refund(reference, 2_000)
    told = call("reconcile").stdout
    assert told == (
        "0 attempts asked about, 0 orders granted, 0 given up\nrefunds and disputes booked that nobody had told of: 1\n"
    )
    assert as_json("reconcile")["returned"] == 0


def test_a_top_up_is_agreed_to_and_bought_from_the_command_line(shop: AddOns) -> None:
    """Set, shown, bought by `renew`, declined by a card that is gone, and removed; the same for machines."""
    assert call("orders", "top-up", "show", "biz_7").stdout == "biz_7 agreed to no top-up\n"
    assert as_json("orders", "top-up", "show", "biz_7") is None
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    paid = ScriptedGateway()
    paid.charged = CliGateway.known
    paid.pay(payment.attempt.reference, card=CARD)
    asyncio.run(shop.aio.orders.verify("biz_7", payment.attempt.reference))
    agree = ("orders", "top-up", "set", "biz_7", "PRO", "--below", "150", "--actor", "ama")
    told = "biz_7: PRO for GHS 180.00 at most, below 150 credits, 1 a day and 4 a month; "
    assert call(*agree, "--off").stdout == f"{told}buys nothing now: off\n"
    assert as_json(*agree)["rule"]["most_failures"] == 3
    assert call("orders", "top-up", "show", "biz_7").stdout == f"{told}buys now\n"
    bought = "0 months paid, 0 wait, 0 could not be asked\n1 packs bought by top-ups, 0 cards declined\n"
    assert call("renew").stdout == bought
    assert as_json("orders", "top-up", "show", "biz_7")["stopped"] == "enough"
    assert call("orders", "top-up", "remove", "biz_7", "--actor", "ama").stdout == "removed\n"
    assert as_json("orders", "top-up", "remove", "biz_7", "--actor", "ama") == {"removed": False}
    assert call("orders", "top-up", "remove", "biz_7", "--actor", "ama").stdout == "biz_7 agreed to no top-up\n"


def test_a_top_up_has_async_twins(shop: AddOns) -> None:
    """With the same answers."""
    payment = shop.orders.start("biz_7", "VALUE", email=EMAIL)
    paid = ScriptedGateway()
    paid.charged = CliGateway.known
    paid.pay(payment.attempt.reference, card=CARD)
    shop.orders.verify("biz_7", payment.attempt.reference)
    orders = shop.aio.orders
    standing = asyncio.run(orders.set_top_up("biz_7", "PRO", below=150, actor="ama", most_per_month=2))
    assert asyncio.run(orders.top_up_of("biz_7")) == standing
    assert (standing.rule.most_per_month, standing.rule.cool_down) == (2, 3_600_000_000)
    bought = asyncio.run(orders.top_up("biz_7"))
    assert bought is not None
    assert bought.order.state == "successful"
    assert asyncio.run(orders.remove_top_up("biz_7", actor="ama"))
