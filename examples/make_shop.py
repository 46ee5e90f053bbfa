"""Write the demo shop in `examples/data/`: the invented records of a shop that does not exist.

Run ``python examples/make_shop.py`` to write the same files again, or give
another folder. Everything is drawn from one seed; the names are common ones and
belong to nobody in particular. Stock, sales and bills are in `make_trade.py`.
"""

from __future__ import annotations

import csv
import random
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import make_trade

SEED: Final = 20261120
AS_OF: Final = date(2026, 11, 20)
MONTHS: Final = 12
TERM: Final = timedelta(days=30)
BETWEEN_BILLS: Final = timedelta(days=41)

SHOP: Final = f"""\
name = "Nyonkopa Trading, Takoradi"
business_id = "biz_nyonkopa"
phone = "031 555 0100"
as_of = {AS_OF.isoformat()}
"""

PRODUCT_HEAD: Final = ("name", "category", "brand", "attributes", "unit_size", "unit", "existing_description")
PRODUCTS: Final = (
    (
        "Sika Wo Ntaban Wax Print",
        "textiles",
        "Adinkra Prints",
        "colour=blue | gold; material=100% cotton; use=kaba and slit, shirts and dresses; care=cold hand wash",
        "6",
        "yd",
        "New stock, call the supplier on 024 555 0142 before you cut. Same cloth as last Easter.",
    ),
    (
        "Palm Nut Soup Base",
        "groceries",
        "Ewurama Kitchen",
        "ingredients=palm nut extract, salt; storage=keep in a cool dry place; use=abenkwan and light stews",
        "800",
        "g",
        "",
    ),
    (
        "Shea Butter, Whipped",
        "beauty",
        "Savannah Gold",
        "scent=lemongrass; form=soft cream; made_in=Tamale; use=skin and hair",
        "250",
        "ml",
        "Supplier: savannah.gold@example.com, write a week before you reorder.",
    ),
    ("Perfumed Rice", "groceries", "Akoma", "use=jollof and waakye; origin=Vietnam; storage=keep dry", "5", "kg", ""),
    (
        "School Sandal",
        "footwear",
        "Kente Step",
        "colour=black | brown; material=leather; fit=regular; use=school and church",
        "",
        "",
        "",
    ),
    (
        "Enamel Cooking Pot with Lid",
        "kitchen",
        "",
        "colour=red; material=enamel; capacity=12 litres; use=family meals and functions",
        "",
        "",
        "The wrong lids came in June; the trader is on +233 20 555 0177.",
    ),
    (
        "Rechargeable Lamp",
        "electronics",
        "Lumo",
        "power=5 W; battery=2,000 mAh; connectivity=USB-C; features=three light levels | carry handle",
        "1",
        "pcs",
        "",
    ),
    (
        "Exercise Book, Ruled",
        "stationery",
        "Asempa",
        "pages=80 pages; ruling=single line; colour=green",
        "12",
        "pcs",
        "",
    ),
    (
        "Sobolo Drink",
        "drinks",
        "Adepa",
        "flavour=hibiscus and ginger; ingredients=hibiscus, ginger, sugar",
        "500",
        "ml",
        "",
    ),
    (
        "Bath Towel",
        "household",
        "Softline",
        "colour=white | turquoise; material=cotton; width=70 cm; length=140 cm",
        "",
        "",
        "",
    ),
    ("Laundry Soap Bar", "household", "Samina", "scent=lemon; use=hand washing; colour=yellow", "400", "g", ""),
    ("Cement Trowel", "hardware", "", "material=steel; length=25 cm; features=wooden handle", "1", "pcs", ""),
)

