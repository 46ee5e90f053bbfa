"""What users say of results: a rating, whether they would recommend it, a masked comment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.records import check_id
from ai_addons.billing.sql import figures as sql
from ai_addons.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.billing.books import Books
    from ai_addons.billing.sql import Tx

LONGEST_COMMENT: Final = 2_000
"""Characters of a comment."""

_RATINGS: Final = range(1, 6)
_RECOMMENDATIONS: Final = range(11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a user said of one result.

    Attributes:
        business: Whose call it was.
        transaction_id: Which call.
        user: Who says it; None if unknown.
        feature: Which feature answered.
        rating: 1 to 5 stars; None if not said.
        recommend: 0 to 10, how likely they would recommend it; None if not said.
        comment: In their words, masked; None without one.
        at: When, UTC microseconds.
    """

    business: str
    transaction_id: str
    user: str | None
    feature: str
    rating: int | None
    recommend: int | None
    comment: str | None
    at: int


class FeedbackBox:
    """Keeps the last word of each user on each call.

    Args:
        books: The open books.
        mask: Replaces personal data in a text.
    """

    def __init__(self, books: Books, mask: Callable[[str], str]) -> None:
        self._books = books
        self._mask = mask

    def put(
        self,
        business: str,
        transaction_id: str,
        *,
        user: str | None,
        rating: int | None,
        recommend: int | None,
        comment: str | None,
    ) -> Feedback:
        """Keep what a user says of a call; a later word replaces the earlier one.

        Raises:
            ValueError: If it says nothing, or a number or the comment is out of bounds.
            NotFound: If the business made no such call.
            PrivacyRefused: If the comment cannot be masked safely; nothing was kept.
        """
        check_id(business, "a business id")
        check_id(transaction_id, "a transaction id")
        if user is not None:
            check_id(user, "a user id")
        check_feedback(rating, recommend, comment)
        # Before the transaction: a masker may be slow, and nobody is to wait for it.
        said = self._mask(comment) if comment else None

        def work(tx: Tx) -> Feedback:
            row = tx.one(sql.FEATURE_OF, {"business": business, "key": transaction_id})
            if row is None:
                raise NotFound
            made = Feedback(
                business=business,
                transaction_id=transaction_id,
                user=user,
                feature=row.feature,
                rating=rating,
                recommend=recommend,
                comment=said,
                at=self._books.now(tx),
            )
            tx.write(sql.PUT_FEEDBACK, _values(made))
            return made

        return self._books.database.write(work)


def check_feedback(rating: int | None, recommend: int | None, comment: str | None) -> None:
    """Refuse what is no answer to either question.

    Raises:
        ValueError: If neither number is given, one is out of bounds, or the comment is no text or too long.
    """
    if rating is None and recommend is None:
        msg = "feedback needs a rating from 1 to 5 or a recommendation from 0 to 10; nothing was kept"
        raise ValueError(msg)
    for name, value, bounds in (("rating", rating, _RATINGS), ("recommend", recommend, _RECOMMENDATIONS)):
        if value is not None and (type(value) is not int or value not in bounds):
            msg = f"{name} is a whole number from {bounds[0]} to {bounds[-1]}; nothing was kept"
            raise ValueError(msg)
    if comment is not None and len(comment) > LONGEST_COMMENT:
        msg = f"a comment is at most {LONGEST_COMMENT} characters; nothing was kept"
        raise ValueError(msg)


def _values(made: Feedback) -> dict[str, object]:
    return {
        "business_id": made.business,
        "transaction_id": made.transaction_id,
        # Part of the key, so it cannot be missing; no user has an empty id.
        "user_id": made.user or "",
        "feature": made.feature,
        "rating": made.rating,
        "recommend": made.recommend,
        "comment": made.comment,
        "at": made.at,
    }
