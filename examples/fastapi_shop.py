"""A small point-of-sale system in FastAPI, with the AI add-on in it.

Run ``python examples/fastapi_shop.py``: it makes its tables, fills them, starts a gateway that moves no money, and
serves. It needs ``ai-addons[fastapi,web]`` and uvicorn. Annotations are evaluated, because FastAPI reads them.
"""

import os
import secrets
import sqlite3
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from markupsafe import Markup
from pos.buttons import press
from pos.pages import HEADERS, PAGES, sale
from pos.people import BUSINESSES, PEOPLE, Business, Person, authorize
from pos.records import TODAY, Records, seed
from pydantic import BaseModel, TypeAdapter, ValidationError

from ai_addons import AddOns, Settings, install
from ai_addons.billing.gateways.fake.hooks import HookPlan
from ai_addons.billing.gateways.fake.server import FakeGatewayServer
from ai_addons.billing.profile import BusinessProfile
from ai_addons.contrib.fastapi import add_errors, cookie_principal, payer, router
from ai_addons.features.product_description import Product
from ai_addons.features.shop import ContactLine, CustomerRecord, InvoiceLine, SaleLine, Shop, StockLine, Trade
from ai_addons.web import Principal, Web

M = TypeVar("M")

HERE: Final = Path(__file__).parent
COOKIE: Final = "session"
TABLES: Final = """
CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, business TEXT, kind TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS session (token TEXT PRIMARY KEY, person TEXT);
"""


class Books:
    """The shop's own tables: each line is JSON, which pydantic reads and writes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A transaction."""
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def fill(self) -> None:
        """Make the tables, and fill empty ones."""
        with self.open() as db:
            db.executescript(TABLES)
            if db.execute("SELECT 1 FROM line").fetchone() is None:
                for one in BUSINESSES:
                    _fill(db, one, seed(one))

    def records(self, business: Business) -> Records:
        """All rows of a shop."""
        with self.open() as db:
            return Records(
                shop=Shop(name=business.name, business_id=business.id, phone=business.phone, as_of=TODAY),
                products=_lines(db, business, Product),
                customers=_lines(db, business, CustomerRecord),
                trade=Trade(
                    as_of=TODAY,
                    sales=_lines(db, business, SaleLine),
                    stock=_lines(db, business, StockLine),
                    invoices=_lines(db, business, InvoiceLine),
                    contacts=_lines(db, business, ContactLine),
                ),
            )

    def sell(self, business: Business, line: SaleLine) -> None:
        """Keep a sale, and take it off the shelf."""
        with self.open() as db:
            _keep(db, business, [line])
            for stock in _lines(db, business, StockLine):
                if stock.item == line.item:
                    body = stock.model_copy(update={"stock": stock.stock - line.units}).model_dump_json()
                    where = (body, business.id, stock.item)
                    db.execute(
                        "UPDATE line SET body = ? WHERE business = ? AND kind = 'StockLine' AND body ->> 'item' = ?",
                        where,
                    )

    def sign_in(self, person: Person) -> str:
        """A token for the cookie."""
        token = secrets.token_urlsafe()
        with self.open() as db:
            db.execute("INSERT INTO session VALUES (?, ?)", (token, person.name))
        return token

    def sign_out(self, token: str) -> None:
        """Forget a token."""
        with self.open() as db:
            db.execute("DELETE FROM session WHERE token = ?", (token,))

    def person(self, request: Request) -> Person | None:
        """Who is signed in."""
        with self.open() as db:
            found = db.execute(
                "SELECT person FROM session WHERE token = ?", (request.cookies.get(COOKIE, ""),)
            ).fetchone()
        return None if found is None else {one.name: one for one in PEOPLE}[found[0]]


def _fill(db: sqlite3.Connection, business: Business, found: Records) -> None:
    trade = found.trade
    for lines in (found.products, found.customers, trade.sales, trade.stock, trade.invoices, trade.contacts):
        _keep(db, business, lines)


def _keep(db: sqlite3.Connection, business: Business, lines: Iterable[object]) -> None:
    rows = [(business.id, type(one).__name__, TypeAdapter(type(one)).dump_json(one).decode()) for one in lines]
    db.executemany("INSERT INTO line (business, kind, body) VALUES (?, ?, ?)", rows)


def _lines(db: sqlite3.Connection, business: Business, kind: type[M]) -> tuple[M, ...]:
    found = db.execute(
        "SELECT body FROM line WHERE business = ? AND kind = ? ORDER BY id", (business.id, kind.__name__)
    )
    read = TypeAdapter(kind).validate_json
    return tuple(read(body) for (body,) in found)


class Question(BaseModel):
    subject: str = ""


def profile(business_id: str) -> BusinessProfile:
    """What the add-on asks of a business."""
    found = {one.id: one for one in BUSINESSES}[business_id]
    return BusinessProfile(name=found.name, phone=found.phone, email=found.email)


async def form_of(request: Request) -> dict[str, str]:
    """A form's fields."""
    return dict(parse_qsl((await request.body()).decode()))


