"""`ai-addons demo --all`: all eight features on one shop, as a person and as a script would see it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from ai_addons.cli import main
from ai_addons.cli.demo import sample_data
from ai_addons.cli.story import TerminalStory
from ai_addons.cli.tour import Tour
from ai_addons.testing.loopback import Loopback

if TYPE_CHECKING:
    from pathlib import Path

KEYS = (
    "product_description",
    "report_summary",
    "customer_insight",
    "credit_assessment",
    "collection_analysis",
    "collection_message",
    "inventory_forecast",
    "portfolio_dashboard",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder: a new user's machine."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """The sample shop's records in a folder of the user's own."""
    folder = tmp_path / "mine"
    shutil.copytree(sample_data(), folder)
    return folder


def call(*arguments: str, code: int = 0) -> Result:
    """Run the demo and hold it to its exit code."""
    result = CliRunner().invoke(main, ["demo", *arguments])
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def told(*arguments: str, code: int = 0) -> Any:
    """Run the tour with --json and read what it prints."""
    return json.loads(call("--all", *arguments, "--json", code=code).stdout)


def chapters(story: list[dict[str, Any]], step: str) -> list[dict[str, Any]]:
    """The chapters of one kind."""
    return [chapter for chapter in story if chapter["step"] == step]


def edit(path: Path, old: str, new: str) -> None:
    """Change the first occurrence of a text in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_tour_shows_all_eight_and_their_sum() -> None:
    """Records, eight features with a refusal between, what they cost together, sound books."""
    story = told()
    assert [chapter["step"] for chapter in story] == [
        *("opening", "trial", "records"),
        *["shown"] * 4,
        *("refused", "bought"),
        *["shown"] * 4,
        *("sum", "books"),
    ]
    shown = chapters(story, "shown")
    assert tuple(one["key"] for one in shown) == KEYS
    assert [one["price"] for one in shown] == ["0.10", "0.20", "0.50", "3.00", "5.00", "0.50", "4.00", "5.00"]
    assert [one["receipt"]["charged"] for one in shown] == [one["price"] for one in shown]
    assert {one["receipt"]["source"] for one in shown} == {"offline"}
    assert all("cost" not in one["receipt"] for one in shown)
    records, summed, books = (chapters(story, step)[0] for step in ("records", "sum", "books"))
    assert {key: records[key] for key in ("since", "until", "lines", "items", "bills")} == {
        "since": "2025-09-20",
        "until": "2026-11-20",
        "lines": 1616,
        "items": 15,
        "bills": 95,
    }
    assert (summed["charged"], summed["worth"]) == ("18.30", {"amount": "14.64", "currency": "GHS"})
    assert [row[2] for row in summed["rows"]] == [one["price"] for one in shown]
    assert (books["sound"], books["balance"], len(books["entries"])) == (True, "86.70", 11)


