"""An invented shop's open bill, for demos, docs and tables."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_message.models import CollectionRequest

if TYPE_CHECKING:
    from ai_addons.features.collection_message.models import Channel

TODAY: Final = date(2026, 11, 20)
_SEED: Final = 1957
_FIRST: Final = ("Ama", "Kofi", "Abena", "Yaw", "Akosua", "Kwame", "Efua", "Kojo", "Adwoa", "Kwabena", "Esi", "Fiifi")
_LAST: Final = ("Mensah", "Owusu", "Boateng", "Asante", "Tetteh", "Quaye", "Adjei", "Ofori", "Lamptey", "Amoako")
_CHANNELS: Final[tuple[Channel, ...]] = ("sms", "whatsapp", "email", "call_script")


def example(customers: int = 500) -> CollectionRequest:
    """The bill that is longest overdue among so many customers; the prompt does not grow with them.

    Args:
        customers: How many customers the shop has, at least 1.
    """
    return max(examples(customers), key=lambda request: (request.as_of - request.due_date, request.outstanding))


def examples(customers: int = 500) -> list[CollectionRequest]:
    """An open bill for each of so many customers, the same every time."""
    draw = Random(_SEED)  # noqa: S311  # invented data, no secret
    return [_bill(draw) for _ in range(customers)]


def _bill(draw: Random) -> CollectionRequest:
    days = round(draw.triangular(-10, 90, 12))
    last_contact = draw.choice((None, 1, 3, 9, 21))
    return CollectionRequest(
        as_of=TODAY,
        channel=draw.choices(_CHANNELS, (6, 2, 1, 1))[0],
        outstanding=Decimal(round(draw.lognormvariate(6.2, 1) * 2)) / 2,
        due_date=TODAY - timedelta(days=days),
        partial_paid=draw.random() < 0.2,  # noqa: PLR2004  # one in five
        relationship_months=draw.randint(1, 96),
        usual_days_late=draw.randint(-2, 25),
        last_contact_days=last_contact,
        contacts_last_7d=0 if last_contact in {None, 9, 21} else 1,
        consent=True,
        opted_out=False,
        customer_name=f"{draw.choice(_FIRST)} {draw.choice(_LAST)}",
        shop_name="Adom Provisions",
        contact="030 255 0142",
        staff_first_name=draw.choice(("Esi", "Nana", "Kweku")),
    )
