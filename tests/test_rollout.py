"""For whom a feature is on: the rule itself, and everything that asks it."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ai_addons import AddOns, NotEnabled, bill_to
from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from ai_addons.rollout import is_on, place, read_percentage
from ai_addons.settings import Settings
from ai_addons.testing import FakeLlm, kit_settings
from ai_addons.web import Principal
from ai_addons.web.base import Answer, Context, Endpoint
from ai_addons.web.endpoints.pricing import ENDPOINTS as PRICING
from tests import ui_shop
from tests.features import AMA, opinion, opinion_async
from tests.web import Shop

if TYPE_CHECKING:
    from pathlib import Path

BUSINESSES = [f"biz_{number}" for number in range(10_000)]
FEATURE = "opinion"
IN, OUT = "biz_7", "biz_0"
"""The first of them that is in at ten per cent, and one that is not."""


def chosen(percent: str, feature: str = FEATURE) -> set[str]:
    """The businesses that a percentage takes."""
    return {business for business in BUSINESSES if is_on(Decimal(percent), feature, business)}


# The rule.


@pytest.mark.parametrize(
    ("enabled", "business", "on"),
    [
        (True, "biz_1", True),
        (True, None, True),
        (False, "biz_1", False),
        (False, None, False),
        (("biz_1", "biz_2"), "biz_2", True),
        (("biz_1", "biz_2"), "biz_3", False),
        (("biz_1", "biz_2"), None, True),
        ((), "biz_1", False),
        ((), None, False),
        (Decimal(10), IN, True),
        (Decimal(10), OUT, False),
        (Decimal(10), None, True),
        (Decimal("0.000001"), None, True),
        (Decimal(0), None, False),
    ],
)
def test_on_for_all_for_some_for_none(enabled: Any, business: str | None, on: bool) -> None:
    """With no business the question is whether it is on for anybody."""
    assert is_on(enabled, FEATURE, business) is on


@pytest.mark.parametrize(
    ("percent", "count"),
    [("0", 0), ("0.01", 2), ("1", 93), ("2.5", 240), ("10", 1_017), ("50", 5_005), ("99", 9_906), ("100", 10_000)],
)
def test_a_percentage_takes_that_share(percent: str, count: int) -> None:
    """Of ten thousand businesses, exactly the same ones on every machine."""
    assert len(chosen(percent)) == count


def test_who_is_in_stays_in_when_the_percentage_grows() -> None:
    """Each step keeps all of the one before and takes more."""
    steps = [chosen(percent) for percent in ("0", "0.5", "1", "10", "10.000001", "33.333333", "75", "100")]
    assert all(before <= after for before, after in pairwise(steps))
    assert len(steps[0]) < len(steps[1]) < len(steps[2]) < len(steps[3]) < len(steps[5]) < len(steps[6])


def test_another_feature_begins_with_other_businesses() -> None:
    """Two tenths, drawn apart, have about a hundredth in common."""
    assert len(chosen("10") & chosen("10", "slogan")) == 77


@pytest.mark.parametrize(
    ("feature", "business", "where"),
    [
        ("opinion", "biz_0", 6_777_262_361_352_666_010),
        ("opinion", "", 6_387_434_933_227_450_776),
        ("opinion", "\N{LATIN SMALL LETTER OPEN E}-\ud800", 12_380_089_317_522_249_175),
        ("a", "b:c", 15_254_034_875_035_938_518),
        ("a:b", "c", 6_870_175_160_933_818_539),
    ],
)
def test_a_place_never_changes(feature: str, business: str, where: int) -> None:
    """A changed place would take the feature away from businesses that use it."""
    assert place(feature, business) == where


def test_the_limit_itself_is_out() -> None:
    """Exact whatever precision the host calculates with: at its own place a business is out, a hair above it in."""
    own = Decimal(place(FEATURE, IN)) * 100  # 22 digits
    with localcontext(prec=200):
        limit = own / 2**64
        above = limit + Decimal("1e-60")
    with localcontext(prec=3):
        assert not is_on(limit, FEATURE, IN)
        assert is_on(above, FEATURE, IN)


# The setting.


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("10%", Decimal(10)),
        (" 2.5 % ", Decimal("2.5")),
        ("0%", Decimal(0)),
        ("100%", Decimal(100)),
        ("100.000000%", Decimal(100)),
        ("0.000001%", Decimal("0.000001")),
        (Decimal("33.3"), Decimal("33.3")),
        (True, True),
        (False, False),
        ("true", True),
        ("0", False),
        (1, True),
        (["biz_1"], ("biz_1",)),
    ],
)
def test_what_may_be_written(given: object, read: object) -> None:
    """A percentage beside what could be written before."""
    got = Settings(features={FEATURE: {"enabled": given}}).features[FEATURE].enabled
    assert (got, type(got)) == (read, type(read))


@pytest.mark.parametrize(
    "given",
    [
        "101%",
        "100.000001%",
        "-1%",
        "%",
        "ten%",
        "1e1%",
        "1.1234567%",
        "nan%",
        "\u0661%",
        "10%\n5%",
        "10",
        "-3",
        10,
        0.5,
        -1,
    ],
)
def test_no_percentage(given: object) -> None:
    """From 0 to 100, with its sign: a bare number might be meant as a share of one."""
    with pytest.raises(ConfigError, match=r"'features\.opinion\.enabled': .* is no percentage from 0 to 100; write e"):
        Settings(features={FEATURE: {"enabled": given}})


@pytest.mark.parametrize("given", [Decimal(101), Decimal(-1), Decimal("0.0000001"), "maybe", "biz_1", None, {}])
def test_neither_a_percentage_nor_anything_else(given: object) -> None:
    """What is no number is told with all that may be written."""
    with pytest.raises(ConfigError, match=r"'features\.opinion\.enabled': Input should be a valid boolean"):
        Settings(features={FEATURE: {"enabled": given}})


def test_other_values_are_left_to_pydantic() -> None:
    """Lists and words go through as they are."""
    values: list[object] = [True, "on", ["10%"], None, Decimal(7)]
    assert [read_percentage(value) for value in values] == values


def test_it_is_read_from_files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over TOML, as everywhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ai_addons.toml").write_text('[features.opinion]\nenabled = "2.5%"\n')
    assert Settings().features[FEATURE].enabled == Decimal("2.5")
    monkeypatch.setenv("AI_ADDONS_FEATURES__OPINION__ENABLED", "12%")
    assert Settings().features[FEATURE].enabled == Decimal(12)


# Who asks.


def listed(addons: AddOns, business: str | None = None) -> bool:
    """Whether the feature is on the price list."""
    return FEATURE in [one.key for one in addons.price_list(business).features]


@pytest.mark.parametrize(
    ("enabled", "for_in", "for_out", "for_anybody"),
    [
        (True, True, True, True),
        (False, False, False, False),
        ([IN], True, False, True),
        ([], False, False, False),
        ("10%", True, False, True),
        ("0%", False, False, False),
        ("100%", True, True, True),
    ],
)
def test_the_price_list_of_a_business_has_what_is_on_for_it(
    enabled: object, for_in: bool, for_out: bool, for_anybody: bool
) -> None:
    """Without a business it has all that is on for anybody."""
    with closing(AddOns(kit_settings(features={FEATURE: {"enabled": enabled}}), environ={})) as addons:
        assert (listed(addons, IN), listed(addons, OUT), listed(addons)) == (for_in, for_out, for_anybody)
        assert (opinion.spec in addons.features(IN), opinion.spec in addons.features(OUT)) == (for_in, for_out)


def test_calls_and_quotes_ask_the_same(ai_llm: FakeLlm) -> None:
    """Sync and async: in for one, `NotEnabled` and nothing asked or booked for the other."""
    settings = kit_settings(features={key: {"enabled": [IN]} for key in (FEATURE, "opinion_async")})
    settings_by_share = kit_settings(features={FEATURE: {"enabled": "10%"}})
    for made in (settings, settings_by_share):
        with closing(AddOns(made, llm=ai_llm, environ={})) as addons, addons, bill_to(OUT):
            with pytest.raises(NotEnabled, match="Nothing was charged"):
                opinion(AMA)
            with pytest.raises(NotEnabled, match="Nothing was charged"):
                opinion.quote(AMA)
            with bill_to(IN):
                assert opinion.quote(AMA).price == Credits(3)
            assert addons.transactions(OUT) == []
    assert ai_llm.calls == []

    async def refused() -> None:
        with pytest.raises(NotEnabled):
            await opinion_async(AMA)
        with pytest.raises(NotEnabled):
            await opinion_async.quote(AMA)

    with closing(AddOns(settings, llm=ai_llm, environ={})) as addons, addons, bill_to(OUT):
        anyio.run(refused)


class Verdict(Answer):
    """A host's own answer."""

    text: str


