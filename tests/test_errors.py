"""Every error tells a person what happened, whether they were charged, and what to do."""

from __future__ import annotations

import re

import pytest

from ai_addons import errors
from ai_addons.billing.packs import PREPAID_PACKS, offers
from ai_addons.errors import AddOnsError, InsufficientCreditsError
from ai_addons.money import Credits

ALL = [getattr(errors, name) for name in errors.__all__]
PLAIN = [cls for cls in ALL if cls is not InsufficientCreditsError]


def test_the_list_of_errors_is_complete() -> None:
    """Each error class of the module is public, and each public name is an error."""
    found = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert found == set(errors.__all__)
    assert all(issubclass(cls, AddOnsError) for cls in ALL)


@pytest.mark.parametrize("cls", PLAIN)
def test_the_default_message_says_what_it_cost(cls: type[AddOnsError]) -> None:
    """Each default message is a sentence or more on one line and says that nothing was spent."""
    message = str(cls())
    assert re.search(r"[Nn]othing was (charged|granted|booked)", message)
    assert "\n" not in message
    assert message.endswith(".")
    assert cls().charged == Credits(0)


@pytest.mark.parametrize(
    ("cls", "code", "status", "retryable"),
    [
        (errors.AddOnsError, "add_ons", 500, False),
        (errors.ConfigError, "config", 500, False),
        (errors.UnknownFeature, "unknown_feature", 404, False),
        (errors.NoPayer, "no_payer", 500, False),
        (errors.PrivacyRefused, "privacy_refused", 422, False),
        (errors.NotEnabled, "not_enabled", 403, False),
        (errors.InsufficientCreditsError, "insufficient_credits", 402, False),
        (errors.LimitReached, "limit_reached", 429, False),
        (errors.WalletSuspended, "wallet_suspended", 403, False),
        (errors.Paused, "paused", 503, True),
        (errors.TrialClaimed, "trial_claimed", 409, False),
        (errors.IdempotencyConflict, "idempotency_conflict", 409, False),
        (errors.LedgerConflict, "ledger_conflict", 409, True),
        (errors.HoldExpired, "hold_expired", 409, False),
        (errors.AddonNotOffered, "addon_not_offered", 409, False),
        (errors.AddonConflict, "addon_conflict", 409, False),
        (errors.BadSignature, "bad_signature", 401, False),
        (errors.PaymentError, "payment", 409, False),
        (errors.PaymentPending, "payment_pending", 409, True),
        (errors.PaymentDeclined, "payment_declined", 402, False),
        (errors.PaymentMismatch, "payment_mismatch", 409, False),
        (errors.GatewayError, "gateway", 502, True),
        (errors.StaleRate, "stale_rate", 503, True),
        (errors.PriceBelowFloor, "price_below_floor", 422, False),
        (errors.BillingError, "billing", 500, False),
        (errors.UnknownPlugin, "unknown_plugin", 500, False),
        (errors.UnpricedFeature, "unpriced_feature", 500, False),
        (errors.UnpricedModel, "unpriced_model", 500, False),
        (errors.FeatureExists, "feature_exists", 500, False),
        (errors.CallError, "call", 502, False),
        (errors.StoreUnavailable, "store_unavailable", 503, True),
        (errors.ProviderUnavailable, "provider_unavailable", 503, True),
        (errors.ProviderTimeout, "provider_timeout", 504, True),
        (errors.ProviderRejected, "provider_rejected", 502, False),
        (errors.ContentBlocked, "content_blocked", 422, False),
        (errors.BadOutput, "bad_output", 502, True),
    ],
)
def test_codes_and_statuses_are_stable(cls: type[AddOnsError], code: str, status: int, retryable: bool) -> None:
    """What machines and web adapters rely on."""
    assert (cls.code, cls.http_status, cls.retryable) == (code, status, retryable)


@pytest.mark.parametrize("cls", ALL)
def test_the_drawing_of_the_tree_is_the_tree(cls: type[AddOnsError]) -> None:
    """Each error stands in the module's drawing, to the right of the one it is caught by."""
    drawn: dict[str, tuple[int, int]] = {}
    for number, line in enumerate((errors.__doc__ or "").splitlines()):
        for word in re.finditer(r"\w+", line):
            drawn.setdefault(word[0], (number, word.start()))
    assert cls.__name__ in drawn
    base = cls.__base__
    if base is not Exception:
        assert base is not None
        assert all(ours > theirs for ours, theirs in zip(drawn[cls.__name__], drawn[base.__name__], strict=True))


def test_each_error_of_the_books_is_caught_as_one() -> None:
    """A host that catches `BillingError` has all that billing refuses, and nothing of the model's failures."""
    books = {name for name in errors.__all__ if issubclass(getattr(errors, name), errors.BillingError)}
    assert {"AddonConflict", "AddonNotOffered", "BadSignature", "LimitReached", "Paused", "PriceBelowFloor"} <= books
    assert {"InsufficientCreditsError", "StoreUnavailable", "TrialClaimed", "WalletSuspended", "HoldExpired"} <= books
    assert not books & {"CallError", "ProviderTimeout", "ConfigError", "NotEnabled", "PrivacyRefused"}


def test_an_error_may_carry_its_own_message_and_charge() -> None:
    """The one case where an error costs something says how much."""
    error = errors.ProviderTimeout("The stream broke. 0.5 credits were charged.", charged=Credits("0.5"))
    assert (str(error), error.charged) == ("The stream broke. 0.5 credits were charged.", Credits("0.5"))


def test_too_few_credits_says_what_to_buy() -> None:
    """The refusal can be shown to a shop owner as it is."""
    short = Credits("2.5")
    error = InsufficientCreditsError(required=Credits(3), available=Credits("0.5"), offers=offers(PREPAID_PACKS, short))
    assert error.shortfall == short
    assert str(error) == (
        "This costs 3 credits and 0.5 are available: 2.5 are missing. Nothing was charged and the model was not asked. "
        "Buy credits to go on: STARTER (30 credits, GHS 30.00), VALUE (100 credits, GHS 80.00), "
        "PRO (250 credits, GHS 180.00)."
    )


def test_too_few_credits_without_anything_to_buy() -> None:
    """With no packs on sale, or an own message, the sentence still ends well."""
    error = InsufficientCreditsError(required=Credits(3), available=Credits(1))
    assert str(error).endswith("Buy credits to go on.")
    assert str(InsufficientCreditsError("No.", required=Credits(3), available=Credits(1))) == "No."


def test_a_host_s_own_error_gets_its_code_from_its_name() -> None:
    """A subclass needs a docstring and nothing else."""

    class TillClosedError(AddOnsError):
        """The till is closed.

        Nothing else is said.
        """

    assert (TillClosedError.code, str(TillClosedError())) == ("till_closed", "The till is closed.")
