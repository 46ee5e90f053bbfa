"""What users said of each feature: stars counted, how sure a good share is, and their newest words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.kpis.intervals import share_of, wilson
from ai_addons.billing.sql import figures as sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from ai_addons.billing.kpis.intervals import Interval
    from ai_addons.billing.sql import Database, Row

MOST_COMMENTS: Final = 200

_STARS: Final = (1, 2, 3, 4, 5)
_GOOD: Final = (4, 5)
_BEGIN: Final = -(2**62)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRatings:
    """The stars that one feature was given, by those who rated it, who are not all.

    Attributes:
        feature: Its key.
        ratings: How many.
        stars: How many of one star, of two, and so on to five.
        mean: Their mean, six places.
        good: How many of four or five stars.
        good_share: Their share, six places.
        interval: 95 % Wilson interval of that share.
    """

    feature: str
    ratings: int
    stars: tuple[int, ...]
    mean: Decimal
    good: int
    good_share: Decimal
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody wrote about a result, masked; who it was is not told.

    Attributes:
        at: When, UTC microseconds.
        business: Whose call it was about.
        feature: Which feature had answered.
        rating: 1 to 5 stars; None if not said.
        recommend: 0 to 10; None if not said.
        comment: The masked text.
    """

    at: int
    business: str
    feature: str
    rating: int | None
    recommend: int | None
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingsReport:
    """What users said. For operators only.

    Attributes:
        features: The stars by feature, in the order of their keys.
        comments: The newest comments first.
    """

    features: tuple[FeatureRatings, ...]
    comments: tuple[Comment, ...]


def read_ratings(
    database: Database, *, since: int | None, business: str | None, feature: str | None, comments: int
) -> RatingsReport:
    """Count what users said.

    Args:
        database: Where it is kept.
        since: The first instant, UTC microseconds; None for all.
        business: Whose calls; None for those of all.
        feature: Of which feature; None for all.
        comments: How many of the newest comments, 0 to 200.

    Raises:
        ValueError: For another number of comments.
        StoreUnavailable: If the database cannot be read.
    """
    if not 0 <= comments <= MOST_COMMENTS:
        msg = f"0 to {MOST_COMMENTS} comments can be read, not {comments}"
        raise ValueError(msg)
    asked = {"since": _BEGIN if since is None else since, "business": business, "feature": feature}
    counted, said = database.read(lambda tx: tx.gather((sql.STARS, asked), (sql.COMMENTS, asked | {"most": comments})))
    counts = defaultdict[str, dict[int, int]](dict)
    for row in counted:
        counts[row.feature][row.rating] = row.answers
    return RatingsReport(
        features=tuple(feature_ratings(key, counts[key]) for key in sorted(counts)),
        comments=tuple(map(_comment, said)),
    )


def feature_ratings(feature: str, counts: Mapping[int, int]) -> FeatureRatings:
    """Sum up the stars of a feature.

    Args:
        feature: Its key.
        counts: How often each number of stars was given; at least one.
    """
    stars = tuple(counts.get(number, 0) for number in _STARS)
    total, good = sum(stars), sum(counts.get(number, 0) for number in _GOOD)
    mean = share_of(sum(number * counts.get(number, 0) for number in _STARS), total)
    share, interval = share_of(good, total), wilson(good, total)
    if mean is None or share is None or interval is None:
        msg = f"{feature} was not rated"
        raise ValueError(msg)
    return FeatureRatings(
        feature=feature, ratings=total, stars=stars, mean=mean, good=good, good_share=share, interval=interval
    )


def _comment(row: Row) -> Comment:
    return Comment(
        at=row.at,
        business=row.business_id,
        feature=row.feature,
        rating=row.rating,
        recommend=row.recommend,
        comment=row.comment,
    )