def _work(context: Context) -> Verdict:
    found = context.addons.till(context.business).bind(opinion)(AMA)
    return Verdict(text=found.verdict)


WORK = Endpoint(
    method="POST",
    path="ai/work/",
    name="work",
    summary="Work.",
    handle=_work,
    action="credits:purchase",
    answer=Verdict,
)


def test_over_http_it_is_off_the_list_and_refused() -> None:
    """403 with its code for who is out, before anything is held; who is in gets as far as the credits."""
    with closing(Shop(endpoints=(*PRICING, WORK), features={FEATURE: {"enabled": "10%"}})) as shop:
        for business, on, answer in ((OUT, False, (403, "not_enabled")), (IN, True, (402, "insufficient_credits"))):
            who = Principal(business_id=business)
            costs = shop.get("ai/pricing/", who=who).body["feature_costs"]
            assert (FEATURE in [one["feature"] for one in costs]) is on
            told = shop.post("ai/work/", who=who)
            assert (told.status, told.code) == answer


@pytest.mark.parametrize("path", ["", "prices/"])
def test_the_pages_show_what_is_on_for_the_shop(path: str) -> None:
    """One of the eight is on for another shop: seven are shown."""
    with closing(ui_shop.Shop(features={"credit_assessment": {"enabled": ["biz_12"]}})) as shop:
        assert "Credit Risk Assessment" not in shop.see(path).text
        assert "AI Report Summary" in shop.see(path).text
        assert "Credit Risk Assessment" in shop.see(path, business="biz_12").text
