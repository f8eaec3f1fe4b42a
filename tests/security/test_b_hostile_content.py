"""4-reliability §4 B3, B4: whatever people write, by whatever way it comes in, stays text in a real browser.

Every payload comes in through Twilio, Postmark (text, HTML, subject, sender, headers), VAPI (transcript, summary), a list, the
API and the forms; then every page that shows any of it is opened in Chromium.
"""

# ruff: noqa: E501 (scripts for the browser)

import os

# Playwright's synchronous API runs an event loop in this thread, where Django would refuse the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve, reverse

from contacts.importing import jobs, passes
from contacts.models import Contact, Interaction
from omnify.lib.clock import now as clock
from omnify.tenants.actions import create_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Tenant, User
from sequences.inbound import apply_waiting
from sequences.models import ProviderEvent, Sender, Task
from tests.browser.conftest import CHROMIUM, chromium, session_of, site
from tests.making import People, make_contact, make_enrollment, make_member, make_sequence
from tests.security.payloads import HOST, LOUD, PAYLOADS
from tests.sequences.inbound.told import make_message
from tests.sequences.webhooks.requests import inbound, knock, postmark, vapi

__all__ = ["chromium", "site"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
    pytest.mark.skipif(
        CHROMIUM is None, reason="NO CHROMIUM HERE: hostile texts were not looked at (apt-get install chromium)."
    ),
]
PEOPLE = 6
ALL = "\n".join(PAYLOADS).replace("\x00", "")  # for rows that no channel has cleaned

# Everything that a text must not become, told by the page itself.
WATCH = """
window.__found = [];
window.hit = (n) => window.__found.push('script ' + n);
for (const name of ['alert', 'prompt', 'confirm']) window[name] = () => window.__found.push(name);
addEventListener('securitypolicyviolation', (e) => window.__found.push('policy ' + e.effectiveDirective + ' ' + e.blockedURI + ' ' + (e.sample || '')), true);
addEventListener('htmx:beforeRequest', (e) => {
  const path = e.detail.requestConfig.path;
  if (path.includes('pwned') || path.includes('evil')) window.__found.push('htmx ' + path);
}, true);
"""
# What no text may leave in the document; our own pages have none of these with such content.
LOOK = """() => {
  const found = window.__found.slice();
  for (const script of document.scripts)
    if (script.type !== 'application/json' && !script.src.startsWith(location.origin + '/static/') && script.src !== location.origin + '/admin/jsi18n/') found.push('script element ' + script.outerHTML.slice(0, 80));
  for (const each of document.querySelectorAll('*')) {
    for (const name of each.getAttributeNames()) {
      const value = each.getAttribute(name);
      if (/^on/i.test(name) || name === 'srcdoc' || /^(data-)?hx-on/i.test(name)) found.push('attribute ' + name + '=' + value.slice(0, 60));
      if (/^(data-)?hx-|^(src|action|formaction|poster|data|srcset|ping)$/i.test(name) && value.includes('pwned')) found.push('attribute ' + name + '=' + value.slice(0, 60));
      if (/^(data-)?hx-|^(href|src|action|formaction|poster|data|srcset|ping)$/i.test(name) && /^\\s*(javascript|vbscript|data:text)/i.test(value)) found.push('attribute ' + name + '=' + value.slice(0, 60));
      if (/^(src|action|formaction|poster|srcset|ping)$/i.test(name) && value.includes('evil.example')) found.push('attribute ' + name + '=' + value.slice(0, 60));
    }
    if (/^(object|embed|base|frame|frameset|portal|marquee|math|keygen)$/i.test(each.tagName)) found.push('element ' + each.tagName);
  }
  return found;
}"""


def parts(count: int) -> list[list[str]]:
    """The corpus dealt out to so many people."""
    return [list(PAYLOADS[n::count]) for n in range(count)]


def by_text(senders: dict[str, Sender], person: Contact, texts: list[str], start: int) -> list[dict[str, Any]]:
    return [
        inbound(senders["sms"], person.phone, text, sid=f"SM{start + n:032x}", ProfileName=text)
        for n, text in enumerate(texts)
    ]


