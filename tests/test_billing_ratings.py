"""What users said of each feature, as operators read it."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ai_addons.billing.feedback import FeedbackBox
from ai_addons.billing.ratings import Comment, FeatureRatings, feature_ratings, read_ratings
from tests.books import OK, Books

if TYPE_CHECKING:
    from ai_addons.billing.ratings import RatingsReport

pytestmark = pytest.mark.usefixtures("each_database")


def say(books: Books, feature: str, rating: int | None, comment: str | None, *, business: str = "biz_7") -> None:
    """A call, and what its user says of it a second later."""
    hold = books.hold("1", feature=feature, business=business)
    books.store.capture(hold, OK)
    books.clock.advance(1)
    box = FeedbackBox(books.opened, str)
    recommend = None if rating else 9
    box.put(business, hold.call.id, user="u_1", rating=rating, recommend=recommend, comment=comment)


def report(books: Books, **asked: object) -> RatingsReport:
    """What is read without further wishes, but for those."""
    wishes: dict[str, object] = {"since": None, "business": None, "feature": None, "comments": 10} | asked
    return read_ratings(books.database, **wishes)  # type: ignore[arg-type]  # as above


def test_stars_are_counted_by_feature_and_comments_come_newest_first() -> None:
    """Since a time, of a business, of a feature; nobody is told who wrote."""
    with closing(Books("50")) as books:
        books.buy("50", "o", business="biz_8")
        begin = books.clock.now()
        say(books, "menu_idea", 5, "first")
        say(books, "menu_idea", 2, None)
        say(books, "chalk_sign", 4, "second", business="biz_8")
        say(books, "chalk_sign", None, "third")
        found = report(books)
        assert [(one.feature, one.stars) for one in found.features] == [
            ("chalk_sign", (0, 0, 0, 1, 0)),
            ("menu_idea", (0, 1, 0, 0, 1)),
        ]
        assert found.comments[0] == Comment(
            at=begin + 4_000_000, business="biz_7", feature="chalk_sign", rating=None, recommend=9, comment="third"
        )
        assert [one.comment for one in found.comments] == ["third", "second", "first"]
        assert [one.comment for one in report(books, comments=1).comments] == ["third"]
        assert report(books, comments=0).comments == ()
        of_one = report(books, business="biz_8")
        assert [one.comment for one in of_one.comments] == ["second"]
        assert [(one.feature, one.ratings) for one in of_one.features] == [("chalk_sign", 1)]
        assert [one.comment for one in report(books, feature="menu_idea").comments] == ["first"]
        late = report(books, since=begin + 2_000_000)
        assert [(one.feature, one.ratings) for one in late.features] == [("chalk_sign", 1), ("menu_idea", 1)]
        assert [one.comment for one in late.comments] == ["third", "second"]
        assert report(books, business="nobody").features == ()


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_a_share_of_good_stars_has_its_interval() -> None:
    """Of ten ratings, eight of four or five: Wilson's interval of 8 of 10 is 49.0 % to 94.3 %."""
    assert feature_ratings("menu_idea", {5: 6, 4: 2, 1: 2}) == FeatureRatings(
        feature="menu_idea",
        ratings=10,
        stars=(2, 0, 0, 2, 6),
        mean=Decimal("4.000000"),
        good=8,
        good_share=Decimal("0.800000"),
        interval=(Decimal("0.490162"), Decimal("0.943318")),
    )
    with pytest.raises(ValueError, match="menu_idea was not rated"):
        feature_ratings("menu_idea", {})


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("comments", [-1, 201])
def test_another_number_of_comments_is_refused(comments: int) -> None:
    """Before anything is read."""
    with closing(Books("0")) as books, pytest.raises(ValueError, match="0 to 200 comments"):
        report(books, comments=comments)
