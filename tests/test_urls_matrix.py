"""Every address there is, asked by everybody: strangers see and change nothing, and looking changes nothing.

Made from the URL resolver: a new address whose parameters this file does not know fails it.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.urls.converters import get_converters

from contacts.models import Contact, ImportJob
from omnify.simulator import pages
from omnify.tenants.models import ApiKey, Approval, Membership, Notification, Tenant
from sequences.models import Message, ProviderEvent, Sequence, Step, Task
from sequences.unsubscribe import token_for
from tests.everything import Rows, fingerprint, make_everything
from tests.making import People, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

OURS, THEIRS = "Oursword", "Theirsword"
Values = dict[str, Any]
Fill = Callable[[Rows], Values]


def by(model: Any) -> Fill:
    return lambda rows: {"public_id": rows[model].public_id}


def pk(model: Any) -> Fill:
    return lambda rows: {"pk": rows[model].pk}


def step(rows: Rows) -> Values:
    return {"public_id": rows[Sequence].public_id, "key": rows[Step].key}


def enrolment(rows: Rows) -> Values:
    return {"sequence": rows[Sequence].public_id, "contact": rows[Contact].public_id}


# What stands in an address, by its name: exact, else by the longest beginning.
FILLED_BY: dict[str, Fill] = {
    "tenants:member_": pk(Membership),
    "tenants:key_": pk(ApiKey),
    "tenants:notification_read": by(Notification),
    "tenants:approval": by(Approval),
    "contacts:": by(Contact),
    "contacts:import_": by(ImportJob),
    "sequences:": by(Sequence),
    "sequences:step": step,
    "sequences:preview": step,
    "sequences:mail": step,
    "sequences:contact_panel": by(Contact),
    "sequences:reply": by(Contact),
    "sequences:settle": by(Message),
    "sequences:task_": by(Task),
    "sequences:event_": pk(ProviderEvent),
    "api:contact": by(Contact),
    "api:approval": by(Approval),
    "api:sequence": by(Sequence),
    "api:enrolment": enrolment,
    "phone:": by(Contact),
    "phone:mail": lambda rows: {**by(Contact)(rows), "seq": 1},
    "unsubscribe": lambda rows: {"token": "forged"},
    "preferences": lambda rows: {"token": "forged"},
    "account_confirm_email": lambda rows: {"key": "forged"},
    "account_reset_password_from_key": lambda rows: {"uidb36": "1", "key": "forged"},
}
# Addresses for everybody, and why. Nothing of a tenant is on them.
PUBLIC = {
    "api:schema": "describes the API, holds nobody's data",
    "unsubscribe": "the signed token is the permission (RFC 8058)",
    "preferences": "the signed token is the permission, as for unsubscribing",
}
# What a viewer may change, and why.
VIEWERS_MAY = {
    "tenants:notifications_read": "their own bell",
    "tenants:notification_read": "their own bell",
}
OUTSIDERS = {302, 401, 403, 404, 405}


@dataclass(frozen=True)
class Route:
    name: str
    pattern: str
    arguments: tuple[str, ...]

    def path(self, rows: Rows) -> str:
        values = fill_of(self)(rows) if self.arguments else {}
        missing = set(self.arguments) - set(values)
        assert not missing, f"{self.name} ({self.pattern}): tell this test what {', '.join(missing)} is."
        text = re.sub(r"<(?:(\w+):)?(\w+)>", lambda found: spelt(found[1] or "str", values[found[2]]), self.pattern)
        text = (
            re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda found: str(values[found[1]]), self.pattern)
            if "(?P" in self.pattern
            else text
        )
        return "/" + text.replace("^", "").replace("$", "")


def spelt(converter: str, value: Any) -> str:
    """A parameter as its own converter writes it: some numbers are not shown as such."""
    return str(get_converters()[converter].to_url(value))


def fill_of(route: Route) -> Fill:
    matching = [start for start in FILLED_BY if route.name.startswith(start)]
    assert matching, f"{route.name or 'nameless'} ({route.pattern}): a new address; say above what its parameters are."
    return FILLED_BY[max(matching, key=len)]


def routes(patterns: Any = None, prefix: str = "", space: str = "") -> Iterator[Route]:
    """All addresses but the admin's, whose own test opens every page of every model."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        pattern = prefix + str(each.pattern)
        if getattr(each, "namespace", None) == "admin":
            continue
        if hasattr(each, "url_patterns"):
            yield from routes(each.url_patterns, pattern, space + (f"{each.namespace}:" if each.namespace else ""))
        else:
            arguments = tuple(each.pattern.converters) or tuple(re.findall(r"\(\?P<(\w+)>", pattern))
            name = space + (each.name or "")
            nameless = {"u/": "unsubscribe", "p/": "preferences"}.get(pattern[:2], "")
            yield Route(name or nameless, pattern, arguments)


