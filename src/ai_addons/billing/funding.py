"""Credits in, and what operators put right: grants, trials, adjustments, reversals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing.admission import check_positive
from ai_addons.billing.due import catch_up
from ai_addons.billing.grants import PRIORITY, Grant, GrantSource
from ai_addons.billing.ledger import WALLET
from ai_addons.billing.months import day_start
from ai_addons.billing.operations import note
from ai_addons.billing.policy import Give
from ai_addons.billing.records import Correction, GrantBooking, check_id
from ai_addons.billing.reversal import reverse
from ai_addons.billing.rows import features_text, read_entry, read_grant, read_planned
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.wallet import NOTHING
from ai_addons.errors import BillingError, IdempotencyConflict, InsufficientCreditsError, LimitReached, TrialClaimed
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

_TRIAL: Final = "trial"
_ADJUSTMENT: Final = "adjustment"
_OPERATOR: Final = "operator"
_KEY_VERSION: Final = 1
_UNBORN: Final = ""
"""Id of a grant that will enter the wallet later; it gets its own then."""


class Funding:
    """Gives credits, and corrects the books by new entries; nothing booked is ever changed.

    Args:
        books: The open books.
        trial_budget: Credits that all trials of a day may give together, None for no bound.
    """

    def __init__(self, books: Books, *, trial_budget: Credits | None = None) -> None:
        self._books = books
        self._trial_budget = trial_budget

    def grant(  # noqa: PLR0913  # a grant has that many sides
        self,
        business: str,
        amount: Credits,
        *,
        source: GrantSource,
        ref: str,
        paid: int = 0,
        effective_at: int | None = None,
        expires_at: int | None = None,
        features: Iterable[str] | None = None,
        priority: int | None = None,
    ) -> GrantBooking:
        """Give credits, once per source and reference.

        Args:
            business: Who receives them; its wallet is made if need be.
            amount: How many; more than zero.
            source: Why.
            ref: What makes it unique; the same again changes nothing and says so.
            paid: Micro-GHS really paid for them.
            effective_at: From when they may pay, UTC microseconds; in the future they enter the wallet then.
            expires_at: From when they may no longer pay; None for never.
            features: The only features they pay for; None for all.
            priority: Burns earlier when lower; None for the source's own.

        Raises:
            ValueError: If the amount is not positive, the source unknown, there is no feature among the features, or
                they would expire before they begin.
            IdempotencyConflict: If this source and reference gave something else.
        """
        check_id(business, "a business id")
        check_id(ref, "the reference of a grant")
        check_positive(amount, "a grant")
        if source not in PRIORITY:
            msg = f"a grant's source is one of {', '.join(PRIORITY)}; nothing was booked"
            raise ValueError(msg)
        scope = None if features is None else tuple(sorted(features))
        if scope == ():
            msg = "a grant for no feature could never pay; leave the features out for all; nothing was booked"
            raise ValueError(msg)
        asked = Give(
            source=source,
            ref=ref,
            amount=amount,
            expires_at=expires_at,
            paid=paid,
            features=scope,
            priority=priority,
        )
        key = {"business": business, "source": source, "ref": ref}
        return self._books.on(
            business,
            lambda wallet, found: self._grant(wallet, found, asked, effective_at),
            (sql.GRANT, key),
            (sql.PLANNED, key),
        )

    def _grant(
        self, wallet: LockedWallet, found: Sequence[list[Row]], asked: Give, effective_at: int | None
    ) -> GrantBooking:
        known, planned = found
        if known:
            return _replay(wallet, read_grant(known[0]), asked)
        if planned:
            if planned[0].effective_at != effective_at:
                msg = "This reference begins at another time. Nothing was booked. Use a fresh reference."
                raise IdempotencyConflict(msg)
            return _replay(wallet, read_planned(planned[0]).grant(_UNBORN, planned[0].effective_at), asked)
        begins = wallet.now if effective_at is None else effective_at
        if asked.expires_at is not None and asked.expires_at <= max(begins, wallet.now):
            msg = "a grant must begin before it expires; nothing was booked"
            raise ValueError(msg)
        if begins > wallet.now:
            return self._plan(wallet, asked, begins)
        grant = wallet.receive(asked, new_id=self._books.new_id(wallet.now))
        if wallet.due:
            # A debt is paid, or the order's money went back before its credits came: nobody is told of those credits.
            catch_up(self._books, wallet)
        return GrantBooking(grant=grant, balance=wallet.available, replayed=False)

    @staticmethod
    def _plan(wallet: LockedWallet, asked: Give, begins: int) -> GrantBooking:
        grant = asked.grant(_UNBORN, begins)
        wallet.tx.write(
            sql.PLAN_GRANT,
            {
                "business_id": wallet.business,
                "source": grant.source,
                "source_ref": grant.ref,
                "amount": grant.amount.micro,
                "priority": grant.priority,
                "paid": grant.paid,
                "effective_at": begins,
                "expires_at": grant.expires_at,
                "features": features_text(grant.features),
            },
        )
        wallet.look_again_by(begins)
        return GrantBooking(grant=grant, balance=wallet.available, replayed=False)

    def claim_trial(
        self, business: str, amount: Credits, claims: Mapping[str, str], *, former: Iterable[str] = ()
    ) -> GrantBooking:
        """Give the trial credits, once per business and once per claim key.

        Args:
            business: Who receives them; asking again replays the first answer.
            amount: How many; more than zero.
            claims: Keyed hash to kind (phone, tax id …) of everything known of the owner.
            former: The same under secrets used before, so that a rotated secret still knows old claims.

        Raises:
            ValueError: Without any claim key, or for an amount that is not positive.
            TrialClaimed: If any of the keys had a trial before, in whatever business.
            LimitReached: If the trials of today have given out their budget.
        """
        check_id(business, "a business id")
        check_positive(amount, "a trial")
        if not claims:
            msg = "a trial needs at least one claim key, so that it is given once; nothing was booked"
            raise ValueError(msg)
        before = tuple(former)
        key = {"business": business, "source": _TRIAL, "ref": _TRIAL}
        return self._books.on(
            business, lambda wallet, found: self._claim(wallet, found, amount, claims, before), (sql.GRANT, key)
        )

    def had_trial(self, business: str) -> bool:
        """Whether a business was given its trial credits.

        Raises:
            StoreUnavailable: If the database cannot be read.
        """
        check_id(business, "a business id")
        key = {"business": business, "source": _TRIAL, "ref": _TRIAL}
        return bool(self._books.database.read(lambda tx: tx.rows(sql.GRANT, key)))

    def _claim(
        self,
        wallet: LockedWallet,
        found: Sequence[list[Row]],
        amount: Credits,
        claims: Mapping[str, str],
        former: tuple[str, ...],
    ) -> GrantBooking:
        (known,) = found
        if known:
            return GrantBooking(grant=read_grant(known[0]), balance=wallet.available, replayed=True)
        tx = wallet.tx
        if any(tx.rows(sql.CLAIMED, {"claim": key}) for key in former):
            raise TrialClaimed
        # In one order, so that two owners with keys in common never wait for each other.
        for key in sorted(claims):
            row = {"key_hmac": key, "kind": claims[key], "claimed_at": wallet.now, "key_version": _KEY_VERSION}
            if not tx.changed(sql.ADD_CLAIM, row):
                raise TrialClaimed
        if self._trial_budget is not None:
            self._spend_budget(wallet, amount, self._trial_budget)
        trial = Give(source=_TRIAL, ref=_TRIAL, amount=amount, expires_at=None)
        grant = wallet.receive(trial, new_id=self._books.new_id(wallet.now))
        return GrantBooking(grant=grant, balance=wallet.available, replayed=False)

    def _spend_budget(self, wallet: LockedWallet, amount: Credits, budget: Credits) -> None:
        """Count a trial against what all trials of a day may give, so that a farm of accounts has its bound."""
        day = day_start(wallet.now, self._books.terms.operator_tz)
        made = {"business_id": "", "scope": _TRIAL, "key": "", "per": "day", "starts_at": day, "used": 0, "held": 0}
        place = {"business": "", "of_scope": _TRIAL, "of_key": "", "of_per": "day", "of_start": day}
        wallet.tx.write(sql.MAKE_COUNTER, made)
        (row,) = wallet.tx.rows(sql.COUNTER, place)
        if row.used + amount.micro > budget.micro:
            msg = "The free trials of today are all given out. Nothing was granted. Try again tomorrow, or buy a pack."
            raise LimitReached(msg)
        wallet.tx.write(sql.MOVE_COUNTER, place | {"pinned": 0, "spent": amount.micro})

    # Corrections.

    def adjust(
        self,
        business: str,
        amount: Credits,
        *,
        ref: str,
        actor: str,
        reason: str,
        effective_at: int | None = None,
    ) -> Correction:
        """Give or take credits by hand, once per reference; who and why is kept.

        Args:
            business: Whose wallet.
            amount: More than zero gives, less takes from what is free, in burn order.
            ref: What makes it unique.
            actor: Who decided.
            reason: Why.
            effective_at: When it counts from, UTC microseconds, not later than now; None for now. Only the
                books' dates differ: the credits are there, or gone, at once.

        Raises:
            ValueError: For an amount of zero, or a day to come.
            InsufficientCreditsError: If fewer credits are free than are to be taken.
            IdempotencyConflict: If this reference adjusted by another amount.
        """
        check_id(business, "a business id")
        check_id(ref, "the reference of an adjustment")
        if not amount:
            msg = "an adjustment must give or take something; nothing was booked"
            raise ValueError(msg)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Correction:
            grants, entries = found
            if effective_at is not None and effective_at > wallet.now:
                msg = "an adjustment counts from now or from an earlier day; nothing was booked"
                raise ValueError(msg)
            before = [Credits.from_micro(row.amount) for row in grants] + [
                -Credits.from_micro(row.amount) for row in entries
            ]
            if before:
                if before[0] != amount:
                    msg = (
                        f"This reference adjusted by {before[0].short} credits before, not {amount.short}. "
                        f"Nothing was booked. Use a fresh reference."
                    )
                    raise IdempotencyConflict(msg)
                return Correction(amount=amount, balance=wallet.available, replayed=True)
            self._adjust(wallet, amount, ref, effective_at)
            detail = {"amount": str(amount), "ref": ref, "reason": reason}
            note(self._books, wallet.tx, wallet.now, actor, "adjust", business, detail)
            return Correction(amount=amount, balance=wallet.available, replayed=False)

        key = {"business": business, "ref": ref}
        return self._books.on(
            business, work, (sql.GRANT, key | {"source": _ADJUSTMENT}), (sql.ENTRY_OF, key | {"kind": "adjust"})
        )

    def _adjust(self, wallet: LockedWallet, amount: Credits, ref: str, at: int | None) -> None:
        if amount > NOTHING:
            given = Give(source=_ADJUSTMENT, ref=ref, amount=amount, expires_at=None)
            wallet.receive(given, new_id=self._books.new_id(wallet.now), at=at)
            return
        left = -amount
        if wallet.available < left:
            free = wallet.available
            msg = f"Only {free.short} credits are free to be taken, not {left.short}. Nothing was booked."
            raise InsufficientCreditsError(msg, required=left, available=free)
        for grant in sorted(wallet.grants, key=wallet.policy.burn_key):
            part = min(grant.free, left)
            left -= part
            if part:
                wallet.take(grant, part)
        wallet.enter("adjust", debit=WALLET, credit=_OPERATOR, amount=-amount, ref=ref, at=at)

    def reverse(self, business: str, seq: int, *, actor: str, reason: str) -> Correction:
        """Undo a charge or a grant by an entry of its own, once; who and why is kept.

        The credits of a charge go back to the grants that paid. Those of a grant
        that has expired since expire again.

        Args:
            business: Whose ledger.
            seq: Position of the row to undo.
            actor: Who decided.
            reason: Why.

        Raises:
            BillingError: If there is no such row, it is of another kind, or credits of the grant are spent or held.
        """
        check_id(business, "a business id")

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Correction:
            rows, reversals = found
            if not rows:
                msg = f"This ledger has no row {seq}. Nothing was booked. Look at `ai-addons ledger`."
                raise BillingError(msg)
            entry = read_entry(rows[0])
            if reversals:
                return Correction(amount=entry.amount, balance=wallet.available, replayed=True)
            reverse(wallet, entry)
            if wallet.due:
                # Credits came back to a grant that has ended: nobody is told of credits that cannot pay.
                catch_up(self._books, wallet)
            detail = {"seq": seq, "kind": entry.kind, "amount": str(entry.amount), "reason": reason}
            note(self._books, wallet.tx, wallet.now, actor, "reverse", business, detail)
            return Correction(amount=entry.amount, balance=wallet.available, replayed=False)

        own = {"business": business}
        return self._books.on(
            business,
            work,
            (sql.ENTRY, own | {"seq": seq}),
            (sql.ENTRY_OF, own | {"kind": "reverse", "ref": str(seq)}),
        )


def _replay(wallet: LockedWallet, known: Grant, asked: Give) -> GrantBooking:
    """The grant given before under this source and reference, if it is the same."""
    if known.amount != asked.amount:
        msg = (
            f"This {known.source} reference gave {known.amount.short} credits before, not {asked.amount.short}. "
            f"Nothing was booked. Use a fresh reference."
        )
        raise IdempotencyConflict(msg)
    if _terms(known) != _terms(asked.grant(known.id, known.effective_at)):
        msg = (
            f"This {known.source} reference gave credits of another price, expiry, use or priority before. "
            f"Nothing was booked. Use a fresh reference."
        )
        raise IdempotencyConflict(msg)
    return GrantBooking(grant=known, balance=wallet.available, replayed=True)


def _terms(grant: Grant) -> tuple[object, ...]:
    """What a grant is beside its amount."""
    return grant.paid, grant.expires_at, grant.features, grant.priority