def by_mail(senders: dict[str, Sender], person: Contact, texts: list[str], start: int) -> list[dict[str, Any]]:
    """Four payloads a mail: its subject, its sender's name, its text, and its HTML as it is; and one in its headers."""
    asked = []
    for n in range(0, len(texts), 4):
        subject, name, text, html = (texts[n : n + 4] * 4)[:4]
        asked.append(
            postmark(
                senders["email"],
                {
                    "MessageID": f"mail-{start}-{n}", "Headers": [{"Name": "X-Note", "Value": html}, {"Name": text, "Value": "x"}],
                    "From": person.email, "FromName": name, "FromFull": {"Email": person.email, "Name": name},
                    "To": senders["email"].address, "Subject": subject, "HtmlBody": f"<html><body>{html}</body></html>",
                    "TextBody": text if n % 8 else "",
                    "Attachments": [{"Name": subject, "ContentType": html, "ContentLength": 1, "Content": "eA=="}],
                },
            )
        )  # fmt: skip
    return asked


def by_call(senders: dict[str, Sender], person: Contact, texts: list[str], moment: datetime) -> list[dict[str, Any]]:
    """Reports of calls, ten payloads each, in what was said and in what somebody made of it."""
    asked = []
    for n in range(0, len(texts), 10):
        message = make_message(person, senders["voice"], moment, provider_id=f"call-{person.pk}-{n}")
        said = texts[n : n + 10]
        report = {
            "type": "end-of-call-report", "call": {"id": message.provider_id, "name": str(message.public_id)},
            "endedReason": "customer-ended-call", "transcript": "\n".join(f"User: {text}" for text in said),
            "messages": [{"role": "user", "message": text} for text in said], "analysis": {"summary": " ".join(said[:4])},
            "durationSeconds": 30,
        }  # fmt: skip
        asked.append(vapi(senders["voice"], report))
    return asked


def by_list(people: People, moment: datetime, folder: Path) -> Any:
    """A CSV whose name, header and cells are hostile: read, mapped, reviewed and imported; returns the job."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(
        ["First name", "Last name", "Email", "Phone", "Company", "City", "Tags", PAYLOADS[0], PAYLOADS[60][:60]]
    )
    for n, text in enumerate(PAYLOADS):
        mailbox = f"list{n}@people.example" if n % 5 else text  # every fifth is refused, and shown as a problem
        rows.writerow([text, text, mailbox, text if n % 7 == 0 else "", text, text, text, text, text])
    path = folder / "upload.csv"
    path.write_text(out.getvalue())
    with tenant_context(people.acme.pk):
        job = jobs.start_upload(path, file_name=f"{PAYLOADS[25]}.csv", by=people.alice, now=moment)
        mapping = {int(index): target for index, target in job.mapping.items()} | {
            7: f"custom:{PAYLOADS[26][:50]}",
            8: "title",
        }
        assert jobs.set_mapping(
            job,
            mapping,
            consent={"basis": "none"},
            duplicates="update",
            region="US",
            tags=[PAYLOADS[27][:50]],
            by=people.alice,
            now=moment,
        )
        assert jobs.start_review(job, by=people.alice, now=moment)
    passes.run(job.tenant_id, job.pk, now=moment)
    with tenant_context(people.acme.pk):
        job.refresh_from_db()
        assert jobs.start_import(job, by=people.alice, now=moment), job.state
    passes.run(job.tenant_id, job.pk, now=moment)
    return job


def by_hand(people: People, moment: datetime, persons: list[Contact]) -> Any:
    """The API and the forms: contacts, permissions, a sequence and its steps, a member's name, tasks, the workspace itself."""
    client = Client()
    client.force_login(people.alice.user)
    with tenant_context(people.acme.pk):
        _, key = create_api_key(name=PAYLOADS[28][:80], role="owner", by=people.alice, now=moment)
    for n, text in enumerate(PAYLOADS[:60]):
        client.post(
            "/api/v1/contacts/",
            json.dumps({"first_name": text[:100], "last_name": text[:100], "title": text[:120], "company": text[:200], "city": text[:100], "source": text[:80],
                        "tags": [text[:60]], "custom_fields": {text[:50].strip() or "x": text}, "email": f"api{n}@people.example"}),
            content_type="application/json", headers={"authorization": f"Bearer {key}"},
        )  # fmt: skip
    for n, person in enumerate(persons):
        words = {"action": "give", "channel": "sms", "kind": "pewc_text", "source": PAYLOADS[30 + n][:120]}
        client.post(reverse("contacts:permission", args=[person.public_id]), words)
        words = {
            "first_name": PAYLOADS[40 + n][:90],
            "last_name": PAYLOADS[90 + n][:90],
            "email": person.email,
            "phone": person.phone,
            "tags": PAYLOADS[50 + n][:50],
        }
        client.post(reverse("contacts:edit", args=[person.public_id]), words)
    sequence = make_sequence(
        people.acme, moment, *({"kind": kind, "name": PAYLOADS[n][:100], "body": PAYLOADS[n + 1], "subject": PAYLOADS[n + 2][:200]}
        for n, kind in enumerate(("sms", "email", "voice", "task", "exit"), 100)), name=PAYLOADS[31][:110], description=PAYLOADS[32],
    )  # fmt: skip
    with tenant_context(people.acme.pk):
        for person in persons:
            enrollment = make_enrollment(sequence, person, moment, next_run_at=None)
            Task.objects.create(
                enrollment=enrollment,
                contact=person,
                title=PAYLOADS[33][:190],
                body=ALL,
                created_at=moment,
            )
    make_message(persons[0], Sender.objects.all_tenants().filter(tenant=people.acme, channel="email").first(), moment,
                 state="held", provider_id="", body=ALL, subject=PAYLOADS[34][:300], error_text=PAYLOADS[35][:400])  # fmt: skip
    hostile = make_member(people.acme, "hostile", "agent")
    User.objects.filter(pk=hostile.user_id).update(first_name=PAYLOADS[36][:100], last_name=PAYLOADS[37][:100])
    Tenant.objects.filter(pk=people.acme.pk).update(
        name=PAYLOADS[38][:110], support_contact=PAYLOADS[39][:110], postal_address=PAYLOADS[40]
    )
    Sender.objects.all_tenants().filter(tenant=people.acme).update(name=PAYLOADS[41][:80], pause_reason=PAYLOADS[42])
    User.objects.filter(pk=people.alice.user_id).update(is_staff=True, is_superuser=True)
    return sequence


