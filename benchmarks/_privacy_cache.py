"""How often the answer cache hits, by what the prompt holds: collection messages of many shops, simulated.

Each call picks a customer of the shop, a reminder that fits the days late, and asks for one of four variants chosen by
the call's arguments. Two thirds of the debts are small and recent. A stored answer is kept for good: the time to live
is a setting. The prompt is masked by our masker and named by our cache keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel

from ai_addons.cache.keys import Keys
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from benchmarks import _privacy_values as values
from benchmarks._privacy_accuracy import SEED
from benchmarks._privacy_numbers import seeded
from benchmarks._privacy_variants import mobile
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from random import Random

    from ai_addons.cache.canonical import Json

TENANT_GOAL: Final = 0.60
SHARED_GOAL: Final = 0.95

_CUSTOMERS: Final = 80
_CALLS: Final = 250
_VARIANTS: Final = 4
_SECRET: Final = b"a secret of the benchmark, no other's"
_DAY_BANDS: Final = (7, 14, 30, 60, 90, 180)
_AMOUNT_BANDS: Final = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One call: who owes what, and how to say it."""

    shop: str
    name: str
    phone: str
    amount: str
    days: int
    language: str
    tone: str
    paid_before: bool


class _Slots(BaseModel):
    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    amount: Annotated[str, Pii.AMOUNT]
    facts: dict[str, str | bool]


class _Masked(BaseModel):
    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    facts: dict[str, str | bool]


def band(number: float, limits: tuple[int, ...]) -> str:
    """The band a number lies in, by its upper limit."""
    return next((f"up to {limit}" for limit in limits if number <= limit), f"above {limits[-1]}")


def _facts(case: _Case, **more: str) -> dict[str, str | bool]:
    return {"language": case.language, "tone": case.tone, "paid_before": case.paid_before, **more}


def _days(case: _Case) -> str:
    return band(case.days, _DAY_BANDS)


PROMPTS: Final[Mapping[str, Callable[[_Case], BaseModel | None]]] = {
    "raw values": lambda case: None,  # noqa: ARG005  # nothing is masked
    "masked, exact amount and days": lambda case: _Masked(
        name=case.name, phone=case.phone, facts=_facts(case, amount=case.amount, days=str(case.days))
    ),
    "masked, amount slot, day band": lambda case: _Slots(
        name=case.name, phone=case.phone, amount=case.amount, facts=_facts(case, days=_days(case))
    ),
    "the same and an amount band": lambda case: _Slots(
        name=case.name,
        phone=case.phone,
        amount=case.amount,
        facts=_facts(case, days=_days(case), band=band(float(case.amount), _AMOUNT_BANDS)),
    ),
}
"""What a prompt may hold of a debt."""

_CHOSEN: Final = "masked, amount slot, day band"


def workload(shops: int, rng: Random) -> Iterator[_Case]:
    """All calls of all shops, in turn, as the day would mix them."""
    customers = {f"biz_{shop}": [_customer(rng) for _ in range(_CUSTOMERS)] for shop in range(shops)}
    for _ in range(_CALLS):
        for shop, people in customers.items():
            name, phone, language = rng.choice(people)
            days = max(1, round(rng.lognormvariate(3, 1)))
            yield _Case(
                shop=shop,
                name=name,
                phone=phone,
                amount=f"{rng.lognormvariate(5.5, 1.2):.2f}",
                days=days,
                language=language,
                tone="gentle" if days <= _DAY_BANDS[1] else rng.choice(["gentle", "firm"]),
                paid_before=rng.random() < 0.7,  # noqa: PLR2004  # seven of ten
            )


def _customer(rng: Random) -> tuple[str, str, str]:
    return values.name(rng), mobile(rng), rng.choice(["English", "English", "English", "Twi"])


def caching(_folder: Path, *, full: bool) -> list[Result]:
    """Hit rates of a business's own cache and of one that all share."""
    shops = 200 if full else 50
    return [_result(name, make, shops) for name, make in PROMPTS.items()]


def _result(name: str, make: Callable[[_Case], BaseModel | None], shops: int) -> Result:
    keys, masker = Keys(_SECRET), BuiltinMasker([], max_field_bytes=65_536)
    own, shared = set[str](), set[str]()
    calls = leaks = own_hits = shared_hits = 0
    for case in workload(shops, seeded(SEED)):
        prompt = _raw(case) if (data := make(case)) is None else masker.session().mask([], data)[1]
        variant = keys.variant(keys.request_hash("collection_message", 1, _raw(case), {}), _VARIANTS)
        mine, everyones = (_key(keys, scope, prompt, variant) for scope in (case.shop, "everybody"))
        calls, leaks = calls + 1, leaks + (case.name in str(prompt) or case.phone in str(prompt))
        own_hits, shared_hits = own_hits + (mine in own), shared_hits + (everyones in shared)
        own.add(mine)
        shared.add(everyones)
    goals = name == _CHOSEN
    met = own_hits >= TENANT_GOAL * calls and shared_hits >= SHARED_GOAL * calls and leaks == 0
    return Result(
        what=f"cache, {shops} shops, {calls:,} calls, {name}",
        ours=f"a shop's own {own_hits / calls:.1%}, shared {shared_hits / calls:.1%}; "
        f"{leaks:,} prompts with a name or phone",
        figure=own_hits / calls,
        goal=f"own >= {TENANT_GOAL:.0%}, shared >= {SHARED_GOAL:.0%}, no name or phone" if goals else "",
        met=met if goals else None,
    )


def _raw(case: _Case) -> dict[str, Any]:
    return _facts(case, name=case.name, phone=case.phone, amount=case.amount, days=str(case.days))


def _key(keys: Keys, scope: str, prompt: Json, variant: int) -> str:
    return keys.cache_key(
        scope=scope,
        feature="collection_message",
        version=1,
        route=["small"],
        settings={},
        prompt=prompt,
        schema=None,
        variant=variant,
    )
