"""Bad input, end to end: each ends in a clear sentence and a stored reason, and everybody else is served as before."""

import random
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from django.conf import settings as configured

from contacts.actions import delete_contact
from contacts.models import Contact, ImportJob, Interaction
from omnify.tenants.context import tenant_context
from omnify.tenants.models.ledger import Notification
from sequences import drafting, enrolling
from sequences.models import Enrollment, Execution, Message, ProviderEvent, Sender, Sequence, Task
from sequences.playbooks import start_three_channel_demo
from sequences.publishing import NotPublishable, publish
from sequences.receipts import sentence
from tests.journeys.house import House
from tests.journeys.visitor import Visitor
from tests.making import People, make_contact, make_enrollment, make_senders, make_sequence
from tests.sequences.webhooks.requests import inbound, postmark, status, vapi

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1 << 20
GOOD = b"First name,Email,Phone\nMaya,maya@people.example,(212) 555-0199\n"


def file_of(folder: Path, *pieces: bytes) -> BinaryIO:
    """A file on the disk, open to be read."""
    path = folder / "list.csv"
    with path.open("wb") as out:
        out.writelines(pieces)
    return path.open("rb")


def upload(alice: Visitor, content: bytes | BinaryIO, status: int = 200) -> str:
    alice.open("/imports/new/")
    return alice.submit("", status=status, files={"file": ("list.csv", content, "text/csv")})


def import_good_list(alice: Visitor, house: House) -> None:
    """Somebody else's list, right afterwards: it comes in as if nothing had been."""
    upload(alice, GOOD)
    alice.submit("", basis="none")
    house.run_queued()
    alice.open(alice.path)
    alice.submit("/run/")
    house.run_queued()
    assert Contact.objects.all_tenants().get(email="maya@people.example").phone == "+12125550199"


def uploads() -> set[Path]:
    return set((Path(configured.MEDIA_ROOT) / "imports").rglob("*.csv"))


def in_flight(house: House, people: People, *steps: dict[str, Any], count: int = 3) -> tuple[Sequence, list[Contact]]:
    """A sequence with people in it, due now."""
    sequence = make_sequence(people.acme, house.now, *({"kind": "sms"} | step for step in steps or ({},)))
    contacts = [make_contact(people.acme, house.now) for _ in range(count)]
    for contact in contacts:
        make_enrollment(sequence, contact, house.now)
    return sequence, contacts


def texts(house: House, contacts: list[Contact]) -> list[int]:
    return [len(house.received(contact.phone, "sms")) for contact in contacts]


def test_a_csv_of_binary_junk_is_refused_with_a_sentence_and_leaves_nothing(house: House, alice: Visitor) -> None:
    said = upload(alice, random.Random(7).randbytes(MEGABYTE), status=422)
    assert "This is not a text file. Save the list as CSV and upload that." in said
    assert not ImportJob.objects.all_tenants().exists()
    import_good_list(alice, house)


def test_a_line_of_300_megabytes_is_refused_at_once(house: House, alice: Visitor, tmp_path: Path) -> None:
    before = uploads()
    with file_of(tmp_path, *[b"a" * MEGABYTE] * 300) as file:
        said = upload(alice, file, status=422)
    assert "A line is longer than 1,000,000 characters. This is not a list of people." in said
    assert not ImportJob.objects.all_tenants().exists()
    assert uploads() == before
    import_good_list(alice, house)


def test_an_endless_line_further_down_ends_the_review_with_a_stored_reason(
    house: House, alice: Visitor, tmp_path: Path
) -> None:
    people = [f"Pat{number},pat{number}@people.example,\n".encode() for number in range(1_200)]
    with file_of(tmp_path, GOOD, *people, *[b"a" * MEGABYTE] * 3) as file:
        upload(alice, file)
    alice.submit("", basis="none")
    house.run_queued()
    job = ImportJob.objects.all_tenants().get()
    assert (job.state, job.problem) == (
        "failed",
        "A line is longer than 1,000,000 characters. This is not a list of people.",
    )
    assert job.problem in alice.open(alice.path)
    notice = Notification.objects.all_tenants().get(type="import_finished")
    assert (notice.title, notice.body) == ("list.csv could not be read", job.problem)
    assert not Contact.objects.all_tenants().exists()
    import_good_list(alice, house)


