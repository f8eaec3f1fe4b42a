"""The editor without a browser: plain forms, htmx fragments, stale drafts, publishing, enrolling, settings, tasks."""

import json

import pytest
from django.urls import reverse

from omnify.tenants.context import tenant_context
from sequences.drafting import draft_of, ensure_draft, update_step
from sequences.models import Enrollment, Message, Sequence, Step, Task
from tests.making import make_contact, make_enrollment, make_senders, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def acme(client, people, now):
    make_senders(people.acme)
    client.force_login(people.alice.user)
    with tenant_context(people.acme.pk):
        yield people


@pytest.fixture
def sequence(acme, now):
    made = make_sequence(
        acme.acme,
        now,
        {"kind": "sms", "key": "aaa", "body": "One"},
        {"kind": "wait", "key": "www", "config": {"days": 2}},
    )
    ensure_draft(made, by=acme.alice, now=now)
    return made


def url(name, sequence, *key):
    return reverse(f"sequences:{name}", args=[sequence.public_id, *key])


def body_of(sequence, key="aaa"):
    return Step.objects.get(version=draft_of(sequence), key=key).body


def test_a_step_is_saved_by_a_plain_form_and_comes_back_open(client, sequence):
    response = client.post(url("step", sequence, "aaa"), {"body": "Two\r\nlines", "name": "", "revision": 0})
    assert response.status_code == 302
    assert response.url.endswith("?step=aaa")
    assert body_of(sequence) == "Two\nlines"


def test_an_autosave_answers_with_what_stands_around_the_fields_and_the_revision(client, sequence):
    response = client.post(url("step", sequence, "aaa"), {"body": "Hi {{ nope }}", "revision": 0}, headers=HTMX)
    page = response.content.decode()
    assert json.loads(response["HX-Trigger"])["draft"] == {"revision": 1, "saved": True, "errors": []}
    assert "No contact has “nope”" in page
    assert 'id="summary-aaa" hx-swap-oob="true"' in page
    assert "<textarea" not in page


def test_saving_what_is_saved_counts_no_revision(client, sequence):
    client.post(url("step", sequence, "aaa"), {"body": "One", "name": "", "revision": 0}, headers=HTMX)
    assert draft_of(sequence).revision == 0


def test_a_patch_saves_like_a_post(client, sequence):
    response = client.patch(
        url("step", sequence, "aaa"), "body=Patched&revision=0", "application/x-www-form-urlencoded", headers=HTMX
    )
    assert response.status_code == 200
    assert body_of(sequence) == "Patched"


def test_nonsense_in_a_field_is_refused_with_the_field_named(client, sequence):
    response = client.post(url("step", sequence, "www"), {"days": "-3", "revision": 0}, headers=HTMX)
    assert response.status_code == 422
    assert json.loads(response["HX-Trigger"])["draft"]["errors"] == ["days"]
    assert draft_of(sequence).revision == 0


@pytest.mark.parametrize("revision", ["", "abc", "-1", "7", "99999999999999999999"])
def test_a_missing_or_wrong_revision_is_stale(client, sequence, revision):
    response = client.post(url("step", sequence, "aaa"), {"body": "Mine", "revision": revision}, headers=HTMX)
    assert response.status_code == 409
    assert json.loads(response["HX-Trigger"]) == {"stale": {"revision": 0}}
    assert body_of(sequence) == "One"


def test_a_stale_plain_form_offers_to_reload_or_to_keep_mine(client, sequence, acme, now):
    update_step(draft_of(sequence), "aaa", revision=0, by=acme.bob, now=now, body="Bob")
    response = client.post(url("step", sequence, "aaa"), {"body": "Alice", "revision": 0})
    assert response.status_code == 409
    page = response.content.decode()
    assert '<input type="hidden" name="revision" value="1">' in page
    assert '<input type="hidden" name="body" value="Alice">' in page
    client.post(url("step", sequence, "aaa"), {"body": "Alice", "revision": 1})
    assert body_of(sequence) == "Alice"


