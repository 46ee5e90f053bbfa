"""Values come back exactly where their placeholder stood, and nowhere else."""

from __future__ import annotations

import asyncio
import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Kind, Unresolved
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.restore import PlaceholderVault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.privacy.base import Json, Session, Vault


class Customer(BaseModel):
    """The person of these tests."""

    name: Annotated[str, Pii.NAME] = 'Ama "Sweet" Mensah'
    phone: Annotated[str, Pii.PHONE] = "0241234567"


@pytest.fixture
def session() -> Session:
    """A call in which [PERSON_1] and [PHONE_2] were sent."""
    made = BuiltinMasker([], max_field_bytes=65_536).session()
    made.mask(
        ["Write to her. Order [12, 13], call 4455667 or shop@x.com, see https://x.test/ or https://x.test/a."],
        Customer(),
    )
    return made


@pytest.fixture
def vault(session: Session) -> Vault:
    """Its vault."""
    return session.vault


HER = 'Ama "Sweet" Mensah'


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[PERSON_1]", HER),
        ("Dear [PERSON_1], we ring [PHONE_2].", f"Dear {HER}, we ring 0241234567."),
        ("[person_1]", HER),
        ("[Person_1]", HER),
        ("PERSON_1", HER),
        ("person_1", HER),
        ("PERSON 1", HER),
        ("[PERSON 1]", HER),
        ("[PERSON-1]", HER),
        ("[PERSON\u20111]", HER),
        ("[PERSON: 1]", HER),
        ("[PERSON1]", HER),
        ("[PERSON_\n1]", HER),
        ("[ PERSON_1 ]", HER),
        (r"\[PERSON\_1\]", HER),
        (r"\[PERSON_1]", HER),
        (r"PERSON\_1", HER),
        ("&lt;PERSON_1&gt;", HER),
        (r"\u003cPERSON_1\u003e", HER),
        ("<PERSON_1>", HER),
        ("{PERSON_1}", HER),
        ("{{PERSON_1}}", HER),
        ("【PERSON_1】", HER),
        ("［PERSON_1］", HER),  # noqa: RUF001  # full-width brackets are meant
        ("[[PERSON_1]]", HER),
        ("[PERSON_01]", HER),
        ("[PERSON_001]", HER),
        ("[PERSON_1's] debt", f"{HER}'s debt"),
        ("[PERSON_1’s] debt", f"{HER}’s debt"),  # noqa: RUF001  # a typographic apostrophe is meant
        ("[PERSON_1]'s debt", f"{HER}'s debt"),
        ("the [PERSON_1s]", f"the {HER}"),
        ("**[PERSON_1]**", f"**{HER}**"),
        ('{"to": [PERSON_1]}', f'{{"to": {HER}}}'),
        ("{to [PERSON_1]}", f"{{to {HER}}}"),
        ("[[PERSON_1]", f"[{HER}"),
        ("<[PHONE_2]>", "<0241234567>"),
        ("[PERSONNE_1]", HER),
        ("[ONIPA-1]", HER),
        ("telephone_2", "0241234567"),
        ("&#91;PERSON_1&#93;", HER),
        ("&lsqb;PERSON_1&rsqb;", HER),
        (r"\u005bPERSON_1\u005D", HER),
        (r"\[ PERSON\_1 \]", HER),
        ("[PERSON_1\n]", HER),
        ("see https://x.test/ [PERSON_1]", f"see https://x.test/ {HER}"),
        ("<https://x.test/a> [PERSON_1]", f"<https://x.test/a> {HER}"),
        ("x.test [PERSON_1]", f"x.test {HER}"),
        ("[PERSON_1][PHONE_2]", f"{HER}0241234567"),
        ("x[PHONE_2]y", "x0241234567y"),
    ],
)
def test_a_placeholder_survives_what_models_do_to_it(vault: Vault, written: str, read: str) -> None:
    """Case, brackets, separators, escapes and endings change; who is meant does not."""
    assert vault.restore(written) == read


