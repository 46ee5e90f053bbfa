"""Published prices and packs: versions with effective dates, checked against their floor, read from a snapshot.

Every process keeps the few rows in memory and reads them again once they are
older than its ``refresh``. So a call asks the database for no price, and a price
published elsewhere is seen within that time. One that is published further ahead
than that begins everywhere at the same microsecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ai_addons.billing import published
from ai_addons.billing.operations import note
from ai_addons.billing.packs import unit_price
from ai_addons.billing.prices import PackVersion, PriceVersion, in_force, packs_in_force, prices_in_force
from ai_addons.billing.published import Floors, Published, PublishedPack
from ai_addons.billing.records import check_id
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import LedgerConflict, PriceBelowFloor
from ai_addons.money import MICRO, Credits, MicroGhs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from ai_addons.billing.books import Books
    from ai_addons.billing.policy import Policy
    from ai_addons.billing.prices import FloorVerdict
    from ai_addons.billing.published import Costing
    from ai_addons.billing.sql import Tx
    from ai_addons.catalog import Pack
    from ai_addons.clock import Clock

QUANTUM: Final = Credits("0.01")
"""Step of derived prices unless another is published."""

# What concerns all businesses stands in the audit log under none.
_ALL: Final = ""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """The tables as they were a moment ago.

    Attributes:
        token: Which publish of this process it has seen.
        read_at: When, monotonic seconds.
        ahead: Microseconds by which the database's clock is ahead of this machine's.
        prices: Versions by feature.
        packs: Versions of all packs.
    """

    token: object
    read_at: float
    ahead: int
    prices: dict[str, tuple[PriceVersion, ...]]
    packs: tuple[PackVersion, ...]


class Pricing:
    """Publishes prices and packs, and says what holds when. Safe to share between threads.

    Args:
        books: The open books.
        clock: Dates a question that names no time, and the age of the snapshot.
        policies: Every policy that credits may be sold by; what they sell sets the floor.
        floor_margin: Share of the revenue below which a price is refused.
        target_margin: Share of the revenue below which a price is published with a warning; built-in features
            are held to 90 % at least.
        refresh_us: Microseconds after which the tables are read again; 0 reads them for every question.
    """

    def __init__(
        self,
        books: Books,
        *,
        clock: Clock,
        policies: Callable[[], Iterable[Policy]],
        floor_margin: Decimal,
        target_margin: Decimal,
        refresh_us: int,
    ) -> None:
        self._books = books
        self._clock = clock
        self._policies = policies
        self._floors = Floors(floor=floor_margin, target=target_margin)
        self._refresh_us = refresh_us
        # Both are replaced whole, never changed: no lock is needed, and none can be left locked by a fork.
        self._token = object()
        self._snapshot: _Snapshot | None = None

    # What holds.

    def price(self, feature: str, at: int | None = None) -> PriceVersion | None:
        """The published price of a feature.

        Args:
            feature: Its key.
            at: UTC microseconds; None for now by the clock of the books.

        Returns:
            None if none is published: then the settings, the code or the catalogue say what it costs.

        Raises:
            StoreUnavailable: If the tables must be read and cannot be.
        """
        known = self._known()
        return in_force(known.prices.get(feature, ()), self._at(known, at))

    def prices(self, at: int | None = None) -> dict[str, PriceVersion]:
        """All published prices that hold at a time, by feature; arguments and errors are those of `price`."""
        known = self._known()
        versions = (version for group in known.prices.values() for version in group)
        return prices_in_force(versions, self._at(known, at))

    def packs(self, policy: Policy, at: int | None = None) -> tuple[Pack, ...]:
        """What can be bought under a policy, cheapest first: its list packs and the published ones.

        Args:
            policy: Brings the list packs. Published packs are sold under every policy.
            at: UTC microseconds; None for now by the clock of the books.

        Raises:
            StoreUnavailable: If the tables must be read and cannot be.
        """
        known = self._known()
        return packs_in_force(policy.packs(), known.packs, self._at(known, at))

    def packs_at_hand(self, policy: Policy, at: int) -> tuple[Pack, ...]:
        """The same without a look at the database, for whoever is inside a transaction already.

        It answers from the last snapshot, which the price of the call at hand has just refreshed.

        Args:
            policy: Brings the list packs.
            at: UTC microseconds.
        """
        known = self._snapshot
        return packs_in_force(policy.packs(), () if known is None else known.packs, at)

    @property
    def is_fresh(self) -> bool:
        """Whether the next question is answered without a look at the database."""
        return self._fresh() is not None

    def refresh(self) -> None:
        """Read the tables now; an async host does it beside its event loop once `is_fresh` is False."""
        self._read()

    def history(self, feature: str) -> list[PriceVersion]:
        """Every version of a feature's price, by the time it began or begins."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.PRICE_VERSIONS, {}))
        return [published.read_price(row) for row in rows if row.feature == feature]

    def all_packs(self) -> list[PackVersion]:
        """Every version of every pack, read now: an order is never made at a price of a few seconds ago."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.PACK_VERSIONS, {}))
        return [published.read_pack(row) for row in rows]

    def pack_history(self, type_: str) -> list[PackVersion]:
        """Every version of a pack, by the time it began or begins."""
        return [version for version in self.all_packs() if version.pack.type == type_]

    # Publishing.

    def publish(
        self,
        feature: str,
        credits: str | int | Decimal | Credits,  # noqa: A002  # the word of the price list
        *,
        effective_from: int | None = None,
        expected_cost: MicroGhs | None,
        built_in: bool,
        loss_leader: bool = False,
        quantum: Credits = QUANTUM,
        actor: str,
    ) -> Published:
        """Publish what a call of a feature costs; durable when this returns. Open holds keep their price.

        The floor is measured at the cheapest credit on sale from then on. The same again changes
        nothing; without a time that goes for a price that holds already.

        Args:
            feature: Key of the feature.
            credits: Credits a call; zero for a free feature.
            effective_from: First instant it holds, UTC microseconds; None for now.
            expected_cost: Provider cost of a typical call in micro-GHS, without retries; None if unknown.
            built_in: Whether the SDK ships the feature, which sets its target margin.
            loss_leader: Whether a price below its floor is meant.
            quantum: Prices derived from this one are rounded up to a whole number of these.
            actor: Who decided.

        Raises:
            PriceBelowFloor: If the price is below its floor; nothing was published.
            IdempotencyConflict: If another price of this feature begins at that instant.
            LedgerConflict: If somebody published one for that instant just now.
            ValueError: For a time in the past, or a negative price or cost.
        """
        check_id(feature, "a feature key")
        price = Credits(credits)

        def work(tx: Tx) -> Published:
            (prices, packs), now = self._tables(tx), self._books.now(tx)
            version = PriceVersion(
                feature=feature,
                credits=price,
                effective_from=now if effective_from is None else effective_from,
                quantum=quantum,
                expected_cost=expected_cost,
                loss_leader=loss_leader,
                published_at=now,
                actor=actor,
            )
            unit = published.cheapest_from(self._policies(), packs, version.effective_from)
            verdict = self._floors.verdict(price, expected_cost, unit, built_in=built_in, loss_leader=loss_leader)
            own = [known for known in prices if known.feature == feature]
            if (held := published.already(own, version, now=effective_from is None)) is not None:
                return Published(version=held, verdict=verdict, replayed=True)
            published.refuse_past(version, f"The price of {feature!r}", now)
            if verdict.outcome == "refuse":
                msg = f"{feature}: {verdict.message}"
                raise PriceBelowFloor(msg)
            row = published.price_values(version)
            self._note(tx, tx.changed(sql.ADD_PRICE_VERSION, row), row, "publish_price", {"floor": verdict.reason})
            return Published(version=version, verdict=verdict, replayed=False)

        return self._write(work)

    def publish_pack(
        self, pack: Pack, *, effective_from: int | None = None, features: Iterable[Costing], actor: str
    ) -> PublishedPack:
        """Publish a pack under every policy: a new one, or one in place of the pack of its type.

        If its credits are cheaper than all others on sale, every price is measured against its floor
        anew. The same pack again changes nothing; without a time that goes for one that holds already.

        Args:
            pack: The pack.
            effective_from: First instant it is sold, UTC microseconds; None for now.
            features: All features on sale.
            actor: Who decided.

        Raises:
            PriceBelowFloor: If a price would fall below its floor; nothing was published.
            IdempotencyConflict: If another version of this pack begins at that instant.
            LedgerConflict: If somebody published one for that instant just now.
            ValueError: For a time in the past, or a pack whose credits would have no price.
        """
        check_id(pack.type, "a pack's type")
        sold = tuple(features)
        return self._put_pack(pack.type, lambda _own, _at: pack, sold, effective_from, actor, withdrawn=False)

    def withdraw_pack(self, type_: str, *, effective_from: int | None = None, actor: str) -> PublishedPack:
        """Take a pack off sale under every policy; credits bought with it stay good.

        Args:
            type_: Which pack, e.g. ``STARTER``.
            effective_from: First instant it is not sold, UTC microseconds; None for now.
            actor: Who decided.

        Raises:
            IdempotencyConflict: If another version of this pack begins at that instant.
            LedgerConflict: If somebody published one for that instant just now.
            ValueError: For a time in the past, or a pack that is not on sale then.
        """
        return self._put_pack(type_, partial(self._pack_named, type_), (), effective_from, actor, withdrawn=True)

    def _put_pack(
        self,
        type_: str,
        choose: Callable[[Sequence[PackVersion], int], Pack],
        features: Sequence[Costing],
        effective_from: int | None,
        actor: str,
        *,
        withdrawn: bool,
    ) -> PublishedPack:
        def work(tx: Tx) -> PublishedPack:
            (prices, packs), now = self._tables(tx), self._books.now(tx)
            own = [known for known in packs if known.pack.type == type_]
            begins = now if effective_from is None else effective_from
            version = PackVersion(
                pack=choose(own, begins), effective_from=begins, withdrawn=withdrawn, published_at=now, actor=actor
            )
            if (held := published.already(own, version, now=effective_from is None)) is not None:
                return PublishedPack(version=held, verdicts=(), replayed=True)
            published.refuse_past(version, f"Pack {type_!r}", now)
            verdicts = tuple(self._measured_anew(version, prices, packs, features))
            published.refuse_losses(version.pack, verdicts)
            row, action = published.pack_values(version), "withdraw_pack" if withdrawn else "publish_pack"
            self._note(tx, tx.changed(sql.ADD_PACK_VERSION, row), row, action, {})
            return PublishedPack(version=version, verdicts=verdicts, replayed=False)

        return self._write(work)

    def _pack_named(self, type_: str, own: Sequence[PackVersion], at: int) -> Pack:
        """The pack that is to be withdrawn, as it was published last, else as a policy lists it."""
        last = in_force(own, at)
        listed = (pack for policy in self._policies() for pack in policy.packs() if pack.type == type_)
        pack = next(listed, None) if last is None else last.pack
        if pack is None:
            msg = f"Pack {type_!r} is not on sale then, so nothing was withdrawn. Look at the price list for its type."
            raise ValueError(msg)
        return pack

    def _measured_anew(
        self,
        version: PackVersion,
        prices: Sequence[PriceVersion],
        packs: Sequence[PackVersion],
        features: Sequence[Costing],
    ) -> Iterable[tuple[str, FloorVerdict]]:
        """Every price at what a pack's credits cost, if they are cheaper than all others."""
        at, unit = version.effective_from, MicroGhs(unit_price(version.pack))
        if version.withdrawn or unit >= published.cheapest_from(self._policies(), packs, at):
            return ()
        return self._floors.measured_at(unit, features, prices, at)

    # The tables.

    @staticmethod
    def _tables(tx: Tx) -> tuple[list[PriceVersion], list[PackVersion]]:
        prices, packs = tx.gather((sql.PRICE_VERSIONS, {}), (sql.PACK_VERSIONS, {}))
        return [published.read_price(row) for row in prices], [published.read_pack(row) for row in packs]

    def _note(self, tx: Tx, added: int, row: Mapping[str, Any], action: str, more: Mapping[str, object]) -> None:
        """Keep who published a version, if it was added."""
        if not added:
            msg = "Another version was published for that instant just now. Nothing was changed. Try again to see it."
            raise LedgerConflict(msg)
        detail = {name: value for name, value in row.items() if name not in ("published_at", "actor")}
        note(self._books, tx, row["published_at"], row["actor"], action, _ALL, detail | dict(more))

    def _write(self, work: Callable[[Tx], _Result]) -> _Result:
        try:
            return self._books.database.write(work)
        finally:
            # Also when it failed: a commit may be in doubt.
            self._token = object()

    # The snapshot.

    def _known(self) -> _Snapshot:
        return self._fresh() or self._read()

    def _fresh(self) -> _Snapshot | None:
        known = self._snapshot
        if known is None or known.token is not self._token:
            return None
        age = self._clock.monotonic() - known.read_at
        return known if age * MICRO < self._refresh_us else None

    def _read(self) -> _Snapshot:
        """Read both tables; its age counts from before, and a publish meanwhile makes it old at once."""
        token, read_at = self._token, self._clock.monotonic()
        prices, packs, ahead = self._books.database.read(self._look)
        by_feature = dict[str, tuple[PriceVersion, ...]]()
        for version in prices:
            by_feature[version.feature] = (*by_feature.get(version.feature, ()), version)
        known = self._snapshot = _Snapshot(
            token=token, read_at=read_at, ahead=ahead, prices=by_feature, packs=tuple(packs)
        )
        return known

    def _look(self, tx: Tx) -> tuple[list[PriceVersion], list[PackVersion], int]:
        prices, packs = self._tables(tx)
        here, now = self._clock.now(), self._books.now(tx)
        # One machine has one clock; a server's is the one that all hosts share.
        return prices, packs, now - here if self._books.database.postgres else 0

    def _at(self, known: _Snapshot, at: int | None) -> int:
        return self._clock.now() + known.ahead if at is None else at
