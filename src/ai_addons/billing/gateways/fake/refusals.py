"""What the fake gateway refuses, in Paystack's words where they are known."""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """Code, HTTP status and message of a refusal."""

    INVALID_KEY = ("invalid_Key", 401, "Invalid key")
    INVALID_EMAIL = ("invalid_email_address", 400, "Invalid Email Address Passed")
    INVALID_AMOUNT = ("invalid_amount", 400, "Invalid Amount Sent")
    INVALID_CURRENCY = ("unsupported_currency", 400, "Currency not supported by merchant")
    INVALID_REFERENCE = ("invalid_reference", 400, "Only -, ., = and alphanumeric characters are allowed")
    INVALID_BODY = ("invalid_params", 400, "The request body or query cannot be read")
    DUPLICATE = ("duplicate_reference", 400, "Duplicate Transaction Reference")
    UNKNOWN_PAYMENT = ("transaction_not_found", 404, "Transaction reference not found.")
    UNKNOWN_CHECKOUT = ("not_found", 404, "There is no such checkout.")
    UNKNOWN_REFUND = ("refund_not_found", 404, "Refund not found")
    UNKNOWN_DISPUTE = ("dispute_not_found", 404, "Dispute not found")
    UNKNOWN_CARD = ("invalid_authorization_code", 400, "Authorization code is invalid for this email")
    UNKNOWN_CALL = ("not_found", 404, "This call is not known here.")
    ALREADY_PAID = ("already_paid", 400, "This is paid already.")
    NO_CODE_WANTED = ("no_otp_expected", 400, "This charge does not wait for a code.")
    NOT_REFUNDABLE = ("transaction_not_refundable", 400, "Transaction was not paid, or went back in full")
    TOO_MUCH = ("invalid_refund_amount", 400, "Refund amount cannot be more than what is left")
    NO_SUCH_STEP = ("invalid_state", 400, "It cannot go there from where it is.")
    NOT_CONTESTABLE = ("invalid_dispute", 400, "Only what was paid can be contested.")


class Refused(Exception):
    """The gateway does not do this.

    Args:
        why: Which refusal.
    """

    def __init__(self, why: Refusal) -> None:
        self.code, self.status, self.message = why.value
        super().__init__(self.message)