@pytest.mark.parametrize(
    ("written", "token"),
    [
        ("[PERSON_9]", "[PERSON_9]"),
        ("Hello PERSON_9!", "PERSON_9"),
        ("[PHONE_1]", "[PHONE_1]"),
        ("[TEXT_1]", "[TEXT_1]"),
        ("[PERSON_0]", "[PERSON_0]"),
        ("[PERSON_00001]", "[PERSON_00001]"),
        ("[PERSON_11]", "[PERSON_11]"),
        ("[PERSON]", "[PERSON]"),
        ("<PERSON>", "<PERSON>"),
        ("&lt;PHONE&gt;", "&lt;PHONE&gt;"),
        ("[PERSON_1", "PERSON_1"),
        ("{ PERSON_1", "PERSON_1"),
        ("PERSON_1x", "PERSON_1"),
        ("PERSON_1_", "PERSON_1"),
        ("[Person 1]", "[Person 1]"),
        ("[Your Name]", "[Your Name]"),
        ("[Figure_1]", "[Figure_1]"),
        ("[PERSONA_1]", "[PERSONA_1]"),
        ("[Nipa 1]", "[Nipa 1]"),
        ("PERSON_123456", "PERSON_12345"),
        ("__PERSON_1__", "PERSON_1"),
        ("<PERSON_>", "<PERSON_>"),
        ("&#91; PERSON_1", "PERSON_1"),
        ("to [PERSO", "[PERSO"),
        ("to [PERSON_", "[PERSON_"),
        ("[see PERSON_1]", "[see PERSON_1]"),
        ("［Your Name］", "［Your Name］"),  # noqa: RUF001  # full-width brackets are meant
        ("[14]", "[14]"),
        ("https://x.test/?e=[PHONE_2]", "[PHONE_2]"),
        ("see x.test/a/PERSON_1", "PERSON_1"),
        ("![x](http://x.test/[PERSON_1].png)", "[PERSON_1]"),
        ("https://x.test/?e=<PHONE_2>", "<PHONE_2>"),
        ("https://<PERSON_1>", "<PERSON_1>"),
        (r"https:\/\/x.test\/[PERSON_1]", "[PERSON_1]"),
        ("//x.test/[PERSON_1]", "[PERSON_1]"),
        ("//[PERSON_1].x.test", "[PERSON_1]"),
        ("x.test?e=[PERSON_1]", "[PERSON_1]"),
        ("www.[PERSON_1].test", "[PERSON_1]"),
    ],
)
def test_what_stands_for_nothing_is_never_shown(vault: Vault, written: str, token: str) -> None:
    """An invented, mismatched, cut off or misplaced placeholder stops the answer and is named."""
    with pytest.raises(Unresolved) as refusal:
        vault.restore(written)
    assert token in refusal.value.tokens


@pytest.mark.parametrize(
    "text",
    [
        "Ask {overdue_total} by {line_1}.",
        "Phone 2 shops, person 1 first",
        "<b>bold</b> <text>",
        "ID 12.5 and DATE 12/05/2026, AMOUNT 500.00",
        "MYPERSON_1 is a word",
        "a long bracket [that goes on for more than forty characters in all] stays",
        "orders [12, 13] as asked",
        "ring 4455667 or 445 5667, write SHOP@x.com",
        "bands 100-200",
        "the columns product_id_1 and/or first_person_1",
    ],
)
def test_ordinary_text_is_left_as_the_model_wrote_it(vault: Vault, text: str) -> None:
    """Braces of features, prose, mark-up and what stood in the prompt are no placeholders."""
    assert vault.restore(text) == text


@pytest.mark.parametrize(
    "contact",
    [
        "0201234567",
        "+233 20 123 4567",
        "sales@shop.test",
        "https://y.test/pay",
        "https://x.test/a/b",
        "www.y.test",
        "4111 1111 1111 1111",
        "call 7654321",
    ],
)
def test_contacts_the_model_made_up_are_refused(vault: Vault, contact: str) -> None:
    """A customer must not be sent to a stranger's number."""
    with pytest.raises(Unresolved) as refusal:
        vault.restore({"text": [f"Reach us: {contact}."]})
    assert refusal.value.tokens[0] in contact