def test_steps_are_added_moved_switched_copied_deleted_and_brought_back(client, sequence):
    client.post(url("step_add", sequence), {"kind": "email", "after": "aaa", "revision": 0}, headers=HTMX)
    client.post(url("step_move", sequence, "aaa"), {"to": "down", "revision": 1}, headers=HTMX)
    client.post(url("step_switch", sequence, "aaa"), {"enabled": "0", "revision": 2}, headers=HTMX)
    client.post(url("step_duplicate", sequence, "aaa"), {"revision": 3}, headers=HTMX)
    rows = list(Step.objects.filter(version=draft_of(sequence)).values_list("kind", "enabled"))
    assert rows == [("email", True), ("sms", False), ("sms", False), ("wait", True)]
    response = client.post(url("step_delete", sequence, "aaa"), {"revision": 4}, headers=HTMX)
    assert json.loads(response["HX-Trigger"])["toast"]["undo"] == url("step_undo", sequence)
    assert not Step.objects.filter(version=draft_of(sequence), key="aaa").exists()
    client.post(url("step_undo", sequence))
    client.post(url("step_undo", sequence))
    assert [row[0] for row in Step.objects.filter(version=draft_of(sequence)).values_list("key")][1] == "aaa"
    assert Step.objects.filter(version=draft_of(sequence)).count() == 4


@pytest.mark.parametrize(
    ("name", "key", "data"),
    [
        ("step_add", (), {"kind": "bomb"}),
        ("step_move", ("aaa",), {"to": "sideways"}),
        ("status", (), {"action": "explode"}),
    ],
)
def test_an_unknown_wish_is_a_bad_request(client, sequence, name, key, data):
    assert client.post(url(name, sequence, *key), {**data, "revision": 0}).status_code == 400


def test_a_step_that_is_gone_is_not_found(client, sequence):
    assert client.post(url("step_delete", sequence, "zzz"), {"revision": 0}).status_code == 404
    assert client.post(url("step", sequence, "zzz"), {"revision": 0}).status_code == 404


def test_a_mail_preview_has_a_policy_of_its_own_and_escapes_the_text(client, acme, now):
    mail = make_sequence(acme.acme, now, {"kind": "email", "key": "mmm", "subject": "Hi", "body": "<script>x</script>"})
    response = client.get(url("mail", mail, "mmm"))
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert b"<script>" not in response.content


def test_a_preview_shows_the_chosen_contact_or_the_worst_case(client, acme, sequence, now):
    update_step(draft_of(sequence), "aaa", revision=0, by=acme.bob, now=now, body="Hi {{ first_name }}")
    maya = make_contact(acme.acme, now, first_name="Maya")
    stranger = make_contact(acme.charlie.tenant, now, first_name="Secret")
    seen = client.get(url("preview", sequence, "aaa"), {"as": maya.public_id}, headers=HTMX).content.decode()
    assert "Hi Maya" in seen
    worst = client.get(url("preview", sequence, "aaa"), {"as": "worst"}, headers=HTMX).content.decode()
    assert "[first_name is empty]" in worst
    other = client.get(url("preview", sequence, "aaa"), {"as": stranger.public_id}, headers=HTMX).content.decode()
    assert "Secret" not in other


def test_what_was_reviewed_is_what_is_published(client, acme, sequence, now):
    update_step(draft_of(sequence), "aaa", revision=0, by=acme.bob, now=now, body="Behind your back")
    assert client.post(url("publish", sequence), {"revision": 0}).status_code == 409
    assert client.post(url("publish", sequence), {"revision": 1}).status_code == 302
    assert Sequence.objects.get(pk=sequence.pk).published.number == 2


def test_a_draft_with_a_problem_is_not_published_and_the_page_links_to_it(client, acme, sequence, now):
    update_step(draft_of(sequence), "aaa", revision=0, by=acme.bob, now=now, body="")
    response = client.post(url("publish", sequence), {"revision": 1})
    assert response.status_code == 422
    assert f"{url('edit', sequence)}?step=aaa" in response.content.decode()
    assert Sequence.objects.get(pk=sequence.pk).published.number == 1


def test_enrolling_shows_the_checks_and_then_takes_those_who_are_ready(client, acme, sequence, now):
    ready = make_contact(acme.acme, now, tags=["spring"])
    make_contact(acme.acme, now, tags=["spring"], consents=())
    make_contact(acme.acme, now, tags=["autumn"])
    page = client.get(url("enroll", sequence), {"who": "tag", "tag": "spring"}).content.decode()
    assert "Enrol 1 person" in page
    assert "no consent for any channel it uses" in page
    assert client.post(url("enroll", sequence), {"who": "tag", "tag": "spring"}).status_code == 302
    assert list(Enrollment.objects.values_list("contact_id", flat=True)) == [ready.pk]


