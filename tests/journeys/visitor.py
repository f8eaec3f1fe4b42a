"""A person at a browser without scripts: reads pages, fills in their forms, follows where they lead."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.journeys.house import WebProcess


@dataclass
class Form:
    """One form as a browser would send it: its address and what its fields hold."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.open: Form | None = None
        self.choice: tuple[str, list[tuple[str, bool]]] | None = None
        self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self.open)
        if self.open is None:
            return
        name = given.get("name", "")
        if tag == "input" and name and given.get("type") not in ("submit", "button", "file", "image"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.open.fields.setdefault(name, []).append(given.get("value", "on" if "checked" in given else ""))
        elif tag == "select":
            self.choice = (name, [])
        elif tag == "option" and self.choice is not None:
            self.choice[1].append((given.get("value", ""), "selected" in given))
        elif tag == "textarea":
            self.area = name
            self.open.fields[name] = [""]

    def handle_data(self, data: str) -> None:
        if self.area and self.open is not None:
            self.open.fields[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "textarea":
            self.area = ""
        elif tag == "select" and self.choice is not None and self.open is not None:
            name, options = self.choice
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            if name and chosen:
                self.open.fields[name] = chosen
            self.choice = None


def forms(page: str) -> list[Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def words(page: str) -> str:
    """A page as a person reads it: its text, without marks and scripts."""
    text = re.sub(r"<(script|style|template)\b.*?</\1>", " ", page, flags=re.DOTALL | re.IGNORECASE)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


class Visitor:
    """Keeps cookies, and sends each form with the token that its page carried."""

    def __init__(self, web: WebProcess) -> None:
        self.web = web
        self.http = httpx.Client(base_url=web.url, follow_redirects=True, trust_env=False, timeout=60)
        self.path, self.page = "/", ""

    @property
    def words(self) -> str:
        """The page they are on, as text."""
        return words(self.page)

    def open(self, path: str, status: int = 200) -> str:
        """Goes to an address; returns the page's text."""
        return self._arrive(self.http.get(path), status)

    def submit(self, to: str, /, status: int = 200, files: Any = None, **changes: str | list[str]) -> str:
        """Sends a form of this page with these fields changed; returns the next page's text.

        `to`: a part of the form's address; "" for the one that goes back to the page itself.
        """
        own = ("", self.path, self.path.partition("?")[0])
        posts = [form for form in forms(self.page) if form.method == "post"]
        found = [form for form in posts if (to in form.action if to else form.action in own)]
        assert found, f"{self.path} has no form to “{to}”: {[form.action for form in forms(self.page)]}"
        data = found[0].fields | {name: [value] if isinstance(value, str) else value for name, value in changes.items()}
        target = str(httpx.URL(str(self.http.base_url)).join(self.path).join(found[0].action or self.path))
        headers = {"referer": str(self.http.base_url.join(self.path))}
        return self._arrive(self.http.post(target, data=data, files=files, headers=headers), status)

    def _arrive(self, answer: httpx.Response, status: int) -> str:
        said = self.web.log()[-4000:] if answer.status_code >= 500 else words(answer.text)[:2000]
        assert answer.status_code == status, f"{answer.request.method} {answer.url} said {answer.status_code}: {said}"
        self.path, self.page = answer.url.raw_path.decode(), answer.text
        return self.words

    def log_in(self, email: str, password: str) -> None:
        """Through the log-in page."""
        self.open("/accounts/login/")
        said = self.submit("login", login=email, password=password)
        assert self.path == "/", said