CUSTOMER_HEAD: Final = (
    "customer",
    "phone",
    "email",
    "requested_ghs",
    "current_limit",
    "exposure",
    "tenure_months",
    "orders_12m",
    "spend_12m",
    "disputes_open",
    "returned_payments_12m",
    "monthly_purchases",
    "credit_invoices",
    "note",
    "consent",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a customer buys and pays.

    Attributes:
        name: A common name.
        phone: An invented number.
        asked: Limit asked for, in GHS.
        limit: Present limit.
        owed: Owed today.
        months: Months as a customer.
        monthly: A usual month's purchases.
        late: Usual days late of a bill.
        bills: Settled bills.
        open_due: How many days ago an open bill fell due; negative for one not yet due.
        disputes: Open disputes.
        returned: Payments that bounced.
        email: E-mail address.
        note: What the owner has written down.
        consent: Whether the customer agreed to be reminded.
    """

    name: str
    phone: str
    asked: int
    limit: int
    owed: int
    months: int
    monthly: int
    late: int
    bills: int
    open_due: int | None = None
    disputes: int = 0
    returned: int = 0
    email: str = ""
    note: str = ""
    consent: bool = True


PROFILES: Final = (
    Profile(
        name="Ama Mensah",
        phone="024 555 0111",
        email="ama.mensah@example.com",
        asked=3_000,
        limit=2_500,
        owed=640,
        months=38,
        monthly=1_900,
        late=-3,
        bills=10,
        open_due=-12,
        note="Sells cooked food at Market Circle. Call Kofi on 024 555 0112 before delivery.",
    ),
    Profile(
        name="Kwame Boateng",
        phone="020 555 0123",
        asked=8_000,
        limit=5_000,
        owed=1_200,
        months=27,
        monthly=1_600,
        late=4,
        bills=9,
        open_due=-9,
        note="Wants stock for December. Pays by MoMo on Fridays.",
    ),
    Profile(
        name="Akosua Owusu",
        phone="055 555 0134",
        asked=1_000,
        limit=0,
        owed=0,
        months=3,
        monthly=700,
        late=-2,
        bills=4,
        note="New kiosk near the lorry station, sister of Adwoa.",
    ),
    Profile(
        name="Kofi Asante",
        phone="027 555 0145",
        asked=2_500,
        limit=2_000,
        owed=1_850,
        months=31,
        monthly=900,
        late=22,
        bills=7,
        open_due=84,
        returned=2,
        note="Promised to pay after the harvest; try his wife on 050 555 0146.",
    ),
    Profile(
        name="Abena Osei",
        phone="054 555 0156",
        email="abena.osei@example.com",
        asked=1_500,
        limit=0,
        owed=0,
        months=14,
        monthly=1_700,
        late=-4,
        bills=8,
    ),
    Profile(
        name="Yaw Darko",
        phone="026 555 0167",
        asked=4_000,
        limit=3_500,
        owed=2_100,
        months=45,
        monthly=2_400,
        late=1,
        bills=11,
        open_due=12,
        disputes=1,
        note="Says two bags were short on the last delivery.",
    ),
    Profile(
        name="Efua Quaye",
        phone="059 555 0178",
        asked=6_000,
        limit=2_000,
        owed=300,
        months=22,
        monthly=3_200,
        late=-5,
        bills=12,
        open_due=-20,
    ),
    Profile(
        name="Kojo Addo",
        phone="024 555 0189",
        asked=3_000,
        limit=1_000,
        owed=950,
        months=19,
        monthly=800,
        late=48,
        bills=6,
        open_due=35,
        returned=1,
        note="Ring kojo.addo@example.com, the phone is often off.",
    ),
    Profile(
        name="Adwoa Sarpong",
        phone="050 555 0190",
        asked=2_000,
        limit=1_500,
        owed=700,
        months=16,
        monthly=1_100,
        late=19,
        bills=6,
        open_due=8,
    ),
    Profile(
        name="Nana Agyeman",
        phone="053 555 0201",
        asked=800,
        limit=0,
        owed=0,
        months=9,
        monthly=450,
        late=0,
        bills=0,
        note="Always paid cash until now.",
    ),
    Profile(
        name="Grace Tetteh",
        phone="020 555 0212",
        asked=15_000,
        limit=9_000,
        owed=4_300,
        months=60,
        monthly=8_200,
        late=-1,
        bills=14,
        open_due=-16,
        email="grace.tetteh@example.com",
    ),
)


def customer_row(profile: Profile, draw: random.Random) -> tuple[str, ...]:
    """One line of the customer file."""
    monthly = [round(profile.monthly * draw.uniform(0.8, 1.2), -1) for _ in range(MONTHS)]
    settled = [_settled(profile, number, draw) for number in range(min(profile.bills, 17), 0, -1)]
    bills = [*settled, *_open(profile)]
    return (
        profile.name,
        profile.phone,
        profile.email,
        f"{profile.asked:,}.00",
        str(profile.limit),
        str(profile.owed),
        str(profile.months),
        str(draw.randint(18, 60)),
        f"{sum(monthly):.2f}",
        str(profile.disputes),
        str(profile.returned),
        "|".join(f"{amount:.0f}" for amount in monthly),
        "|".join(bills),
        profile.note,
        "yes" if profile.consent else "no",
    )


def _settled(profile: Profile, number: int, draw: random.Random) -> str:
    """A bill some weeks ago, paid about as late as this customer pays."""
    due = AS_OF - number * BETWEEN_BILLS - timedelta(days=20)
    paid = due + timedelta(days=profile.late + draw.randint(-1, 1) * min(3, abs(profile.late)))
    return f"{due - TERM}:{due}:{paid}:{_bill(profile, draw)}"


def _open(profile: Profile) -> list[str]:
    if profile.open_due is None:
        return []
    due = AS_OF - timedelta(days=profile.open_due)
    return [f"{due - TERM}:{due}::{profile.owed}.00"]


def _bill(profile: Profile, draw: random.Random) -> str:
    return f"{profile.monthly * draw.uniform(0.15, 0.4):.2f}"


def main(folder: Path) -> None:
    """Write all files."""
    draw = random.Random(SEED)  # noqa: S311  # invented figures, repeatable on purpose; nothing secret
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(SHOP, encoding="utf-8", newline="\n")
    customers = [customer_row(profile, draw) for profile in PROFILES]
    bills = {row[0]: row[12] for row in customers}
    year = {row[0]: [float(part) for part in row[11].split("|")] for row in customers}
    months = {name: [*amounts[:2], *amounts] for name, amounts in year.items()}
    disputed = [profile.name for profile in PROFILES if profile.disputes]
    tables = (
        ("products.csv", PRODUCT_HEAD, PRODUCTS),
        ("customers.csv", CUSTOMER_HEAD, customers),
        ("stock.csv", make_trade.STOCK_HEAD, make_trade.stock_rows()),
        ("sales.csv", make_trade.SALES_HEAD, make_trade.sales_rows(AS_OF, bills, months)),
        ("invoices.csv", make_trade.INVOICE_HEAD, make_trade.invoice_rows(AS_OF, bills, disputed)),
    )
    for name, head, rows in tables:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data")
