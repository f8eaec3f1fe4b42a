"""4-reliability §4 A9: support looks at a workspace reading only, for a while, and its owners can read what was looked at."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from contacts.models import Contact
from omnify.lib import clock
from omnify.lib.opaque import OpaqueNumber
from omnify.simulator import pages
from omnify.tenants import support
from omnify.tenants.context import tenant_context
from omnify.tenants.middleware import SESSION_KEY
from omnify.tenants.models import Event, Membership, Notification, SupportVisit, User
from omnify.tenants.standing import standing_of_session
from omnify.tenants.visiting import VisitMiddleware
from tests.everything import Rows, fingerprint, make_everything
from tests.making import People
from tests.test_urls_matrix import ROUTES, Simulator, forged, methods_of

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

OURS = "Oursword"
BANNER = "banner visit"
REASON = "Ticket 4711: their import stands still"
# Tables that a look itself writes: what was looked at, and who was told.
LEDGERS = {"tenants_event", "tenants_supportvisit", "tenants_notification"}


@pytest.fixture
def staff(people: People) -> User:
    """Charlie works for Omnify: staff, with a second factor, a member of another workspace and of no other."""
    user = people.charlie.user
    user.is_staff = user.is_superuser = True
    user.save()
    totp.TOTP.activate(user, totp.generate_totp_secret())
    return user


@pytest.fixture
def ours(people: People, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.setattr(pages, "SimulatorClient", Simulator)
    cache.clear()
    return make_everything(people.alice, now, OURS)


@pytest.fixture
def looking(staff: User, people: People) -> Client:
    """Charlie's browser, looking at Acme."""
    client = Client(raise_request_exception=False)
    client.force_login(staff)
    answer = client.post(reverse("admin:support"), {"code": OpaqueNumber().to_url(people.acme.pk), "reason": REASON})
    assert (answer.status_code, answer["Location"]) == (302, "/"), answer.content.decode()
    return client


def events(people: People, kind: str) -> list[Event]:
    with tenant_context(people.acme.pk):
        return list(Event.objects.filter(kind=kind).order_by("pk"))


def test_a_look_begins_with_a_reason_and_tells_the_owners(looking: Client, people: People, staff: User) -> None:
    began = events(people, "support.began")
    assert [event.actor for event in began] == [f"support:{staff.pk}"]
    assert began[0].data["reason"] == REASON
    with tenant_context(people.acme.pk):
        told = Notification.objects.get(type="support")
        assert (told.member_id, REASON in told.body) == (people.alice.pk, True)
        visit = SupportVisit.objects.get()
        assert visit.until - visit.began_at == timedelta(minutes=30)
    page = looking.get("/").content.decode()
    assert BANNER in page
    assert "of support looks at Acme" in page
    assert reverse("tenants:support_end") in page
    alice = Client()
    alice.force_login(people.alice.user)
    audit = alice.get(reverse("tenants:audit")).content.decode()
    assert "Support: began" in audit
    assert "Support: Charlie" in audit
    assert BANNER not in alice.get("/").content.decode()


def test_staff_see_what_the_owner_sees_and_only_there(looking: Client, ours: Rows) -> None:
    answer = looking.get(reverse("contacts:contact", args=[ours[Contact].public_id]))
    assert answer.status_code == 200
    assert OURS in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert looking.get(reverse("tenants:audit")).status_code == 200


def test_every_address_refuses_every_other_method_and_the_audit_says_so(
    looking: Client, ours: Rows, people: People
) -> None:
    tenants = [people.acme.pk, people.charlie.tenant_id]
    wrong = []
    for route in ROUTES:
        if route.name in ("tenants:support_end", "account_logout"):
            continue
        for method in [each for each in methods_of(route) if each != "get"] + ["put"]:
            with transaction.atomic():
                before, tries = fingerprint(tenants), len(events(people, "support.refused"))
                path = route.path(ours)
                answer = getattr(looking, method)(path, forged(ours) if method == "post" else {"name": "x"})
                after = fingerprint(tenants)
                changed = {
                    table for table in before if before[table] != after[table] and table.split(":")[0] not in LEDGERS
                }
                noted = events(people, "support.refused")[tries:]
                if answer.status_code != 403 or changed or [event.data["path"] for event in noted] != [path[:200]]:
                    wrong.append(f"{method} {route.name}: {answer.status_code} {changed} {len(noted)}")
                transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def test_looking_at_everything_changes_nothing_and_what_is_closed_stays_closed(
    looking: Client, ours: Rows, people: People
) -> None:
    tenants = [people.acme.pk, people.charlie.tenant_id]
    closed = (
        "contacts:export",
        "contacts:import_errors",
        "tenants:key",
        "tenants:data_export",
        "api:",
        "account_",
        "mfa_",
        "usersessions_",
        "phone:",
    )
    wrong = []
    for route in ROUTES:
        with transaction.atomic():
            before = fingerprint(tenants)
            answer = looking.get(route.path(ours))
            after = fingerprint(tenants)
            changed = {
                table for table in before if before[table] != after[table] and table.split(":")[0] not in LEDGERS
            }
            refused = answer.status_code == 403
            if changed or answer.status_code >= 500 or refused != route.name.startswith(closed):
                wrong.append(f"{route.name}: {answer.status_code} {changed}")
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)
    assert looking.get("/admin/").status_code == 403
    assert looking.get("/admin/tenants/apikey/").status_code == 403


