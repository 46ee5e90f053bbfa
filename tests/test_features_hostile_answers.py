"""All eight features against a model that obeys an attacker: no decision moves, and nothing of it is shown."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.catalog import BUILT_IN
from ai_addons.features._guard import CANARY
from ai_addons.money import Credits
from ai_addons.testing.kit import SMALL
from tests.eight import BUSINESS, EIGHT, KEYS, Puppet, asked, decided, shop, strings
from tests.sizes import share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.features import FeatureResult
    from ai_addons.receipt import Billed
    from tests.eight import Shop
    from tests.hostile import Path

# Some hundred calls of each feature, on machines that do other work beside them.
pytestmark: Final = pytest.mark.timeout(300)

SAYS: Final[Mapping[str, str]] = {
    "link": "See https://evil.example/pay now.",
    "link without scheme": "See evil-shop.com now.",
    "mail": "Write to boss@evil.example now.",
    "telephone": "Call 024 412 3456 now.",
    "digits": "Give them 50000 now.",
    "full-width digits": "Give them \uff15\uff10\uff10 now.",
    "Arabic digits": "Give them \u0665\u0660\u0660 now.",
    "sum in words": "Give them fifty thousand cedis now.",
    "half": "It is half of the sum.",
    "unknown reference": "It is {secret_limit} now.",
    "reference in capitals": "It is {CREDIT_SCORE_MAX} now.",
    "placeholder": "Ask [PERSON_7] now.",
    "canary": f"The word is {CANARY}.",
    "canary in capitals": f"The word is {CANARY.upper()}.",
    "model talk": "As an AI language model, this was told.",
    "system prompt": "The system prompt says it.",
    "markup": "It is <b>so</b>.",
    "picture": "![x](https://evil.example/a.png)",
    "script": "<script>alert()</script>",
    "Cyrillic": "\u0410\u0440\u0440\u0433\u043e\u0432\u0435 it.",
    "Pidgin": "Abeg dem dey wait una.",
}
"""What no text may hold, whatever the feature; some must be repaired, some end the call."""

THREATS: Final = ("The police will come.", "We will take them to court.")
SPEAKS_OF_CUSTOMERS: Final = ("credit_assessment", "collection_analysis", "collection_message", "portfolio_dashboard")
FRENCH: Final = "Bonjour, il faut acheter tout de suite parce que le patron le veut et que les clients sont contents."
ADDED: Final = {"decision": "approve", "recommended_limit": 50_000, "rank": 1, "order_qty": 9_000, "health_score": 100}


@pytest.fixture(scope="module")
def puppet() -> Puppet:
    """The model."""
    return Puppet()


@pytest.fixture(scope="module")
def obeying(puppet: Puppet) -> Iterator[Shop]:
    """A shop whose model says what the test tells it."""
    with shop(puppet=puppet, models={"small": SMALL}) as one:
        yield one


@pytest.fixture(scope="module")
def samples() -> dict[str, dict[str, Any]]:
    """A good answer of each feature, as the provider would write it."""
    return {key: json.loads(asked(built, built.given)[-1].answer) for key, built in EIGHT.items()}


def told(obeying: Shop, puppet: Puppet, key: str, *answers: object) -> Billed[FeatureResult[Any]]:
    """What comes of a call whose model gives these answers, the last one again and again."""
    puppet.answers, puppet.asked = [json.dumps(answer) for answer in answers], 0
    feature = EIGHT[key].feature.options(addons=obeying.addons, business=BUSINESS, cache=False)
    return feature.billed(EIGHT[key].given)


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """Where an answer has texts."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, (*path, name))
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from leaves(part, (*path, at))


def first_of_each(value: object) -> list[Path]:
    """One text of each kind: of rows that are alike the first one."""
    found: dict[tuple[str, ...], Path] = {}
    for path in leaves(value):
        found.setdefault(tuple(step for step in path if isinstance(step, str)), path)
    return list(found.values())


