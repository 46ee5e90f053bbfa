"""Pseudonyms: equal for one person's data, different between businesses, gone when they should be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import AddOns, ConfigError, Pii, Settings
from ai_addons.cache.keys import Keys
from ai_addons.cache.secret import secret_bytes, secret_file
from ai_addons.cli.checkup import examine_setup
from ai_addons.privacy.base import Kind
from ai_addons.privacy.pseudonyms import pseudonym
from tests.books import new_url, on_postgres, run_sql

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

FIRST: Final = "the first secret, long enough to keep"
SECOND: Final = "the second secret, long enough to keep"
THIRD: Final = "the third secret, long enough to keep"
KEY: Final = Keys(b"s" * 32).pseudonym_key("biz_7", 1, "00" * 32)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty database."""
    return new_url(tmp_path)


@pytest.fixture
def addons(url: str) -> Iterator[AddOns]:
    """An installation with one secret."""
    with closing(installation(url, secret=FIRST)) as wired:
        yield wired


def installation(url: str, **settings: Any) -> AddOns:
    """An installation of its own."""
    return AddOns(Settings(store={"url": url}, cache={"backend": "off"}, **settings), environ={})


def test_a_pseudonym_is_the_documented_hash() -> None:
    """Base32 of ten bytes of HMAC-SHA256: it must not change between releases, or old logs cannot be read."""
    assert KEY.hex() == "bc2e5eb138268b5bcafd9d2be4719006c83ba21778cc1bb923c6864d0a25aa7c"
    digest = hmac.new(KEY, b"PHONE|244123456", hashlib.sha256).digest()
    made = pseudonym(KEY, 1, Kind.PHONE, "024 412 3456")
    assert made == f"k1:{base64.b32encode(digest[:10]).decode().lower()}" == "k1:d477txstmvv44brv"


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (
            Pii.PHONE,
            ["0244123456", "024 412 3456", "+233 24 412-3456", "00233244123456", "+233(0)244123456", "244123456"],
        ),
        (Pii.NAME, ["Ama Mensah", "AMA  MENSAH", "ama-mensah", "Mrs. Ama Mensah", "Ámá\u00a0Mensah"]),
        (Pii.NAME, ["Kɔfí Asɛm", "Kofi Asem"]),
        (Pii.EMAIL, ["Ama@Shop.GH", " ama@shop.gh"]),
        (Pii.ID, ["GHA-123456789-0", "gha 123456789 0", "GHA1234567890"]),
        (Pii.ACCOUNT, ["1441 0001 2345 6", "1441000123456"]),
        (Pii.ADDRESS, ["12  Ring Road", "12 ring road"]),
    ],
)
def test_every_spelling_of_a_value_has_one_pseudonym(addons: AddOns, kind: Pii, spellings: list[str]) -> None:
    """A log line about 024… and one about +233 24… are about the same customer."""
    assert len({addons.pseudonym("biz_7", kind, spelling) for spelling in spellings}) == 1


def test_a_pseudonym_says_nothing(addons: AddOns) -> None:
    """A fixed shape, whatever the value."""
    for value in ("0244123456", "0" * 400):
        assert re.fullmatch(r"k1:[a-z2-7]{16}", addons.pseudonym("biz_7", Pii.PHONE, value))


def test_pseudonyms_differ_by_business_kind_value_and_installation(addons: AddOns, tmp_path: Path) -> None:
    """Two shops cannot find out that they share a customer."""
    made = [
        addons.pseudonym("biz_7", Pii.PHONE, "0244123456"),
        addons.pseudonym("biz_8", Pii.PHONE, "0244123456"),
        addons.pseudonym("biz_7", Pii.ID, "0244123456"),
        addons.pseudonym("biz_7", Pii.PHONE, "0244123457"),
    ]
    with closing(installation(f"sqlite:///{tmp_path / 'other.db'}", secret=FIRST)) as other:
        made.append(other.pseudonym("biz_7", Pii.PHONE, "0244123456"))
    assert len(set(made)) == 5


def test_a_pseudonym_outlives_the_process(url: str) -> None:
    """The next start of the shop goes on with the same names."""
    made = []
    for _ in range(2):
        with closing(installation(url, secret=FIRST)) as addons:
            made.append(addons.pseudonym("biz_7", Pii.NAME, "Ama Mensah"))
    assert made[0] == made[1]


