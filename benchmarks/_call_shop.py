"""What the parts of the benchmark of calls share: a shop, its feature, and the same request made barely."""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, Field

from ai_addons import AddOns, Pii, Prompt, Settings, billed_feature
from ai_addons.llm.dialect import for_wire
from ai_addons.llm.litellm import LiteLlm

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from ai_addons.llm.base import ModelReply, ModelRequest
    from ai_addons.settings import ProviderSettings

MILLI: Final = 1_000
SHOP: Final = "biz_7"
_SETTLE_SECONDS: Final = 0.25
_MODEL: Final = "openai/gpt-6-luna"


class Sale(BaseModel):
    """What a message is about; two of its fields are personal."""

    customer: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    product: str
    price: str
    note: str


class Copy(BaseModel):
    """An answer."""

    text: str = Field(max_length=400)
    tags: list[str]
    score: int = Field(ge=0, le=10)


@billed_feature("benchmark_copy", credits=1)
def copy(sale: Sale) -> Prompt[Copy]:
    """Write a short text about a sale."""
    return Prompt(
        system="You write for small shops in Ghana. Be brief and warm, and invent nothing.",
        user="Write two sentences that thank the customer, and name a product that goes with it.",
        data=sale,
    )


def sale(number: int) -> Sale:
    """A sale like no other."""
    return Sale(
        customer="Ama Serwaa Mensah",
        phone="+233 24 412 3456",
        product=f"Milo 400 g, lot {number}",
        price="GHS 45.00",
        note="Paid by mobile money. Asked whether the larger tin comes back before Easter.",
    )


class Noting:
    """The usual adapter; it keeps the last request, so that it can be made again without us."""

    def __init__(self, providers: dict[str, ProviderSettings]) -> None:
        self._llm = LiteLlm(providers, {})
        self.requests: deque[ModelRequest] = deque(maxlen=1)

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask."""
        self.requests.append(request)
        return self._llm.complete(request)

    def again(self) -> ModelReply:
        """Ask for the last thing once more."""
        return self._llm.complete(self.requests[-1])

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """Ask on the loop."""
        self.requests.append(request)
        return await self._llm.acomplete(request)


@dataclass(frozen=True, slots=True)
class Shop:
    """Our side and the bare one, ready to ask the same server the same thing.

    Attributes:
        addons: Our side.
        bare: Arguments of ``litellm.completion`` that send what ours sends.
        noting: Our adapter alone.
    """

    addons: AddOns
    bare: dict[str, Any]
    noting: Noting

    def bill(self, number: int) -> None:
        """A billed call."""
        copy.options(addons=self.addons, business=SHOP)(sale(number))

    async def abill(self, number: int) -> None:
        """The same on the event loop."""
        await copy.options(addons=self.addons, business=SHOP).aio(sale(number))

    def ask(self, _number: int) -> None:
        """The request alone."""
        import litellm  # noqa: PLC0415  # by now it is loaded, as our adapter wants it

        litellm.completion(**self.bare)

    def adapt(self, _number: int) -> None:
        """The request alone, by our adapter: LiteLLM as we call it."""
        self.noting.again()

    async def aask(self, _number: int) -> None:
        """The same on the event loop."""
        import litellm  # noqa: PLC0415  # as above

        await litellm.acompletion(**self.bare)


@contextmanager
def open_shop(store: str, base: str, folder: Path) -> Generator[Shop]:
    """A shop with the default settings, its books and its cache in a place of its own."""
    settings = Settings(
        store={"url": store},
        cache={"directory": folder / "cache"},
        models={"small": _MODEL},
        providers={"openai": {"api_key": "k", "api_base": base}},
        budget={"usd_month": None},
        secret="a secret for benchmarks, and for nothing else",  # noqa: S106  # of no worth
    )
    noting = Noting(settings.providers)
    addons = AddOns(settings, llm=noting, environ={})
    try:
        addons.grant(SHOP, 1_000_000, source="adjustment", ref="funds")
        copy.options(addons=addons, business=SHOP)(sale(0))
        yield Shop(addons, _arguments(noting.requests[-1], base), noting)
    finally:
        addons.close()


def _arguments(request: ModelRequest, base: str) -> dict[str, Any]:
    schema = {"name": "answer", "strict": True, "schema": for_wire(request.schema or {})}
    return {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens": request.max_tokens,
        "timeout": request.timeout,
        "max_retries": 0,
        "reasoning_effort": "none",
        "response_format": {"type": "json_schema", "json_schema": schema},
        "api_key": "k",
        "api_base": base,
    }


def cpu(work: Callable[[int], object], numbers: range) -> float:
    """CPU milliseconds of one piece of work, all threads of this process together.

    LiteLLM does a part of every call in a thread of its own, after the answer: the clock is read when that is done.
    """
    time.sleep(_SETTLE_SECONDS)
    began = time.process_time()
    for number in numbers:
        work(number)
    time.sleep(_SETTLE_SECONDS)
    return MILLI * (time.process_time() - began) / len(numbers)
