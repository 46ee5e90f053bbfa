"""How receipts and credit notes look: as plain text and as a page to print. Pure."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.billing.receipts import Paper

WIDTH: Final = 48
"""Columns of the text: what fits on the roll of a till's printer at its common font."""

_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;color:#111;background:#fff;margin:2rem auto;max-width:40rem;"
    "padding:0 1rem}h1{font-size:1.5rem}table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "caption{text-align:left;font-weight:600}th,td{padding:.25rem 0;vertical-align:top;overflow-wrap:anywhere}"
    "th{text-align:left;font-weight:400;padding-right:1rem}.sum td{text-align:right;white-space:nowrap}"
    "tfoot th,tfoot td{font-weight:600;border-top:1px solid #111}@media print{body{margin:0}}"
)


def as_text(paper: Paper) -> str:
    """A receipt or a note as plain text, `WIDTH` columns wide where its words allow it."""
    rule = "-" * WIDTH
    lines = (
        *map(plain, paper.seller),
        rule,
        f"{paper.title} {plain(paper.number)}",
        rule,
        *(line for pair in paper.facts for line in _row(*pair)),
        rule,
        *(line for pair in (*paper.sums, paper.total) for line in _row(*pair)),
        rule,
        *map(plain, paper.notes),
    )
    return "\n".join(lines) + "\n"


def as_html(paper: Paper) -> str:
    """The same as a whole page: no script, nothing loaded, readable by a screen reader, and printable.

    Every text is escaped. The page's own policy allows nothing but its one style.
    """
    name = f"{escape(paper.title)} {_safe(paper.number)}"
    seller, *address = map(_safe, paper.seller)
    notes = "".join(f"<p>{_safe(note)}</p>" for note in paper.notes)
    return (
        "<!doctype html>\n"
        '<html lang="en-GH"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{name}</h1>\n"
        f"<p><strong>{seller}</strong>{''.join(f'<br>{line}' for line in address)}</p>\n"
        f"<table><caption>Details</caption><tbody>{_rows(paper.facts)}</tbody></table>\n"
        f'<table class="sum"><caption>Amounts</caption><tbody>{_rows(paper.sums)}</tbody>'
        f"<tfoot>{_rows([paper.total])}</tfoot></table>\n"
        f"{notes}</main></body></html>\n"
    )


def plain(text: str) -> str:
    """A text that keeps to its line: no control or formatting characters, which could hide or turn what follows."""
    kept = (
        "" if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn"} else sign for sign in " ".join(text.split())
    )
    return "".join(kept)


def _safe(text: str) -> str:
    return escape(plain(text))


def _row(label: str, value: str) -> Iterator[str]:
    """A label on the left and a value on the right; on a line of its own where both are too long."""
    left, right = plain(label), plain(value)
    room = WIDTH - len(left) - len(right)
    if room > 0:
        yield f"{left}{' ' * room}{right}"
    else:
        yield left
        yield right.rjust(WIDTH)


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<tr><th scope="row">{_safe(label)}</th><td>{_safe(value)}</td></tr>' for label, value in pairs)


def _policy() -> str:
    """What the page may do: show its own style, known by its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