class Site:
    """What every route needs: who is there, and pages.

    Args:
        books: The shop's own tables.
        web: The endpoints of the AI add-on.
        gateway: Where payments go.
    """

    def __init__(self, books: Books, web: Web, *, gateway: str) -> None:
        self.books = books
        self.web = web
        self.gateway = gateway
        # The add-on asks it who is there; it refuses what other sites make a browser send.
        self.principal = cookie_principal(self.who)
        self._templates = Jinja2Templates(HERE / "pos" / "templates")

    def who(self, request: Request) -> Principal | None:
        """Who asks, for the add-on."""
        person = self.books.person(request)
        if person is None:
            return None
        business = "" if person.business is None else person.business.id
        return Principal(business_id=business, user_id=person.name, roles=frozenset({person.role}))

    def business(self, request: Request) -> Business:
        """The shop of whoever is signed in; others are sent where they belong."""
        person = self.books.person(request)
        if person is None or person.business is None:
            raise HTTPException(303, headers={"location": "/login/" if person is None else "/ai/admin/"})
        return person.business

    def page(self, request: Request, business: Business, name: str, *, problem: str | None = None) -> Response:
        """One of the shop's pages."""
        if name not in PAGES:
            raise HTTPException(404)
        title, content = PAGES[name]
        context = {"title": title, "problem": problem, **content(self.books.records(business))}
        return self.shown(request, name, context, status=422 if problem else 200)

    def shown(self, request: Request, name: str, context: Mapping[str, object], *, status: int = 200) -> Response:
        """A template, with what stands on every page."""
        person = self.books.person(request)
        known = {
            "person": None if person is None else person.name,
            "shop_name": None if person is None or person.business is None else person.business.name,
            "pages": PAGES,
            "people": PEOPLE,
            "gateway": self.gateway,
            "ai_addons_assets": Markup(self.web.assets()),  # noqa: S704  # escaped there
        }
        return self._templates.TemplateResponse(
            request, f"{name}.html", {**known, **context}, status_code=status, headers=dict(HEADERS)
        )


def make_app(books: Books, addons: AddOns, *, url: str, gateway: str) -> FastAPI:
    """The shop.

    Args:
        books: Its own tables.
        addons: The AI add-on.
        url: Where browsers find it.
        gateway: Where payments go.
    """
    app, web = FastAPI(title="Sika POS"), Web(addons, authorize=authorize)
    site = Site(books, web, gateway=gateway)
    app.include_router(router(web, principal=site.principal, origin=url))
    add_errors(app, web)
    app.mount("/static", StaticFiles(directory=HERE / "pos" / "static"))
    add_login(app, site)
    add_buttons(app, site)
    add_pages(app, site)
    return app


def add_login(app: FastAPI, site: Site) -> None:
    """In and out."""

    @app.get("/login/")
    def login(request: Request) -> Response:
        return site.shown(request, "login", {"title": "Sign in"})

    @app.post("/login/", dependencies=[Depends(site.principal)])
    def sign_in(request: Request, form: Annotated[dict[str, str], Depends(form_of)]) -> Response:
        person = {one.name: one for one in PEOPLE}.get(form.get("username", ""))
        if person is None or not compare_digest(form.get("password", "").encode(), person.password.encode()):
            return site.shown(request, "login", {"title": "Sign in", "failed": True}, status=401)
        answer = RedirectResponse("/till/", 303)
        answer.set_cookie(COOKIE, site.books.sign_in(person), httponly=True, samesite="lax")
        return answer

    @app.post("/logout/", dependencies=[Depends(site.principal)])
    def sign_out(request: Request) -> Response:
        site.books.sign_out(request.cookies.get(COOKIE, ""))
        return RedirectResponse("/login/", 303)


def add_buttons(app: FastAPI, site: Site) -> None:
    """The one address that all eight buttons ask. Whoever asks pays; too few credits are a 402, by `add_errors`."""

    @app.post("/api/ask/{feature}/", dependencies=[Depends(payer(site.principal))])
    def ask(feature: str, asked: Question, business: Annotated[Business, Depends(site.business)]) -> dict[str, Any]:
        try:
            return press(feature, site.books.records(business), asked.subject)
        except LookupError:
            raise HTTPException(404) from None
        except ValidationError as error:
            raise HTTPException(422, [issue["msg"] for issue in error.errors()]) from None


def add_pages(app: FastAPI, site: Site) -> None:
    """The pages of the shop, and its till."""

    @app.get("/")
    def home() -> Response:
        return RedirectResponse("/till/")

    @app.get("/{name}/")
    def page(request: Request, name: str, business: Annotated[Business, Depends(site.business)]) -> Response:
        return site.page(request, business, name)

    @app.post("/sell/", dependencies=[Depends(site.principal)])
    def sell(
        request: Request,
        business: Annotated[Business, Depends(site.business)],
        form: Annotated[dict[str, str], Depends(form_of)],
    ) -> Response:
        try:
            site.books.sell(business, sale(site.books.records(business), form))
        except (LookupError, ValueError) as error:
            return site.page(request, business, "till", problem=str(error))
        return RedirectResponse("/till/", 303)


def main() -> None:
    """Make the tables, fill them, start a gateway that moves no money, and serve until Ctrl-C."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=8000, help="where the shop listens (default 8000)")
    url = f"http://127.0.0.1:{parser.parse_args().port}"
    database = Path(os.environ.get("SHOP_DATABASE", HERE / "fastapi_shop.db"))
    books = Books(database)
    books.fill()
    port = int(os.environ.get("SHOP_GATEWAY_PORT", "8765"))
    with FakeGatewayServer(port=port, hooks=HookPlan(url=f"{url}/ai/webhooks/fake/")) as gateway:
        settings = Settings(
            store={"url": f"sqlite:///{database}"},
            gateways={"fake": {"base_url": gateway.url}},
            web={"home_url": "/till/"},
            receipts={"seller": "Sika POS Ltd"},
            cache={"backend": "memory"},
        )
        with AddOns(settings, profile=profile) as addons:
            install(addons)
            print(f"The shop: {url}/ (names and passwords stand on the login page)")
            print(f"A payer's phone: {gateway.url}/phone")
            app = make_app(books, addons, url=url, gateway=gateway.url)
            uvicorn.run(app, port=int(url.rpartition(":")[2]), log_level="warning")


if __name__ == "__main__":
    main()