def test_what_the_owner_reads_is_worked_out_from_the_tables() -> None:
    """Headlines, tables and pictures hold the shop's own figures and names."""
    shown = {one["key"]: one for one in chapters(told(), "shown")}
    assert [shown[key]["headline"] for key in KEYS] == [
        "Sika Wo Ntaban Wax Print, 6 yards",
        "Sales were GHS 28,821, a change of 4% on the prior period.",
        (
            "Customers at risk: 8. In the last year they spent GHS 9,136. The first to look at is Adjoa Essien, with "
            "GHS 3,710 in all, last seen 127 days ago."
        ),
        "Approve: limit GHS 3,000, of which GHS 2,360 is still unused (score 97 of 100, grade A)",
        "GHS 12,040 is owed; GHS 5,275.16 of it is likely still unpaid in two weeks.",
        "A WhatsApp message to approve, firm in tone",
        "To order now: 7 items, for GHS 19,230.80.",
        "The business scores 73 of 100 and is rated good. Look first at credit, at 51 of 100.",
    ]
    worklist = shown["collection_analysis"]
    assert worklist["grid"]["rows"][0] == ["1", "Kofi Asante", "1,850.00", "84", "1,788.40", "plan"]
    assert worklist["picture"][:3] == ["Owed by days overdue", "not due: 6,440 GHS", "1-30 days: 2,800 GHS"]
    assert shown["collection_message"]["subject"] == "Kojo Addo owes GHS 950.00 since 2026-10-16"
    assert shown["collection_message"]["text"][0].startswith("> Dear Kojo Addo, your bill of GHS 950 at Nyonkopa")
    assert shown["collection_message"]["text"][-1] == (
        "Send it on Friday 20 November, 08:00 to 19:00. Nothing is sent by itself: a person reads, approves and "
        "sends it."
    )
    forecast = shown["inventory_forecast"]
    assert forecast["grid"]["rows"][1] == ["Vegetable Oil, 5 Litres", "76", "7,676.00", "2", "62 in 2 weeks"]
    assert forecast["picture"][-2:] == [
        "to 04 Dec, expected: 102.6 units, from 38 to 181",
        "reorder point: 213 units",
    ]
    assert shown["portfolio_dashboard"]["picture"][1:3] == ["overall: 73 of 100", "credit: 51 of 100, watch"]
    assert shown["report_summary"]["grid"]["rows"][0] == ["Vegetable Oil, 5 Litres", "9,230.00", "+2,152.00"]
    assert shown["customer_insight"]["grid"]["columns"] == ["customer", "spend", "visits", "days since"]
    assert shown["customer_insight"]["notes"] == ["Segments with very few customers are left out."]


def test_the_tour_reads_well_in_a_terminal() -> None:
    """Prices, sample marks, the picture in words, the sum; no markup and no traceback."""
    text = call("--all").stdout
    for words in (
        "Trade:   1,616 lines of sales from 2025-09-20 to 2026-11-20, 15 items, 95 bills",
        "Inventory Forecast · 4 credits · 15 items",
        "Sample words around figures worked out from the records",
        "Owed by days overdue (the picture in words)",
        "note: Segments with very few customers are left out.",
        "Not enough credits.",
        "18.3 credits in all, GHS 14.64 at the price of the VALUE pack",
        "every check of the books passes",
    ):
        assert words in text
    assert text.count("Sample words") == 8
    assert "[/]" not in text


def test_a_narrow_terminal_gets_lines_in_place_of_wide_tables() -> None:
    """Rows of results become lines that wrap at words; nothing is wider than the screen."""
    out = io.StringIO()
    console = Console(file=out, width=40, highlight=False)
    Tour(TerminalStory(console, console), data=None, keep=None, pictures=None).run()
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    flat = " ".join(out.getvalue().split())
    assert "- 2: customer Kojo Addo, overdue GHS 950.00, days 35, likely unpaid GHS 910.58, do call" in flat


def test_a_waiting_person_sees_what_is_asked() -> None:
    """On a terminal each feature is named while it is asked."""
    seen = io.StringIO()
    progress = Console(file=seen, force_terminal=True, width=120)
    Tour(TerminalStory(Console(file=io.StringIO()), progress), data=None, keep=None, pictures=None).run()
    assert "Inventory Forecast: 15 items" in seen.getvalue()


def test_pictures_are_written_where_told(tmp_path: Path) -> None:
    """Three charts as SVG, named after their features; the folder is made."""
    folder = tmp_path / "new" / "pictures"
    drawn = chapters(told("--pictures", str(folder)), "drawn")[0]
    names = ["collection_analysis.svg", "inventory_forecast.svg", "portfolio_dashboard.svg"]
    assert (drawn["files"], drawn["why_not"]) == (names, "")
    assert sorted(path.name for path in folder.iterdir()) == names
    assert "Owed by days overdue" in (folder / names[0]).read_text(encoding="utf-8")
    assert f"Pictures: {', '.join(names)} in" in " ".join(call("--all", "--pictures", str(folder)).stdout.split())


