"""HKDF against the test vectors of RFC 5869, appendix A (the SHA-256 ones)."""

from __future__ import annotations

import pytest

from ai_addons.hkdf import expand, extract

VECTORS = {
    "A.1": (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    "A.2": (
        bytes(range(80)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    "A.3": (
        "0b" * 22,
        "",
        "",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_rfc(name: str) -> None:
    """Key material, salt and info give the pseudorandom key and the output key of the RFC, byte for byte."""
    secret, salt, info, key, output = map(bytes.fromhex, VECTORS[name])
    assert extract(salt, secret) == key
    assert expand(key, info, len(output)) == output


@pytest.mark.parametrize("length", [0, -1, 255 * 32 + 1])
def test_a_length_that_hkdf_cannot_give_is_refused(length: int) -> None:
    """Rather than a short key."""
    with pytest.raises(ValueError, match="HKDF gives 1 to 8160 bytes"):
        expand(b"k" * 32, b"", length)


def test_the_longest_output() -> None:
    """The counter of a block is one byte; its last value still counts."""
    assert len(expand(b"k" * 32, b"", 255 * 32)) == 255 * 32