def test_all_faults_are_named_once(vault: Vault) -> None:
    """The repair can name every fault at once."""
    with pytest.raises(Unresolved) as refusal:
        vault.restore(["[PERSON_9]", "[PERSON_9] [Name]"])
    assert refusal.value.tokens == ("[PERSON_9]", "[Name]")


def test_json_is_restored_leaf_by_leaf(vault: Vault) -> None:
    """Quotes in a name break nothing; keys are restored too; other types pass."""
    answer: Json = {"[PERSON_1]": ["[PHONE_2]", 1, None, True, 2.5], "n": {"x": "[PERSON_1]"}}
    assert vault.restore(answer) == {HER: ["0241234567", 1, None, True, 2.5], "n": {"x": HER}}


def test_keys_that_become_equal_are_refused(vault: Vault) -> None:
    """No entry of an answer is lost silently."""
    with pytest.raises(Unresolved):
        vault.restore({"[PERSON_1]": 1, "<PERSON_1>": 2})


def test_endless_nesting_is_refused(vault: Vault) -> None:
    """A hostile answer ends in a refusal, not in a crash."""
    answer: Json = "x"
    for _ in range(150):
        answer = [answer]
    with pytest.raises(Unresolved):
        vault.restore(answer)


def test_restored_text_is_not_read_again() -> None:
    """A value that itself looks like a placeholder comes back as it is."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    session.mask([], [Customer(name="[PHONE_2]", phone="0241234567")])
    assert session.vault.restore("[PERSON_1] [PHONE_2]") == "[PHONE_2] 0241234567"


def test_a_half_known_contact_is_a_stranger() -> None:
    """An address that lies inside a known one is another address."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    session.mask(["write to info.shop@x.com"], None)
    assert session.vault.restore("Info.Shop@x.com.") == "Info.Shop@x.com."
    for other in ("shop@x.com", "info.shop@x.co", "info.shop@x.com.gh"):
        with pytest.raises(Unresolved) as refusal:
            session.vault.restore(f"write {other} now")
        assert refusal.value.tokens == (other,)


def test_two_messages_of_one_call_do_not_share_a_placeholder(vault: Vault, session: Session) -> None:
    """A second text of the same call goes on counting: nobody becomes somebody else."""
    _, second = session.mask([], Customer(name="Kofi Addo", phone="0209876543"))
    assert second == {"name": "[PERSON_3]", "phone": "[PHONE_4]"}
    assert vault.restore("[PERSON_1] and [PERSON_3]") == f"{HER} and Kofi Addo"


def test_a_near_number_is_not_taken_for_another_one() -> None:
    """`[PERSON_2]` differs from `[PERSON_1]` by one character, and is not its neighbour's name."""
    vault = PlaceholderVault()
    vault.placeholder(Kind.PERSON, "ama", "Ama Mensah")
    for other in ("[PERSON_2]", "[PERSON_11]", "[PERSON_l]", "[PERS0N_1]", "[PERSON_]", "<PERSON_2>"):
        with pytest.raises(Unresolved):
            vault.restore(f"Dear {other},")


def test_a_placeholder_is_no_pattern() -> None:
    """Letters of `[PERSON_1]` elsewhere in the text stay, and so does a name inside a longer word."""
    vault = PlaceholderVault()
    vault.placeholder(Kind.PERSON, "al", "Al")
    assert vault.restore("Aluminium PERSON [PERSON_1] OPEN_1 SON_1.") == "Aluminium PERSON Al OPEN_1 SON_1."


def test_expected_values_must_come(vault: Vault) -> None:
    """An answer without a value it must have is refused, and the message names the placeholders only."""
    assert vault.restore({"a": ["<PHONE_2>"]}, expects=[Kind.PHONE]) == {"a": ["0241234567"]}
    with pytest.raises(Unresolved) as refusal:
        vault.restore("Dear [PERSON_1]", expects=[Kind.PERSON, Kind.PHONE, Kind.PHONE])
    assert (refusal.value.tokens, refusal.value.missing) == ((), (("[PHONE_2]",),))


