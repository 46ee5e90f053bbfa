"""The tour: all eight features on the records of one shop, and what they cost together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from ai_addons.cli.chapters import Drawn, Records, Shown, Skipped, Sum
from ai_addons.cli.demo import PACK, Demo
from ai_addons.errors import ConfigError, InsufficientCreditsError
from ai_addons.features.charts import as_svg, as_text
from ai_addons.features.collection_analysis import collection_analysis
from ai_addons.features.collection_message import collection_message
from ai_addons.features.credit_assessment import credit_assessment
from ai_addons.features.customer_insight import customer_insight
from ai_addons.features.inventory_forecast import inventory_forecast
from ai_addons.features.portfolio_dashboard import portfolio_dashboard
from ai_addons.features.product_description import product_description
from ai_addons.features.report_summary import report_summary
from ai_addons.features.shop import inputs, pages
from ai_addons.features.shop.business import portfolio
from ai_addons.features.shop.records import BadRecord
from ai_addons.features.shop.tables import read_trade
from ai_addons.money import Credits, Money
from ai_addons.receipt import receipts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ai_addons.addons import AddOns
    from ai_addons.catalog import Listing, Pack
    from ai_addons.cli.story import Story
    from ai_addons.features import FeatureResult
    from ai_addons.features.charts import Chart
    from ai_addons.features.collection_analysis import CollectionAnalysis, Receivables
    from ai_addons.features.collection_message import CollectionRequest
    from ai_addons.features.customer_insight import CustomerQuestion
    from ai_addons.features.inventory_forecast import InventoryForecast, StockRequest
    from ai_addons.features.product_description import Product
    from ai_addons.features.report_summary import SalesReport
    from ai_addons.features.shop.pages import Page
    from ai_addons.features.shop.records import CustomerRecord, Shop
    from ai_addons.features.shop.tables import Trade
    from ai_addons.receipt import Billed, Receipt

D = TypeVar("D")

_NOBODY: Final = "Nobody on the list is overdue and to be written to or called."
_CONCERN: Final = {"thin": "There is little data to go on.", "poor": "There is too little data to go on."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the features take of a shop's tables, made before anything is asked."""

    trade: Trade
    report: SalesReport
    question: CustomerQuestion
    receivables: Receivables
    reminders: dict[str, CollectionRequest]
    stock: StockRequest


def prepared(trade: Trade, shop: Shop) -> Inputs:
    """Everything that can be made of the tables alone.

    Args:
        trade: The shop's records.
        shop: Its name and number.

    Raises:
        BadRecord: If a feature does not take what they hold.
    """
    try:
        return Inputs(
            trade=trade,
            report=inputs.report(trade),
            question=inputs.question(trade),
            receivables=inputs.receivables(trade),
            reminders=inputs.reminders(trade, shop),
            stock=inputs.stock(trade),
        )
    except ValidationError as error:
        issue = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in issue["loc"])
        msg = (
            f"The records do not fit together: {error.title}{f' ({where})' if where else ''}: "
            f"{issue['msg'].removeprefix('Value error, ')}. Nothing was charged. Correct the files and run the "
            f"command again."
        )
        raise BadRecord(msg) from None


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who asks, at which prices, with which pictures kept and drawn at the end."""

    addons: AddOns
    shop: Shop
    listed: dict[str, Listing]
    charts: dict[str, Chart]


class Tour(Demo):
    """Tells what all eight features make of one shop.

    Args:
        story: Who tells it.
        data: Folder with the shop's records, None for the sample shop.
        keep: File to keep the books in, None for a folder that is thrown away.
        pictures: Folder to write pictures to, None for none.

    Raises:
        BadRecord: If the records cannot be read, or a feature does not take what they hold.
        ConfigError: If the folder for pictures cannot be made.
    """

    def __init__(self, story: Story, *, data: Path | None, keep: Path | None, pictures: Path | None) -> None:
        super().__init__(story, data=data, keep=keep)
        self._pictures = None if pictures is None else _writable(pictures)
        shop = self._shop()
        # Before anything is opened: a table that cannot be used costs nothing and leaves no books behind.
        self._given = prepared(read_trade(self._data, as_of=shop.as_of), shop)

    def _play(self, addons: AddOns, shop: Shop, products: list[Product], customers: list[CustomerRecord]) -> None:
        """Ask all eight, then sum up."""
        listed = {one.key: one for one in addons.price_list(shop.business_id).features}
        desk = _Desk(addons, shop, listed, {})
        self._story.tell(_records(self._given.trade))
        with receipts() as paid:
            self._words(desk, products[0], customers[0])
            worklist = self._collections(desk)
            self._business(desk, worklist)
        self._story.tell(_sum(addons, listed, paid))
        if self._pictures is not None:
            self._story.tell(_drawn(self._pictures, desk.charts))

    def _words(self, desk: _Desk, product: Product, customer: CustomerRecord) -> None:
        """Copy, the month, a question, a customer's credit."""
        given, asked = self._given, customer.assessment_input
        self._ask(
            desk, ("product_description", product.name), lambda: product_description.billed(product), pages.description
        )
        month = f"{given.report.period.start} to {given.report.period.end}"
        self._ask(desk, ("report_summary", month), lambda: report_summary.billed(given.report), pages.report)
        self._ask(
            desk,
            ("customer_insight", given.question.question),
            lambda: customer_insight.billed(given.question),
            pages.insight,
        )
        subject = f"{customer.name} asks for GHS {asked.requested_ghs:,}"
        self._ask(desk, ("credit_assessment", subject), lambda: credit_assessment.billed(asked), pages.assessment)

    def _collections(self, desk: _Desk) -> CollectionAnalysis:
        """Whom to contact, and the first message."""
        given = self._given
        bills = f"{len(given.receivables.open_invoices)} open bills"
        worklist = self._ask(
            desk,
            ("collection_analysis", bills),
            lambda: collection_analysis.billed(given.receivables),
            pages.collection,
        )
        first = inputs.first_to_remind(worklist, given.reminders)
        if first is None:
            listing = desk.listed["collection_message"]
            self._story.tell(Skipped(key=listing.key, feature=listing.name, why=_NOBODY))
            return worklist
        subject = f"{first.customer_name} owes GHS {first.outstanding:,} since {first.due_date}"
        self._ask(desk, ("collection_message", subject), lambda: collection_message.billed(first), pages.message)
        return worklist

    def _business(self, desk: _Desk, worklist: CollectionAnalysis) -> None:
        """What to order, and the whole business."""
        given = self._given
        forecast: InventoryForecast = self._ask(
            desk,
            ("inventory_forecast", f"{len(given.stock.items)} items"),
            lambda: inventory_forecast.billed(given.stock),
            lambda found: pages.forecast(found, given.stock),
        )
        figures = portfolio(
            given.trade, given.question, worklist, given.stock, forecast, last_year=given.report.last_year
        )
        self._ask(
            desk, ("portfolio_dashboard", desk.shop.name), lambda: portfolio_dashboard.billed(figures), pages.dashboard
        )

    def _ask(
        self,
        desk: _Desk,
        what: tuple[str, str],
        call: Callable[[], Billed[FeatureResult[D]]],
        read: Callable[[D], Page],
    ) -> D:
        """One feature: waiting, a purchase if credits are short, the page.

        Args:
            desk: Who asks.
            what: Key of the feature, and what it is asked about.
            call: Asks it.
            read: Makes a page of its result.
        """
        key, subject = what
        name = desk.listed[key].name
        try:
            with self._story.waiting(f"{name}: {subject}"):
                billed = call()
        except InsufficientCreditsError as refusal:
            self._refuse_and_buy(desk.addons, desk.shop, (name, subject), refusal)
            with self._story.waiting(f"{name}: {subject}"):
                billed = call()
        page = read(billed.value.data)
        if page.chart is not None:
            desk.charts[key] = page.chart
        self._story.tell(_shown(desk.listed[key], subject, page, billed))
        return billed.value.data