def test_a_new_secret_writes_new_names_and_reads_old_ones(url: str) -> None:
    """The number of the secret stands in front; what was written under a listed secret can be searched for."""
    asked = ("biz_7", Pii.PHONE, "0244123456")
    with closing(installation(url, secret=FIRST)) as addons:
        first = addons.pseudonym(*asked)
    with closing(installation(url, secret=SECOND, former_secrets=[FIRST])) as addons:
        second = addons.pseudonym(*asked)
        assert addons.pseudonyms(*asked) == (second, first)
    with closing(installation(url, secret=THIRD, secret_version=3, former_secrets=[SECOND, FIRST])) as addons:
        third = addons.pseudonym(*asked)
        assert addons.pseudonyms(*asked) == (third, second, first)
    assert [name[:3] for name in (first, second, third)] == ["k1:", "k2:", "k3:"]
    assert len({name[3:] for name in (first, second, third)}) == 3


def test_a_dropped_secret_is_gone(url: str) -> None:
    """Without the first secret nobody makes its names again, and the numbers of the others stay."""
    asked = ("biz_7", Pii.PHONE, "0244123456")
    with closing(installation(url, secret=SECOND, former_secrets=[FIRST])) as addons:
        second, first = addons.pseudonyms(*asked)
    with closing(installation(url, secret=SECOND, secret_version=2)) as addons:
        assert addons.pseudonyms(*asked) == (second,)
        assert first not in {addons.pseudonym(*asked), *addons.pseudonyms(*asked)}


def test_too_low_a_number_is_refused_when_the_settings_are_read() -> None:
    """Numbers are counted down from the secret's own; none may fall below one."""
    with pytest.raises(ConfigError, match="secret_version must be 3 or more with 2 former_secrets") as refused:
        Settings(secret=THIRD, secret_version=2, former_secrets=[SECOND, FIRST])
    assert "secret, long" not in str(refused.value)


def test_an_erased_business_has_no_way_back_to_its_names(addons: AddOns, url: str) -> None:
    """Its salt is deleted; the same secret then gives other names, and a neighbour keeps its own."""
    asked = (Pii.PHONE, "0244123456")
    before, neighbour = addons.pseudonym("biz_7", *asked), addons.pseudonym("biz_8", *asked)
    (salt,) = [row[0] for row in salts(addons, "biz_7")]
    addons.erase("biz_7", actor="ama")
    assert salts(addons, "biz_7") == []
    after = addons.pseudonym("biz_7", *asked)
    assert (after != before, after == addons.pseudonym("biz_7", *asked)) == (True, True)
    assert salt not in [row[0] for row in salts(addons, "biz_7")]
    assert addons.pseudonym("biz_8", *asked) == neighbour


def test_erasing_one_user_keeps_the_names_of_the_shop(addons: AddOns) -> None:
    """A clerk who leaves takes nothing of the customers along."""
    before = addons.pseudonym("biz_7", Pii.PHONE, "0244123456")
    addons.erase("biz_7", user="kofi", actor="ama")
    assert addons.pseudonym("biz_7", Pii.PHONE, "0244123456") == before


def test_the_books_hold_a_salt_and_no_value(addons: AddOns) -> None:
    """What is kept for it is random and the same for all of a business's values."""
    for phone in ("0244123456", "0244123457"):
        addons.pseudonym("biz_7", Pii.PHONE, phone)
    ((salt,),) = salts(addons, "biz_7")
    assert re.fullmatch("[0-9a-f]{64}", salt)


def test_two_processes_that_ask_first_agree(addons: AddOns, url: str) -> None:
    """The salt that was written first is the one, also for whoever had begun to make another."""
    with closing(installation(url, secret=FIRST)) as second:
        made = addons._wiring.salts._make("biz_7")
        assert second._wiring.salts._make("biz_7") == made


@pytest.mark.parametrize("kind", [Pii.AMOUNT, Pii.DROP])
def test_what_names_nobody_has_no_pseudonym(addons: AddOns, kind: Pii) -> None:
    """An amount is nobody's name."""
    with pytest.raises(ValueError, match=f"Pii.{kind.name} is no sort of data that has a pseudonym; none was made"):
        addons.pseudonym("biz_7", kind, "12.50")


