"""A browser without a window: it reads the fake gateway's pages and presses their buttons, as a person does."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

import httpx

VOID: Final = {"meta", "link", "input"}


class Page(HTMLParser):
    """A page as it is read: its text, links and forms; tags that do not match fail."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.url = response.url
        self.text = ""
        self.links: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.labels: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(response.text)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "form":
            assert known["method"] == "post"
            self.forms.append({":action": str(known["action"])})
        if tag == "input" and known["type"] == "hidden":
            self.forms[-1][str(known["name"])] = str(known["value"])
        if tag == "button":
            self.labels.append(str(known.get("aria-label", "")))
        if tag == "a":
            self._href = str(known["href"])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open and self._open[-1] == "button":
            self.forms[-1][":label"] = data
        if self._open and self._open[-1] == "a":
            self.links[data] = self._href


class Browser:
    """A browser that keeps its page; it sends the origin of the page, as browsers do."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=10)
        self.origin = url

    def see(self, path: str, status: int = 200) -> Page:
        """Read a page."""
        response = self.http.get(path)
        assert response.status_code == status, response.text
        self.page = Page(response)
        return self.page

    def press(self, label: str, number: int = 0, *, status: int = 200, **ticked: str) -> Page:
        """Press a button of the page by its label; the first of that name, or another."""
        form = [form for form in self.page.forms if form[":label"] == label][number]
        fields = {name: value for name, value in form.items() if not name.startswith(":")} | ticked
        response = self.http.post(form[":action"], data=fields, headers={"origin": self.origin})
        assert response.status_code == status, response.text
        self.page = Page(response)
        return self.page
