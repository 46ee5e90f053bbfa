"""Numbers of persons, places, accounts and machines are found, and what only looks like them is left alone."""

from __future__ import annotations

from typing import Final

import pytest

from ai_addons.privacy.base import Kind
from ai_addons.privacy.mask import from_settings
from ai_addons.settings import PrivacySettings

MASKER: Final = from_settings(PrivacySettings())


def found(text: str) -> list[tuple[str, Kind]]:
    """What all recognizers find in a text, in order."""
    return [(text[span.start : span.end], span.kind) for span in MASKER.detect(text)]


def one(text: str, kind: Kind) -> tuple[str, list[tuple[str, Kind]]]:
    """A text with what is to be found in it between bars, and that."""
    before, value, after = text.split("|")
    return before + value + after, [(value, kind)]


@pytest.mark.parametrize(
    "text",
    [
        "|GHA-123456789-0|",
        "|gha-123456789-0|, seen",
        "|GHA1234567890|",
        "|GHA 123456789 0| seen",
        "|GHA - 123456789 - 0|",
        "|GHA-12345678-9|",
        "|GHA-123456789-K|",
        "|FGN-123456789-0|",
        "|NGA-123456789-0|",
        "|GHA-123456789|",  # its check character is missing, and it is clear all the same
        "|GHA-123456789| Kofi",
        "Ghana Card no. |712345678-9|",
        "ghana card: |7123456789|",
        '{"ghanaCard":"|7123456789|"}',
        "ecowas card |7123456789|",
        r"{'note': 'paid\n|GHA-123456789-0|'}",
        "(|GHA-123456789-0|)",
    ],
)
def test_ghana_cards(text: str) -> None:
    """The personal number in any spelling, of citizens and foreigners."""
    plain, expected = one(text, Kind.ID)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "|GA-183-8164|",
        "|ga-183-8164|",
        "|GC-1836-5461|",
        "|A2-123-4567|",
        "|GA 183 8164| again",
        "|GA-183 8164|",
        "Lives at |AK0391234|",
        "GPS |UQ67322137|",
        "deliver to |ga1838164|",
        "|B7  719  0200|",
        "address\u2014|GA\u2011183\u20118164|",
        r"sold\n|GA-183-8164|",
    ],
)
def test_digital_addresses(text: str) -> None:
    """With hyphens or blanks anywhere; joined where a word says that it is an address."""
    plain, expected = one(text, Kind.ADDRESS)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "|P0034093052|",
        "|p0034093052|",
        "|P0034093053|",  # the wrong check digit
        "|C000000000X|",
        "|C00 3409305 2|",
        "Pay |Q0034093052|, thanks",
        "|C019203000019|",
        "SSNIT |E19792ABC0926|",
        "NHIS |63048137|",
        "NHIS number |7970168773|",
        "<td>NHIS</td><td>|63048137|</td>",
        "health insurance card |63048137|",
        "Voter ID no. |6075291703|",
        "voter's card: |6075291703|",
        '{"voter_id":"|6075291703|"}',
        "electoral commission no. |2333492561| was checked",  # 233 and seven digits are no phone number
        "|G1313735|",
        "Passport K|1234567|".replace("K|", "|K"),
        "passport no. |AB1234567|",
        "GPS tracker, 2112 sold. |G1799389| is valid",
        "|ABC-12345678-12345|",
        "|GAR-123456|",
        "licence |INV-123456|",
        "Licence number: |DL-12AB3456|",
        "driver's license no |123456789|",
    ],
)
def test_numbers_of_persons(text: str) -> None:
    """Tax, pension, health, voter, passport and licence numbers, by shape or by the word before them."""
    plain, expected = one(text, Kind.ID)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "|GR 1234-20|",
        "|GR-1234-20|",
        "|GR 1234 20| waits",
        "|gr-1234-20| is here",
        "truck |gr 1234 20|",
        "truck |GR1234-20|",
        "|GR 1234 Y|",
        "|WT 9541 G|",
        "|GX-12-Y|",
        "vehicle |HR 693 LU| is ours",
        "taxi |GR 5 AD|",
        "truck |3648-GRXY| left",
        "account closed\n|GX 176 11| came back",
    ],
)
def test_number_plates(text: str) -> None:
    """With year, with the letter of before 2009, and new forms near a word such as "truck"."""
    plain, expected = one(text, Kind.ID)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "account |8465632122330|",
        "acc no |8465632122330|",
        "a/c no: |8465 6321 22330|",
        "GCB |84656321|",
        '{"accountNumber":"|8465632122330|"}',
        "sort code |030101|",
        "sort code |030-101|",
        "e-zwich card |1234567890|",
        "Fidelity bank, |5387111433930|",
        "account |0012345678901| at the bank",  # no phone number from abroad
        "account |8465632122330|. 80 cartons came",
        "account |8465632122330| 80 cartons came",
        "|GB82 WEST 1234 5698 7654 32| and more words",
        "|gb82west12345698765432|",
        "|DE89370400440532013000|",
        "|CI93CI0080111301134291200589|",
        "IBAN |GB82 WEST 1234 5698 7654 33|",  # the wrong check digits
        "IBAN |ZZ82 1234 5698 7654|",
        "|4111111111111111|",
        "|4111-1111-1111-1111|",
        "card |4111 1111 1111 1111| 12/27 cvv 123",
        "|378282246310005|",
        "|3782 822463 10005|",
        "IMEI 356938035643809 and amex |378282246310005|",
        "IMEI 356938035643809, black. Settled with |378282246310005|",
        "|2223003122003222|",
        "|5061460410120223210|",
        "|6304 0000 0000 0000|",
        "|30569309025904|",
        "visa |4222222222222|",
        "card 12: |4111111111111111|",
    ],
)
def test_accounts_and_cards(text: str) -> None:
    """Bank accounts where a word says so; IBANs and cards by their check digits."""
    plain, expected = one(text, Kind.ACCOUNT)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "|https://www.facebook.com/kofi|.",
        "(see |http://x.example/a_(b)|)",
        "|www.kofi-shop.com/p?q=1|, now",
        "|wa.me/233241234567|!",
        "|facebook.com/ama|",
        r"paid\n|https://x.example/a|",
        "|HTTPS://X.EXAMPLE/A|",
        "|10.0.0.1|",
        "|8.8.8.8|, twice",
        "version 2.0, |10.0.0.1|",
        "from |10.0.0.1|:8080",
        "|2001:db8::8a2e:370:7334|",
        r"from\n|2001:db8::1|",
        "at |fe80::1|:",
        "|::1|",
        "|sk-proj-abcdefghijklmnopqrstuvwxABCD|",
        "key=|sk-ant-api03-abcDEF1234567890abcd|",
        "|sk-abcdefghij1234567890|",
        "|sk_live_abcdefghij1234567890|",
        "|AKIAIOSFODNN7EXAMPLE|",
        r"token\n|ghp_abcdefghijklmnopqrstuvwxyz0123456789|",
        "|xoxb-897373110720-Dad3UZFmetj8|",
        "|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl|.",
        "|123-45-6789|",
        "SSN |123456789|",
        "social security number |123 45 6789|",
        "26,174.00 cedis\n|256-60-4392|",
    ],
)
def test_links_machines_and_keys(text: str) -> None:
    """Links whole, addresses of machines, keys by their prefixes, US social security numbers."""
    plain, expected = one(text, Kind.ID)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "DOB |04/04/2006|",
        "DOB: |04/04/06|",
        "d.o.b. |1980-01-20|",
        "born on |5th December, 1983|",
        "born |20 January 1980|.",
        "date of birth: |Dec 5, 1983|",
        "dateOfBirth |04.04.2006|",
        "birthday |12/31/1990|",  # month first
        '{"birth_date":"|1980-01-20|"}',
        "Born |1 May '81|",
    ],
)
def test_birth_dates(text: str) -> None:
    """A date after a word that says that somebody was born."""
    plain, expected = one(text, Kind.DATE)
    assert found(plain) == expected


