"""The command line, as a person and as a script would use it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from ai_addons import AddOns
from ai_addons.cli import main
from ai_addons.cli.demo import sample_data
from ai_addons.testing.loopback import Loopback

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and no keys: a new user's machine."""
    monkeypatch.chdir(tmp_path)
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    return tmp_path


def call(*arguments: str, code: int = 0) -> Result:
    """Run a command and hold it to its exit code."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def as_json(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and read what it prints."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def test_the_demo_tells_the_whole_story() -> None:
    """Trial, answers, what was masked, the free repeat, the refusal with packs, the purchase, the ledger."""
    story = as_json("demo")
    steps = [chapter["step"] for chapter in story]
    assert steps == [
        "opening",
        "trial",
        *["answered"] * 5,
        "refused",
        "bought",
        *["answered"] * 2,
        "books",
    ]
    opening, trial, books = story[0], story[1], story[-1]
    assert opening["offline"] is True
    assert trial["granted"] == "5.00"
    answers = [chapter for chapter in story if chapter["step"] == "answered"]
    charged = [answer["receipt"]["charged"] for answer in answers]
    assert charged == ["0.10", "0.10", "0.10", "0.00", "3.00", "3.00", "3.00"]
    assert answers[3]["receipt"]["source"] == "cache"
    assert any(answer["sent"] and "[PHONE_1]" in answer["sent"]["sent"] for answer in answers)
    assert "cost" not in answers[0]["receipt"]
    refused = next(chapter for chapter in story if chapter["step"] == "refused")
    assert (refused["required"], refused["available"]) == ("3.00", "1.70")
    assert [offer["type"] for offer in refused["offers"]] == ["STARTER", "VALUE", "PRO"]
    bought = next(chapter for chapter in story if chapter["step"] == "bought")
    assert (bought["pack"], bought["price"]) == ("VALUE", {"amount": "80.00", "currency": "GHS"})
    assert (bought["state"], bought["gateway"]) == ("successful", "fake")
    assert (bought["granted"], bought["balance"]) == ("100.00", "101.70")
    assert books["sound"] is True
    assert (books["balance"], books["held"]) == ("95.70", "0.00")
    granted = [entry["amount"] for entry in books["entries"] if entry["kind"] == "grant"]
    assert granted == ["5.00", "80.00", "20.00"]
    assert [entry["kind"] for entry in books["entries"]].count("usage") == 6


def test_the_demo_reads_well_in_a_terminal() -> None:
    """No markup, no code names, no tracebacks: words, prices and a ledger."""
    text = call("demo").stdout
    for words in (
        "A new shop starts with 5 free credits",
        "offline model answers with samples",
        "The same question again costs nothing",
        "Not enough credits",
        "VALUE (recommended)",
        "GHS 80.00 paid by Mobile Money, 100 credits added",
        "this is a fake gateway, no money moves",
        "The ledger",
        "every check of the books passes",
    ):
        assert words in text
    assert "[/]" not in text
    assert "Traceback" not in text


def test_the_demo_takes_the_users_own_records(tmp_path: Path) -> None:
    """A folder with two CSV files is enough; the shop's own file is optional."""
    for name in ("products.csv", "customers.csv"):
        (tmp_path / name).write_bytes((sample_data() / name).read_bytes())
    story = as_json("demo", "--data", str(tmp_path))
    assert story[0]["business"] == "demo-shop"
    assert story[-1]["sound"] is True


def test_a_broken_record_is_named_and_nothing_is_charged(tmp_path: Path) -> None:
    """File, line and column; no traceback."""
    (tmp_path / "products.csv").write_text(
        "name,category,brand,attributes,unit_size,unit\nRice,groceries,,,much,kg\n", encoding="utf-8"
    )
    (tmp_path / "customers.csv").write_bytes((sample_data() / "customers.csv").read_bytes())
    result = call("demo", "--data", str(tmp_path), code=3)
    assert "products.csv, line 2, column 'unit_size'" in result.stderr
    assert "Nothing was charged" in result.stderr
    assert as_json("demo", "--data", str(tmp_path), code=3)["code"] == "bad_record"