@pytest.mark.parametrize("data", [{}, {"who": "tag"}, {"who": "search", "q": " "}, {"who": "selected", "ids": "zz"}])
def test_an_enrolment_that_does_not_say_whom_takes_nobody(client, acme, sequence, now, data):
    make_contact(acme.acme, now)
    assert client.post(url("enroll", sequence), data).status_code == 200
    assert not Enrollment.objects.exists()


def test_chosen_people_are_paused_together_and_a_strangers_are_not(client, acme, sequence, now):
    mine = [make_enrollment(sequence, make_contact(acme.acme, now), now) for _ in range(2)]
    theirs_in = make_sequence(acme.charlie.tenant, now)
    theirs = make_enrollment(theirs_in, make_contact(acme.charlie.tenant, now), now)
    data = {
        "action": "pause",
        "enrollment": [row.public_id for row in (*mine, theirs)],
        "next": "https://evil.example/",
    }
    response = client.post(reverse("sequences:enrollment_action"), data)
    assert response.url == reverse("sequences:list")
    assert set(Enrollment.objects.values_list("status", flat=True)) == {"paused"}
    with tenant_context(acme.charlie.tenant_id):
        assert Enrollment.objects.get().status == "active"


def test_settings_are_saved_and_an_older_form_is_told(client, acme, sequence):
    data = {"name": "Welcome", "days": [0, 1], "start": "09:00", "end": "17:00", "on_reply": "exit"}
    page = client.get(url("settings", sequence)).content.decode()
    seen = page.split('name="seen" value="')[1].split('"')[0]
    assert client.post(url("settings", sequence), {**data, "seen": seen}).status_code == 302
    changed = Sequence.objects.get(pk=sequence.pk)
    assert changed.send_window == {"days": [0, 1], "start": "09:00", "end": "17:00"}
    assert changed.exit_rules == {"on_reply": "exit"}
    assert client.post(url("settings", sequence), {**data, "name": "Late", "seen": seen}).status_code == 422
    assert Sequence.objects.get(pk=sequence.pk).name == "Welcome"


@pytest.mark.parametrize(
    "wrong", [{"start": "09:00", "end": ""}, {"start": "17:00", "end": "09:00"}, {"days": []}, {"name": ""}]
)
def test_settings_that_make_no_sense_are_refused(client, acme, sequence, wrong):
    data = {"name": "New", "days": [0], "start": "09:00", "end": "17:00", "on_reply": "pause", "seen": "x"} | wrong
    assert client.post(url("settings", sequence), data).status_code == 422
    assert Sequence.objects.get(pk=sequence.pk).name == "Welcome"


def test_the_demo_can_be_made_twice(client, acme):
    client.post(reverse("sequences:demo"))
    client.post(reverse("sequences:demo"))
    assert set(Sequence.objects.values_list("name", flat=True)) == {"Three-channel demo", "Three-channel demo 2"}


def test_a_task_is_done_once_and_can_be_opened_again(client, acme, now):
    task = Task.objects.create(contact=make_contact(acme.acme, now), title="Call", created_at=now)
    done = reverse("sequences:task_done", args=[task.public_id])
    client.post(done)
    task.refresh_from_db()
    assert task.done_by == acme.alice
    client.post(done, {"done": "0"})
    task.refresh_from_db()
    assert task.done_at is None


def test_a_quick_reply_from_the_panel_is_on_its_way_and_a_forbidden_one_says_why(client, acme, now):
    maya = make_contact(acme.acme, now, first_name="Maya")
    reply = reverse("sequences:reply", args=[maya.public_id])
    assert client.post(reply, {"channel": "sms", "body": "Hello"}, headers=HTMX).status_code == 200
    assert Message.objects.get().body == "Hello"
    for body, why in ((" ", "Write a message first."), ("x" * 1601, "A text has at most 1,600 characters.")):
        response = client.post(reply, {"channel": "sms", "body": body}, headers=HTMX)
        assert response.status_code == 422
        assert why in response.content.decode()
    assert Message.objects.count() == 1