def _records(trade: Trade) -> Records:
    return Records(
        since=min(line.day for line in trade.sales),
        until=trade.as_of,
        lines=len(trade.sales),
        items=len(trade.stock),
        bills=len(trade.invoices),
    )


def _shown(listing: Listing, subject: str, page: Page, billed: Billed[FeatureResult[D]]) -> Shown:
    concern = _CONCERN.get(billed.value.data_quality)
    return Shown(
        key=listing.key,
        feature=listing.name,
        price=listing.credits,
        subject=subject,
        headline=page.headline,
        text=page.text,
        grid=page.grid,
        picture=() if page.chart is None else tuple(as_text(page.chart).splitlines()),
        notes=(*((concern,) if concern else ()), *(warning.text for warning in billed.value.warnings)),
        receipt=billed.receipt,
    )


def _sum(addons: AddOns, listed: dict[str, Listing], paid: Iterable[Receipt]) -> Sum:
    calls = tuple(paid)
    charged = sum((one.charged for one in calls), Credits(0))
    return Sum(
        rows=tuple((listed[one.feature].name, one.price, one.charged) for one in calls),
        charged=charged,
        pack=PACK,
        worth=worth(addons.price_list().packs, charged),
    )


def worth(packs: Iterable[Pack], charged: Credits) -> Money | None:
    """What credits cost at the price of the demo's pack, to the pesewa.

    Args:
        packs: What is on sale.
        charged: The credits.

    Returns:
        None where that pack is not sold.
    """
    pack = next((one for one in packs if one.type == PACK), None)
    if pack is None:
        return None
    return Money.from_minor(round(pack.price.minor * charged.decimal / pack.credits.decimal), pack.price.currency)


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"Pictures cannot be written to {folder} ({error.strerror}). Nothing was charged. Give another folder."
        raise ConfigError(msg) from None
    return folder


def _drawn(folder: Path, charts: dict[str, Chart]) -> Drawn:
    """Write each chart as SVG; without the library that draws them the words must do."""
    try:
        drawn = {f"{key}.svg": as_svg(chart) for key, chart in charts.items()}
    except ConfigError as error:
        return Drawn(folder=str(folder), files=(), why_not=f"none were drawn. {error}")
    for name, svg in drawn.items():
        (folder / name).write_text(svg, encoding="utf-8", newline="\n")
    return Drawn(folder=str(folder), files=tuple(drawn))
