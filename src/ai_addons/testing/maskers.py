"""The contract of a masker; `ai_addons.testing.contracts` offers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final, cast

from pydantic import BaseModel

from ai_addons.privacy.base import Unresolved
from ai_addons.privacy.markers import Pii, Public
from ai_addons.testing.require import require

if TYPE_CHECKING:
    from ai_addons.privacy.base import Json, Masker, Session, Vault

_NAME: Final = "Ama Serwaa"
_OTHER: Final = "Kofi Boateng"
_PHONE: Final = "024 412 3456"
_DROPPED: Final = "keeps-the-key"
_PRODUCT: Final = "Milo 400 g"


class _Customer(BaseModel):
    name: Annotated[str, Pii.NAME]
    phone: Annotated[str, Pii.PHONE]
    secret: Annotated[str, Pii.DROP]
    product: Annotated[str, Public]
    days: int


_AMA: Final = _Customer(name=_NAME, phone=_PHONE, secret=_DROPPED, product=_PRODUCT, days=3)
_KOFI: Final = _AMA.model_copy(update={"name": _OTHER})
_TEXTS: Final = ("Be kind.", f"Remind {_NAME} of 3 tins of {_PRODUCT}.")


class MaskerContract:
    """What every masker must keep; an `AssertionError` says in words what yours did wrong.

    Subclass it in a test module and say how to make yours::

        class TestMyMasker(MaskerContract):
            def make(self):
                return MyMasker()
    """

    def make(self) -> Masker:
        """Your masker, made anew each time."""
        raise NotImplementedError

    def test_marked_values_do_not_leave(self) -> None:
        """A marked value stands neither in the data nor in a text that repeats it."""
        sent = _sent(*_masked(self.make().session()))
        for value in (_NAME, _PHONE, _DROPPED):
            require(value not in sent, f"{value!r} is marked as personal and stands in what is sent: {sent}")

    def test_other_values_are_sent_as_they_are(self) -> None:
        """Words, numbers and public names are the question; without them there is no answer."""
        (system, _), data = _masked(self.make().session())
        require(system == _TEXTS[0], f"A text without personal data was changed to {system!r}.")
        facts = cast("dict[str, Json]", data)
        kept = {name: facts.get(name) for name in ("product", "days")}
        require(kept == {"product": _PRODUCT, "days": 3}, f"Public facts were changed to {kept}.")

    def test_it_restores_what_it_masked(self) -> None:
        """An answer that repeats everything comes back with every value, to the letter."""
        session = self.make().session()
        texts, data = _masked(session)
        restored = session.vault.restore([*texts, data])
        wanted: Json = [*_TEXTS, {"name": _NAME, "phone": _PHONE, "product": _PRODUCT, "days": 3}]
        require(restored == wanted, f"What was masked came back as {restored}.")

    def test_one_value_has_one_placeholder(self) -> None:
        """The model can tell that two records speak of one person, and two people apart."""
        _, data = self.make().session().mask([], [_AMA, _AMA, _KOFI])
        one, same, other = (cast("dict[str, Json]", item)["name"] for item in cast("list[Json]", data))
        require(one == same, f"One name has two placeholders, {one} and {same}.")
        require(one != other, f"Two names have one placeholder, {one}: an answer could not be restored.")

    def test_an_invented_placeholder_is_refused(self) -> None:
        """What was never given stands for nobody, and must not be shown."""
        session = self.make().session()
        _masked(session)
        require(_refused(session.vault, "Call [PERSON_987]."), "A placeholder that was never given was let through.")

    def test_calls_share_nothing(self) -> None:
        """A placeholder of one call stands for nobody in the next."""
        masker = self.make()
        _, data = _masked(masker.session())
        stray = cast("dict[str, Json]", data)["name"]
        another = masker.session()
        another.mask(["Nobody here."], None)
        require(_refused(another.vault, f"Call {stray}."), f"{stray} of one call was accepted in another.")

    def test_a_typed_placeholder_stays_what_it_is(self) -> None:
        """A tenant who types a placeholder does not get another's name in its place."""
        session = self.make().session()
        (text,), _ = session.mask(["[PERSON_1] said so."], _AMA)
        restored = session.vault.restore(text)
        require(restored == "[PERSON_1] said so.", f"A typed placeholder came back as {restored!r}.")

    def test_later_texts_are_masked_too(self) -> None:
        """A text that comes later in the call, such as a sample, is masked with what is known."""
        session = self.make().session()
        _masked(session)
        later = session.mask_text(f"{_NAME} again")
        require(_NAME not in later, f"A later text of the call was sent as {later!r}.")
        require(session.vault.restore(later) == f"{_NAME} again", f"{later!r} did not come back.")

    def test_it_counts_what_it_replaced(self) -> None:
        """The receipt says how many values of each kind stayed here."""
        session = self.make().session()
        _masked(session)
        counts = dict(session.vault.counts)
        require(counts == {"PERSON": 1, "PHONE": 1}, f"A name and a number were replaced, and it counts {counts}.")

    def test_equal_prompts_are_masked_alike(self) -> None:
        """Stored answers are found by the masked prompt; it must depend on nothing else."""
        one, other = (_sent(*_masked(self.make().session())) for _ in range(2))
        require(one == other, f"The same prompt was masked in two ways: {one} and {other}")

    def test_it_forgets(self) -> None:
        """Once closed, the vault restores nothing any more, and it never shows what it holds."""
        session = self.make().session()
        _, data = _masked(session)
        shown = f"{session!r} {session.vault!r} {session!s} {session.vault!s}"
        require(_NAME not in shown, "The name shows when session or vault are printed; they end up in logs.")
        session.vault.close()
        token = str(cast("dict[str, Json]", data)["name"])
        require(_refused(session.vault, token), "The vault restores after it was closed: it keeps personal data.")


def _masked(session: Session) -> tuple[list[str], Json]:
    return session.mask(list(_TEXTS), _AMA)


def _sent(texts: list[str], data: Json) -> str:
    """All that would be sent, as one text."""
    return json.dumps([texts, data], ensure_ascii=False)


def _refused(vault: Vault, text: str) -> bool:
    try:
        vault.restore(text)
    except Unresolved:
        return True
    return False
