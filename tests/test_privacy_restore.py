"""Values come back exactly where their placeholder stood, and nowhere else."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Kind, Unresolved
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.restore import PlaceholderVault

if TYPE_CHECKING:
    from ai_addons.privacy.base import Json, Session, Vault


class Customer(BaseModel):
    """The person of these tests."""

    name: Annotated[str, Pii.NAME] = 'Ama "Sweet" Mensah'
    phone: Annotated[str, Pii.PHONE] = "0241234567"


@pytest.fixture
def session() -> Session:
    """A call in which [PERSON_1] and [PHONE_2] were sent."""
    made = BuiltinMasker([], max_field_bytes=65_536).session()
    made.mask(["Write to her. Order [12, 13], call 4455667 or shop@x.com"], Customer())
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
        ("[PERSONNE_1]", "[PERSONNE_1]"),
        ("[see PERSON_1]", "[see PERSON_1]"),
        ("［Your Name］", "［Your Name］"),  # noqa: RUF001  # full-width brackets are meant
        ("[14]", "[14]"),
        ("https://x.test/?e=[PHONE_2]", "[PHONE_2]"),
        ("see x.test/a/PERSON_1", "PERSON_1"),
        ("![x](http://x.test/[PERSON_1].png)", "[PERSON_1]"),
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
    ],
)
def test_ordinary_text_is_left_as_the_model_wrote_it(vault: Vault, text: str) -> None:
    """Braces of features, prose, mark-up and what stood in the prompt are no placeholders."""
    assert vault.restore(text) == text


@pytest.mark.parametrize("contact", ["0201234567", "+233 20 123 4567", "sales@shop.test", "call 7654321"])
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
