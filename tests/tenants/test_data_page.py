"""The page Data: terms, legal hold, what was removed, and a copy of everything."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from contacts import clearing as conversations
from contacts.models import Contact, Interaction
from omnify.lib.streaming import attachment
from omnify.tenants import clearing, rates
from omnify.tenants.actions import create_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Approval, Event, Membership, Notification, RetentionMark, Tenant
from omnify.tenants.retention import KINDS, Term, Terms
from sequences import clearing as messages
from tests.everything import TENANT_MODELS, as_worker, make_everything
from tests.making import People, make_contact, make_member, signed

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]
PAGE = "tenants:data"


@pytest.fixture
def as_alice(people: People, client: Client) -> Client:
    cache.clear()
    client.force_login(people.alice.user)
    return client


def of(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def present(people: People) -> tuple[int | None, int, bool]:
    tenant = Tenant.objects.get(pk=people.acme.pk)
    return tenant.keep_words_days, tenant.keep_raw_days, tenant.legal_hold


@pytest.mark.parametrize("name", [PAGE, "tenants:data_hold", "tenants:data_export"])
@pytest.mark.parametrize("role", ["manager", "agent", "viewer"])
def test_it_is_for_owners_alone(people: People, name: str, role: str) -> None:
    client = of(make_member(people.acme, "sam", role))
    assert client.post(reverse(name), {"wanted": "yes"}).status_code == 403
    assert client.get(reverse(name)).status_code == 403
    assert present(people) == (1826, 90, False)


def test_a_longer_term_holds_at_once(people: People, as_alice: Client) -> None:
    response = as_alice.post(reverse(PAGE), {"keep_words_days": "0", "keep_raw_days": "180"})
    assert response.status_code == 302
    assert present(people) == (None, 180, False)
    assert b"For ever" in as_alice.get(reverse(PAGE)).content


@pytest.mark.parametrize(
    "wish", [{"keep_words_days": "90", "keep_raw_days": "90"}, {"keep_words_days": "1826", "keep_raw_days": "7"}]
)
def test_a_shorter_one_needs_a_second_signature(
    people: People, as_alice: Client, now: datetime, wish: dict[str, str]
) -> None:
    mo = make_member(people.acme, "mo", "manager")
    response = as_alice.post(reverse(PAGE), wish)
    with tenant_context(people.acme.pk):
        row = Approval.objects.get()
        assert response["Location"] == reverse("tenants:approval", args=[row.public_id])
        assert present(people) == (1826, 90, False)
        assert b"waits for" in as_alice.get(reverse(PAGE)).content.lower()
        signed(row, now, by=mo)
    assert present(people) == (int(wish["keep_words_days"]), int(wish["keep_raw_days"]), False)


def test_a_hold_is_put_on_by_one_and_taken_off_by_two(people: People, as_alice: Client, now: datetime) -> None:
    mo = make_member(people.acme, "mo", "manager")
    as_alice.post(reverse("tenants:data_hold"), {"wanted": "yes"})
    assert present(people)[2] is True
    assert b"On hold" in as_alice.get(reverse(PAGE)).content
    as_alice.post(reverse("tenants:data_hold"), {"wanted": "no"})
    assert present(people)[2] is True
    with tenant_context(people.acme.pk):
        signed(Approval.objects.get(), now, by=mo)
    assert present(people)[2] is False


@pytest.mark.parametrize(
    "nonsense",
    [{}, {"keep_words_days": "1", "keep_raw_days": "90"}, {"keep_words_days": "-5", "keep_raw_days": "x"},
     {"keep_words_days": "1826", "keep_raw_days": "0"}, {"keep_words_days": "9" * 40, "keep_raw_days": "90"}],
)  # fmt: skip
def test_nonsense_changes_nothing_and_says_so(people: People, as_alice: Client, nonsense: dict[str, str]) -> None:
    response = as_alice.post(reverse(PAGE), nonsense)
    assert response.status_code == (422 if nonsense else 200)
    assert present(people) == (1826, 90, False)


def test_a_term_of_ones_own_is_offered_and_kept(people: People, as_alice: Client) -> None:
    with tenant_context(people.acme.pk):
        Tenant.objects.filter(pk=people.acme.pk).update(keep_words_days=400)
    assert b"400 days" in as_alice.get(reverse(PAGE)).content
    assert as_alice.post(reverse(PAGE), {"keep_words_days": "400", "keep_raw_days": "90"}).status_code == 302
    assert present(people) == (400, 90, False)
    assert not Event.objects.all_tenants().filter(kind="tenant.updated").exists()


def test_it_shows_what_was_removed(people: People, as_alice: Client, now: datetime) -> None:
    with tenant_context(people.acme.pk), as_worker():
        RetentionMark.objects.create(kind="messages", upto=now, total=1234, cleared_at=now)
    html = as_alice.get(reverse(PAGE)).content.decode()
    assert "18 November 2026" in html
    assert "1234" in html


def test_every_kind_that_is_swept_has_a_name() -> None:
    kinds = {
        conversations.CONVERSATION, conversations.ERASED, conversations.LISTS, messages.MESSAGES, messages.ERASED,
        messages.REPORTS, messages.PARKED, clearing.NOTIFICATIONS,
    }  # fmt: skip
    assert kinds == set(KINDS)


def test_an_owner_takes_everything_of_their_own(people: People, as_alice: Client, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        make_everything(people.alice, now, "Oursword")
    make_everything(people.charlie, now, "Theirsword")
    other = make_member(people.acme, "olga", "owner")
    response = as_alice.post(reverse("tenants:data_export"), headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "identity", (
        "each piece packed by itself, a browser would read the first alone"
    )
    assert response["Content-Disposition"].startswith('attachment; filename="acme-')
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:  # type: ignore[attr-defined]
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert len(files) == len(TENANT_MODELS) + 1
    everything = "".join(files.values())
    assert "Oursword body" in everything
    assert "Theirsword" not in everything
    for line in "".join(text for name, text in files.items() if name != "about.json").splitlines():
        assert json.loads(line)["tenant_id"] == people.acme.pk
    with tenant_context(people.acme.pk):
        event = Event.objects.get(kind="tenant.exported")
        assert event.actor == f"member:{people.alice.pk}"
        note = Notification.objects.get(title__contains="copy of everything")
        assert note.member_id == other.pk


def test_exports_are_few(people: People, as_alice: Client) -> None:
    most, _ = rates.EXPORTS
    sizes = [as_alice.post(reverse("tenants:data_export")).status_code for _ in range(most + 1)]
    assert sizes == [200] * most + [302]


def test_many_rows_come_in_lots_and_all_of_them_come(
    people: People, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    from omnify.tenants import exporting

    monkeypatch.setattr(exporting, "CHUNK", 7)
    with tenant_context(people.acme.pk):
        Contact.objects.bulk_create(Contact(tenant_id=people.acme.pk, first_name=f"Pat{n}") for n in range(40))
    export = exporting.Export(people.acme, now=now)
    pieces = list(export.pieces())
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        names = [json.loads(line)["first_name"] for line in archive.read("contacts.contact.jsonl").splitlines()]
    assert sorted(names) == sorted(f"Pat{n}" for n in range(40))
    assert len(set(names)) == export.counts["contacts.Contact"] == 40
    assert len(pieces) > 5


def test_under_asgi_a_piece_is_made_when_it_is_asked_for() -> None:
    import asyncio

    made: list[int] = []

    def pieces() -> Any:
        for n in range(3):
            made.append(n)
            yield b"x"

    request = HttpRequest()
    request.scope = {}  # type: ignore[attr-defined]

    async def read() -> None:
        content: Any = attachment(request, pieces(), "a.zip", "application/zip").streaming_content
        following = aiter(content)
        await anext(following)
        assert made == [0]
        assert [piece async for piece in following] == [b"x", b"x"]

    asyncio.run(read())


def test_a_touch_whose_words_are_gone_says_so(people: People, as_alice: Client, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        for days, body in ((900, ""), (1, "lately")):
            Interaction.objects.create(
                contact=contact, channel="sms", direction="inbound", at=now - timedelta(days=days), content_body=body
            )
        with as_worker():
            RetentionMark.objects.create(kind="conversation", upto=now - timedelta(days=730))
    html = as_alice.get(reverse("contacts:contact", args=[contact.public_id])).content.decode()
    assert html.count("The words are no longer kept.") == 1


@pytest.mark.parametrize(
    ("terms", "term", "expected"),
    [
        (Terms(730, 90, hold=False), Term.WORDS, datetime(2024, 11, 18, tzinfo=UTC)),
        (Terms(None, 90, hold=False), Term.WORDS, None),
        (Terms(730, 90, hold=False), Term.RAW, datetime(2026, 8, 20, tzinfo=UTC)),
        (Terms(None, 90, hold=False), Term.ERASED, datetime(2026, 10, 19, tzinfo=UTC)),
        (Terms(730, 90, hold=True), Term.WORDS, None),
        (Terms(730, 90, hold=True), Term.RAW, None),
        (Terms(730, 90, hold=True), Term.ERASED, None),
    ],
)
def test_a_term_ends_at_a_midnight(terms: Terms, term: Term, expected: datetime | None, now: datetime) -> None:
    assert terms.cutoff(term, now) == expected


def test_nobody_is_deleted_under_a_legal_hold(people: People, as_alice: Client, now: datetime) -> None:
    contact = make_contact(people.acme, now)
    with tenant_context(people.acme.pk):
        Tenant.objects.filter(pk=people.acme.pk).update(legal_hold=True)
        _, key = create_api_key(name="crm", role="agent", by=people.alice, now=now)
    page = reverse("contacts:delete", args=[contact.public_id])
    assert b"legal hold" in as_alice.post(page, {"name": str(contact)}, follow=True).content
    listed = {"action": "delete", "contact": [str(contact.public_id)]}
    assert b"legal hold" in as_alice.post(reverse("contacts:bulk"), listed, follow=True).content
    api = reverse("api:contact", args=[contact.public_id])
    refused = Client().delete(api, headers={"authorization": f"Bearer {key}"})
    assert refused.status_code == 409
    assert b"legal hold" in refused.content
    with tenant_context(people.acme.pk):
        assert Contact.objects.alive().filter(pk=contact.pk).exists()
        Tenant.objects.filter(pk=people.acme.pk).update(legal_hold=False)
    as_alice.post(page, {"name": str(contact)})
    with tenant_context(people.acme.pk):
        assert not Contact.objects.alive().filter(pk=contact.pk).exists()