LOOPS = {
    "a range": "{% for a in (1..1000000) %}spam{% endfor %}",
    "loops in loops": "{% for a in tags %}{% for b in tags %}{% for c in tags %}x{% endfor %}{% endfor %}{% endfor %}",
}


def test_a_template_that_counts_to_a_million_cannot_be_published(house: House, alice: Visitor, people: People) -> None:
    with tenant_context(people.acme.pk):
        sequence = start_three_channel_demo(by=people.alice, now=house.now)
        draft = drafting.draft_of(sequence)
        assert draft is not None
        drafting.add_step(
            draft,
            revision=draft.revision,
            by=people.alice,
            now=house.now,
            after=None,
            kind="sms",
            body=LOOPS["a range"],
        )
        with pytest.raises(NotPublishable):
            publish(sequence, by=people.alice, now=house.now)
    said = alice.open(f"/sequences/{sequence.public_id}/publish/")
    assert "A range such as (1..10) cannot be used in a message." in said
    assert alice.submit("", status=422)
    sequence.refresh_from_db()
    assert sequence.published_id is None


def test_a_loop_that_only_one_person_sets_off_parks_that_person(house: House, people: People) -> None:
    sequence, others = in_flight(house, people, {"body": "Hello " + LOOPS["loops in loops"]})
    looper = make_contact(people.acme, house.now, tags=[f"tag {n}" for n in range(40)])
    make_enrollment(sequence, looper, house.now)
    house.work()
    assert_parked(looper, "This template loops more than 500 times.")
    assert texts(house, [looper, *others]) == [0, 1, 1, 1]


def test_a_loop_that_got_into_the_database_parks_its_people_and_no_others(house: House, people: People) -> None:
    _, stuck = in_flight(house, people, {"body": LOOPS["a range"]}, count=2)
    welcome = make_sequence(people.acme, house.now, name="Other")
    others = [make_contact(people.acme, house.now) for _ in range(3)]
    for contact in others:
        make_enrollment(welcome, contact, house.now)
    house.work()
    for contact in stuck:
        assert_parked(contact, "A range such as (1..10) cannot be used in a message.")
    assert texts(house, stuck + others) == [0, 0, 1, 1, 1]


def assert_parked(contact: Contact, why: str) -> None:
    """In sight, with the reason on the receipt and on a task for somebody."""
    row = Enrollment.objects.all_tenants().get(contact=contact)
    assert (row.status, row.status_reason) == ("failed", "template_failed")
    receipt = Execution.objects.all_tenants().get(enrollment=row)
    said = sentence(receipt.decision, receipt.reason, receipt.facts)
    assert said.startswith(f"Not sent: the text could not be written. {why[:-1]}")
    assert Task.objects.all_tenants().get(enrollment=row).body == said


def forged(sender: dict[str, Sender], contact: Contact) -> dict[str, dict[str, Any]]:
    report = {"type": "end-of-call-report", "call": {"id": "c-1"}, "endedReason": "customer-ended-call"}
    bounce = {"RecordType": "SpamComplaint", "MessageID": "m-1", "ID": 7, "Email": contact.email}
    unsigned = inbound(sender["sms"], contact.phone, "STOP")
    del unsigned["headers"]["x-twilio-signature"]
    return {
        "a text": inbound(sender["sms"], contact.phone, "STOP", token="guessed"),
        "a text without a signature": unsigned,
        "a call's report": vapi(sender["voice"], report, secret="guessed"),
        "a mail's complaint": postmark(sender["email"], bounce, secret="user:guessed"),
    }


@pytest.mark.parametrize("kind", ["a text", "a text without a signature", "a call's report", "a mail's complaint"])
def test_a_forged_webhook_changes_nothing(house: House, people: People, kind: str) -> None:
    senders = {row.channel: row for row in Sender.objects.all_tenants().filter(tenant=people.acme)}
    _, contacts = in_flight(house, people)
    assert post(forged(senders, contacts[0])[kind]) == 403
    assert not ProviderEvent.objects.all_tenants().exists()
    house.work()
    assert texts(house, contacts) == [1, 1, 1]
    # The genuine one is heard as ever.
    assert post(inbound(senders["sms"], contacts[0].phone, "STOP")) == 200
    house.hear()
    assert Interaction.objects.all_tenants().get(contact=contacts[0], direction="inbound").content_body == "STOP"