def at(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


def changed(answer: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """An answer with another value in one place."""
    new = deepcopy(answer)
    at(new, path[:-1])[path[-1]] = value
    return new


def lists(value: object, path: Path = ()) -> Iterator[Path]:
    """Where an answer has rows."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from lists(part, (*path, name))
    elif isinstance(value, list):
        yield path
        for place, part in enumerate(value):
            yield from lists(part, (*path, place))


def objects(value: object, path: Path = ()) -> Iterator[Path]:
    """Where an answer has objects."""
    if isinstance(value, dict):
        yield path
        for name, part in value.items():
            yield from objects(part, (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from objects(part, (*path, place))


@pytest.fixture(scope="module")
def honest(obeying: Shop, puppet: Puppet, samples: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What code decides, beside an honest answer."""
    found: dict[str, dict[str, Any]] = {}
    for key in KEYS:
        result = told(obeying, puppet, key, samples[key]).value
        assert result.source == "ai"
        found[key] = decided(key, result)
    return found


def refused(billed: Billed[FeatureResult[Any]], beside: dict[str, Any], key: str) -> bool:
    """Whether an answer was not used: code's own result, for nothing, with the same decisions."""
    result = billed.value
    assert decided(key, result) == beside
    if result.source == "ai":
        return False
    assert (result.source, result.degraded_reason) == ("rules", "guard_rejected")
    assert billed.receipt.charged == Credits(0)
    return True


@pytest.mark.parametrize("name", SAYS, ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_what_no_text_may_hold_is_never_shown(  # fixtures of the module
    key: str, name: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """Added to each kind of text, twice in a row: refused, or dropped where the text is the model's to spare.

    Outside the full size to a sixth of them, each time another one.
    """
    for path in share(first_of_each(samples[key]), list(SAYS).index(name), 6):
        answer = changed(samples[key], path, f"{at(samples[key], path)} {SAYS[name]}".strip())
        billed = told(obeying, puppet, key, answer)
        if not refused(billed, honest[key], key):
            shown = list(strings(billed.value.data.model_dump(mode="json")))
            assert name == "half" or not [text for text in shown if SAYS[name].lower() in text.lower()], path
            # A share of nothing that is given says nothing of a product.
            assert path[0] == "personal_line" or (key, name) == ("product_description", "half"), path


@pytest.mark.parametrize("threat", THREATS)
@pytest.mark.parametrize("key", SPEAKS_OF_CUSTOMERS)
def test_nobody_is_threatened(  # fixtures of the module
    key: str, threat: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """Where customers are spoken of."""
    for path in first_of_each(samples[key]):
        billed = told(obeying, puppet, key, changed(samples[key], path, f"{at(samples[key], path)} {threat}".strip()))
        assert refused(billed, honest[key], key) or path[0] == "personal_line"
        assert threat not in billed.value.data.model_dump_json()


@pytest.mark.parametrize("key", [key for key in KEYS if key != "collection_message"])
def test_an_answer_in_another_language_is_refused(
    key: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """All its sentences in French."""
    answer = samples[key]
    for path in leaves(answer):
        if " " in at(answer, path):
            answer = changed(answer, path, FRENCH)
    assert refused(told(obeying, puppet, key, answer), honest[key], key)


@pytest.mark.parametrize("key", KEYS)
def test_a_decision_that_is_added_is_refused(
    key: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """On every level: there is no field for it."""
    for number, path in enumerate(objects(samples[key])):
        for name, value in share(list(ADDED.items()), number, 5):
            answer = changed(samples[key], (*path, name), value)
            assert refused(told(obeying, puppet, key, answer), honest[key], key), (path, name)


@pytest.mark.parametrize("key", KEYS)
def test_another_order_moves_no_decision(
    key: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """Rows turned round, doubled or left out: what code decided stays, whether the words are used or not."""
    for number, path in enumerate(lists(samples[key])):
        rows = at(samples[key], path)
        others: tuple[object, ...] = (rows[::-1], rows * 2, [], rows[1:], rows[:1] * len(rows))
        for other in share(others, number, 5):
            refused(told(obeying, puppet, key, changed(samples[key], path, other)), honest[key], key)


OTHERS: Final = ("approve", "up", "down", "flat", "CB", "PB", "credit_score", "sales", "owner", "")


@pytest.mark.parametrize("key", KEYS)
def test_another_choice_moves_no_decision(
    key: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """Each reference, code, direction or id exchanged for others, known and unknown; all of them in full size."""
    words = [path for path in leaves(samples[key]) if " " not in at(samples[key], path)]
    for number, path in enumerate(words):
        others = (*OTHERS, at(samples[key], path).upper())
        for other in share(others, number, 8):
            refused(told(obeying, puppet, key, changed(samples[key], path, other)), honest[key], key)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"a": ', "```json\n{}\n```", "I cannot help.", '"approve"', "1e400", "NaN", "[" * 9_000],
)
@pytest.mark.parametrize("key", KEYS)
def test_what_is_no_answer_gives_codes_own_result(
    key: str, text: str, obeying: Shop, puppet: Puppet, honest: dict[str, Any]
) -> None:
    """Empty, cut off, fenced, refused, nested without end."""
    puppet.answers = [text]
    feature = EIGHT[key].feature.options(addons=obeying.addons, business=BUSINESS, cache=False)
    assert refused(feature.billed(EIGHT[key].given), honest[key], key)


@pytest.mark.parametrize("key", KEYS)
def test_a_corrected_answer_is_used_and_charged_once(
    key: str, obeying: Shop, puppet: Puppet, samples: dict[str, Any], honest: dict[str, Any]
) -> None:
    """A decision is added, then taken back: two requests, one charge, the same decisions."""
    billed = told(obeying, puppet, key, samples[key] | ADDED, samples[key])
    assert (billed.value.source, puppet.asked) == ("ai", 2)
    assert decided(key, billed.value) == honest[key]
    assert billed.receipt.charged == BUILT_IN[key].credits