@pytest.mark.parametrize(
    "text",
    [
        "WhatsApp |+233 298 77 32 44|",
        "|+233(0)208.95.73.49|",
        "|+49 (0)30 91712902| on a visa",
        "Kofi\u2014|0241234567|",
        "tel\u2014|241234567|",
        "TEL-|0241234567|",
        "MoMo |24 123 4567|",
        '{"phoneNumber":"|241234567|"}',
        "Call |0241234567| 12kg of rice",
        "12kg |0241234567|",
        "500 cedis |0241234567|",
        "visa or amex, |(433) 534-9927|",
        "22 sold. Write to |00228 99 16 24 77|",
        "EAN 6034567890123, |0241234567|",
        "ref |0241234567|",
    ],
)
def test_phones_beside_other_things(text: str) -> None:
    """Quantities, prices and labels of other numbers hide no phone number."""
    plain, expected = one(text, Kind.PHONE)
    assert found(plain) == expected


def test_several_side_by_side() -> None:
    """Each of several numbers is found, whatever stands between them."""
    assert [value for value, _ in found("0241234567 0201234567 0551234567")] == [
        "0241234567",
        "0201234567",
        "0551234567",
    ]
    assert found("GHA-123456789-0 0241234567, NHIS 63048137 024 123 4567") == [
        ("GHA-123456789-0", Kind.ID),
        ("0241234567", Kind.PHONE),
        ("63048137", Kind.ID),
        ("024 123 4567", Kind.PHONE),
    ]
    assert found("+233 298 77 32 44 - 202.35.75.140") == [("+233 298 77 32 44", Kind.PHONE), ("202.35.75.140", Kind.ID)]
    assert found("call 0241110978 0241234567") == [("0241110978", Kind.PHONE), ("0241234567", Kind.PHONE)]