ROUTES = list(routes())


class Simulator:
    """Handsets without a simulator: everybody's is empty, and every answer is taken."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Nothing to connect to."""

    def people(self) -> list[Any]:
        return []

    def thread(self, address: str) -> Values:
        return {"address": address, "temperament": "manual", "unread": 0, "last": None, "entries": []}

    def ledger(self, **query: Any) -> list[Any]:
        return []

    def reply(self, *args: Any, **options: Any) -> int:
        return 200

    def set_person(self, address: str, **settings: Any) -> Values:
        return {}

    def mark_read(self, address: str) -> Values:
        return {}

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def world(people: People, now: datetime, monkeypatch: pytest.MonkeyPatch, settings: Any) -> tuple[Rows, Rows]:
    """(Acme's rows, the stranger's): each word of the one says whose it is."""
    monkeypatch.setattr(pages, "SimulatorClient", Simulator)
    cache.clear()
    return make_everything(people.alice, now, OURS), make_everything(people.charlie, now, THEIRS)


def body_of(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode("utf-8", "replace"))


def forged(rows: Rows) -> Values:
    """A form full of another tenant's ids, under every name a view might read one from."""
    contact, sequence = rows[Contact], rows[Sequence]
    return {
        "contact": contact.public_id, "contacts": [contact.public_id], "ids": str(contact.public_id), "who": "selected",
        "enrollment": rows[next(model for model in rows if model.__name__ == "Enrollment")].public_id,
        "sequence": sequence.public_id, "tenant": rows[Tenant].public_id, "owner": rows[Membership].pk,
        "action": "delete", "verb": "archive", "channel": "sms", "body": "smuggled", "role": "owner", "name": "Smuggled",
        "email": "smuggled@people.example", "tag": "smuggled", "key": rows[Step].key, "kind": "sms", "revision": 0,
        "next": "/", "enabled": "", "outcome": "sent", "temperament": "busy",
    }  # fmt: skip


def ask(client: Client, method: str, route: Route, path: str, values: Values) -> Any:
    if method in ("get", "head"):
        return getattr(client, method)(path)
    if route.name.startswith("api:"):
        data = json.dumps(values, default=str)
        return getattr(client, method)(path, data, content_type="application/json")
    return getattr(client, method)(path, values)


def methods_of(route: Route) -> tuple[str, ...]:
    return ("get", "post", "patch", "delete") if route.name.startswith("api:") else ("get", "post")


def crawl(
    member: Membership | None,
    methods: Callable[[Route], tuple[str, ...]],
    target: Rows,
    watched: list[int],
    among: list[Route] = ROUTES,
) -> Iterator[tuple[Route, str, Any, list[str]]]:
    """Asks every address and undoes it again; gives (route, method, response, tables of `watched` tenants that changed)."""
    before = fingerprint(watched)
    for route in among:
        for method in methods(route):
            with transaction.atomic():
                client = Client(raise_request_exception=False)
                if member is not None:
                    client.force_login(member.user)
                response = ask(client, method, route, route.path(target), forged(target))
                response.text_of_body = body_of(response)
                after = fingerprint(watched)
                yield route, method, response, [table for table in before if before[table] != after[table]]
                transaction.set_rollback(True)


def said(route: Route, method: str, response: Any, text: str) -> str:
    return f"{method.upper()} {route.name or route.pattern} -> {response.status_code}: {text}"


def test_there_are_addresses_and_each_is_known(world: tuple[Rows, Rows]) -> None:
    assert len(ROUTES) > 60
    assert all(route.path(world[0]).startswith("/") for route in ROUTES)


