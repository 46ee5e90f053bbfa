"""What people in a shop write: sentences around each kind of personal data.

``{x}`` stands for the value, ``{n}`` for a name. Kinds that only a word beside them can tell have such a word in every
sentence, as the format table of the privacy layer demands; the others also stand alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks import _privacy_ghana as ghana
from benchmarks import _privacy_values as values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random


@dataclass(frozen=True, slots=True)
class Source:
    """Where texts with one kind of personal data come from.

    Attributes:
        label: Its name; as in the development data where that has it.
        value: Makes a value.
        sentences: What may stand around it.
    """

    label: str
    value: Callable[[Random], str]
    sentences: Sequence[str]


GHANA: Final = (
    Source(
        "GH_CARD",
        ghana.ghana_card,
        [
            "{n} showed {x} at the counter before we gave the goods",
            "New credit customer: {n}, {x}",
            "Her Ghana Card is {x}, a copy is in the file",
            "ecowas card no {x} checked by the cashier",
            "{x} belongs to {n}",
        ],
    ),
    Source(
        "GH_GPS",
        ghana.gps,
        [
            "Send the rider to {x}, blue gate",
            "{n} moved to {x} last month",
            "Digital address: {x}",
            "Delivery went to {x} instead",
        ],
    ),
    Source(
        "GH_GPS",
        ghana.gps_loose,
        [
            "ghanapost gps {x} for the delivery",
            "He lives at {x} near the lorry station",
            "Address {x}, call at the gate",
            "location is {x}, second floor",
        ],
    ),
    Source(
        "GH_TIN",
        ghana.tin,
        [
            "Put {x} on the VAT invoice for {n}",
            "The tax office wants {x} on every receipt",
            "TIN: {x}",
            "{n} trades under {x}",
        ],
    ),
    Source(
        "GH_SSNIT",
        ghana.ssnit,
        [
            "Pay the contribution of {n} under {x}",
            "Social security no. {x} is missing on the payslip",
            "ssnit {x}, started in March",
            "{x} was entered twice in payroll",
        ],
    ),
    Source(
        "GH_NHIS",
        ghana.nhis,
        [
            "Pharmacy claim: NHIS {x}, two items",
            "{n} has health insurance {x}",
            "nhia member number {x} expired in June",
        ],
    ),
    Source(
        "GH_VOTER",
        ghana.voter,
        [
            "He left his voter's card {x} as security",
            "Identified by voter id {x}",
            "{n}, voters register {x}, wants to pay weekly",
            "electoral commission no. {x} was checked",
        ],
    ),
    Source(
        "GH_PASSPORT",
        ghana.passport,
        [
            "{n} travels on {x} and pays on return",
            "Passport {x} copied for the file",
            "{x} is valid for three more years",
        ],
    ),
    Source(
        "GH_DL",
        ghana.licence,
        [
            "Rider {n} signed with {x}",
            "Licence number {x}, class B",
            "DVLA says {x} was renewed",
            "driver's license {x} seen by the manager",
        ],
    ),
    Source(
        "GH_PLATE",
        ghana.plate,
        [
            "Goods loaded on {x} at noon",
            "The van is {x}, ask for {n}",
            "Car with registration {x} blocks the ramp",
            "{x} came back half empty",
        ],
    ),
    Source(
        "GH_PLATE",
        ghana.plate_new,
        [
            "The truck {x} brings the cement",
            "vehicle {x} is ours",
            "taxi, plate {x}, took the parcel",
        ],
    ),
    Source(
        "BANK_ACCT",
        ghana.account,
        [
            "Refund {n} into account {x} at the main branch",
            "a/c {x} with Ecobank",
            "Stanbic acct no: {x}",
            "transfer came from GCB {x} on Monday",
            "Fidelity bank, {x}, in the name of {n}",
        ],
    ),
    Source(
        "DATE",
        ghana.birth_date,
        [
            "{n} was born on {x} in Ho",
            "dob {x}, wants a birthday card from us",
            "Date of birth: {x}",
            "D.O.B. {x} according to the form",
            "birthday {x}, send a voucher",
        ],
    ),
    Source(
        "PHONE",
        ghana.phone,
        [
            "{n} ({x}) takes the last two bags",
            "Ask {n} on {x} whether Friday is fine",
            "momo {x} sent the deposit",
            "WhatsApp her: {x}",
            "If nobody opens, {x}",
            "{x} or come to the shop",
        ],
    ),
    Source(
        "PHONE",
        ghana.phone_bare,
        ["call {x} when it is ready", "his mobile is {x}", "momo wallet {x} was charged twice"],
    ),
    Source(
        "EMAIL",
        values.email,
        [
            "Mail the invoice to {x}",
            "{n} <{x}> asked for a price list",
            "{x} bounced again",
            "Her address, {x}, has changed",
        ],
    ),
    Source(
        "URL",
        values.url,
        ["She sells from {x} too", "Photos of the fabric: {x}", "{x} has our old prices", "See {x}, then answer {n}"],
    ),
    Source(
        "IP",
        values.ipv4,
        ["Till 2 logged in from {x}", "{x} tried the password five times", "the router ({x}) was restarted"],
    ),
    Source(
        "CREDIT_CARD",
        values.card_usual,
        [
            "{n} paid with {x} and wants it back",
            "visa {x} declined",
            "Card number {x} was read over the phone",
            "the slip shows {x}",
        ],
    ),
    Source(
        "API_KEY",
        values.api_key,
        ["The plugin stopped after {x} was replaced", "token: {x}", "He pasted {x} into the chat"],
    ),
)
"""Kinds that Ghanaian shops meet."""

_ANYWHERE: Final = {"EMAIL": values.email, "URL": values.url, "IP": values.ip, "API_KEY": values.api_key}

GENERAL: Final = (
    *(
        Source(label, value, next(one for one in GHANA if one.label == label).sentences)
        for label, value in _ANYWHERE.items()
    ),
    Source(
        "IBAN",
        values.iban,
        [
            "Wire it to {x} by Friday",
            "IBAN {x}",
            "The supplier in Hamburg uses {x}",
            "{x} is the only account they gave",
        ],
    ),
    Source(
        "CREDIT_CARD",
        values.card,
        ["{n} paid with {x} and wants it back", "debit card {x} declined", "mastercard/visa/amex: {x}", "card {x}"],
    ),
    Source(
        "US_SSN", values.ssn, ["Form W-9 of {n} says {x}", "SSN {x}", "social security number: {x}", "{x} for the visa"]
    ),
    Source(
        "PHONE",
        values.foreign_phone,
        ["Ring the factory on {x}", "tel. {x} (office hours)", "{n}, {x}, speaks French", "WhatsApp {x} for samples"],
    ),
)
"""Kinds that are the same everywhere; dates are left out, since only birth dates are personal."""