def test_without_the_extra_the_words_must_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what to install; the tour and its books are whole."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    story = told("--pictures", str(tmp_path / "pictures"))
    drawn = chapters(story, "drawn")[0]
    assert drawn["files"] == []
    assert "pip install 'ai-addons[charts]'" in drawn["why_not"]
    assert chapters(story, "books")[0]["sound"] is True
    assert "Pictures: none were drawn." in call("--all", "--pictures", str(tmp_path / "pictures")).stdout


def test_pictures_need_a_tour_and_a_folder(tmp_path: Path) -> None:
    """The short demo has none, and a file is no folder to write to; nothing is charged."""
    assert "--pictures goes with --all" in call("--pictures", str(tmp_path), code=2).stderr
    (tmp_path / "file").write_text("")
    refused = told("--pictures", str(tmp_path / "file" / "inside"), code=3)
    assert "Pictures cannot be written to" in refused["detail"]
    assert "Nothing was charged" in refused["detail"]


def test_the_tour_takes_the_users_own_records(records: Path) -> None:
    """Semicolons, days first, spaces in headings, columns of the shop's own; a new name and day in shop.toml."""
    with (records / "stock.csv").open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    head[head.index("unit_cost")] = "Unit cost"
    with (records / "stock.csv").open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows([[*head, "shelf"], *([*line, "A\u00e9"] for line in lines)])
    edit(records / "invoices.csv", "2026-11-02", "02/11/2026")
    edit(records / "shop.toml", "Nyonkopa Trading, Takoradi", "Adom Store")
    story = told("--data", str(records))
    assert story[0]["shop"] == "Adom Store"
    assert chapters(story, "sum")[0]["charged"] == "18.30"
    assert chapters(story, "shown")[6]["grid"]["rows"][1][:2] == ["Vegetable Oil, 5 Litres", "76"]


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("sales.csv", ",12.00,", ",twelve,", "sales.csv: 1 of 1616 rows cannot be used:\nrow 2, amount: is no number"),
        ("sales.csv", "paid_by", "paid", "Its columns are day, sale, customer (optional), item, units, amount"),
        ("sales.csv", "Tomato Paste", "Tomato Purée", "sales.csv: sells 'Tomato Purée', which stock does not have"),
        ("sales.csv", "2025-09-20", "2026-11-21", "sales.csv: has a day after as_of, 2026-11-20"),
        ("invoices.csv", "2025-04-03", "2027-04-03", "invoices.csv: has a day after as_of"),
        ("invoices.csv", "B-0002", "B-0001", "invoices.csv: has the same ref twice"),
        ("invoices.csv", "2025-03-06", "2025-05-06", "a bill cannot be due before it is issued"),
        ("stock.csv", "Tomato Paste", "Perfumed Rice", "stock.csv: has the same item twice"),
        ("customers.csv", "Kwame Boateng", "Ama Mensah", "customers.csv: has the same customer twice"),
        ("customers.csv", ",yes", ",perhaps", "customers.csv: 1 of 11 rows cannot be used"),
        ("shop.toml", "Nyonkopa", "Nyonkopa and Daughters and Sons", "CollectionRequest (shop_name): longer than 40"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_charged(
    records: Path, file: str, old: str, new: str, says: str
) -> None:
    """The file, the place and what to do; the books were not even opened."""
    edit(records / file, old, new)
    refused = told("--data", str(records), "--keep", "kept.db", code=3)
    assert refused["code"] == "bad_record"
    assert says in refused["detail"]
    assert "Nothing was charged. Correct the file" in refused["detail"]
    assert not (records.parent / "kept.db").exists()


def test_a_missing_or_empty_table_is_named(records: Path) -> None:
    """A file that is not there, or has a header only."""
    for name in ("stock.csv", "sales.csv"):
        head = (records / name).read_text(encoding="utf-8").splitlines()[0]
        (records / name).write_text(f"{head}\n", encoding="utf-8")
        assert f"{name}: has no line below its header" in told("--data", str(records), code=3)["detail"]
    (records / "invoices.csv").unlink()
    message = told("--data", str(records), code=3)["detail"]
    assert message.startswith("invoices.csv: cannot be opened (No such file or directory). Nothing was charged.")


def test_the_short_demo_needs_no_tables_of_trade(records: Path) -> None:
    """Only --all reads them."""
    for name in ("sales.csv", "stock.csv", "invoices.csv"):
        (records / name).unlink()
    assert json.loads(call("--data", str(records), "--json").stdout)[-1]["sound"] is True


def test_nobody_is_reminded_without_consent(records: Path) -> None:
    """The reason is said, nothing is charged for it, and the rest goes on."""
    text = (records / "customers.csv").read_text(encoding="utf-8")
    (records / "customers.csv").write_text(text.replace(",yes\n", ",no\n"), encoding="utf-8")
    reminder = chapters(told("--data", str(records)), "shown")[5]
    assert reminder["headline"] == "No reminder is written."
    assert reminder["text"] == ["The reason: the customer has not agreed to be reminded."]
    assert reminder["receipt"]["charged"] == "0.00"


def test_without_anybody_overdue_the_reminder_is_passed_over(records: Path) -> None:
    """Few debtors get a list without a comment, nobody a message; the other features are asked."""
    head, *bills = (records / "invoices.csv").read_text(encoding="utf-8").splitlines()
    kept = [bill for bill in bills if ",,no," not in bill or "B-0095" in bill]
    (records / "invoices.csv").write_text("\n".join([head, *kept]), encoding="utf-8")
    edit(records / "invoices.csv", ",,yes,", ",0,no,")
    edit(records / "invoices.csv", ",2100.00,,", ",2100.00,2026-11-10,")
    story = told("--data", str(records))
    skipped = chapters(story, "skipped")
    assert skipped == [
        {
            "step": "skipped",
            "key": "collection_message",
            "feature": "Smart Collection Message",
            "why": "Nobody on the list is overdue and to be written to or called.",
        }
    ]
    assert [one["receipt"]["charged"] for one in chapters(story, "shown")] == [
        *("0.10", "0.20", "0.50", "3.00", "0.00", "4.00", "5.00")
    ]
    assert "Nobody on the list is overdue" in call("--all", "--data", str(records)).stdout


def test_a_young_shop_has_no_year_to_compare_with(records: Path) -> None:
    """Ten weeks of sales: no last year, no monthly course, few customers; what is missing is said."""
    head, *lines = (records / "sales.csv").read_text(encoding="utf-8").splitlines()
    (records / "sales.csv").write_text("\n".join([head, *(x for x in lines if x >= "2026-10-05")]), encoding="utf-8")
    shown = {one["key"]: one for one in chapters(told("--data", str(records)), "shown")}
    assert shown["report_summary"]["notes"] == []
    assert "The monthly points were not given." in shown["portfolio_dashboard"]["notes"]
    assert "There is little data to go on." in shown["inventory_forecast"]["notes"]


def test_a_provider_that_refuses_leaves_rules_and_no_charge(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key in its usual variable the calls go there; without an answer code writes and nothing is charged."""
    with Loopback() as server:
        server.fail("anthropic", 401, message="invalid x-api-key")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-invented")
        monkeypatch.setenv("AI_ADDONS_PROVIDERS", json.dumps({"anthropic": {"api_base": server.api_base("anthropic")}}))
        story = told()
    assert story[0]["models"] == ["anthropic/claude-haiku-5-5"]
    shown = chapters(story, "shown")
    assert {one["receipt"]["source"] for one in shown} == {"rules"}
    assert (chapters(story, "sum")[0]["charged"], chapters(story, "refused")) == ("0.00", [])
    assert shown[1]["headline"] == "Sales were GHS 28,821, a change of 4% on the prior period."