@pytest.mark.parametrize(
    "text",
    [
        # Without the word that makes them personal.
        "63048137 and 6075291703 and 8465632122330",
        "momo id 12345678901",
        "public 12345678",
        "iPhone 12345678",
        "call about 5000 cartons, order 12345678",
        "tel 12345678 cedis",
        "call 1234567 bags",
        "momo float 5000000",
        "momo 5000000",
        "ghana card payments, 63048137",
        "account balance 12345678",
        "account 12345678.50",
        "acct period 2026-10-12 to 2026-12-01",
        "credit 8465632122330",
        "loyalty card 8465632122330",
        "the bank opened; barcode 8465632122330",
        r"acct closed\nepoch 1693852044 in the log",
        "our only account. Scan 6035990340908 for the sardines",
        "no licence needed to sell on 2025-10-28",
        "licence class B. UPC 974015885047, pack of 4303",
        "Voter registration day, AS-2096 nails",
        "driver delivered 123456 bags",
        # Goods that are numbered like persons.
        "model G1234567",
        "SKU-G1234567",
        "INV-123456, PO-741215 and TXN-123456",
        "SM-A123F/DS",
        "GT-304-1234A",
        "AS-2096 nails",
        "lot GA 183 cloth",
        "lot GA 183 8164",
        "A4 500 2026",
        "PO Box KS 1234",
        "AC 220 V",
        "WT 500 G",
        "GR 12 40 bags",
        "GR 1234 20 cartons",
        "DISCOUNTSALES",
        "SSNIT CONTRIBUTIONSX",
        "P34093052",
        "TV55-0031 and AB-57-XL are out of stock",
        "GB82 west side of the market was open today",
        "GB82 WEST 1234 5698 7654 33",
        "ZZ82 1234 5698 7654 3210",
        # Barcodes, serial and order numbers that pass a card's check.
        "4006381333931",
        "visa 4006381333931",
        "card 6034567890129",
        "356938035643809",
        "IMEI 378282246310005",
        "IMEI no. 378282246310005",
        "serial: 4111111111111111",
        "order no 4111111111111111",
        "GHS 4111111111111111",
        "4111111111111112",
        "8944123456789012345",
        # Versions, times and ratios.
        "v1.2.3.4 firmware",
        "version 1.2.3.4",
        "1.2.3.4 firmware",
        "10.0.0.256",
        "10.0.0.1.5",
        "10:30:00 and 1:2:3 mix",
        "a::b and C::D",
        "1:2:3:4:5:6:7:8:9",
        "000-12-3456 and 666-12-3456 and 900-12-3456",
        "123-00-4567",
        "SSN 000123456",
        "ref 123-45-6789",
        # Links to nowhere, words that begin like keys.
        "http:// and www. and and/or",
        "ask shop.com/prices",
        "xhttp://a",
        "risk-assessment-for-all-customers-2026",
        "sk-learn",
        "task-sk_live_abcdefghij1234567890",
        "eyJhbGci.x",
        # Dates of business, and no dates.
        "sold 04/04/2006",
        "born 31/02/1980",
        "born in 2006",
        "stubborn 04/04/2006",
        "birthplace 04/04/2006",
        "born in the north and raised by his aunts, 04/04/2006",
        "dob 1/2/20061",
    ],
)
def test_business_data_is_left_alone(text: str) -> None:
    """Numbers, dates and words of a shop's day reach the model as they are."""
    assert found(text) == []
