"""Business talk without anything personal: amounts, sale dates, barcodes, serials, invoices and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks._privacy_numbers import digits, ean, grouped, luhn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random


def _amount(rng: Random) -> str:
    value = rng.randint(1, 99_999)
    return rng.choice(
        [
            f"GHS {value:,}.{rng.randint(0, 99):02}",
            f"GH₵{value}",
            f"₵ {value}",
            f"{value:,}.00 cedis",
            f"{value} cedis",
            f"GHS{value}.50",
            f"${value:,}",
            f"€{value}",
            f"{value:,}.{rng.randint(0, 99):02}",
        ]
    )


def _sale_date(rng: Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2023, 2027)
    return rng.choice(
        [
            f"{day:02}/{month:02}/{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day} Oct {year}",
            f"{day:02}-{month:02}-{year}",
        ]
    )


def _digits(count: int, first: str = "123456789") -> Callable[[Random], str]:
    return lambda rng: digits(rng, count, first)


BLANKS: Final[Mapping[str, Callable[[Random], str]]] = {
    "amount": _amount,
    "date": _sale_date,
    "time": lambda rng: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
    "qty": lambda rng: str(rng.randint(1, 5_000)),
    "percent": lambda rng: f"{rng.randint(0, 99)}.{rng.randint(0, 9)}%",
    "year": lambda rng: str(rng.randint(2023, 2027)),
    "n5": _digits(5),
    "n6": _digits(6),
    "n8": _digits(8),
    "n11": _digits(11),
    "epoch": lambda rng: str(rng.randint(1_600_000_000, 1_799_999_999)),
    "ean": lambda rng: ean(rng.choice(["603", "6", "4", "5"]).ljust(3, "0") + digits(rng, 9)),
    "upc": lambda rng: ean(digits(rng, 11)),
    "ean8": lambda rng: ean(digits(rng, 7)),
    "gtin": lambda rng: ean("1" + digits(rng, 12)),
    "isbn": lambda rng: grouped(ean("978" + digits(rng, 9)), 3, 1, 4, 4, by="-"),
    "imei": lambda rng: luhn("35" + digits(rng, 12)),
    "sim": lambda rng: luhn("89233" + digits(rng, 13)),
    "version": lambda rng: f"v{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}",
}
"""What business sentences leave open, and how it is filled."""

BUSINESS: Final = (
    "Milo 400g x{qty} at {amount} each, total {amount}",
    "Stock count on {date}: {qty} left, reorder at {qty}",
    "Sales were up {percent} on {date} at {time}",
    "Receipt RCP{n8} printed {date} {time}",
    "Invoice INV-{year}-{n5} is still open, {amount}",
    "PO-{n5}-{qty} arrived short by {qty} cartons",
    "txn id {n11} failed, try again",
    "MoMo transaction ID {n11}, fee {amount}",
    "epoch {epoch} in the log of the till",
    "ref {n11}/2 is a part payment of {amount}",
    "barcode {ean} does not scan",
    "Scan {ean} for the sardines, {amount}",
    "UPC {upc}, pack of {qty}",
    "EAN {ean8} on the small tins",
    "carton GTIN {gtin}",
    "ISBN {isbn}, school reader, {qty} copies",
    "IMEI {imei} sold with charger for {amount}",
    "phone sold: serial {imei}, {amount}",
    "SIM serial {sim} activated",
    "Samsung SM-A123F/DS, {qty} pieces, {amount}",
    "model GT-304-1234A was recalled",
    "AS-2096 nails, box of {qty}",
    "lot GA 183 cloth, {qty} yards",
    "PO Box KS 1234, Kumasi",
    "{version} firmware on the printer",
    "mix cement 1:2:3 mix and wait {qty} minutes",
    "cut it 3x4x5 as last time",
    "acct period 2026-10 to 2026-12 closed at {amount}",
    "use code DISCOUNTSALES until {date}",
    "Order #{n6} packed at {time}, {qty} kg",
    "Order {n8} shipped {date}",
    "batch {n6} of {date} is bad",
    "Three instalments of {amount}, first on {date}",
    "Owes {amount} since {date}, {qty} days late",
    "Room 12-14 rented for {amount}, {date} to {date}",
    "Give {percent} discount above {amount}",
    "Ghana card holders may pay later",
    "public holiday, no licence needed to sell on {date}",
    "Voter registration day: closed on {date}",
    "5 @ {amount}, 12 @ {amount}, 100 x {amount}",
    "Call again about the {qty} bags of rice",
    "Bank holiday on {date}; account for {qty} crates",
    "The plate is chipped, refund {amount}",
    "Temperature 4.5 C, humidity {percent}, {time}",
    "TV55-0031 and AB-57-XL are out of stock",
    "Tyres 205/55 R16, {qty} sets, {amount} a set",
    "GPS tracker for motorbikes, {qty} sold",
    "Her birthday cake: 3 layers, {amount}, {time}",
)
"""Business talk in which nothing is personal: look-alikes, and words that announce data that does not come."""

PROSE: Final = (
    "The market was quiet in the morning and picked up after the rain stopped.",
    "Customers keep asking for the smaller bags because nobody wants to carry the big ones home.",
    "We moved the cold drinks to the front, which helped more than the poster did.",
    "Two of the shelves are loose and must be fixed before somebody gets hurt.",
    "The new cashier learns fast, though she still mixes up the return slips.",
    "Rice sells best at the end of the month, oil in the middle, sugar whenever schools open.",
    "If the supplier is late again we should try the one near the lorry station.",
    "People who buy on credit pay sooner when the message is friendly and short.",
    "The generator ran for 6 hours and the fuel was nearly finished.",
    "Please count the tins on the top shelf again, the list cannot be right.",
    "A shop that opens early gets the drivers, a shop that closes late gets the students.",
    "Nobody touched the till while I was away, so the difference must come from the morning.",
    "We gave 3 customers the wrong change and two of them came back to tell us.",
    "Wax prints with birds are finished; the ones with circles stay on the table.",
    "The scale shows a little too much, which is why the old women weigh everything twice.",
    "Let us make the promise smaller and keep it.",
)
"""Sentences of longer notes, a number here and there."""
