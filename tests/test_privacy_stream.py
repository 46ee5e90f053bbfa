"""An answer that arrives in pieces is restored like a whole one, and nothing is shown too early."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.privacy import contacts, grammar
from ai_addons.privacy.base import Kind, Unresolved
from ai_addons.privacy.restore import PlaceholderVault
from tests.distortions import DISTORTIONS, LOST, distorted, full_vault
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPLITS = 20_000 if FULL else 2_000
# A form, what decides about it, and what is looked at together.
MOST_HELD = grammar.LONGEST + grammar.AFTER + 64 + 32
KNOWN_NUMBER = "order 4455667"
OTHER = (
    *(
        "Dear",
        "and",
        "we owe",
        "bags,",
        "Total 12",
        "1,234.50",
        "Kind regards",
        "Me ma wo akye",
        "ɔdɔ",
        "   ",
        "\n",
        "é",
    ),
    *("call 024 123 4567 now", "0201234567", "+233 20 123 4567, 9", "me@x.test", "ama.mensah@shop.example.com.", "@"),
    *("https://x.test/a/", "www.x.test/?q=", "x.test/", "//evil.test/", "[Your Name]", "[PERSO", "[", "{", "&", "&lt"),
    *(
        "\\",
        "\\u00",
        "PERSON",
        "TEXT",
        "text_",
        "ID",
        "PHONE 2 shops",
        "DATE 12/05/2026",
        "12345678",
        "\u200b",
        "\u0301",
    ),
    *("<b>", "[14]", "call ", "100 200 300 400 500 600 700", "a" * 90, "{total}", "PERSONNE_", "product_id_1", "ﬁ"),
    *("__PERSON_1__", KNOWN_NUMBER, "ID 5@", "(", "+ ", "http"),
)


def answer(random: Random, values: Mapping[int, tuple[Kind, str]]) -> str:
    """A made-up answer full of placeholders, distorted and whole, and of what resembles them."""
    parts: list[str] = []
    for _ in range(random.randint(1, 8)):
        if random.random() < 0.4:
            parts.append(random.choice(OTHER))
        else:
            number = random.choice([*values])
            name = random.choice([name for name in DISTORTIONS if name != LOST or random.random() < 0.1])
            parts.append(distorted(random, name, values[number][0], number if random.random() < 0.95 else 99, "")[0])
        parts.append(random.choice((" ", " ", "", ", ", "\n")))
    return "".join(parts)


def pieces(random: Random, text: str) -> list[str]:
    """The text cut anywhere; one time in four into single characters."""
    if random.random() < 0.25:
        return list(text)
    cuts = sorted(random.choices(range(len(text) + 1), k=random.randint(0, 12)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def streamed(vault: PlaceholderVault, chunks: Sequence[str]) -> tuple[str, tuple[str, ...], int]:
    """What was shown, what was refused, and the most characters that were held back at once."""
    stream, shown, held = vault.stream(), "", 0
    try:
        for chunk in chunks:
            shown += stream.feed(chunk)
            held = max(held, stream.held)
        shown += stream.finish()
    except Unresolved as refusal:
        return shown, refusal.tokens, held
    return shown, (), held


def whole(vault: PlaceholderVault, text: str) -> tuple[str, tuple[str, ...]]:
    """The same, at once."""
    try:
        return str(vault.restore(text)), ()
    except Unresolved as refusal:
        return "", refusal.tokens


def test_any_split_gives_what_the_whole_gives() -> None:
    """The same text or a refusal of the same first fault, whatever the cuts; and little is held back."""
    random = Random(5)  # noqa: S311  # dice, not secrets
    most = refusals = 0
    vault, values = full_vault(random)
    for draw in range(SPLITS):
        if draw % 100 == 0:
            vault, values = full_vault(random)
            vault.sent(KNOWN_NUMBER)
        text = answer(random, values)
        restored, faults = whole(vault, text)
        shown, refused, held = streamed(vault, pieces(random, text))
        assert refused[:1] == faults[:1], text
        assert set(refused) <= set(faults)
        if not faults:
            assert shown == restored
        else:
            refusals += 1
        most = max(most, held)
    assert 0 < refusals < SPLITS / 2
    assert most <= MOST_HELD


PARTS = st.sampled_from(
    [*"[]{}<>«»\\_-:#&;/@.,+() \n'0123456789sxé\u200b", "PERSON", "person", "lt", "u003c", "https:", "ID"]
)


@given(st.lists(PARTS, max_size=40).map("".join), st.randoms(use_true_random=False))
def test_text_of_nothing_but_signs_is_read_alike(text: str, random: Random) -> None:
    """No heap of brackets, digits and half words is read differently in pieces."""
    vault, _ = full_vault(Random(3), many=12)  # noqa: S311  # dice, not secrets
    restored, faults = whole(vault, text)
    shown, refused, _ = streamed(vault, pieces(random, text))
    assert (shown if not faults else "", refused != ()) == (restored, faults != ())
    assert set(refused) <= set(faults)


@pytest.fixture
def vault() -> PlaceholderVault:
    """[PERSON_1], [PHONE_2] and a prompt that named the shop's own number."""
    made = PlaceholderVault()
    made.placeholder(Kind.PERSON, "ama", "Ama Mensah")
    made.placeholder(Kind.PHONE, "241234567", "0241234567")
    made.sent("Our number is 0302 123 456, mail shop@x.com")
    return made


