"""The fake gateway's pages: plain HTML that works without scripts, by keyboard and when read aloud."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ai_addons.billing.gateways.fake import shapes
from ai_addons.billing.gateways.fake.desk import REFUND_STATES
from ai_addons.billing.gateways.fake.payments import OTP
from ai_addons.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.billing.gateways.fake.desk import Desk
    from ai_addons.billing.gateways.fake.hooks import Delivery
    from ai_addons.billing.gateways.fake.records import DisputeRow, Payment, RefundRow

STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
nav a { margin-right: 1rem; }
.note { border-left: .25rem solid; padding-left: .75rem; }
.amount { font-size: 2rem; font-weight: bold; }
form { display: inline-block; margin: .25rem .5rem .25rem 0; }
button { font: inherit; min-height: 2.75rem; padding: .25rem 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid; padding: .25rem .5rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  thead { display: none; }
  tr { border-bottom: 1px solid; display: block; padding: .5rem 0; }
  td { border: 0; display: block; padding: 0; }
  td::before { content: attr(data-label) ": "; }
}
"""
_OPEN_REFUNDS: Final = frozenset({"pending", "processing", "needs-attention"})


def page(title: str, *parts: str) -> str:
    """A whole page."""
    links = (("/", "Start"), ("/phone", "Phone"), ("/operator", "Operator"))
    nav = "".join(f'<a href="{path}">{name}</a>' for path, name in links)
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} - fake gateway</title><link rel="stylesheet" href="/style.css"></head><body>'
        f'<header><nav aria-label="Pages">{nav}</nav>'
        '<p class="note">This is a fake gateway. No money moves here.</p></header>'
        f"<main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>\n"
    )


def start() -> str:
    """The page that says what there is."""
    return page(
        "Fake gateway",
        "<ul>"
        '<li><a href="/phone">Phone</a>: what waits on payers\' phones.</li>'
        '<li><a href="/operator">Operator</a>: every payment, refunds, disputes, webhooks.</li>'
        "<li>Each checkout has a page of its own; the shop sends you there.</li></ul>",
    )


def checkout(payment: Payment) -> str:
    """The page on which the payer pays."""
    base = f"/checkout/{payment.access_code}"
    ways = [way for channel, way in _WAYS if channel in payment.channels]
    buttons = "".join(_form(f"{base}/approve", label, fields, check) for label, fields, check in ways)
    decline = _form(f"{base}/decline", "Decline", {})
    hang = _form(f"{base}/hang", "Let it hang", {})
    return page("Pay", _bill(payment), f'<section aria-label="How to pay">{buttons}{decline}{hang}</section>')


_WAYS: Final[Sequence[tuple[str, tuple[str, dict[str, str], str | None]]]] = (
    ("mobile_money", ("Approve with Mobile Money", {"channel": "mobile_money"}, None)),
    ("card", ("Pay by card", {"channel": "card"}, "Save the card")),
)


def done(payment: Payment) -> str:
    """The page after it, with the way back to the shop: a link, which needs no script and no permission to redirect."""
    said = {
        "success": "The payment is approved.",
        "failed": f"The payment failed: {payment.reason}.",
        "reversed": "The payment was returned.",
    }.get(payment.status, "The payment is open. It can still be approved, here or on the operator's page.")
    back = _back(payment)
    link = f'<p><a href="{escape(back)}">Back to the shop</a></p>' if back else "<p>Go back to the shop.</p>"
    return page("Payment", _bill(payment), f'<p role="status">{escape(said)}</p>{link}')


def _back(payment: Payment) -> str | None:
    """Where the shop wants the browser, with the reference in the way Paystack adds it."""
    url = payment.callback_url
    if url is None or not url.startswith(("http://", "https://")):
        return None
    return f"{url}{'&' if '?' in url else '?'}trxref={payment.reference}&reference={payment.reference}"


def phone(prompts: Sequence[Payment]) -> str:
    """The payers' phone: prompts to approve, and codes that were sent."""
    items = "".join(_prompt(payment) for payment in prompts)
    body = f"<ul>{items}</ul>" if items else "<p>No prompt waits.</p>"
    return page("Phone", f'{body}<p><a href="/phone">Look again</a></p>')


def _prompt(payment: Payment) -> str:
    network = shapes.NETWORKS.get(payment.network, payment.network)
    told = f"{_amount(payment)} for {payment.email}, on {payment.phone} ({network}), {payment.reference}"
    if payment.status == "send_otp":
        code = f"Your voucher code is {OTP}. Type it in at the shop."
        return f"<li><p>{escape(told)}</p><p>{escape(code)}</p>{_answer(payment, 'decline', 'Decline')}</li>"
    buttons = _answer(payment, "approve", "Approve") + _answer(payment, "decline", "Decline")
    return f"<li><p>{escape(told)}</p>{buttons}</li>"