def test_a_new_address_must_be_told_to_this_test(world: tuple[Rows, Rows]) -> None:
    with pytest.raises(AssertionError, match="a new address"):
        Route("news:one", "news/<uuid:public_id>/", ("public_id",)).path(world[0])
    with pytest.raises(AssertionError, match="tell this test what other is"):
        Route("contacts:new", "contacts/<uuid:public_id>/<int:other>/", ("public_id", "other")).path(world[0])


def test_what_the_others_look_for_is_found_where_it_is(world: tuple[Rows, Rows], people: People) -> None:
    """The net holds something: an owner's POST changes the tables that are watched, and an owner's page shows the word."""
    names = {
        "contacts:contact", "sequences:sequence", "sequences:duplicate", "sequences:task_done",
        "api:contact", "api:enrolment_pause", "tenants:key_revoke", "tenants:sending",
    }  # fmt: skip
    among = [route for route in ROUTES if route.name in names]
    seen, changed_by = set(), set()
    for route, method, response, changed in crawl(people.alice, methods_of, world[0], [people.acme.pk], among):
        if OURS in response.text_of_body:
            seen.add(f"{method} {route.name}")
        if changed:
            changed_by.add(f"{method} {route.name}")
    assert {"get contacts:contact", "get sequences:sequence", "get api:contact"} <= seen
    assert {
        "post sequences:duplicate", "post sequences:task_done", "delete api:contact",
        "post api:enrolment_pause", "post tenants:key_revoke",
    } <= changed_by  # fmt: skip


def test_a_stranger_sees_and_changes_nothing(world: tuple[Rows, Rows], people: People) -> None:
    wrong = []
    for route, method, response, changed in crawl(people.charlie, methods_of, world[0], [people.acme.pk]):
        if changed:
            wrong.append(said(route, method, response, f"changed {changed}"))
        if OURS in response.text_of_body:
            wrong.append(said(route, method, response, "shows somebody else's words"))
        if response.status_code >= 500:
            wrong.append(said(route, method, response, "broke"))
        own = route.name in PUBLIC or route.name.startswith("account_")
        if route.arguments and not own and response.status_code not in OUTSIDERS:
            wrong.append(said(route, method, response, "should not exist for a stranger"))
    assert not wrong, "\n".join(wrong)


def test_somebody_who_is_not_logged_in_sees_and_changes_nothing(world: tuple[Rows, Rows], people: People) -> None:
    wrong = []
    for route, method, response, changed in crawl(None, methods_of, world[0], [people.acme.pk]):
        if changed or OURS in response.text_of_body or response.status_code >= 500:
            wrong.append(said(route, method, response, f"changed {changed}, or shows or breaks something"))
        entrance = route.name in PUBLIC or route.name.startswith(("account_", "mfa_"))
        if not entrance and response.status_code not in OUTSIDERS:
            wrong.append(said(route, method, response, "is open to everybody"))
    assert not wrong, "\n".join(wrong)


def test_a_viewer_changes_nothing(world: tuple[Rows, Rows], people: People) -> None:
    viewer = make_member(people.acme, "vera", "viewer")
    wrong = []
    for route, method, response, changed in crawl(viewer, methods_of, world[0], [people.acme.pk]):
        if changed and route.name not in VIEWERS_MAY:
            wrong.append(said(route, method, response, f"changed {changed}"))
        if response.status_code >= 500 or THEIRS in response.text_of_body:
            wrong.append(said(route, method, response, "broke, or shows somebody else's words"))
    assert not wrong, "\n".join(wrong)


def test_looking_changes_nothing(world: tuple[Rows, Rows], people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("unsubscribe", "preferences"):
        monkeypatch.setitem(FILLED_BY, name, lambda rows: {"token": token_for(rows[Message])})
    wrong = []
    tenants = [people.acme.pk, people.charlie.tenant_id]
    for route, method, response, changed in crawl(people.alice, lambda route: ("get", "head"), world[0], tenants):
        if changed or response.status_code >= 500:
            wrong.append(said(route, method, response, f"changed {changed}, or broke"))
        if THEIRS in response.text_of_body:
            wrong.append(said(route, method, response, "shows somebody else's words"))
        if (
            "style=" in response.text_of_body
            and response["Content-Type"].startswith("text/html")
            and "sandbox" not in str(response.get("Content-Security-Policy", ""))
        ):
            wrong.append(said(route, method, response, "has an inline style"))
    assert not wrong, "\n".join(wrong)
