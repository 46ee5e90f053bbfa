"""The benchmarks of credit and collections: their measures by hand, and the order of the methods on small sizes."""

from __future__ import annotations

import pytest

from benchmarks import _features_collections as collections
from benchmarks import _features_credit as credit
from benchmarks._features_receivables import bills, fortnights, open_on
from benchmarks._features_rows import by_method


@pytest.mark.parametrize(
    ("scores", "bad", "auc"),
    [
        ([1, 2, 3, 4], [False, False, True, True], 1.0),
        ([4, 3, 2, 1], [False, False, True, True], 0.0),
        ([1, 1, 1, 1], [False, True, False, True], 0.5),
        # Of four pairs three are in order; of the second case one is a tie, worth half.
        ([1, 3, 2, 4], [False, False, True, True], 0.75),
        ([1, 2, 2, 4], [False, False, True, True], 0.875),
    ],
)
def test_the_auc_counts_pairs(scores: list[float], bad: list[bool], auc: float) -> None:
    """Every pair of a good and a bad customer counts once, a tie half."""
    assert credit.auc(scores, bad) == auc


def test_the_hand_points_are_above_one_fact() -> None:
    """The full score knows more than the share of late bills, as in the reference."""
    share, *rows = credit.measure(seeds=(0, 1), count=800)
    figures = {row.method: row.figure for row in rows}
    assert figures[credit.POINTS] > figures["one fact (late share)"] > 0.6
    assert 0.1 < share.figure < 0.2


def test_the_hand_formula_is_above_the_usual_ways() -> None:
    """By invoice and by customer more soon-bad money is in its first fifth than in any other's."""
    rows = collections.measure(seeds=(0, 1))
    for what in (collections.MONEY, collections.HITS, collections.CUSTOMERS):
        figures = {name: float(row.figure) for name, row in by_method(rows, what).items()}
        ours = figures.pop(collections.OURS)
        assert ours > 1.3 * max(figures.values())
    money = by_method(rows, collections.MONEY)
    assert money["oldest first"].figure > money["random"].figure


def test_the_score_is_the_share_of_the_top_fifth() -> None:
    """Five items, one in the top fifth, which holds 30 of 40 bad cedis."""
    items = [
        collections.Item(amount=amount, days=0, expected=amount, lot=0, bad=bad)
        for amount, bad in ((10, 10.0), (50, 30.0), (20, 0.0), (5, 0.0), (1, 0.0))
    ]
    assert collections.score(items, collections.METHODS["largest first"]) == (0.75, 1.0)


def test_the_generated_receivables_are_the_same_each_time_and_like_the_references() -> None:
    """Seeded; about 95 open bills, a third of all paid late, some disputed, promised and paid in part."""
    found = bills(3)
    assert found == bills(3)
    late = [bill.paid > bill.due for bill in found]
    assert 0.2 < sum(late) / len(late) < 0.45
    assert {bill.disputed for bill in found} == {bill.part > 0 for bill in found} == {True, False}
    assert 75 < sum(len(open_on(found, day)) for day in fortnights()) / len(fortnights()) < 110
    day = fortnights()[3]
    assert all(bill.as_open(day).outstanding == bill.outstanding(day) for bill in open_on(found, day))
