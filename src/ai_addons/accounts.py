"""`Accounts`: what `AddOns` does with credits, beside the calls themselves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ai_addons.billing.packs import in_micro_ghs
from ai_addons.billing.periods import in_micros
from ai_addons.billing.progress import Stage
from ai_addons.billing.replies import Replies
from ai_addons.billing.service import BillingService
from ai_addons.bookkeeping import Bookkeeping
from ai_addons.errors import ConfigError
from ai_addons.money import MICRO, Credits
from ai_addons.privacy.markers import Pii
from ai_addons.privacy.pseudonyms import pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from ai_addons.billing.grants import GrantSource
    from ai_addons.billing.limiting import Limits
    from ai_addons.billing.payments import Payments
    from ai_addons.billing.policy import Policy
    from ai_addons.billing.profile import BusinessProfile
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.records import (
        Correction,
        GrantBooking,
        Wallet,
        WalletStatus,
    )
    from ai_addons.billing.subscriptions import Subscriptions
    from ai_addons.billing.throttle import Throttle
    from ai_addons.clock import Clock
    from ai_addons.events import EventHook
    from ai_addons.money import Money
    from ai_addons.wiring import Wiring


class Accounts(Bookkeeping):
    """Wallets, grants, limits, add-ons and the books, for the host's back office.

    Args:
        wiring: The parts.
        names: Finds what a feature is called, by its key.
        price: Finds what a feature costs now, by its key.
        is_enabled: Whether a feature, by its key, is switched on for a business.
    """

    def __init__(
        self,
        wiring: Wiring,
        *,
        names: Callable[[str], str],
        price: Callable[[str], Credits],
        is_enabled: Callable[[str, str], bool],
    ) -> None:
        super().__init__(wiring, names=names)
        self._service = partial(
            BillingService,
            wiring.books,
            price=price,
            names=names,
            is_enabled=is_enabled,
            fingerprint=self._fingerprint,
            clock=wiring.clock,
        )

    @property
    def policy(self) -> Policy:
        """The billing policy of every business that has none of its own."""
        return self._wiring.policy

    @property
    def policy_of(self) -> Callable[[str], Policy]:
        """Finds the billing policy of a business: its own, else the default one."""
        return lambda business: self._wiring.policy_named(self.wallet(business).policy)

    # Credits.

    def wallet(self, business: str) -> Wallet:
        """A business's credits now; zeros for one never seen."""
        return self._wiring.store.wallet(business)

    def grant(  # noqa: PLR0913  # a grant has that many sides
        self,
        business: str,
        amount: str | int | Decimal | Credits,
        *,
        source: GrantSource,
        ref: str,
        paid: Money | None = None,
        effective_at: datetime | None = None,
        expires_at: datetime | None = None,
        features: Iterable[str] | None = None,
        priority: int | None = None,
        actor: str | None = None,
    ) -> GrantBooking:
        """Give credits, once per source and reference.

        Args:
            business: Who receives them.
            amount: Credits as str, int, `Decimal` or `Credits`.
            source: Why, e.g. ``adjustment``.
            ref: What makes it unique; a repeat changes nothing and says so.
            paid: What was really paid for them, in cedis; None for nothing.
            effective_at: From when they may pay, with its zone; None for now.
            expires_at: From when they may no longer pay, with its zone; None for never.
            features: The only features they pay for; None for all.
            priority: Burns earlier when lower; None for the source's own.
            actor: The operator who decided, kept in the audit log; None where no operator did.

        Raises:
            ValueError: If the amount is not positive, or they would expire before they begin.
            IdempotencyConflict: If this source and reference gave something else.
        """
        return self._wiring.funding.grant(
            business,
            Credits(amount),
            source=source,
            ref=ref,
            paid=0 if paid is None else in_micro_ghs(paid),
            effective_at=in_micros(effective_at),
            expires_at=in_micros(expires_at),
            features=features,
            priority=priority,
            actor=actor,
        )

    def claim_trial(
        self, business: str, *, phone: str | None = None, tax_id: str | None = None, payment: str | None = None
    ) -> GrantBooking:
        """Give the policy's trial credits, once per business and per owner.

        Args:
            business: Who receives them.
            phone: The owner's phone number; None to ask the host's profile.
            tax_id: The business's tax number; None to ask the host's profile.
            payment: Fingerprint of a payment method.

        Raises:
            ConfigError: If the policy has no trial, or nothing is known of the owner.
            TrialClaimed: If any of these had a trial before, in whatever business.
            LimitReached: If the trials of today have given out their budget.
        """
        policy = self._wiring.policy_named(self.wallet(business).policy)
        if not policy.trial:
            msg = f"The policy {policy.name!r} has no trial. Nothing was granted."
            raise ConfigError(msg)
        profile = self._wiring.books.terms.profile(business)
        known = {"phone": phone or profile.phone, "tax_id": tax_id or profile.tax_id, "payment": payment}
        given = {kind: value for kind, value in known.items() if value}
        if not given:
            msg = "A trial needs a phone number, a tax number or a payment fingerprint. Nothing was granted."
            raise ConfigError(msg)
        keys = self._wiring.keys()
        claims = {keys.trial_claim(kind, value): kind for kind, value in given.items()}
        former = [old.trial_claim(*item) for old in self._wiring.former_keys() for item in given.items()]
        return self._wiring.funding.claim_trial(business, policy.trial, claims, former=former)

    def trial_left(self, business: str) -> Credits:
        """Trial credits that a business may still ask for; zero if there are none, or it had them.

        An owner who had them in another business is told so by `claim_trial` alone.
        """
        policy = self._wiring.policy_named(self.wallet(business).policy)
        return Credits(0) if not policy.trial or self._wiring.funding.had_trial(business) else policy.trial

    def adjust(
        self,
        business: str,
        amount: str | int | Decimal | Credits,
        *,
        ref: str,
        actor: str,
        reason: str,
        effective_at: datetime | None = None,
    ) -> Correction:
        """Give or take credits by hand, once per reference; who and why is kept.

        Args:
            business: Whose wallet.
            amount: More than zero gives, less takes from what is free.
            ref: What makes it unique.
            actor: Who decided.
            reason: Why.
            effective_at: When it counts from in the books, with its zone; None for now.

        Raises:
            InsufficientCreditsError: If fewer credits are free than are to be taken.
            IdempotencyConflict: If this reference adjusted by another amount.
        """
        at = in_micros(effective_at)
        return self._wiring.funding.adjust(
            business, Credits(amount), ref=ref, actor=actor, reason=reason, effective_at=at
        )

    def reverse(self, business: str, seq: int, *, actor: str, reason: str) -> Correction:
        """Undo a charge or a grant by an entry of its own, once; who and why is kept.

        Args:
            business: Whose ledger.
            seq: Position of the row to undo.
            actor: Who decided.
            reason: Why.

        Raises:
            BillingError: If there is no such row, it cannot be reversed, or credits of the grant are spent.
        """
        return self._wiring.funding.reverse(business, seq, actor=actor, reason=reason)

    # Terms of a business.

    @property
    def clock(self) -> Clock:
        """Where this object's time comes from."""
        return self._wiring.clock

    @property
    def profile_of(self) -> Callable[[str], BusinessProfile]:
        """Asks the host what it knows of a business: its name, its zone, its owner's e-mail address."""
        return self._wiring.books.terms.profile

    @property
    def subscriptions(self) -> Subscriptions:
        """Monthly add-ons: taken, paid, cancelled, resumed."""
        return self._wiring.subscriptions

    @property
    def orders(self) -> Payments:
        """Credits bought: orders, attempts to pay them, webhooks of gateways, reconciliation."""
        return self._wiring.payments

    @property
    def limits(self) -> Limits:
        """Spending limits and the kill switch."""
        return self._wiring.limits

    def set_policy(self, business: str, policy: str | None, *, actor: str) -> Wallet:
        """Sell credits to a business by another policy from now on; no credit is lost.

        Args:
            business: Whose wallet.
            policy: Its name; None for the default one.
            actor: Who decided.

        Raises:
            UnknownPlugin: If there is no such policy.
        """
        return self._wiring.operations.set_policy(business, policy, actor=actor)

    def set_status(self, business: str, status: WalletStatus, *, actor: str, reason: str) -> Wallet:
        """Stop a business's calls (``suspended``, ``closed``) or let it go on (``active``)."""
        return self._wiring.operations.set_status(business, status, actor=actor, reason=reason)

    def pause(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> None:
        """Pull the kill switch: no new holds; free repeats and calls in progress go on.

        Args:
            business: For one business; None for all.
            feature: For one feature; None for all.
            actor: Who decided.
            reason: Why; kept in the audit log.
        """
        self._wiring.limits.pause(business=business, feature=feature, actor=actor, reason=reason)

    def resume(
        self, *, business: str | None = None, feature: str | None = None, actor: str, reason: str | None = None
    ) -> bool:
        """Release the kill switch that was pulled with the same arguments; whether it was."""
        return self._wiring.limits.resume(business=business, feature=feature, actor=actor, reason=reason)

    def erase(
        self, business: str, *, user: str | None = None, actor: str, on_progress: OnProgress | None = None
    ) -> None:
        """Forget who made a business's calls; its books stay whole to the last micro-credit.

        Without a user, the business's pseudonyms cannot be made again either; later ones are new.

        Args:
            business: Whose calls.
            user: One user; None for all, and the business's stored answers too.
            actor: Who decided.
            on_progress: Is told of every sort of rows that was gone through, and of the stored answers.
        """
        self._wiring.operations.erase(business, user=user, actor=actor, on_progress=on_progress)
        if user is None:
            stage = Stage(on_progress, "stored answers dropped")
            stage.add(self.answers.clear(business=business))

    def pseudonym(self, business: str, kind: Pii, value: str) -> str:
        """A stable name for somebody's data, for a host's own logs: it joins their lines and says nothing.

        All spellings of one value that masking takes for the same have one pseudonym;
        another business has another one. It is not for prompts, where placeholders stand.

        Args:
            business: Whose customer.
            kind: What sort of data, e.g. ``Pii.PHONE``.
            value: The value, however it is written.

        Returns:
            ``k1:`` with the number of the secret, and 16 letters and digits.

        Raises:
            ConfigError: If there is no secret to make it with.
            ValueError: For `Pii.AMOUNT` and `Pii.DROP`, which name nobody, and for a value without a letter or digit.
        """
        return self.pseudonyms(business, kind, value)[0]

    def pseudonyms(self, business: str, kind: Pii, value: str) -> tuple[str, ...]:
        """What somebody's data is called in logs: under the secret of now first, then under each of `former_secrets`.

        Search old logs for all of them; write the first. Arguments and errors are those of `pseudonym`.
        """
        if kind in {Pii.AMOUNT, Pii.DROP}:
            msg = f"Pii.{kind.name} is no sort of data that has a pseudonym; none was made"
            raise ValueError(msg)
        numbered = self._wiring.numbered_keys()
        salt = self._wiring.salts.of(business)
        return tuple(
            pseudonym(keys.pseudonym_key(business, version, salt), version, kind.kind, value)
            for version, keys in numbered
        )

    # Work that a host does itself.

    @property
    def billing(self) -> BillingService:
        """The four methods of the first plan, for work that a host does itself; without cost and margin."""
        return self._service()

    @property
    def operator_billing(self) -> BillingService:
        """The same with cost and margin; never show its results to a shop."""
        return self._service(operator=True)

    # What web endpoints work with.

    @property
    def throttle(self) -> Throttle:
        """How often costly endpoints may be asked."""
        return self._wiring.throttle

    @property
    def replies(self) -> Replies:
        """Answers under a client's ``Idempotency-Key``."""
        keep = round(self._wiring.settings.web.keep_replies.total_seconds() * MICRO)
        return Replies(self._wiring.books, keep=keep, fingerprint=self._fingerprint)

    @property
    def hooks(self) -> tuple[EventHook, ...]:
        """Everyone in this process who is told what happens."""
        return self._wiring.hooks

    def _fingerprint(self, feature: str, asked: Mapping[str, object]) -> str:
        return self._wiring.keys().request_hash(feature, "charge", asked, {})
