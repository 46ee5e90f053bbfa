"""`addons.mask`: what would be sent, outside any call."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import BaseModel

from ai_addons import AddOns, Pii, PrivacyRefused, Settings
from ai_addons.errors import BadOutput
from ai_addons.privacy.masked import Placeholder

if TYPE_CHECKING:
    from pathlib import Path


class Debtor(BaseModel):
    """A customer with two marks."""

    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    owes: int = 120


AMA = Debtor(name="Ama Mensah", phone="0244123456")


@pytest.fixture
def addons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddOns:
    """A new user's: no settings, no key, an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AI_ADDONS_SECRET", raising=False)
    return AddOns(Settings())


def test_masking_writes_nothing(addons: AddOns, tmp_path: Path) -> None:
    """To look at a text takes no store, no key file and no cache."""
    assert addons.mask("Call 024 412 3456").text == "Call [PHONE_1]"
    addons.close()
    assert list(tmp_path.iterdir()) == []


def test_data_is_masked_beside_the_text(addons: AddOns) -> None:
    """A model's marks work as in a call: in its own fields and in the text, in any spelling."""
    masked = addons.mask("Remind AMA MENSAH on +233 24 412 3456.", data=AMA)
    assert masked.text == "Remind [PERSON_1] on [PHONE_2]."
    assert masked.data == {"name": "[PERSON_1]", "owes": 120, "phone": "[PHONE_2]"}
    assert masked.restore({"to": "[PERSON_1]", "at": ["[PHONE_2]"]}) == {"to": "Ama Mensah", "at": ["0244123456"]}


def test_declared_data_is_masked_but_not_shown(addons: AddOns) -> None:
    """What the text is about need not be sent; only what occurs is counted."""
    masked = addons.mask("Ask Ama Mensah.", known=[AMA])
    assert (masked.text, masked.data, dict(masked.counts)) == ("Ask [PERSON_1].", None, {"PERSON": 1})


def test_data_alone_needs_no_text(addons: AddOns) -> None:
    """The placeholders are those of the data, keys included."""
    masked = addons.mask(data={"0244123456": [AMA, None, 3]})
    assert masked.text == ""
    assert masked.placeholders == (Placeholder("[PHONE_1]", "PHONE"), Placeholder("[PERSON_2]", "PERSON"))


def test_the_values_are_told_only_to_who_asks(addons: AddOns) -> None:
    """Neither printing nor pickling shows them; `reveal` does, in order of appearance."""
    masked = addons.mask("Ask Ama Mensah or 0209876543.", known=AMA)
    assert masked.reveal() == {"[PERSON_1]": "Ama Mensah", "[PHONE_2]": "0209876543"}
    assert repr(masked) == "<Masked …>"
    assert "Mensah" not in f"{masked} {masked.placeholders}"
    with pytest.raises(TypeError, match="holds personal data and must not be pickled"):
        pickle.dumps(masked)


def test_a_closed_one_has_forgotten(addons: AddOns) -> None:
    """After the block the masked text is left, and nothing that could be put back."""
    with addons.mask("Call 0244123456") as masked:
        assert masked.restore("[PHONE_1]!") == "0244123456!"
    assert masked.text == "Call [PHONE_1]"
    with pytest.raises(BadOutput, match=r"holds 1 placeholders or contact details .* Nothing was charged"):
        masked.restore("[PHONE_1]!")
    with pytest.raises(BadOutput):
        masked.reveal()


def test_an_invented_contact_is_refused_and_not_quoted(addons: AddOns) -> None:
    """A wrong person's number must not reach a customer, and not a log either."""
    with pytest.raises(BadOutput) as refused:
        addons.mask("Hello").restore("Call [PERSON_4] on 0209876543")
    assert "holds 2 placeholders or contact details" in str(refused.value)
    assert "0209876543" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_what_cannot_be_masked_is_refused(addons: AddOns) -> None:
    """Nothing is shown of a text that would not be sent."""
    with pytest.raises(PrivacyRefused, match="over the limit"):
        addons.mask("a" * 70_000)


@pytest.mark.anyio
async def test_there_is_an_async_twin(addons: AddOns) -> None:
    """A long text does not hold up the event loop."""
    masked = await addons.aio.mask("Ask Ama Mensah", data={"n": 1}, known=AMA)
    assert (masked.text, masked.data) == ("Ask [PERSON_1]", {"n": 1})
