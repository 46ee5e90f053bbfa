"""Reading a shop's records, and the shop that ships with the demo."""

from __future__ import annotations

import runpy
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ai_addons.errors import ConfigError
from ai_addons.features.credit_assessment import credit_assessment
from ai_addons.features.product_description import product_description
from ai_addons.features.shop.records import BadRecord, read_customers, read_products, read_shop

ROOT = Path(__file__).parents[1]
DATA = ROOT / "examples" / "data"
TODAY = date(2026, 11, 20)
PRODUCTS = "name,category,brand,attributes,unit_size,unit"
CUSTOMERS = (
    "customer,phone,requested_ghs,current_limit,exposure,tenure_months,orders_12m,spend_12m,disputes_open,"
    "returned_payments_12m,monthly_purchases,credit_invoices"
)
MONTHS = "|".join(["100"] * 12)
AMA = f"Ama Mensah,024 555 0111,1000,1000,0,24,30,12000,0,0,{MONTHS},2026-01-01:2026-01-31:2026-01-30:100"


def written(folder: Path, text: str | bytes, name: str = "records.csv") -> Path:
    """A file with that content, bytes as they are."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_shipped_shop_reads_clean_and_shows_every_decision() -> None:
    """The demo has something to show on each path, and masked text to show it on."""
    shop = read_shop(DATA / "shop.toml")
    products = read_products(DATA / "products.csv", as_of=shop.as_of)
    customers = read_customers(DATA / "customers.csv", as_of=shop.as_of)
    assert shop.business_id
    assert len(products) == 12
    assert len(customers) == 11
    decisions = set()
    for customer in customers:
        prompt = credit_assessment.__wrapped__(customer.assessment_input)
        assert prompt.fallback is not None
        decisions.add(prompt.fallback().data.decision)
    assert decisions == {"approve", "approve_reduced", "refer", "decline"}
    assert sum(one.existing_description is not None for one in products) >= 3
    assert any("024 555" in (customer.note or "") for customer in customers)
    for product in products:
        prompt_of_product = product_description.__wrapped__(product)
        assert prompt_of_product.sample is not None
        assert prompt_of_product.check is not None
        draft = prompt_of_product.sample()
        assert prompt_of_product.check(draft) == []
        assert product.name in str(draft)


def test_the_shipped_shop_is_what_its_generator_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can write the same data again, byte for byte."""
    monkeypatch.syspath_prepend(ROOT / "examples")  # as for a script
    runpy.run_path(str(ROOT / "examples" / "make_shop.py"))["main"](tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in DATA.iterdir()}
    for name in ("shop.toml", "products.csv", "customers.csv", "stock.csv", "sales.csv", "invoices.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


def test_identity_is_kept_apart_from_the_figures_and_out_of_logs() -> None:
    """Printing a record shows nobody's name, number or note."""
    customer = read_customers(DATA / "customers.csv", as_of=TODAY)[0]
    assert customer.name == "Ama Mensah"
    assert not any(secret in repr(customer) for secret in ("Ama", "024", "Kofi", "example.com"))
    assert "031" not in repr(read_shop(DATA / "shop.toml"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_spreadsheets_of_all_kinds_are_read(tmp_path: Path, delimiter: str, ending: str, mark: bytes) -> None:
    """Commas, semicolons, tabs, Windows line ends, byte-order marks and blank lines make no difference."""
    lines = [
        "",
        f"{PRODUCTS},",
        "",
        'Rice,groceries,,"origin=Ghana; use=a | b",5,KG,',
        ",,,,,",
        "Salt,Groceries,,,,",
        "",
    ]
    text = ending.join(lines).replace(",", delimiter)
    found = read_products(written(tmp_path, mark + text.encode()), as_of=TODAY)
    assert [one.name for one in found] == ["Rice", "Salt"]
    assert found[0].attributes == {"origin": "Ghana", "use": ("a", "b")}
    assert (found[0].unit_size, found[0].unit, found[0].brand) == (Decimal(5), "kg", None)
    assert found[1].category == "groceries"


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("1200.50", "1200.50"), ('"1,200.50"', "1200.50"), ('"GHS 1,200"', "1200"), ("\u20b5 75", "75"), ("0", "0")],
)
def test_amounts_are_read_as_people_write_them(tmp_path: Path, cell: str, amount: str) -> None:
    """Thousands commas and a currency in front are fine."""
    text = f"{CUSTOMERS}\n{AMA.replace(',1000,1000,', f',{cell},1000,', 1)}\n"
    found = read_customers(written(tmp_path, text), as_of=TODAY)
    assert found[0].assessment_input.requested_ghs == Decimal(amount)


def test_bills_are_read_in_both_date_forms_and_open_ones_without(tmp_path: Path) -> None:
    """ISO or day first; an empty or dashed payment is an open bill."""
    bills = "2026-01-01:2026-01-31:2026-02-02:10 | 01/03/2026:31/3/2026::20.50|2026-05-01:2026-05-31:-:30|"
    text = f"{CUSTOMERS},email,note\n{AMA.rsplit(',', 1)[0]},{bills},ama@example.com,\n"
    found = read_customers(written(tmp_path, text), as_of=TODAY)[0]
    assert [(one.issued, one.due, one.paid, one.amount) for one in found.assessment_input.credit_invoices] == [
        (date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 2), Decimal(10)),
        (date(2026, 3, 1), date(2026, 3, 31), None, Decimal("20.50")),
        (date(2026, 5, 1), date(2026, 5, 31), None, Decimal(30)),
    ]
    assert (found.email, found.note) == ("ama@example.com", None)