def test_the_demo_keeps_its_books_where_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file can be read by the other commands; a second demo on it says why it cannot start."""
    books = tmp_path / "kept.db"
    as_json("demo", "--keep", str(books))
    monkeypatch.setenv("AI_ADDONS_STORE__URL", f"sqlite:///{books}")
    assert as_json("balance", "biz_nyonkopa")["available"] == "95.70"
    assert "the chain is whole" in call("ledger", "biz_nyonkopa", "--verify").stderr
    assert len(as_json("ledger", "biz_nyonkopa")) == 9
    (order,) = as_json("orders", "list", "biz_nyonkopa")
    assert (order["pack"], order["state"]) == ("VALUE", "successful")
    assert as_json("doctor") == {"ok": True, "findings": [], "wallets": 1}
    assert as_json("sweep") == {"wallets": 0}
    assert "Give --keep a new file" in call("demo", "--keep", str(books), code=3).stderr


def test_the_demo_uses_a_provider_when_there_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key in its usual variable the calls go to that provider, and what is wrong there is said."""
    with Loopback() as server:
        server.fail("anthropic", 401, message="invalid x-api-key")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-invented")
        monkeypatch.setenv("AI_ADDONS_PROVIDERS", json.dumps({"anthropic": {"api_base": server.api_base("anthropic")}}))
        story = as_json("demo")
    assert story[0]["models"] == ["anthropic/claude-haiku-5-5"]
    alerts = [chapter for chapter in story if chapter["step"] == "alerted"]
    assert alerts[0]["code"] == "provider_key_rejected"
    answers = [chapter for chapter in story if chapter["step"] == "answered"]
    assert {answer["receipt"]["source"] for answer in answers} == {"rules"}
    assert {answer["receipt"]["charged"] for answer in answers} == {"0.00"}
    # A key that was refused is not tried again for each call.
    assert 1 <= len(server.calls) < len(answers)


def test_check_explains_the_set_up_of_a_new_machine() -> None:
    """Ready, with the offline model named as such, and every feature with its price."""
    checkup = as_json("check")
    assert checkup["ok"] is True
    assert [finding["level"] for finding in checkup["findings"]] == ["warning"]
    assert "offline model" in checkup["findings"][0]["text"]
    text = call("check").stdout
    assert "product_description" in text
    assert "ready" in text


def test_check_knows_what_features_cost_and_earn(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a priced model every built-in feature keeps 90 per cent at GHS 0.50 a credit."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-invented")
    checkup = as_json("check")
    features = {feature["key"]: feature for feature in checkup["features"]}
    assert features["credit_assessment"]["route"] == ["openai/gpt-6-luna"]
    assert float(features["credit_assessment"]["cost_ghs"]) > 0
    for key in ("product_description", "credit_assessment"):
        assert float(features[key]["margin"].rstrip("%")) >= 90
    assert checkup["findings"] == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('[models]\nsmall = "gemini/gemini-2.5-flash-lite"', "GEMINI_API_KEY"),
        ('[models]\nsmall = "openai/gpt-99"', "prices.models"),
        ('[features.credit_assessment]\nmodels = "openai/gpt-6-luna"', "OPENAI_API_KEY"),
    ],
)
def test_check_names_what_is_missing(settings: str, says: str, tmp_path: Path) -> None:
    """A missing key or price is an error with what to set, and the exit code says so."""
    (tmp_path / "ai_addons.toml").write_text(settings)
    result = call("check", code=1)
    assert says in result.stdout.replace("\n", "")
    assert "not ready" in result.stdout


def test_check_knows_a_recognizer_that_is_not_there(tmp_path: Path) -> None:
    """Without it every call would be refused; so it is said before the first one."""
    (tmp_path / "ai_addons.toml").write_text('[privacy]\nrecognizers = ["email", "fone"]')
    checkup = as_json("check", code=1)
    assert "Did you mean 'phone'?" in checkup["findings"][-1]["text"]
    assert checkup["findings"][-1]["level"] == "error"


def test_check_warns_of_a_thin_margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dear model for a cheap feature is allowed, but not unseen."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-invented")
    (tmp_path / "ai_addons.toml").write_text('[features.product_description]\nmodels = "openai/gpt-6-sol"')
    findings = as_json("check")["findings"]
    assert "product_description keeps" in findings[0]["text"]


def test_check_knows_a_published_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is published is what a call costs, so it is what `check` reckons with."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-invented")
    before = {feature["key"]: feature for feature in as_json("check")["features"]}["product_description"]
    with closing(AddOns.from_env()) as addons:
        addons.prices.publish("product_description", "0.7", actor="ama@pos.example")
    after = {feature["key"]: feature for feature in as_json("check")["features"]}["product_description"]
    assert (before["credits"], after["credits"]) == ("0.1", "0.7")
    assert after["cost_ghs"] == before["cost_ghs"]
    assert float(after["margin"].rstrip("%")) > float(before["margin"].rstrip("%"))


def test_a_typo_in_a_setting_is_one_message(tmp_path: Path) -> None:
    """Every command tells it the same way, with a suggestion."""
    (tmp_path / "ai_addons.toml").write_text('[modles]\nsmall = "openai/gpt-6-luna"')
    for command in (("check",), ("prices",), ("demo",), ("balance", "b")):
        result = call(*command, code=3)
        assert "did you mean models?" in result.stderr
        assert "othing was charged" in result.stderr
        assert "Traceback" not in result.output


