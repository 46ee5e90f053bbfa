"""The demo: the main job on a shop's own records, with the books to prove it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ai_addons.addons import AddOns
from ai_addons.billing.gateways.fake.adapter import FakePaystack
from ai_addons.billing.gateways.fake.collecting import PAYS_AT_ONCE
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.calling import bill_to
from ai_addons.cli.chapters import Alerted, Answered, Books, Bought, Opening, Refused, Sent, Trial
from ai_addons.errors import ConfigError, InsufficientCreditsError, TrialClaimed
from ai_addons.events import OperatorAlert
from ai_addons.features.credit_assessment import credit_assessment
from ai_addons.features.product_description import product_description
from ai_addons.features.shop import pages
from ai_addons.features.shop.records import Shop, read_customers, read_products, read_shop
from ai_addons.settings import Settings
from ai_addons.wiring import OFFLINE

if TYPE_CHECKING:
    from ai_addons.billing.records import GrantBooking
    from ai_addons.cli.story import Story
    from ai_addons.events import Event
    from ai_addons.features import FeatureResult
    from ai_addons.features.credit_assessment import CreditAssessment
    from ai_addons.features.product_description import Product, ProductCopy
    from ai_addons.features.shop.records import CustomerRecord
    from ai_addons.receipt import Billed

_DESCRIBED: Final = 3
_ASSESSED: Final = 3
PACK: Final = "VALUE"
_EMAIL: Final = "owner@shop.example"


class Demo:
    """Runs the story once.

    Args:
        story: Who tells it.
        data: Folder with the shop's records, None for the sample shop.
        keep: File to keep the books in, None for a folder that is thrown away.
    """

    def __init__(self, story: Story, *, data: Path | None, keep: Path | None) -> None:
        self._story = story
        self._data = data if data is not None else sample_data()
        self._keep = keep

    def run(self) -> None:
        """Tell it from the trial to the ledger.

        Raises:
            BadRecord: If a record cannot be read; nothing was charged.
            AddOnsError: If a call fails for good.
        """
        shop = self._shop()
        products = read_products(self._data / "products.csv", as_of=shop.as_of)
        customers = read_customers(self._data / "customers.csv", as_of=shop.as_of)
        with ExitStack() as stack:
            addons = stack.enter_context(self._open(stack))
            stack.enter_context(bill_to(shop.business_id, user="demo"))
            models = addons.tier("small")
            self._story.tell(
                Opening(
                    shop=shop.name,
                    business=shop.business_id,
                    products=len(products),
                    customers=len(customers),
                    models=models,
                    offline=OFFLINE in models,
                    books=str(self._keep) if self._keep else "a temporary file, thrown away at the end",
                )
            )
            if not products or not customers:
                msg = (
                    f"{self._data} needs at least one product and one customer below the header lines. "
                    f"Nothing was charged. Add a line and run the command again."
                )
                raise ConfigError(msg)
            self._begin(addons, shop)
            self._play(addons, shop, products, customers)
            self._close_books(addons, shop)

    def _play(self, addons: AddOns, shop: Shop, products: list[Product], customers: list[CustomerRecord]) -> None:
        """What is asked between the trial and the ledger."""
        self._describe(addons, products[:_DESCRIBED])
        self._assess(addons, shop, customers[:_ASSESSED])

    def _shop(self) -> Shop:
        path = self._data / "shop.toml"
        if path.exists():
            return read_shop(path)
        return Shop(name="Your shop", business_id="demo-shop", phone="", as_of=datetime.now(UTC).date())

    def _open(self, stack: ExitStack) -> AddOns:
        """Wire up with the configured models; books, cache and gateway are the demo's own."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ai-addons-demo-")))
        books = self._keep.resolve() if self._keep is not None else folder / "demo.db"
        settings = Settings(store={"url": f"sqlite:///{books}"}, cache={"directory": folder / "cache"})
        gateway = FakePaystack(stack.enter_context(FakeGatewayServer()).url)
        addons = AddOns(settings, hooks=(self._alert,), gateways=(gateway,))
        stack.callback(addons.close)
        return addons

    def _alert(self, event: Event) -> None:
        if isinstance(event, OperatorAlert):
            self._story.tell(Alerted(code=event.code, detail=event.detail))

    def _begin(self, addons: AddOns, shop: Shop) -> None:
        try:
            # Only here may the business itself stand for its owner's phone number.
            booking: GrantBooking | None = addons.claim_trial(
                shop.business_id, phone=shop.phone or None, payment=f"demo:{shop.business_id}"
            )
        except TrialClaimed:
            booking = None
        if booking is None or booking.replayed:
            msg = f"{self._keep} holds books of {shop.name} already. Nothing was charged. Give --keep a new file."
            raise ConfigError(msg)
        self._story.tell(Trial(granted=booking.grant.amount, balance=booking.balance))

    def _describe(self, addons: AddOns, products: list[Product]) -> None:
        for product in products:
            with self._story.waiting(f"describing {product.name}"):
                billed = product_description.billed(product)
            self._tell_copy(addons, product, billed)
        with self._story.waiting("asking again"):
            again = product_description.billed(products[0])
        self._tell_copy(addons, products[0], again, note="The same question again costs nothing.")

    def _tell_copy(
        self, addons: AddOns, product: Product, billed: Billed[FeatureResult[ProductCopy]], note: str = ""
    ) -> None:
        copy = billed.value.data
        bullets = tuple(f"- {bullet}" for bullet in copy.bullets)
        warnings = tuple(f"! {warning.text}" for warning in billed.value.warnings)
        text = (f"{copy.title}: {copy.description}", *bullets, *warnings)
        self._story.tell(
            Answered(
                feature="Product description",
                subject=product.name,
                text=text if not note else text[:1],
                sent=None if note or not billed.receipt.attempts else _sent(addons, product.existing_description),
                receipt=billed.receipt,
                note=note if billed.receipt.source == "cache" else "",
            )
        )

    def _assess(self, addons: AddOns, shop: Shop, customers: list[CustomerRecord]) -> None:
        for customer in customers:
            try:
                billed = self._assessment(customer)
            except InsufficientCreditsError as refusal:
                self._refuse_and_buy(addons, shop, ("Credit assessment", customer.name), refusal)
                billed = self._assessment(customer)
            self._story.tell(
                Answered(
                    feature="Credit assessment",
                    subject=f"{customer.name} asks for GHS {customer.assessment_input.requested_ghs:,}",
                    text=pages.assessment(billed.value.data).paragraphs,
                    sent=None,
                    receipt=billed.receipt,
                    note="Only figures were asked about: no name, no telephone number.",
                )
            )

    def _assessment(self, customer: CustomerRecord) -> Billed[FeatureResult[CreditAssessment]]:
        with self._story.waiting(f"assessing {customer.name}"):
            return credit_assessment.billed(customer.assessment_input)

    def _refuse_and_buy(
        self, addons: AddOns, shop: Shop, asked: tuple[str, str], refusal: InsufficientCreditsError
    ) -> None:
        """Tell what was refused (a feature, and what it was asked about), and buy a pack by Mobile Money."""
        feature, subject = asked
        self._story.tell(
            Refused(
                feature=feature,
                subject=subject,
                required=refusal.required,
                available=refusal.available,
                shortfall=refusal.shortfall,
                offers=refusal.offers,
            )
        )
        with self._story.waiting(f"paying for {PACK}"):
            payment = addons.orders.start(
                shop.business_id, PACK, email=_EMAIL, phone=PAYS_AT_ONCE, network="mtn", user="demo"
            )
        order = payment.order
        self._story.tell(
            Bought(
                pack=PACK,
                price=order.price,
                order=order.id,
                state=order.state,
                gateway=payment.attempt.gateway,
                granted=order.credits,
                balance=addons.wallet(shop.business_id).available,
            )
        )

    def _close_books(self, addons: AddOns, shop: Shop) -> None:
        wallet = addons.wallet(shop.business_id)
        self._story.tell(
            Books(
                business=shop.business_id,
                entries=tuple(addons.ledger(shop.business_id)),
                balance=wallet.available,
                held=wallet.held,
                sound=addons.doctor().ok,
            )
        )


def sample_data() -> Path:
    """The sample shop: inside an installed package, or in the project's own folder.

    Raises:
        ConfigError: If neither is there.
    """
    packaged = Path(str(files("ai_addons"))) / "_demo_data"
    source = Path(__file__).parents[3] / "examples" / "data"
    for folder in (packaged, source):
        if (folder / "products.csv").exists():
            return folder
    msg = "The sample shop is not installed. Nothing was charged. Give your own records with --data FOLDER."
    raise ConfigError(msg)


def _sent(addons: AddOns, typed: str | None) -> Sent | None:
    """What leaves of a text, if anything in it is masked."""
    masked = addons.mask(typed) if typed else None
    return Sent(typed or "", masked.text) if masked is not None and masked.counts else None