def test_a_webhook_signed_by_another_tenant_reaches_nobody_but_themselves(house: House, people: People) -> None:
    theirs = make_senders(people.charlie.tenant)["sms"]
    ours = Sender.objects.all_tenants().get(tenant=people.acme, channel="sms")
    _, contacts = in_flight(house, people)
    house.decide()
    message = Message.objects.all_tenants().filter(contact=contacts[0]).get()
    # With their own secret, at our address: not genuine.
    secret = theirs.credentials["auth_token"]
    assert post(inbound(ours, contacts[0].phone, "STOP", token=secret)) == 403
    assert post(inbound(ours, contacts[0].phone, "STOP", token=secret, AccountSid=theirs.config["account_sid"])) == 403
    assert not ProviderEvent.objects.all_tenants().exists()
    # At their own address, about our message and our person: stored as theirs, and never found.
    assert post(status(theirs, message.public_id, "failed", ErrorCode="30005")) == 200
    assert post(inbound(theirs, contacts[1].phone, "STOP", sid="SM" + "9" * 32)) == 200
    house.work()
    event = ProviderEvent.objects.all_tenants().get(kind="status", tenant=people.charlie.tenant)
    assert (event.state, event.problem) == ("unmatched", "Its message is not known yet.")
    assert not Interaction.objects.all_tenants().filter(tenant=people.acme, direction="inbound").exists()
    assert texts(house, contacts) == [1, 1, 1]
    message.refresh_from_db()
    assert message.state == "delivered"


def test_a_contact_deleted_in_flight_gets_nothing_and_the_others_do(
    house: House, alice: Visitor, people: People
) -> None:
    steps: Any = ({"kind": "sms"}, {"kind": "wait", "config": {"days": 1}}, {"kind": "sms", "body": "Again"})
    _, contacts = in_flight(house, people, *steps)
    house.decide()
    gone, phone = contacts[0], contacts[0].phone
    alice.open(f"/contacts/{gone.public_id}/delete/")
    assert "is deleted" in alice.submit("", name=str(gone))
    house.work()
    message = Message.objects.all_tenants().get(contact=gone)
    assert (message.state, message.state_reason) == ("cancelled", "contact_deleted")
    assert house.received(phone) == []
    assert texts(house, contacts[1:]) == [1, 1]
    house.advance(days=1, minutes=1)
    house.work()
    last = Execution.objects.all_tenants().filter(enrollment__contact=gone).order_by("-turn")[0]
    assert sentence(last.decision, last.reason, last.facts) == "Left the sequence: the contact was deleted."
    assert texts(house, contacts[1:]) == [2, 2]
    assert house.received(phone) == []
    alice.open(f"/contacts/{gone.public_id}/", status=404)


def test_a_text_from_a_deleted_contact_is_kept_as_a_newcomers(house: House, people: People) -> None:
    _, contacts = in_flight(house, people, count=1)
    house.work()
    phone = contacts[0].phone
    with tenant_context(people.acme.pk):
        delete_contact(contacts[0], actor="test", now=house.now)
        assert enrolling.enrollment_checks(Sequence.objects.get(), [contacts[0].pk]) == {}
    assert house.simulator.reply(phone, "sms", "who is this?") == 200
    house.hear()
    said = Interaction.objects.all_tenants().get(direction="inbound")
    assert (said.content_body, said.contact.phone, said.contact.source) == ("who is this?", phone, "inbound sms")
    assert said.contact_id != contacts[0].pk


def post(request: dict[str, Any]) -> int:
    """A provider's request over a real socket; the status it was answered with."""
    url = f"{configured.PUBLIC_URL}{request.pop('url')}"
    return httpx.request(**request, url=url, trust_env=False, timeout=30).status_code