def test_prices_are_listed() -> None:
    """Features and packs, for people and machines."""
    listed = as_json("prices")
    assert {"key": "product_description", "credits": "0.10"}.items() <= listed["features"][0].items()
    assert listed["packs"][1]["price"] == {"amount": "80.00", "currency": "GHS"}
    assert "VALUE (recommended)" in call("prices").stdout


def test_a_hosts_module_brings_its_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--module` imports what declares them; a module that is not there is named."""
    (tmp_path / "shop_ai.py").write_text(
        "from ai_addons import Prompt, billed_feature\n\n"
        '@billed_feature("tagline_of_shop", credits=2)\n'
        'def tagline_of_shop() -> Prompt:\n    """Write a tagline."""\n    return Prompt(user="?")\n'
    )
    monkeypatch.setattr(sys, "path", sys.path.copy())
    assert "tagline_of_shop" in [item["key"] for item in as_json("prices", "--module", "shop_ai")["features"]]
    assert "No module named 'no_such_module'" in call("check", "-m", "no_such_module", code=3).stderr
    (tmp_path / "broken_ai.py").write_text("raise RuntimeError('boom')")
    assert "(RuntimeError: boom). Nothing was charged" in call("check", "-m", "broken_ai", code=3).stderr


def test_credits_are_granted_once() -> None:
    """A repeat of the same reference changes nothing and says so; another amount is refused."""
    assert "25 credits booked; 25 available" in call("grant", "b", "25", "--ref", "welcome").stdout
    assert "nothing changed" in call("grant", "b", "25", "--ref", "welcome").stdout
    assert as_json("grant", "b", "25", "--ref", "welcome")["replayed"] is True
    assert "Nothing was booked" in call("grant", "b", "26", "--ref", "welcome", code=5).stderr
    assert "'much' is not a number of credits" in call("grant", "b", "much", "--ref", "r", code=2).stderr
    assert "nothing was booked" in call("grant", "b", "--ref", "r", "--", "-5", code=2).stderr
    assert "bad_value" in call("grant", "b", "9" * 30, "--ref", "r", code=2).stderr
    assert as_json("balance", "", code=2)["code"] == "bad_value"
    assert "nobody has no bookings" in call("ledger", "nobody").stdout
    assert "25 credits available" in call("balance", "b").stdout
    assert "issuance:adjustment" in call("ledger", "b").stdout
    assert "0 findings" in call("doctor").stdout
    assert "0 wallets" in call("sweep").stdout


def test_tampering_is_found(tmp_path: Path) -> None:
    """A balance changed behind our back fails `doctor` and `ledger --verify`, and `check` says where to look."""
    call("grant", "b", "25", "--ref", "welcome")
    with sqlite3.connect(tmp_path / "ai_addons.db") as books:
        books.execute("UPDATE business_ai_credits SET posted = posted + 5000000")
    books.close()
    assert "posted is the sum of the ledger" in call("doctor", code=1).stdout
    assert "posted" in call("ledger", "b", "--verify", code=1).stderr
    assert "ai-addons doctor" in call("check", code=1).stdout
    assert as_json("doctor", code=1)["ok"] is False


def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not there: what happened, nothing charged, no traceback."""
    monkeypatch.setenv("AI_ADDONS_STORE__URL", f"sqlite:///{tmp_path}/missing/shop.db")
    result = call("balance", "b", code=3)
    assert "missing of store.url does not exist. Nothing was charged" in result.stderr
    assert "othing was charged" in call("check", code=1).stdout.replace("\n", " ")


def test_records_without_a_line_are_told(tmp_path: Path) -> None:
    """A header alone is no shop; nothing is charged for finding out."""
    for name in ("products.csv", "customers.csv"):
        (tmp_path / name).write_text((sample_data() / name).read_text(encoding="utf-8").splitlines()[0] + "\n")
    assert "needs at least one product" in call("demo", "--data", str(tmp_path), code=3).stderr


def test_ctrl_c_ends_the_demo_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is told that the call in progress was not charged."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ai_addons.cli.demo.Demo.run", interrupt)
    assert "Stopped. The call in progress was not charged." in call("demo", code=130).stderr


def test_settings_for_an_unknown_feature_are_noticed(tmp_path: Path) -> None:
    """A misspelt key leaves the feature as it was; `check` says so."""
    (tmp_path / "ai_addons.toml").write_text("[features.product_descripton]\nenabled = false")
    texts = [finding["text"] for finding in as_json("check")["findings"]]
    assert any("did you mean product_description?" in text for text in texts)


def test_python_m_is_the_same_command() -> None:
    """`python -m ai_addons` works where the script is not on the path."""
    done = subprocess.run([sys.executable, "-m", "ai_addons", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ai-addons")
