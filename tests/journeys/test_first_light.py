"""The main job, end to end: from a CSV of people to a conversation on three channels, and to a stop that is obeyed.

Log-in, import, publishing, enrolling and resuming go through the pages; texts, mails and calls through the real SDKs to the
simulator, and back through signed webhooks. What people received is read from the simulator's ledger.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from contacts.models import Contact, Interaction, Suppression
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership
from omnify.tenants.models.ledger import Notification
from sequences import enrolling
from sequences.models import Enrollment, Execution, Message, Sequence
from sequences.receipts import sentence
from tests.journeys.house import House
from tests.journeys.visitor import Visitor
from tests.making import People, make_enrollment, make_sequence

CLOSED = {"DE", "JP", "NZ"}  # countries without rules in the book: nobody there is contacted
ASLEEP = {"AU", "GU"}  # where it is night at START
AVA, LIAM, ETHAN = "+12125550101", "liam.chen@people.example", "+13035550106"
STOP = "please stop texting me"


@dataclass
class Listed:
    """A row of the sample list, as somebody reads it who has never seen our code."""

    email: str
    country: str
    state: str
    agreed: dict[str, bool]


def listed(text: str) -> list[Listed]:
    columns = {"sms": "SMS consent", "email": "Email consent", "voice": "Call consent"}
    return [
        Listed(
            row["Email"],
            row["Country"],
            row["State"],
            {channel: row[name] == "yes" for channel, name in columns.items()},
        )
        for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    ]


def import_sample(alice: Visitor, house: House) -> list[Listed]:
    """Downloads the sample and takes it through the four pages of the import."""
    sample = alice.http.get("/contacts/sample.csv").content
    alice.open("/imports/new/")
    alice.submit("", files={"file": ("sample-contacts.csv", sample, "text/csv")})
    assert alice.path.endswith("/map/"), alice.words
    alice.submit("", basis="column", source="Web form")
    assert alice.path.endswith("/review/"), alice.words
    review = alice.path
    assert house.run_queued() == ["contacts.tasks.run_import"]
    said = alice.open(alice.path)
    people = listed(sample.decode())
    assert str(len(people)) in said
    assert Contact.objects.all_tenants().count() == 0, "A review writes nobody."
    alice.submit("/run/")
    # Written consent comes in after a signature; nobody else works here who could give it.
    assert "/approvals/" in alice.path
    assert house.run_queued() == []
    assert "The import has begun." in alice.submit("/decide/", decision="sign", phrase=str(len(people)))
    alice.path = review
    assert house.run_queued() == ["contacts.tasks.run_import"]
    alice.open(alice.path)
    assert Contact.objects.all_tenants().count() == len(people)
    assert Enrollment.objects.all_tenants().count() == 0, "An import enrols nobody."
    return people


def publish_demo(alice: Visitor) -> Sequence:
    alice.open("/sequences/")
    alice.submit("/sequences/demo/")
    alice.open(alice.path.split("?")[0].replace("/edit/", "/publish/"))
    assert "is published" in alice.submit("", status=200)
    return Sequence.objects.all_tenants().get(name="Three-channel demo")


def enrol_all(alice: Visitor, sequence: Sequence, ready: int) -> None:
    said = alice.open(f"/sequences/{sequence.public_id}/enroll/?who=all")
    assert f"Enrol {ready} people" in said
    assert f"{ready} enrolled" in alice.submit("")


def got(house: House, kind: str) -> list[str]:
    """Who received something of this kind, sorted; somebody who got two stands there twice. Mail about log-ins is for members."""
    return sorted(each["to"] for each in house.received(kind=kind) if not each["to"].endswith("@acme.example"))


def addresses(people: list[Listed], channel: str) -> list[str]:
    by_email = {contact.email: contact for contact in Contact.objects.all_tenants()}
    return sorted(by_email[each.email].address_for(channel) for each in people if each.agreed[channel])


def receipts(contact: Contact, sequence: Sequence) -> list[str]:
    rows = Execution.objects.all_tenants().filter(enrollment__contact=contact, sequence_id=sequence.pk)
    return [sentence(row.decision, row.reason, row.facts) for row in rows.order_by("turn")]


def contact_at(**address: str) -> Contact:
    return Contact.objects.all_tenants().get(**address)


def standing(contact: Contact, sequence: Sequence) -> tuple[str, str]:
    row = Enrollment.objects.all_tenants().get(contact=contact, sequence=sequence)
    return row.status, row.status_reason


def let_days_pass(house: House, most: int = 60) -> None:
    """Works at every full hour after something became due, until nothing is due any more."""
    for _ in range(most):
        due = house.due()
        moments = [each for each in (due.tick, due.sms, due.email, due.voice) if each is not None]
        if not moments:
            return
        first = max(min(moments), house.now)
        house.stand_at(first.replace(minute=0, second=1, microsecond=0) + timedelta(hours=1))
        house.work()
    raise AssertionError("Something is due for ever.")


@pytest.mark.timeout(600)  # a minute and a half on two busy cores
@pytest.mark.django_db(transaction=True)
def test_from_a_csv_of_people_to_a_conversation_on_three_channels(
    house: House, alice: Visitor, visitor: Callable[[Membership], Visitor], people: People
) -> None:
    everybody = import_sample(alice, house)
    sequence = publish_demo(alice)
    enrol_all(alice, sequence, len(everybody))

    # The first step: everybody who agreed to texts and is awake, and nobody else.
    house.work()
    reachable = [each for each in everybody if each.country not in CLOSED]
    awake = [each for each in reachable if not ASLEEP & {each.country, each.state}]
    assert got(house, "sms") == addresses(awake, "sms")
    assert got(house, "email") == got(house, "call") == []
    sleeper = contact_at(email="tasi.cruz@people.example")
    assert receipts(sleeper, sequence) == [
        "Not now: quiet hours: it was Wed 04:30 in Guam, and United States (US-hours: 47 CFR 64.1200(c)(1)) allows 08:00–21:00."
    ]
    abroad = contact_at(email="haruto.sato@people.example")
    assert set(receipts(abroad, sequence)[:-1]) == {"Not sent: Japan has no rules in the book yet (no-rule:JP)."}
    unasked = contact_at(email="mateo.silva@people.example")
    assert receipts(unasked, sequence)[0] == "Not sent: there is no written consent to marketing texts."

    # A reply: stored, and the automation stopped, before any worker or model looked at it.
    ava = contact_at(phone=AVA)
    house.advance(minutes=3)
    assert house.simulator.reply(AVA, "sms", "sounds good, how much?") == 200
    house.hear()
    said = Interaction.objects.all_tenants().get(contact=ava, direction="inbound")
    assert (said.channel, said.content_body, said.outcome) == ("sms", "sounds good, how much?", "replied")
    assert standing(ava, sequence) == ("paused", "replied")
    notice = Notification.objects.all_tenants().get(type="reply")
    assert (notice.title, notice.body) == ("Ava Morgan answered", "sounds good, how much?")
    assert "Ava Morgan answered" in alice.open("/notifications/")

    # A member resumes her; the others' next steps come at their times.
    alice.open(f"/sequences/{sequence.public_id}/people/?q=ava")
    enrollment = Enrollment.objects.all_tenants().get(contact=ava, sequence=sequence)
    alice.submit("/sequences/enrollments/", enrollment=str(enrollment.public_id), action="resume")
    assert standing(ava, sequence) == ("active", "")
    house.advance(days=1, minutes=5)
    house.work()
    assert "ava.morgan@people.example" in got(house, "email")

    # Liam answers the mail; what he quotes below is not his.
    assert house.simulator.reply(LIAM, "email", "Could you call me on Monday?") == 200
    house.hear()
    mail = Interaction.objects.all_tenants().get(direction="inbound", channel="email")
    assert mail.content_body == "Could you call me on Monday?"
    assert "one person who looks after you" in house.simulator.thread(LIAM)["entries"][0]["body"]
    assert standing(contact_at(email=LIAM), sequence) == ("paused", "replied")

    # Ava is in another sequence too; its text is written and about to leave when her stop arrives.
    pause = {"kind": "wait", "config": {"days": 1}}
    text = {"kind": "sms", "body": "Still there, {{ first_name }}?"}
    other = make_sequence(people.acme, house.now, text, pause, text, name="Other")
    make_enrollment(other, ava, house.now)
    house.decide()
    waiting = Message.objects.all_tenants().get(contact=ava, enrollment__sequence=other)
    assert waiting.state == "ready"
    house.advance(minutes=1)
    before = len(house.received(AVA))
    assert house.simulator.reply(AVA, "sms", STOP) == 200
    house.hear()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.state_reason) == ("cancelled", "opted_out")
    closed = {row.channel: row.quote for row in Suppression.objects.all_tenants().filter(address=AVA)}
    assert closed == dict.fromkeys(closed, STOP)
    assert "sms" in closed

    # One confirmation, and from then on nothing, whatever is tried.
    house.work()
    after = [each["body"] for each in house.received(AVA)[before:]]
    assert after == [
        "Acme: You are unsubscribed and will get no more texts or calls from us. Reply START if you change your mind."
    ]
    why = f"Left the sequence: opted out of texts and calls on 18 Nov by writing “{STOP}”."
    assert receipts(ava, sequence)[-1] == receipts(ava, other)[-1] == why
    assert f"“{STOP}”" in alice.open(f"/sequences/{sequence.public_id}/log/?q=ava")
    third = make_sequence(people.acme, house.now, {"kind": "sms"}, {"kind": "voice"}, name="Third")
    said_no = alice.open(f"/sequences/{third.public_id}/enroll/?who=selected&ids={ava.public_id}")
    assert "opted out of every channel it uses" in said_no
    assert "Nobody to enrol" in said_no
    with tenant_context(people.acme.pk):
        assert enrolling.enroll(third, [ava.pk], by="test", now=house.now, force=True).enrolled == 1
    let_days_pass(house)
    assert receipts(ava, third)[:2] == [
        f"Not sent: opted out of texts on 18 Nov by writing “{STOP}”.",
        f"Not sent: opted out of calls on 18 Nov by writing “{STOP}”.",
    ]
    assert len(house.received(AVA)) == before + 1

    # Days later: every step reached exactly those who agreed and had not answered, each once.
    replied = {ava.email, LIAM}
    confirmation = [AVA]
    assert Counter(got(house, "sms")) == Counter(addresses(reachable, "sms") + confirmation)
    # Mail needs no consent, only that they did not decline (docs/compliance.md).
    assert got(house, "email") == addresses(reachable, "email")
    callable_ = [each for each in reachable if each.email not in replied]
    assert got(house, "call") == addresses(callable_, "voice")
    assert house.simulator.duplicates() == []

    # The call's report: what was said stands in the conversation.
    ethan = contact_at(phone=ETHAN)
    call = Interaction.objects.all_tenants().get(contact=ethan, channel="voice")
    assert "Could you send me the details?" in call.content_body
    assert call.call_duration_seconds > 0
    assert "Could you send me the details?" in alice.open(f"/contacts/{ethan.public_id}/")

    # The one timeline, newest first, shows all of it to a member, and nothing to a stranger.
    shown = alice.open(f"/contacts/{ava.public_id}/")
    assert_in_order(
        shown,
        "You are unsubscribed",
        STOP,
        "What we can do for Harbor Dental",
        "sounds good, how much?",
        "thanks for your interest",
    )
    stranger = visitor(people.charlie)
    stranger.open(f"/contacts/{ava.public_id}/", status=404)
    assert "sounds good" not in stranger.words


def assert_in_order(page: str, *parts: str) -> None:
    """Each part stands somewhere below the one before."""
    place = 0
    for part in parts:
        found = page.find(part, place)
        assert found >= 0, f"{part!r} is not below the others: {page[place:][:3000]}"
        place = found + len(part)
