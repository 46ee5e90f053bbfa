"""Recognizers: personal data found in free text by its shape.

They see folded text (plain dashes, blanks and digits) and report where the data
stands. Each is a cheap test, then a bounded pattern, then checks of what stands
around it: business figures (prices, barcodes, dates, order numbers) must survive.
A failed checksum never lets something through that its prefix or context gives away.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.recognizers.banking import BankAccountRecognizer, IbanRecognizer, PaymentCardRecognizer
from ai_addons.privacy.recognizers.credentials import ApiKeyRecognizer, JwtRecognizer
from ai_addons.privacy.recognizers.dates import BirthDateRecognizer
from ai_addons.privacy.recognizers.ghana import (
    GhanaCardRecognizer,
    GhanaGpsRecognizer,
    GhanaTinRecognizer,
    NhisRecognizer,
    PassportRecognizer,
    SsnitRecognizer,
    VoterIdRecognizer,
)
from ai_addons.privacy.recognizers.net import EmailRecognizer, Ipv4Recognizer, Ipv6Recognizer, UrlRecognizer
from ai_addons.privacy.recognizers.phones import PhoneRecognizer
from ai_addons.privacy.recognizers.us import UsSsnRecognizer
from ai_addons.privacy.recognizers.vehicles import DrivingLicenceRecognizer, VehiclePlateRecognizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.privacy.base import Recognizer

__all__ = [
    "BUILT_IN_RECOGNIZERS",
    "ApiKeyRecognizer",
    "BankAccountRecognizer",
    "BirthDateRecognizer",
    "DrivingLicenceRecognizer",
    "EmailRecognizer",
    "GhanaCardRecognizer",
    "GhanaGpsRecognizer",
    "GhanaTinRecognizer",
    "IbanRecognizer",
    "Ipv4Recognizer",
    "Ipv6Recognizer",
    "JwtRecognizer",
    "NhisRecognizer",
    "PassportRecognizer",
    "PaymentCardRecognizer",
    "PhoneRecognizer",
    "SsnitRecognizer",
    "UrlRecognizer",
    "UsSsnRecognizer",
    "VehiclePlateRecognizer",
    "VoterIdRecognizer",
]

BUILT_IN_RECOGNIZERS: Final[Mapping[str, Callable[[], Recognizer]]] = MappingProxyType(
    {
        "email": EmailRecognizer,
        "phone": PhoneRecognizer,
        "url": UrlRecognizer,
        "ipv4": Ipv4Recognizer,
        "ipv6": Ipv6Recognizer,
        "api_key": ApiKeyRecognizer,
        "jwt": JwtRecognizer,
        "ghana_card": GhanaCardRecognizer,
        "ghana_gps": GhanaGpsRecognizer,
        "ghana_tin": GhanaTinRecognizer,
        "ssnit": SsnitRecognizer,
        "nhis": NhisRecognizer,
        "voter_id": VoterIdRecognizer,
        "passport": PassportRecognizer,
        "driving_licence": DrivingLicenceRecognizer,
        "vehicle_plate": VehiclePlateRecognizer,
        "bank_account": BankAccountRecognizer,
        "iban": IbanRecognizer,
        "payment_card": PaymentCardRecognizer,
        "us_ssn": UsSsnRecognizer,
        "birth_date": BirthDateRecognizer,
    }
)
"""The recognizers that come with the package, by name."""