def test_text_over_several_lines_keeps_the_line_numbers_right(tmp_path: Path) -> None:
    """A quoted line break does not shift the place an error names."""
    text = f'{PRODUCTS}\n"Rice\nlong grain",groceries,,,,\nSalt,groceries,,,five,kg\n'
    with pytest.raises(BadRecord, match="line 4, column 'unit_size'"):
        read_products(written(tmp_path, text), as_of=TODAY)


@pytest.mark.parametrize(
    ("row", "place", "what"),
    [
        ("Rice,groceries,,,five,kg", "line 2, column 'unit_size'", "must be an amount"),
        ("Rice,groceries,,,5,", "line 2:", "unit_size and unit go together"),
        ("Rice,groceries,,,5,stone", "line 2, column 'unit'", "Input should be"),
        (",groceries,,,5,kg", "line 2, column 'name'", "at least 1"),
        ("Rice,groceries,,colour,5,kg", "line 2, column 'attributes'", "key=value"),
        ("Rice,groceries,,use=a; use=b,5,kg", "line 2, column 'attributes'", "twice"),
        ("Rice,groceries,,Use=a,5,kg", "line 2, column 'attributes'", "pattern"),
        ("Rice,groceries,,,5", "line 2:", "has 5 cells, the header 6"),
        ("Rice, white,groceries,,,5,kg", "line 2:", "has 7 cells, the header 6"),
    ],
)
def test_a_product_that_cannot_be_read_is_an_error_with_its_place(
    tmp_path: Path, row: str, place: str, what: str
) -> None:
    """File, line, column and what is wrong, and that nothing was charged."""
    path = written(tmp_path, f"{PRODUCTS}\n{row}\n")
    with pytest.raises(BadRecord) as caught:
        read_products(path, as_of=TODAY)
    message = str(caught.value)
    assert message.startswith(f"records.csv, {place}")
    assert what in message
    assert "Nothing was charged" in message


@pytest.mark.parametrize(
    ("old", "new", "column", "what"),
    [
        ("024 555 0111", "", "phone", "must not be empty"),
        ("Ama Mensah", "", "customer", "must not be empty"),
        (",24,30,", ",2.5,30,", "tenure_months", "whole number"),
        (",24,30,", ",-2,30,", "tenure_months", "must be an amount"),
        (",12000,", ',"12.000,50",', "spend_12m", "must be an amount"),
        (MONTHS, "100|100", "monthly_purchases", "at least 12"),
        (MONTHS, "100|x", "monthly_purchases", "must be an amount"),
        ("2026-01-31:", "31.01.2026:", "credit_invoices", "must hold dates"),
        ("2026-01-31:", "31/02/2026:", "credit_invoices", "must hold dates"),
        (":100", "", "credit_invoices", "issued:due:paid:amount"),
        ("2026-01-01:", "2026-02-01:", "credit_invoices", "due before"),
    ],
)
def test_a_customer_that_cannot_be_read_is_named_by_place_not_by_name(
    tmp_path: Path, old: str, new: str, column: str, what: str
) -> None:
    """The message says where to look and quotes nothing of the customer."""
    with pytest.raises(BadRecord) as caught:
        read_customers(written(tmp_path, f"{CUSTOMERS}\n{AMA.replace(old, new, 1)}\n"), as_of=TODAY)
    message = str(caught.value)
    assert message.startswith(f"records.csv, line 2, column '{column}': ")
    assert what in message
    assert not any(secret in message for secret in ("Ama", "0111", "12.000"))


def test_a_bill_from_the_future_is_an_error(tmp_path: Path) -> None:
    """Records newer than their own day are a mistake somewhere."""
    with pytest.raises(BadRecord, match="line 2: a bill was issued or paid after as_of"):
        read_customers(written(tmp_path, f"{CUSTOMERS}\n{AMA}\n"), as_of=date(2026, 1, 29))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (PRODUCTS.replace("brand", "brnd"), "'brnd' that is not known (did you mean 'brand'?)"),
        (f"{PRODUCTS},supplier_price", "'supplier_price' that is not known; columns are"),
        ("name,category", "lacks the column brand, attributes, unit_size, unit"),
        (f"{PRODUCTS},Unit", "names a column twice"),
        (f'{PRODUCTS}\n"Rice,groceries', "is not CSV"),
        (b"\xff\xfen\x00a\x00", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_table_of_products_says_so(tmp_path: Path, text: str | bytes, what: str) -> None:
    """No column is ignored and none is guessed."""
    with pytest.raises(BadRecord) as caught:
        read_products(written(tmp_path, text), as_of=TODAY)
    assert what in str(caught.value)
    assert str(caught.value).startswith("records.csv")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """One clear message instead of a traceback, as a configuration error and as a ValueError."""
    with pytest.raises(BadRecord, match=r"nothing\.csv: cannot be opened") as caught:
        read_products(tmp_path / "nothing.csv", as_of=TODAY)
    assert isinstance(caught.value, ConfigError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == "bad_record"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name = ", "not valid TOML"),
        ('name = "Shop"\nbusiness_id = "b"\nphone = "1"\n', "see as_of"),
        ('name = "Shop"\nbusiness_id = 7\nphone = "1"\nas_of = 2026-11-20\n', "see business_id"),
        ('name = "Shop"\nbusiness_id = "b"\nphone = "1"\nas_of = 2026-11-20T10:00:00\n', "see as_of"),
        ('name = "Shop"\nbusiness_id = "b"\nphone = "1"\nas_of = 2026-11-20\nowner = "A"\n', "see owner"),
    ],
)
def test_a_shop_file_says_what_is_wrong_with_it(tmp_path: Path, text: str, what: str) -> None:
    """Missing, mistyped and unknown keys are named."""
    with pytest.raises(BadRecord) as caught:
        read_shop(written(tmp_path, text, "shop.toml"))
    assert what in str(caught.value)