def test_what_is_decided_is_shown_at_once(vault: PlaceholderVault) -> None:
    """A reader sees words as they come, and the name when its bracket is closed."""
    stream = vault.stream()
    shown = [stream.feed(chunk) for chunk in ("Dear ", "[PER", "SON_1] ", "and ", "all, ")]
    assert shown == ["Dear ", "", "Ama Mensah ", "and ", "all, "]
    assert stream.finish() == ""


@pytest.mark.parametrize(
    ("text", "token", "shown"),
    [
        ("Dear [PERSON_9], pay", "[PERSON_9]", "Dear "),
        ("Dear [Your Name], pay", "[Your Name]", "Dear "),
        ("see x.test/?e=[PHONE_2] now", "[PHONE_2]", "see "),
        ("see https://x.test/pay now", "https://x.test/pay", "see "),
        ("pay to 4111 1111 1111 1111 now please", "4111 1111 1111 1111", "pay to "),
        ("ring 020 123 4567 today please", "020 123 4567", "ring "),
        ("ring +233 (0) 20 123 4567 today", "+233 (0) 20 123 4567", "ring "),
        ("mail ama.mensah@gmail.test for more", "ama.mensah@gmail.test", "mail "),
        ("Dear PERSON_9", "PERSON_9", "Dear "),
    ],
)
def test_nothing_of_what_is_refused_is_shown(vault: PlaceholderVault, text: str, token: str, shown: str) -> None:
    """A placeholder without a value, or a stranger's number, never reaches the reader, not even in part."""
    before, refused, _ = streamed(vault, list(text))
    assert (before, refused) == (shown, (token,))


def test_the_shop_s_own_contacts_pass(vault: PlaceholderVault) -> None:
    """A number or an address that was in the prompt may be said again."""
    text = "Call 0302 123 456 or write shop@x.com, [PERSON_1]."
    assert streamed(vault, list(text))[:2] == ("Call 0302 123 456 or write shop@x.com, Ama Mensah.", ())


def test_a_piece_of_a_known_address_is_another_address(vault: PlaceholderVault) -> None:
    """`hop@x.com` is nobody's, though the prompt held `shop@x.com`."""
    assert whole(vault, "write hop@x.com")[1] == ("hop@x.com",)
    assert whole(vault, "write shop@x.co")[1] == ("shop@x.co",)


@pytest.mark.parametrize("cut", ["[PERSO", "[PERSON_", "[PERSON_1", "[ID", "[per"])
def test_an_answer_cut_off_in_a_placeholder_is_not_completed(vault: PlaceholderVault, cut: str) -> None:
    """Nobody guesses who was meant: the answer is refused."""
    assert whole(vault, f"Dear {cut}")[1] != ()
    shown, refused, _ = streamed(vault, ["Dear ", cut])
    assert (shown, refused != ()) == ("Dear ", True)


def test_a_long_link_is_remembered(vault: PlaceholderVault) -> None:
    """However long a link, a placeholder at its end is inside it."""
    text = f"see x.test/{'a/' * 2_000}[PERSON_1] now"
    assert whole(vault, text)[1] == ("[PERSON_1]",)
    assert streamed(vault, list(text))[1] == ("[PERSON_1]",)


def test_the_longest_hold_is_for_an_e_mail_address(vault: PlaceholderVault) -> None:
    """An address of the greatest length is held back whole; nothing is held longer."""
    address = f"{'a' * 64}@{('b' * 60 + '.') * 4}com"
    shown, refused, held = streamed(vault, list(f"write {address} or so and so on"))
    assert (shown, refused) == ("write ", (address,))
    assert len(address) < held <= contacts.LONGEST + 32


def test_a_finished_stream_takes_nothing_more(vault: PlaceholderVault) -> None:
    """After the end, or a refusal, feeding on is a mistake of the caller's."""
    stream = vault.stream()
    stream.finish()
    with pytest.raises(ValueError, match="finished"):
        stream.feed("more")
    stream = vault.stream()
    with pytest.raises(Unresolved):
        stream.feed("[PERSON_9] and more ")
    assert stream.held == 0
    with pytest.raises(ValueError, match="refused"):
        stream.finish()


def test_an_expected_value_that_never_came_is_named_at_the_end(vault: PlaceholderVault) -> None:
    """A message without the number it must have is refused when it is complete."""
    stream = vault.stream(expects=[Kind.PERSON, Kind.PHONE])
    assert stream.feed("Dear [PERSON_1], ") == "Dear Ama Mensah, "
    with pytest.raises(Unresolved) as refusal:
        stream.finish()
    assert refusal.value.missing == (("[PHONE_2]",),)


def test_a_closed_vault_restores_no_stream(vault: PlaceholderVault) -> None:
    """When the call is over its values are gone from streams too."""
    stream = vault.stream()
    vault.close()
    with pytest.raises(Unresolved):
        stream.feed("[PERSON_1] and ")
