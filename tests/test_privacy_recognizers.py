"""Recognizers find contact details in free text and leave business figures alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS

NOTES: Final = Path(__file__).parents[2] / "shared" / "data" / "pii_dev" / "gh_notes.jsonl"


def mask(text: str) -> str:
    """Mask free text with the built-in recognizers."""
    masker = BuiltinMasker([make() for make in BUILT_IN_RECOGNIZERS.values()], max_field_bytes=65_536)
    (masked,), _ = masker.session().mask([text], None)
    return masked


@pytest.mark.parametrize(
    "number",
    [
        "0241234567",
        "024 123 4567",
        "024-123-4567",
        "024.123.4567",
        "0241 23 45 67",
        "02 41 23 45 67",
        "0 24 123 4567",
        "(024) 123 4567",
        "(0)24 123 4567",
        "(0) 24 123 4567",
        "+233241234567",
        "+233 24 123 4567",
        "+ 233 24 123 4567",
        "(+233) 24 123 4567",
        "+233(0)24 123 4567",
        "233241234567",
        "00233241234567",
        "0302123456",
        "030-2123456",
        "0322 123 456",
        "0800 12345",
        "0800123456",
        "+44 7911 123456",
        "+1 (415) 555-0123",
        "0044 7911 123456",
        "415-555-0123",
        "(415) 555-0123",
        "024\u2013123\u20134567",
        "024\u00a0123\u00a04567",
        "0２41234567",  # noqa: RUF001  # a full-width digit is meant
    ],
)
@pytest.mark.parametrize("frame", ["{}", "ring {} today", "Ama,12,{}", "({})", "12 bags {}.", "Kofi:{};"])
def test_phone_numbers_are_found_without_any_hint(number: str, frame: str) -> None:
    """Written in the usual ways, a number with a prefix is a phone number."""
    assert mask(frame.format(number)) == frame.format("[PHONE_1]")


@pytest.mark.parametrize(
    "text", ["call 241234567", "WhatsApp me: 24 123 4567", "tel. 1234567", "Mobile no 302 1234567"]
)
def test_bare_numbers_are_phones_near_a_word_that_says_so(text: str) -> None:
    """Without a prefix, a word such as "call" makes it a phone number."""
    assert "[PHONE_1]" in mask(text)
    assert not any(char.isdigit() for char in mask(text).replace("PHONE_1", ""))


def test_two_numbers_side_by_side_are_two() -> None:
    """A slash or a comma between full numbers separates them."""
    assert mask("0241234567/0201234567, 0501234567,0551234567") == "[PHONE_1]/[PHONE_2], [PHONE_3],[PHONE_4]"


def test_a_number_after_a_line_break_in_json_text_is_found() -> None:
    r"""The ``n`` of an escaped ``\n`` is not a letter touching the number."""
    assert mask(r"line\n0241234567") == r"line\n[PHONE_1]"


@pytest.mark.parametrize(
    "text",
    [
        "txn id 12345678901",
        "paid at 1735689600",
        "ref 12345678901/2",
        "barcode 6034567890123",
        "barcode 0345678901",
        "EAN no. 0241234567",
        "ISBN 978-0-306-40615-7",
        "978 0306406157",
        "ISBN 0-306-40615-2",
        "0-306-40615-2",
        "IMEI 356938035643809",
        "SM-A123F/DS",
        "GT-304-1234A",
        "AS-2096 nails",
        "lot GA 183 cloth",
        "PO Box KS 1234",
        "v1.2.3.4 firmware",
        "1:2:3 mix",
        "3x4x5",
        "acct period 2026-10 to 2026-12",
        "INV-2025-12345",
        "INV-0241234567",
        "GHS 0241234567",
        "GH₵ 233241234567",
        "₵0241234567.00",
        "0241234567.50",
        "0241234567%",
        "1.0241234567",
        "5 x 0241234567",
        "12 @ 0302500000",
        "02-12-2026 10:30",
        "call on 2026-10-12 at 10:30",
        "call before 12-10-2026",
        "phone barcode 603456789012",
        "call about invoice 12345678",
        "call about GHS 1500000",
        "SKU0241234567",
        "0241234567A",
        "024-123-4567-8",
        "7-024-123-4567",
        "calling 1234567",
        "public 1234567",
        "1,234.50 and 34,395.00 cedis",
        "call 123456",
        "DISCOUNTSALES",
        "a phone that costs little, sold again and again, 1234567",
    ],
)
def test_business_figures_are_left_alone(text: str) -> None:
    """Barcodes, dates, prices, order and serial numbers reach the model as they are."""
    assert mask(text) == text


@pytest.mark.parametrize(
    "address",
    [
        "ama@gmail.com",
        "ama.mensah+shop@yahoo.co.uk",
        "AMA_M@Ventures.com.gh",
        "o'brien@x.org",
        "ama@xn--bcher-kva.xn--p1ai",
        "amá@bücher.de",
        "ama＠gmail．com",  # noqa: RUF001  # full-width signs are meant
        "a@b.gh",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "mail {}.", "<{}>", "'{}'", "a,{};b", "mailto:{} now", "{}- thanks"])
def test_e_mail_addresses_are_found(address: str, frame: str) -> None:
    """The address goes, the punctuation around it stays."""
    assert mask(frame.format(address)) == frame.format("[EMAIL_1]")


def test_a_number_after_a_host_is_not_part_of_the_address() -> None:
    """What follows the top-level domain stays."""
    assert mask("ama@gmail.com.12 and more") == "[EMAIL_1].12 and more"


@pytest.mark.parametrize(
    "text", ["5kg@12.50", "3 @ GHS12.50", "@ama", "ama@", "ama@shop", "a@1.2.3", "...@x.com", "@@"]
)
def test_prices_and_handles_are_not_addresses(text: str) -> None:
    """An at sign alone makes no e-mail address."""
    assert mask(text) == text


def test_an_overlong_local_part_is_hidden_whole() -> None:
    """No address has 200 characters before the sign; hiding it all is safe."""
    assert mask(f"{'x' * 200}@gmail.com") == "[EMAIL_1]"


def rows() -> list[dict[str, Any]]:
    """The development notes."""
    if not NOTES.exists():
        pytest.skip("the development data is not part of the repository")
    return [json.loads(line) for line in NOTES.read_text(encoding="utf-8").splitlines()]


def test_contact_details_in_shop_notes_are_hidden() -> None:
    """At least 99 % of the phone numbers and e-mail addresses in 2,000 notes do not leave."""
    total = leaked = 0
    for row in rows():
        masked = mask(row["text"])
        values = [row["text"][start:end] for start, end, kind in row["spans"] if kind in {"PHONE", "EMAIL"}]
        total += len(values)
        leaked += sum(value in masked for value in values)
    assert total > 700
    assert leaked <= total * 0.01


def test_shop_notes_without_personal_data_are_not_changed() -> None:
    """All notes that hold no personal data reach the model as they are."""
    clean = [row["text"] for row in rows() if not row["spans"]]
    assert len(clean) == 399
    assert [text for text in clean if mask(text) != text] == []


def test_nothing_in_shop_notes_is_taken_for_a_name() -> None:
    """Names nobody declared are not guessed at."""
    assert not any("[PERSON_" in mask(row["text"]) for row in rows())