@pytest.mark.parametrize("value", ["", "  ", "--", "\u200b"])
@pytest.mark.parametrize("kind", [Pii.PHONE, Pii.NAME, Pii.EMAIL, Pii.ADDRESS])
def test_nothing_has_no_pseudonym(addons: AddOns, kind: Pii, value: str) -> None:
    """All customers without a phone number must not look like one."""
    with pytest.raises(ValueError, match="holds no letter or digit; none was made"):
        addons.pseudonym("biz_7", kind, value)


def test_nobody_has_no_pseudonyms(addons: AddOns) -> None:
    """A business is named."""
    with pytest.raises(ValueError, match="a business id must be"):
        addons.pseudonym("", Pii.PHONE, "0244123456")


def test_a_broken_character_still_has_a_pseudonym(addons: AddOns) -> None:
    """A log line about a damaged import is still a log line."""
    broken = addons.pseudonym("biz_7", Pii.ADDRESS, "12 Ring Road \ud800")
    assert broken != addons.pseudonym("biz_7", Pii.ADDRESS, "13 Ring Road \ud800")


def test_without_a_secret_there_is_no_pseudonym(url: str, tmp_path: Path) -> None:
    """On PostgreSQL that is an error which says what to set; SQLite has its key file."""
    with closing(installation(url)) as addons:
        if on_postgres():
            with pytest.raises(ConfigError, match=r"need a secret.*Nothing was charged\. Set AI_ADDONS_SECRET to 32"):
                addons.pseudonym("biz_7", Pii.PHONE, "0244123456")
        else:
            assert addons.pseudonym("biz_7", Pii.PHONE, "0244123456").startswith("k1:")


def test_a_person_is_told_where_the_secret_is(url: str) -> None:
    """Or that there is none: `ai-addons check` shows it before the first call fails."""
    with closing(installation(url, secret=THIRD, former_secrets=[SECOND, FIRST])) as addons:
        assert addons.secret_name == "set, version 3, 2 former ones listed"
    with closing(installation("sqlite://")) as addons:
        assert addons.secret_name == "a new one in every process, as the books in memory are"
    with closing(installation(url)) as addons:
        findings = [finding.text for finding in examine_setup(addons).findings if finding.level == "error"]
        parts = dict(examine_setup(addons).parts)
        if on_postgres():
            assert parts["secret"] == "none that can be used"
            assert ["Set AI_ADDONS_SECRET" in text for text in findings] == [True]
        else:
            assert (parts["secret"], findings) == ("a key file beside the store, version 1", [])


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_a_key_file_can_become_a_former_secret(tmp_path: Path) -> None:
    """A shop that outgrows its key file takes its old names and claims along."""
    url, asked = f"sqlite:///{tmp_path / 'shop.db'}", ("biz_7", Pii.PHONE, "0244123456")
    with closing(installation(url)) as addons:
        first = addons.pseudonym(*asked)
    content = (tmp_path / "shop.db.key").read_text(encoding="ascii")
    with closing(installation(url, secret=SECOND, former_secrets=[f"hex:{content}"])) as addons:
        assert addons.pseudonyms(*asked)[1] == first


def test_the_content_of_a_key_file_is_its_secret(tmp_path: Path) -> None:
    """With or without the end of its line."""
    made = secret_file(tmp_path / "key")
    assert secret_bytes(f"hex:{made.hex()}") == secret_bytes(f"hex:{made.hex()}\n") == made
    assert secret_bytes("not hex: a secret of some length, it is") == b"not hex: a secret of some length, it is"


@pytest.mark.parametrize("damaged", ["ab" * 31, "AB" * 32, "zz" * 32, " " + "ab" * 32, "ab" * 33])
def test_a_damaged_copy_of_a_key_file_is_refused_and_not_shown(damaged: str) -> None:
    """A typing mistake must not become a secret of its own."""
    with pytest.raises(ConfigError, match=r"64 hexadecimal digits of a key file\. Nothing was charged") as refused:
        secret_bytes(f"hex:{damaged}")
    assert damaged.strip() not in str(refused.value)


def salts(addons: AddOns, business: str) -> list[Any]:
    """What the books hold for a business's pseudonyms."""
    statement = "SELECT salt FROM ai_pseudonym_salts WHERE business_id = ?"
    return [tuple(row) for row in run_sql(addons._wiring.database, statement, (business,))]
