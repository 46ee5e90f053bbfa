"""What passes between a framework and the endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from ai_addons.web.words import ENGLISH, Words

if TYPE_CHECKING:
    from ai_addons.addons import AddOns
    from ai_addons.errors import AddOnsError

Method: TypeAlias = Literal["GET", "POST"]

Action: TypeAlias = Literal[
    "credits:read", "credits:purchase", "usage:read", "addon:manage", "admin:read", "admin:write"
]
"""What somebody wants to do; the host's ``authorize`` decides. Cost and margin are ``admin:read``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking, as the host's own login says; never what the request itself claims.

    Attributes:
        business_id: The business acted for; empty for an operator who acts for none.
        user_id: The person.
        roles: What the host calls this person's rights; only ``authorize`` reads them.
    """

    business_id: str
    user_id: str | None = None
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """A request of any framework.

    Attributes:
        method: In capitals.
        path: Below the mount, without a leading slash: ``ai/credits/``.
        query: The query string's values, decoded; of a repeated name the last.
        headers: By lower-case name.
        body: As it came, byte for byte.
        principal: Who is asking; None for nobody known.
        root: Path under which the endpoints are mounted, with a slash at both ends; links begin with it.
        csrf_token: What the host's own login wants back with a form (field ``csrfmiddlewaretoken``) or a script's
            request (header ``X-CSRFToken``); None where it wants nothing.
        origin: Scheme and host by which the browser came, checked by the framework: ``https://pos.example.com``;
            None if unknown. Addresses that a payment gateway sends the browser back to begin with it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    # Logins and what payers typed stand in these two; no trace or log may show them.
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    principal: Principal | None = None
    root: str = "/"
    csrf_token: str | None = field(default=None, repr=False)
    origin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResponse:
    """An answer for any framework.

    Attributes:
        status: HTTP status.
        body: The bytes to send, the same in every framework.
        content_type: Of the body.
        headers: All others to send.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Body(BaseModel):
    """What a client sends: nothing unknown, and nothing turned into another type in silence."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """What a query string may hold; its values are text, so they are parsed, but nothing unknown is taken."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What is sent back; a `Decimal` goes out as text."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    left_out: ClassVar[frozenset[str]] = frozenset()
    """Fields that are not there at all where they are None, rather than saying that there is something to know."""

    @property
    def unsaid(self) -> set[str]:
        """Those of them that are left out of this answer."""
        return {name for name in self.left_out if getattr(self, name) is None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A request after the door: known, allowed and parsed.

    Attributes:
        addons: What answers.
        request: As it came.
        principal: Who is asking; None where the endpoint needs nobody.
        params: The named parts of the path.
        body: Of the endpoint's model; None where it takes none.
        query: Of the endpoint's model; None where it takes none.
        allows: Whether the asker may do something else too; a page shows or hides a button by it.
        endpoints: The whole table, for the document that describes it.
        key: The client's ``Idempotency-Key``; None without one.
        words: Say the sentences of a shop owner's page.
    """

    addons: AddOns
    request: WebRequest
    principal: Principal | None
    params: Mapping[str, str]
    body: BaseModel | None
    query: BaseModel | None
    allows: Callable[[Action], bool]
    endpoints: tuple[Endpoint, ...] = ()
    key: str | None = None
    words: Words = ENGLISH

    @property
    def business(self) -> str:
        """The business that asks; only endpoints with an action may read it."""
        if self.principal is None:
            msg = "an endpoint without an action has no business"
            raise TypeError(msg)
        return self.principal.business_id

    @property
    def user(self) -> str | None:
        """The person who asks, None if unknown."""
        return None if self.principal is None else self.principal.user_id


Handler: TypeAlias = Callable[[Context], Answer | WebResponse]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One line of the table.

    Attributes:
        method: ``GET`` or ``POST``; a ``HEAD`` is a ``GET`` whose body is not sent.
        path: Below the mount; ``{name}`` stands for one part of it.
        name: Unique; also the operation's id in the OpenAPI document.
        summary: What it does, in a sentence.
        handle: Does it.
        action: What the asker must be allowed; None for endpoints that need nobody (webhooks, static files).
        body: Model of the body; None for none.
        query: Model of the query string; None for none.
        answer: Model of the answer; None where it is not JSON of ours.
        status: Of success.
        errors: What it may answer besides the errors of the door.
        keyed: Whether it takes an ``Idempotency-Key``.
        costly: Whether it is rate limited by business and user.
        page: Whether people look at it: its errors are pages too.
        produces: Media types of its success, the usual one first; empty for what `kinds` says.
        raw: Whether it takes a body of any type, which it reads itself.
    """

    method: Method
    path: str
    name: str
    summary: str
    handle: Handler
    action: Action | None
    body: type[Body] | None = None
    query: type[Query] | None = None
    answer: type[Answer] | None = None
    status: int = 200
    errors: tuple[type[AddOnsError], ...] = ()
    keyed: bool = False
    costly: bool = False
    page: bool = False
    produces: tuple[str, ...] = ()
    raw: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Media types of its success, the usual one first: of a page HTML and of others JSON, unless it says more."""
        return self.produces or (("text/html",) if self.page else ("application/json",))