@pytest.fixture
def hostile(site: str, people: People, senders: dict[str, Sender], tmp_path: Path, settings: Any) -> dict[str, Any]:
    """Everything came in; what there is to look at."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    moment = clock()
    persons = [make_contact(people.acme, moment, first_name=f"Person{n}") for n in range(PEOPLE)]
    asked = []
    for n, (person, texts) in enumerate(zip(persons, parts(PEOPLE), strict=True)):
        asked += by_text(senders, person, texts, n * 1000)
        asked += by_mail(senders, person, texts, n)
        asked += by_call(senders, person, texts, moment)
    asked += by_text(senders, persons[0], [f"STOP {PAYLOADS[43]}"], 90_000)
    with ThreadPoolExecutor(1) as door:  # a thread of its own: while Chromium is open, this one has an event loop
        assert set(door.submit(knock, *asked).result()) == {200}
    while ProviderEvent.objects.all_tenants().filter(state="new").exists():
        apply_waiting(clock(), budget_seconds=30)
    assert not ProviderEvent.objects.all_tenants().filter(state="parked").exists()
    job = by_list(people, moment, tmp_path)
    sequence = by_hand(people, moment, persons)
    return {"persons": persons, "job": job, "sequence": sequence}


def pages(hostile: dict[str, Any], people: People) -> Iterator[str]:
    """Every page that shows any of it."""
    tenant = people.acme.pk
    for person in hostile["persons"]:
        where = reverse("contacts:contact", args=[person.public_id])
        yield where
        with tenant_context(tenant):
            moments = list(Interaction.objects.filter(contact=person).order_by("-at").values_list("at", flat=True))
        for at in moments[30::40]:
            yield f"{where}?before={at.isoformat().replace('+', '%2B')}"
    first = hostile["persons"][0].public_id
    for name in ("edit", "delete"):
        yield reverse(f"contacts:{name}", args=[first])
    yield reverse("contacts:list")
    yield f"{reverse('contacts:list')}?sort=created&q=%3Cscript%3E"
    for name in ("imports", "import_new"):
        yield reverse(f"contacts:{name}")
    for name in ("import_map", "import_run", "import_review"):
        yield reverse(f"contacts:{name}", args=[hostile["job"].public_id])
    sequence = hostile["sequence"]
    for name in ("sequence", "people", "log", "steps", "settings", "enroll"):
        yield reverse(f"sequences:{name}", args=[sequence.public_id])
    yield from (reverse(name) for name in (
        "home", "sequences:list", "sequences:tasks", "tenants:settings", "tenants:members", "tenants:keys", "tenants:notifications",
        "tenants:audit", "sequences:held", "usersessions_list",
    ))  # fmt: skip
    for model in (
        "contacts_contact",
        "contacts_interaction",
        "contacts_importproblem",
        "sequences_message",
        "sequences_sender",
        "sequences_providerevent",
    ):
        yield reverse(f"admin:{model}_changelist")
    with tenant_context(tenant):
        yield reverse("admin:contacts_interaction_change", args=[Interaction.objects.order_by("-id").first().pk])
        yield reverse("admin:sequences_providerevent_change", args=[ProviderEvent.objects.order_by("-id").first().pk])


PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 720}


class Watched:
    """A browser page that remembers what it must not have done."""

    def __init__(self, browser: Any, site: str, people: People) -> None:
        self.context = browser.new_context(base_url=site)
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session_of(people.alice), "url": site}]
        )
        self.context.add_init_script(WATCH)
        self.page, self.site, self.found = self.context.new_page(), site, []
        self.context.on("request", self.asked)
        self.context.on("page", lambda page: self.found.append(f"opened {page.url}"))
        self.page.on("dialog", lambda dialog: (self.found.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def asked(self, request: Any) -> None:
        if not request.url.startswith((self.site, "data:image/svg", "blob:")) or "pwned" in request.url:
            self.found.append(f"request {request.url[:100]}")

    def at_phone_width(self) -> list[str]:
        """The page that is open, as a phone shows it: menus, stacked tables and bars that a wide window hides."""
        self.found.clear()
        self.page.set_viewport_size(PHONE)
        self.page.wait_for_timeout(40)
        found = self.found + self.page.evaluate(LOOK)
        self.page.set_viewport_size(DESK)
        return found

    def open_on_a_phone(self, path: str) -> list[str]:
        """The page loaded anew at that width, so that scripts find it so from the beginning."""
        self.page.set_viewport_size(PHONE)
        found = self.open(path)
        wide = self.page.evaluate("document.documentElement.clientWidth")
        self.page.set_viewport_size(DESK)
        return found + ([] if wide == PHONE["width"] else [f"{wide} pixels wide"])

    def open(self, path: str) -> list[str]:
        """Opens a page, waits for its fragments, and says what was wrong with it."""
        self.found.clear()
        answer = self.page.goto(path, wait_until="load")
        self.page.wait_for_timeout(60)
        if self.page.query_selector("#composer"):  # a person's page fetches what sequences know of them
            self.page.wait_for_selector("#sequences-panel")
        wrong = [f"status {answer.status}"] if answer.status != 200 else []
        return wrong + self.found + self.page.evaluate(LOOK)


def test_b3_b4_nothing_anybody_writes_runs_asks_or_opens_anything(
    chromium: Any, site: str, people: People, hostile: dict[str, Any]
) -> None:
    assert len(PAYLOADS) >= 200
    watched = Watched(chromium, site, people)
    wrong, shown, narrow = {}, "", set()
    for path in pages(hostile, people):
        if found := watched.open(path):
            wrong[path] = found[:5]
        shown += watched.page.content()
        # Every page narrowed where it stands; one of each kind loaded narrow.
        if found := watched.at_phone_width():
            wrong[f"{path} narrowed"] = found[:5]
        kind = resolve(path.partition("?")[0]).view_name
        if kind not in narrow and (found := watched.open_on_a_phone(path)):
            wrong[f"{path} on a phone"] = found[:5]
        narrow.add(kind)
    watched.context.close()
    assert len(narrow) > 25
    assert not wrong, json.dumps(wrong, indent=1)
    # They really were on those pages, as text.
    seen = sum(f"hit({n})" in shown or f"pwned/{n}" in shown or f"{HOST}/{n}" in shown for n in range(len(PAYLOADS)))
    assert seen >= 200
    assert "&lt;script&gt;" in shown


def test_the_watch_itself_sees_what_it_looks_for(chromium: Any, site: str, people: People) -> None:
    """The same texts as markup in the same page: each is noticed, and even then the content policy lets no script run."""
    watched = Watched(chromium, site, people)
    noticed = 0
    for payload in LOUD:
        assert watched.open(reverse("home")) == []
        watched.page.evaluate(
            "html => { document.querySelector('main').innerHTML = html; htmx.process(document.body) }", payload
        )
        watched.page.wait_for_timeout(80)
        found = watched.found + watched.page.evaluate(LOOK)
        noticed += bool(found)
        assert not [each for each in found if each.startswith("script ") and "element" not in each], payload
    watched.context.close()
    assert noticed == len(LOUD)


def test_b4_htmx_is_told_to_trust_nothing(chromium: Any, site: str, people: People) -> None:
    watched = Watched(chromium, site, people)
    watched.open(reverse("home"))
    config = watched.page.evaluate("htmx.config")
    watched.context.close()
    assert (config["allowEval"], config["allowScriptTags"], config["selfRequestsOnly"]) == (False, False, True)