def test_facts_and_values_are_put_in_by_one_pass() -> None:
    """A name that looks like a reference stays a name, and a fact that looks like a placeholder stays a fact."""
    vault = PlaceholderVault()
    vault.placeholder(Kind.PERSON, "x", "{total}")
    vault.placeholder(Kind.TEXT, "y", "[PERSON_1]")
    facts = {"total": "GHS 5 [PERSON_1]", "best.item": "{total}"}
    assert vault.restore("[PERSON_1] [TEXT_2] {{ total }} {best.item}", facts=facts) == (
        "{total} [PERSON_1] GHS 5 [PERSON_1] {total}"
    )
    assert vault.restore("[PERSON_1] {total}") == "{total} {total}"
    with pytest.raises(Unresolved) as refusal:
        vault.restore("{total} {other}", facts=facts)
    assert refusal.value.tokens == ("{other}",)


CALLS = 100


def _one_call(number: int) -> Iterator[tuple[object, object]]:
    """A call in small steps: what comes back and what should."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    customer = Customer(name=f"Person{number} Surname", phone=f"024{number:07}")
    yield None, None
    (masked,), data = session.mask([f"Dear {customer.name}"], customer)
    yield (masked, data), ("Dear [PERSON_1]", {"name": "[PERSON_1]", "phone": "[PHONE_2]"})
    yield session.vault.restore(data), customer.model_dump()
    stream = session.vault.stream()
    shown = ""
    for chunk in ("Dear [PER", "SON_1], we ", "ring [PHO", "NE_2] ", "now"):
        shown += stream.feed(chunk)
        yield None, None
    yield shown + stream.finish(), f"Dear {customer.name}, we ring {customer.phone} now"
    session.vault.close()


def test_a_hundred_calls_step_by_step_in_turn_keep_their_values_apart() -> None:
    """Each step of each call sees its own customer only, however the steps are shuffled."""
    random = Random(4)  # noqa: S311  # dice, not secrets
    calls = [_one_call(number) for number in range(CALLS)]
    while calls:
        call = random.choice(calls)
        step = next(call, None)
        if step is None:
            calls.remove(call)
        else:
            assert step[0] == step[1]


def test_a_hundred_calls_in_threads_keep_their_values_apart() -> None:
    """Threads share nothing of a call."""
    with ThreadPoolExecutor(16) as pool:
        for steps in pool.map(lambda number: list(_one_call(number)), range(CALLS)):
            assert all(got == wanted for got, wanted in steps)


def test_a_hundred_calls_in_tasks_keep_their_values_apart() -> None:
    """Tasks that take turns share nothing of a call."""

    async def call(number: int) -> bool:
        right = True
        for got, wanted in _one_call(number):
            right &= got == wanted
            await asyncio.sleep(0)
        return right

    async def all_calls() -> list[bool]:
        return await asyncio.gather(*map(call, range(CALLS)))

    assert asyncio.run(all_calls()) == [True] * CALLS


def test_a_closed_vault_knows_nothing(vault: Vault) -> None:
    """After the call the values are gone."""
    vault.close()
    assert vault.counts == {}
    with pytest.raises(Unresolved):
        vault.restore("[PERSON_1]")


def test_counts_are_by_type_word(vault: Vault) -> None:
    """The receipt can say what was masked, without saying what it was."""
    assert vault.counts == {"PERSON": 1, "PHONE": 1}


def test_holders_of_personal_data_neither_print_nor_travel(session: Session) -> None:
    """Logs, pickles and copies cannot carry a vault away."""
    for holder in (session, session.vault):
        assert "Ama" not in f"{holder!r} {holder}"
        assert not hasattr(holder, "__dict__")
        with pytest.raises(TypeError, match="must not be pickled or copied"):
            pickle.dumps(holder)
        with pytest.raises(TypeError, match="must not be pickled or copied"):
            copy.deepcopy(holder)


def test_more_values_than_numbers_are_refused() -> None:
    """Numbers end at 999; a call with more values says so before anything is sent."""
    vault = PlaceholderVault()
    for number in range(999):
        vault.placeholder(Kind.TEXT, str(number), "x")
    assert vault.placeholder(Kind.TEXT, "998", "x") == "[TEXT_999]"
    with pytest.raises(PrivacyRefused, match="more than 999"):
        vault.placeholder(Kind.TEXT, "one more", "x")