@pytest.mark.parametrize("how", ["orm", "sql", "nested"])
def test_a_page_that_writes_cannot(
    looking: Client, ours: Rows, people: People, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def writes(request: HttpRequest) -> HttpResponse:
        if how == "orm":
            Contact.objects.update(first_name="Smuggled")
        elif how == "sql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ WRITE")
                cursor.execute("UPDATE contacts_contact SET first_name = 'Smuggled'")
        else:
            with tenant_context(people.acme.pk), transaction.atomic():
                Membership.objects.filter(role="agent").delete()
        return HttpResponse("done")

    def view(self: Any, request: HttpRequest) -> HttpResponse:
        try:
            return writes(request)
        except Exception as error:  # noqa: BLE001 - as Django's handler does it: the exception becomes a page
            VisitMiddleware(writes).process_exception(request, error)
            return HttpResponse("broke", status=500)

    monkeypatch.setattr("omnify.tenants.middleware.TenantMiddleware.__call__", view)
    before = fingerprint([people.acme.pk])
    answer = looking.get(reverse("contacts:list"))
    monkeypatch.undo()
    assert answer.status_code == 403
    assert "Reading only" in answer.content.decode()
    after = fingerprint([people.acme.pk])
    assert {table for table in before if before[table] != after[table]} <= {
        f"{each}:{people.acme.pk}" for each in LEDGERS
    }
    assert [event.data["method"] for event in events(people, "support.refused")] == ["GET"]


def test_each_page_stands_in_the_audit_once_a_minute(
    looking: Client, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    for later, path in (
        (0, "/contacts/"),
        (20, "/contacts/"),
        (30, "/sequences/"),
        (61, "/contacts/"),
        (62, "/contacts/"),
    ):
        at = moment + timedelta(seconds=later)
        monkeypatch.setattr("omnify.tenants.visiting.now", lambda at=at: at)
        assert looking.get(path).status_code == 200
    assert [event.data["path"] for event in events(people, "support.looked")] == [
        "/contacts/",
        "/sequences/",
        "/contacts/",
    ]


def test_after_half_an_hour_it_is_over(looking: Client, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + timedelta(minutes=30, seconds=1)
    monkeypatch.setattr("omnify.tenants.visiting.now", lambda: later)
    answer = looking.get("/contacts/")
    assert BANNER not in answer.content.decode()
    ended = events(people, "support.ended")
    assert [event.data["by"] for event in ended] == ["time"]
    assert not events(people, "support.looked")
    monkeypatch.undo()
    assert BANNER not in looking.get("/contacts/").content.decode()  # nor does it come back


@pytest.mark.parametrize("how", ["end", "logout"])
def test_it_ends_with_its_button_and_with_logging_out(looking: Client, people: People, how: str) -> None:
    assert looking.get(reverse("tenants:support_end")).status_code == 405
    key = str(looking.session.session_key)
    assert standing_of_session(key) is not None
    assert standing_of_session(key)[0] == people.acme.pk  # type: ignore[index]
    looking.post(reverse("tenants:support_end" if how == "end" else "account_logout"))
    assert [event.data["by"] for event in events(people, "support.ended")] == ["staff"]
    assert BANNER not in looking.get("/").content.decode()
    standing = standing_of_session(key)
    assert standing is None or standing[0] == people.charlie.tenant_id


@pytest.mark.parametrize("lost", ["staff", "factor", "active"])
def test_it_ends_when_the_right_to_look_does(looking: Client, people: People, staff: User, lost: str) -> None:
    if lost == "factor":
        staff.authenticator_set.all().delete()
    else:
        User.objects.filter(pk=staff.pk).update(**{"is_staff" if lost == "staff" else "is_active": False})
    assert BANNER not in looking.get("/contacts/").content.decode()
    assert BANNER not in looking.get("/contacts/").content.decode()


def test_who_may_not_look_does_not(people: People, staff: User) -> None:
    where, form = reverse("admin:support"), {"code": OpaqueNumber().to_url(people.acme.pk), "reason": REASON}
    client = Client()
    client.force_login(staff)
    assert client.get(where).status_code == 200
    for wrong, said in (
        ({"reason": "because"}, "Say why"),
        ({"code": "1"}, "no workspace"),
        ({"code": "x"}, "no workspace"),
    ):
        answer = client.post(where, form | wrong)
        assert (answer.status_code, said in answer.content.decode()) == (403, True)
    staff.authenticator_set.all().delete()
    answer = client.post(where, form)
    assert (answer.status_code, "two-factor" in answer.content.decode()) == (403, True)
    for member in (people.alice, people.bob):
        other = Client()
        other.force_login(member.user)
        assert other.post(where, form).status_code in (302, 403)
        assert SESSION_KEY not in other.session
    assert not events(people, "support.began")


def test_a_look_is_one_persons_and_one_sessions(looking: Client, people: People, staff: User, now: datetime) -> None:
    """Neither somebody else's session nor a guessed number in one's own opens it."""
    with tenant_context(people.acme.pk):
        visit = SupportVisit.objects.get()
        assert support.found(people.acme.pk, visit.pk, people.bob.user, clock.now()) is None
        assert support.found(people.acme.pk, visit.pk, staff, clock.now()) == visit
    assert support.found(people.charlie.tenant_id, visit.pk, staff, clock.now()) is None
    other = Client()
    other.force_login(staff)
    assert BANNER not in other.get("/").content.decode()


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
