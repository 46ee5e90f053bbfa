"""How a claim on an order's credits is booked: taken, given back, frozen, owed and repaid, in a locked wallet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ai_addons.billing import clawback, month_back
from ai_addons.billing.clawback import Claim, Part, Room, Standing
from ai_addons.billing.ledger import WALLET
from ai_addons.billing.policy import Give
from ai_addons.billing.sql import reversals as sql
from ai_addons.billing.wallet import NOTHING
from ai_addons.events import CreditsClawedBack
from ai_addons.money import Credits

if TYPE_CHECKING:
    from ai_addons.billing.books import Books
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.ledger import EntryKind
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

_BAD_DEBT: Final = "bad_debt"
_DEBT: Final = "debt"
_BREAKAGE: Final = "breakage"


def settle_wanting(books: Books, wallet: LockedWallet, at: int) -> None:
    """Look again at every order whose refunds and disputes did not get all they want; harmless at any time.

    Args:
        books: The open books.
        wallet: Whose.
        at: When the credits moved, UTC microseconds.
    """
    if not wallet.claims:
        return
    for row in wallet.tx.rows(sql.WANTING, {"business": wallet.business}):
        settle(books, wallet, read_claim(row), at)


def settle(books: Books, wallet: LockedWallet, claim: Claim, at: int) -> Claim:
    """Book whatever an order's present standing asks for.

    Args:
        books: The open books.
        wallet: Whose.
        claim: What was booked so far, with the standing of now.
        at: When it counts from, UTC microseconds.

    Returns:
        The claim as it is now.
    """
    grants = [wallet.find_grant(source, ref) for source, ref in clawback.grants_of(claim)]
    if claim.month is None:
        rooms = [_room(wallet, part, grant) for part, grant in zip(claim.parts, grants, strict=True)]
    else:
        claim = month_back.shared_out(wallet, claim, grants)
        rooms = month_back.rooms(wallet, claim, grants)
    after = clawback.settle(claim, rooms)
    _move(wallet, claim, after, grants)
    _book(books, wallet, claim, after, at)
    after = _resume(wallet, _repay(wallet, _owe(wallet, claim, after), at))
    wallet.tx.write(sql.PUT_CLAWBACK, _claim_values(wallet.business, after))
    wallet.claims += after.wanting - claim.wanting
    return after


def _room(wallet: LockedWallet, part: Part, grant: Grant | None) -> Room:
    """What a grant of the order has; one that is not given yet may still come."""
    if grant is None:
        return Room(free=NOTHING, pinned=part.amount, lapsed=NOTHING)
    return Room(
        free=grant.free + part.frozen, pinned=grant.held - part.frozen, lapsed=month_back.all_lost(wallet, grant)
    )


def _move(wallet: LockedWallet, before: Claim, after: Claim, grants: list[Grant | None]) -> None:
    """Change the order's grants; a grant that is missing has nothing to change."""
    for old, new, found in zip(before.parts, after.parts, grants, strict=True):
        if found is None:
            continue
        # Thawed first, so that what was frozen can be taken.
        wallet.freeze(found, -old.frozen)
        if new.taken > old.taken:
            wallet.take(wallet.current(found.id), new.taken - old.taken)
        elif new.taken < old.taken:
            wallet.unburn(found, old.taken - new.taken)
        wallet.freeze(wallet.current(found.id), new.frozen)


def _book(books: Books, wallet: LockedWallet, before: Claim, after: Claim, at: int) -> None:
    refunded = f"refunded:{after.order}"
    taken = after.taken - before.taken
    _enter(wallet, "clawback", (WALLET, refunded), taken, after.order, at)
    # Expired credits were income; that money is gone too.
    _enter(wallet, "clawback", (_BREAKAGE, refunded), after.lapsed - before.lapsed, after.order, at)
    _enter(wallet, "write_off", (_BAD_DEBT, refunded), after.written_off - before.written_off, after.order, at)
    _enter(wallet, "debt", (_DEBT, refunded), after.owed - before.owed + after.repaid - before.repaid, after.order, at)
    if after.repaid < before.repaid:
        _return(books, wallet, before, after, at)
    short = _short(after) - _short(before)
    if taken or short:
        wallet.note(CreditsClawedBack(order_id=after.order, taken=taken, short=short))
        facts = {"order": after.order, "taken": str(taken), "written_off": str(after.written_off)}
        wallet.tell("credits.clawed_back", f"clawback:{after.order}:{wallet.seq}", facts | {"owed": str(after.owed)})


def _short(claim: Claim) -> Credits:
    return claim.written_off + claim.owed


