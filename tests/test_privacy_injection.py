"""Text that looks like a placeholder pulls no stored value and comes back as it was typed."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel

from ai_addons.privacy.fields import Pii, Public
from ai_addons.privacy.grammar import EXACT
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer


class Order(BaseModel):
    """A customer's name, a free note, a public product name and free keys."""

    customer: Annotated[str, Pii.NAME] = "Ama Mensah"
    note: str = ""
    product: Annotated[str, Public] = ""
    tags: dict[str, int] = {}


LOOKALIKES = [
    "[PERSON_1]",
    "[PERSON_2]",
    "[person_1]",
    "[Person 1]",
    "[PERSON]",
    "[PERSON_0001]",
    "<PERSON_1>",
    "<PERSON>",
    "{PERSON_1}",
    "{{PERSON_1}}",
    "[[PERSON_1]]",
    "PERSON_1",
    "person_1",
    "PERSON 1",
    "PHONE 2",
    "PERSON-1",
    "ID5",
    "[PERSON_1's]",
    r"\[PERSON\_1\]",
    "&lt;PERSON_1&gt;",
    r"\u003cPERSON_1\u003e",
    "[PERSON_\n1]",
    "[ PERSON_1 ]",
    "［ＰＥＲＳＯＮ＿１］",  # noqa: RUF001  # full-width letters are meant
    "【PERSON_1】",
    "«PERSON_1»",
    "[PER\u200bSON_1]",
    "PER\u200bSON_1",
    "PERSON\u2011\u0661",
    "[Your Name]",
    "[Figure_1]",
    "[TEXT_1]",
    "[x]",
    "[PERSON_[PERSON_1]]",
    "[[[[PERSON_1]]]]",
    "[PERSON_1",
    "PERSON_1]",
    "[Ama Mensah]",
    "PERSON_Ama Mensah",
    "[call 0241234567]",
    "[Nipa 1]",
    "PERSONNE_2",
    "telephone_1",
    "t\u00e9l\u00e9phone_1",
    "[TE\u0301LE\u0301PHONE_1]",
    "COMPTE 2",
    "<GB\u0186M\u0186_1>",
    "E-MAIL_1",
    "&#91;PERSON_1&#93;",
    r"\u005bPERSON_1\u005d",
    "__PERSON_1__",
    "[PERSO",
    "[PERSON_",
    "<PERSON_>",
]


@pytest.mark.parametrize("typed", LOOKALIKES)
@pytest.mark.parametrize("frame", ["{}", "say {} twice {}", "x{}y", "[{}]", "{}1]", "{{{}}}", "https://x.test/?q={}"])
def test_what_tenants_type_never_becomes_a_value(typed: str, frame: str) -> None:
    """In prompts, notes, product names and keys it goes out escaped and comes back verbatim."""
    text = frame.replace("{}", typed)
    session = BuiltinMasker([EmailRecognizer(), PhoneRecognizer()], max_field_bytes=65_536).session()
    (masked,), data = session.mask([text], Order(note=text, product=text, tags={text: 1}))
    assert session.vault.restore(masked) == text
    assert session.vault.restore(data) == {"customer": "Ama Mensah", "note": text, "product": text, "tags": {text: 1}}
    her = next(number for number, (_, value) in session.vault._values.items() if value == "Ama Mensah")  # type: ignore[attr-defined]  # reason: the test looks inside
    if "Ama Mensah" not in typed:
        assert f"[PERSON_{her}]" not in masked


@pytest.mark.parametrize(
    "typed",
    [
        "PERSON 1 0241234567",
        "PERSON_1PERSON_1",
        "PERSON_1_PERSON_1",
        "0241234567 PERSON 1/0241234567",
        "ID_7PERSON 1",
        "ID1ID1PERSON1",
        "ID1person_1",
        "see //［a PERSON_1］",  # noqa: RUF001  # full-width brackets are meant
        "PERSON 1 2PERSON_1",
    ],
)
def test_what_stands_beside_a_hidden_stretch_is_looked_at_again(typed: str) -> None:
    """What becomes a lookalike only when its neighbour is replaced is escaped too."""
    session = BuiltinMasker([EmailRecognizer(), PhoneRecognizer()], max_field_bytes=65_536).session()
    session.mask([], Order())
    (masked,), _ = session.mask([typed], None)
    assert session.vault.restore(masked) == typed
    assert session.vault.restore(f"you wrote: {masked}") == f"you wrote: {typed}"
    assert "Ama" not in str(session.vault.restore(masked))


@pytest.mark.parametrize(
    "text",
    [
        "Use {overdue_total} and {name}.",
        "sizes [38, 39], note [1]",
        "a list: [\n 1,\n 2\n]",
        "ID 12.5, DATE 12/05/2026, AMOUNT 500.00",
        "Phone 2 people, person 1, id 5",
        "IDs, TEXTS and PHONES",
        "<b>Rice</b> & <text>",
        "[" + "long text " * 6 + "]",
    ],
)
def test_ordinary_brackets_and_words_are_not_escaped(text: str) -> None:
    """Feature references, number lists, prose and mark-up reach the model."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    (masked,), _ = session.mask([text], None)
    assert masked == text


def test_a_marked_value_that_looks_like_a_placeholder_is_only_a_value() -> None:
    """A customer who calls himself [PERSON_2] is restored as that text, and as nobody else."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    _, data = session.mask([], [Order(customer="[PERSON_2]"), Order(customer="Kofi Addo")])
    assert isinstance(data, list)
    assert [row["customer"] for row in data if isinstance(row, dict)] == ["[PERSON_1]", "[PERSON_2]"]
    assert session.vault.restore("[PERSON_1] and [PERSON_2]") == "[PERSON_2] and Kofi Addo"


def test_only_our_own_placeholders_are_left_in_a_masked_text() -> None:
    """Whatever was typed, each exact placeholder in the result is one the vault made."""
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    (masked,), _ = session.mask([" ".join(LOOKALIKES)], Order())
    made = {f"[{kind.value}_{number}]" for number, (kind, _) in session.vault._values.items()}  # type: ignore[attr-defined]  # reason: the test looks inside
    assert {match[0] for match in EXACT.finditer(masked)} <= made