def _answer(payment: Payment, what: str, label: str) -> str:
    return _form(f"/phone/{what}", label, {"reference": payment.reference}, about=payment.reference)


def operator(desk: Desk, deliveries: Sequence[Delivery]) -> str:
    """The gateway's own desk: what no payer and no shop can do."""
    with desk.lock:
        payments = [desk.payment(row.reference) for row in reversed(desk.payments.all())]
        refunds, disputes = desk.refunds.all()[::-1], desk.disputes.all()[::-1]
    return page(
        "Operator",
        _table("Payments", ("Reference", "Amount", "Status", "Do"), map(_payment_row, payments)),
        _table("Refunds", ("Number", "Reference", "Amount", "State", "Do"), map(_refund_row, refunds)),
        _table("Disputes", ("Number", "Reference", "Amount", "State", "Do"), map(_dispute_row, disputes)),
        _table(
            "Webhooks sent",
            ("Event", "Reference", "Answer"),
            ((_text(d.event), _text(d.reference), _text(d.answer)) for d in deliveries),
        ),
    )


def refused(message: str) -> str:
    """What could not be done."""
    return page("Not done", f'<p role="alert">{escape(message)}</p>')


def _payment_row(payment: Payment) -> tuple[str, ...]:
    about, fields = payment.reference, {"reference": payment.reference}
    if payment.status == "success":
        act = _form("/operator/dispute", "Open a dispute", fields, about=about)
        act += _form("/operator/refund", "Refund all of it", fields, about=about)
    elif payment.paid_at is None:
        act = _form("/operator/approve", "Pay it after all", fields, about=about)
        act += _form("/operator/decline", "Let it fail", fields, about=about)
    else:
        act = ""
    if payment.card is not None:
        act += _form("/operator/break-card", "Let its card decline from now on", fields, about=about)
    act += _form("/operator/resend", "Send its webhooks again", fields, about=about)
    return _text(payment.reference), _text(_amount(payment)), _text(payment.status), act


def _refund_row(row: RefundRow) -> tuple[str, ...]:
    states = REFUND_STATES if row.status in _OPEN_REFUNDS else ()
    moves = [state for state in states if state != row.status]
    act = "".join(
        _form("/operator/move-refund", state, {"id": str(row.id), "state": state}, about=f"refund {row.id}")
        for state in moves
    )
    return str(row.id), _text(row.reference), _text(_money(row.amount, row.currency)), _text(row.status), act


def _dispute_row(row: DisputeRow) -> tuple[str, ...]:
    fields, about = {"id": str(row.id)}, f"dispute {row.id}"
    act = ""
    if row.status != "resolved":
        for label, resolution in (("Shop wins", "declined"), ("Shop loses", "merchant-accepted")):
            act += _form("/operator/resolve", label, fields | {"resolution": resolution}, about=about)
        act += _form("/operator/remind", "Remind", fields, about=about)
    state = row.status if row.resolution is None else f"{row.status} ({row.resolution})"
    return str(row.id), _text(row.reference), _text(_money(row.amount, row.currency)), _text(state), act


def _bill(payment: Payment) -> str:
    what = f"<p>{_text(payment.label)}</p>" if payment.label else ""
    return (
        f'<p class="amount">{_text(_amount(payment))}</p>{what}'
        f"<p>For {_text(payment.email)}. Reference {_text(payment.reference)}.</p>"
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    body = "".join(f"<tr>{''.join(map(_cell, columns, row))}</tr>" for row in rows)
    if not body:
        return f"<h2>{caption}</h2><p>None.</p>"
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    heading = f'<h2 id="{caption.split(maxsplit=1)[0]}">{caption}</h2>'
    return (
        f'{heading}<table aria-labelledby="{caption.split(maxsplit=1)[0]}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(column: str, cell: str) -> str:
    """A cell that knows its column: a small screen has no head of the table."""
    return f'<td data-label="{column}">{cell}</td>'


def _form(
    action: str, label: str, fields: Mapping[str, str], check: str | None = None, *, about: str | None = None
) -> str:
    """A button; ``check`` is the label of a box to tick, ``about`` what it is about, for whoever hears the page."""
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())
    box = f'<label><input type="checkbox" name="save" value="yes"> {escape(check)}</label> ' if check else ""
    named = f' aria-label="{escape(f"{label}: {about}")}"' if about else ""
    return f'<form method="post" action="{escape(action)}">{hidden}{box}<button{named}>{escape(label)}</button></form>'


def _amount(payment: Payment) -> str:
    return _money(payment.amount, payment.currency)


def _money(minor: int, currency: str) -> str:
    return str(Money.from_minor(minor, currency))


def _text(text: str) -> str:
    return escape(text)