def _enter(wallet: LockedWallet, kind: EntryKind, way: tuple[str, str], amount: Credits, order: str, at: int) -> None:
    """Book an amount one way, one below zero the other way, and nothing not at all."""
    debit, credit = way if amount > NOTHING else way[::-1]
    if amount:
        ref = f"{order}:{wallet.seq + 1}"
        wallet.enter(kind, debit=debit, credit=credit, amount=max(amount, -amount), ref=ref, at=at)


def _return(books: Books, wallet: LockedWallet, before: Claim, after: Claim, at: int) -> None:
    """Give back what credits bought later had paid, for the money came back after all."""
    given = Give(
        source="clawback_reversal",
        ref=f"{after.order}:{wallet.seq + 1}",
        amount=before.repaid - after.repaid,
        expires_at=None,
    )
    wallet.receive(given, new_id=books.new_id(at), at=at, debit=_DEBT)


def _repay(wallet: LockedWallet, claim: Claim, at: int) -> Claim:
    """Let credits bought after the debt pay it, oldest first."""
    own = {ref for _, ref in clawback.grants_of(claim)}
    paying = [one for one in wallet.grants if one.paid and one.effective_at > claim.owed_at and one.ref not in own]
    before = claim
    for grant in sorted(paying, key=lambda one: (one.effective_at, one.id)):
        if part := min(grant.free, claim.owed):
            wallet.take(grant, part)
            claim = clawback.repay(claim, part)
    if paid := claim.repaid - before.repaid:
        _enter(wallet, "debt", (WALLET, _DEBT), paid, claim.order, at)
        facts = {"order": claim.order, "amount": str(paid), "owed": str(claim.owed)}
        wallet.tell("debt.repaid", f"debt:{claim.order}:{wallet.seq}", facts)
    return claim


def _owe(wallet: LockedWallet, before: Claim, after: Claim) -> Claim:
    """Note since when is owed, and stop the wallet's calls where the policy says so."""
    if after.owed <= before.owed:
        return after
    suspends = after.policy == "suspend"
    if suspends and wallet.active:
        wallet.status = "suspended"
        wallet.tell("wallet.suspended", f"suspended:{after.order}:{wallet.seq}", {"order": after.order})
    return replace(after, owed_at=before.owed_at if before.owed else wallet.pays_at, suspended=suspends)


def _resume(wallet: LockedWallet, claim: Claim) -> Claim:
    """Let the wallet's calls go on once nothing is owed that stopped them."""
    if not claim.suspended or claim.owed:
        return claim
    others = {row.order_id for row in wallet.tx.rows(sql.SUSPENDING, {"business": wallet.business})}
    if wallet.status == "suspended" and others <= {claim.order}:
        wallet.status = "active"
        wallet.tell("wallet.resumed", f"resumed:{claim.order}:{wallet.seq}", {"order": claim.order})
    return replace(claim, suspended=False)


# The rows.


def read_claim(row: Row) -> Claim:
    """A claim from its row."""
    micro = Credits.from_micro
    return Claim(
        order=row.order_id,
        policy=row.policy,
        paid_minor=row.paid_minor,
        currency=row.currency,
        standing=Standing(row.reversed_minor, row.at_risk_minor),
        parts=(
            Part(amount=micro(row.credits), taken=micro(row.taken), frozen=micro(row.frozen)),
            Part(amount=micro(row.bonus), taken=micro(row.bonus_taken), frozen=micro(row.bonus_frozen)),
        ),
        lapsed=micro(row.lapsed),
        repaid=micro(row.repaid),
        written_off=micro(row.written_off),
        owed=micro(row.owed),
        forgiven=micro(row.forgiven),
        owed_at=row.owed_at,
        suspended=bool(row.suspended),
        wanting=bool(row.wanting),
        month=row.month,
    )


def _claim_values(business: str, claim: Claim) -> dict[str, object]:
    paid, bonus = claim.parts
    return {
        "business_id": business,
        "order_id": claim.order,
        "policy": claim.policy,
        "paid_minor": claim.paid_minor,
        "currency": claim.currency,
        "reversed_minor": claim.standing.reversed_minor,
        "at_risk_minor": claim.standing.at_risk_minor,
        "credits": paid.amount.micro,
        "bonus": bonus.amount.micro,
        "taken": paid.taken.micro,
        "bonus_taken": bonus.taken.micro,
        "frozen": paid.frozen.micro,
        "bonus_frozen": bonus.frozen.micro,
        "lapsed": claim.lapsed.micro,
        "repaid": claim.repaid.micro,
        "written_off": claim.written_off.micro,
        "owed": claim.owed.micro,
        "forgiven": claim.forgiven.micro,
        "owed_at": claim.owed_at,
        "suspended": int(claim.suspended),
        "wanting": int(claim.wanting),
        "month": claim.month,
    }
