"""Second signatures: nothing gets around them, and what is signed happens once. ASVS 5.0, 2.3.5."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from contacts.models import Contact
from omnify.tenants import approvals, signatures
from omnify.tenants.actions import create_api_key
from omnify.tenants.approvals import Refused, ask, expire, sign, turn_down, withdraw
from omnify.tenants.context import tenant_context
from omnify.tenants.expiry import expire_due
from omnify.tenants.members import add_member, change_role, remove_member
from omnify.tenants.models import Approval, Event, Membership, Notification
from omnify.tenants.signatures import NeedsSignature
from sequences.enrolling import enroll
from sequences.models import Enrollment, Sequence
from tests.making import People, make_member, make_sequence

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ten_are_many")]


@pytest.fixture
def asked(people: People, mia: Membership, crowd: list[int], sequence: Sequence, now: datetime) -> Approval:
    """Alice has asked to enrol twelve, where ten may come in unsigned; Mia may sign."""
    with tenant_context(people.acme.pk):
        return ask(refusal(sequence, crowd, now).wanted, by=people.alice, now=now)


def refusal(sequence: Sequence, ids: list[int], now: datetime, by: str = "member:1") -> NeedsSignature:
    with pytest.raises(NeedsSignature) as caught:
        enroll(sequence, ids, by=by, now=now)
    return caught.value


def enrolled() -> int:
    return int(Enrollment.objects.count())


def kinds() -> list[str]:
    return [event.kind for event in Event.objects.filter(kind__startswith="approval.").order_by("pk")]


def test_many_people_wait_and_one_signature_brings_them_in(
    asked: Approval, people: People, mia: Membership, now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        assert enrolled() == 0
        row = sign(asked, by=mia, now=now + timedelta(hours=1))
        assert (row.decision, row.alone, row.outcome) == ("signed", False, "12 enrolled.")
        assert row.applied_at == now + timedelta(hours=1)
        assert enrolled() == 12
        event = Event.objects.get(kind="sequence.enrolled")
        assert event.actor == f"member:{people.alice.pk}"
        assert event.data["approval"] == str(row.public_id)
        assert kinds() == ["approval.asked", "approval.signed", "approval.applied"]
        assert Event.objects.get(kind="approval.signed").actor == f"member:{mia.pk}"
        told = {each.member_id: each.title for each in Notification.objects.filter(type="approval")}
        assert told[mia.pk].startswith("Waits for your signature")
        assert told[people.alice.pk].startswith("Signed")


def test_splitting_does_not_help_and_what_was_signed_does_not_count(
    asked: Approval, people: People, mia: Membership, crowd: list[int], sequence: Sequence, now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        other = make_sequence(people.acme, now, name="Another")
        assert enroll(sequence, crowd[:6], by="member:1", now=now).enrolled == 6
        refusal(sequence, crowd[6:], now)
        refusal(other, crowd[:6], now + timedelta(minutes=59))  # nor does another sequence
        assert enroll(other, crowd[:4], by="key:1", now=now).enrolled == 4
        refusal(other, crowd[4:5], now)  # the eleventh within the hour, alone
        assert enroll(other, crowd[4:], by="member:1", now=now + timedelta(hours=1, seconds=1)).enrolled == 8
        later = now + timedelta(days=2)
        sign(asked, by=mia, now=later)
        assert enroll(make_sequence(people.acme, now, name="Third"), crowd[:10], by="key:1", now=later).enrolled == 10


def test_an_agent_may_ask_and_neither_asker_nor_agent_nor_viewer_signs(
    asked: Approval, people: People, now: datetime
) -> None:
    vera = make_member(people.acme, "vera", "viewer")
    with tenant_context(people.acme.pk):
        for who in (people.alice, people.bob, vera):
            with pytest.raises(Refused):
                sign(asked, by=who, typed=asked.phrase, now=now)
        assert enrolled() == 0
        assert Approval.objects.get().decision == ""


def test_whoever_made_the_key_does_not_sign_what_the_key_asked_for(
    people: People, mia: Membership, crowd: list[int], sequence: Sequence, now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        key, _ = create_api_key(name="CRM", role="agent", by=mia, now=now)
        row = ask(refusal(sequence, crowd, now).wanted, by=key, now=now)
        with pytest.raises(Refused, match="somebody else"):
            sign(row, by=mia, typed=row.phrase, now=now)
        assert sign(row, by=people.alice, now=now).decision == "signed"
        assert Event.objects.get(kind="sequence.enrolled").actor == f"key:{key.pk}"


def test_a_key_that_was_revoked_since_asks_for_nothing(
    people: People, mia: Membership, crowd: list[int], sequence: Sequence, now: datetime
) -> None:
    from omnify.tenants.actions import revoke_api_key

    with tenant_context(people.acme.pk):
        key, _ = create_api_key(name="CRM", role="agent", by=people.alice, now=now)
        row = ask(refusal(sequence, crowd, now).wanted, by=key, now=now)
        revoke_api_key(key, by=people.alice, now=now)
        with pytest.raises(Refused, match="any more"):
            sign(row, by=mia, now=now)
        assert enrolled() == 0


def test_a_role_that_was_taken_away_in_between_signs_and_asks_for_nothing(
    asked: Approval, people: People, mia: Membership, now: datetime
) -> None:
    olga = make_member(people.acme, "olga", "owner")
    with tenant_context(people.acme.pk):
        change_role(mia, role="agent", by=olga, now=now)
        with pytest.raises(Refused, match="Only managers"):
            sign(asked, by=mia, now=now)  # `mia` still says manager: the database decides
        change_role(people.alice, role="viewer", by=olga, now=now)
        with pytest.raises(Refused, match="any more"):
            sign(asked, by=olga, now=now)
        assert enrolled() == 0


def test_somebody_made_a_manager_for_the_occasion_does_not_sign(asked: Approval, people: People, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        made = add_member(email="sock@acme.example", role="manager", by=people.alice, now=now + timedelta(minutes=1))
        assert made is not None
        with pytest.raises(Refused, match="when this was asked"):
            sign(asked, by=made, now=now + timedelta(hours=1))
        change_role(people.bob, role="manager", by=people.alice, now=now + timedelta(minutes=2))
        with pytest.raises(Refused, match="when this was asked"):
            sign(asked, by=people.bob, now=now + timedelta(hours=1))


def test_a_single_owner_signs_alone_with_the_number_and_the_ledger_says_so(
    people: People, crowd: list[int], sequence: Sequence, now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        row = ask(refusal(sequence, crowd, now).wanted, by=people.alice, now=now)
        for typed in ("", "13", "yes"):
            with pytest.raises(Refused, match="Type “12”"):
                sign(row, by=people.alice, typed=typed, now=now)
        assert enrolled() == 0
        assert sign(row, by=people.alice, typed=" 12 ", now=now).alone
        assert Event.objects.get(kind="approval.signed").data["alone"] is True
        assert enrolled() == 12


@pytest.mark.parametrize("how", ["lowered", "removed"])
def test_nobody_signs_alone_by_first_taking_the_others_roles_away(
    asked: Approval, people: People, mia: Membership, now: datetime, how: str
) -> None:
    with tenant_context(people.acme.pk):
        if how == "lowered":
            change_role(mia, role="agent", by=people.alice, now=now)
        else:
            remove_member(mia, by=people.alice, now=now)
        with pytest.raises(Refused, match="tomorrow"):
            sign(asked, by=people.alice, typed="12", now=now + timedelta(hours=23))
        assert sign(asked, by=people.alice, typed="12", now=now + timedelta(hours=25)).alone


def test_without_a_second_factor_nobody_signs_where_the_house_asks_for_one(
    asked: Approval, people: People, mia: Membership, now: datetime, settings: Any
) -> None:
    from tests.security.test_f_accounts import with_factor

    settings.REQUIRE_MFA = True
    with tenant_context(people.acme.pk):
        with pytest.raises(Refused, match="two-factor"):
            sign(asked, by=mia, now=now)
        with_factor(mia.user)
        assert sign(asked, by=mia, now=now).decision == "signed"


def test_an_expired_request_is_no_request(asked: Approval, people: People, mia: Membership, now: datetime) -> None:
    late = now + timedelta(days=7)
    with tenant_context(people.acme.pk):
        with pytest.raises(Refused, match="expired"):
            sign(asked, by=mia, now=late)
        assert expire(asked, now=late - timedelta(seconds=1)) is False
    assert expire_due(late) == 1
    assert expire_due(late) == 0
    with tenant_context(people.acme.pk):
        assert Approval.objects.get().decision == "expired"
        assert "approval.expired" in kinds()
        assert enrolled() == 0


def test_a_new_version_since_closes_the_request(
    asked: Approval, people: People, mia: Membership, sequence: Sequence, crowd: list[int], now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        other = make_sequence(people.acme, now, name="Other words")
        Sequence.objects.filter(pk=sequence.pk).update(published_id=other.published_id)
        with pytest.raises(Refused, match="changed since"):
            sign(asked, by=mia, now=now)
        assert Approval.objects.get().decision == "changed"
        assert enrolled() == 0
        with pytest.raises(Refused, match="decided already"):
            sign(asked, by=mia, now=now)
        again = ask(refusal(sequence, crowd, now).wanted, by=people.alice, now=now)
        assert again.pk != asked.pk
        assert sign(again, by=mia, now=now).decision == "signed"


def test_an_archived_sequence_closes_it_too_and_who_opted_out_meanwhile_stays_out(
    asked: Approval, people: People, mia: Membership, sequence: Sequence, crowd: list[int], now: datetime
) -> None:
    from contacts.permissions import suppress

    with tenant_context(people.acme.pk):
        phone = Contact.objects.get(pk=crowd[0]).phone
        suppress(
            tenant_id=people.acme.pk, address=phone, channels=["sms"], reason="opted_out", source="sms", now=now, actor="person"
        )  # fmt: skip
        with transaction.atomic():
            assert sign(asked, by=mia, now=now).outcome == "11 enrolled, 1 left out."
            transaction.set_rollback(True)
    with tenant_context(people.acme.pk):
        Sequence.objects.filter(pk=sequence.pk).update(status="archived")
        with pytest.raises(Refused, match="archived"):
            sign(asked, by=mia, now=now)
        assert Approval.objects.get().decision == "changed"


def test_signing_again_does_nothing_again(asked: Approval, people: People, mia: Membership, now: datetime) -> None:
    with tenant_context(people.acme.pk):
        signed = sign(asked, by=mia, now=now)
        Enrollment.objects.update(status="exited")
        for verb in (sign, turn_down):
            with pytest.raises(Refused, match="decided already"):
                verb(asked, by=mia, now=now)
        assert withdraw(asked, by=people.alice, now=now) is False
        assert Enrollment.objects.filter(status="active").count() == 0
        # Nor does handing the applied request to the verb itself.
        Sequence.objects.filter(pk=signed.subject_id).update(allow_reentry=True)
        with pytest.raises(NeedsSignature):
            enroll(
                Sequence.objects.get(pk=signed.subject_id), signatures.numbers(signed.change["people"]), by="x", now=now,
                approval=signed,
            )  # fmt: skip


def test_a_waiting_or_forged_request_opens_no_verb(
    asked: Approval, people: People, sequence: Sequence, crowd: list[int], now: datetime
) -> None:
    forged = Approval(pk=asked.pk, kind="enrol", decision="signed", change=asked.change, digest=asked.digest)
    with tenant_context(people.acme.pk):
        for row in (asked, forged, Approval(pk=10**9, kind="enrol", decision="signed", digest=asked.digest)):
            with pytest.raises(NeedsSignature):
                enroll(sequence, crowd, by="member:1", now=now, approval=row)
        assert enrolled() == 0


def test_asking_twice_is_asking_once(
    asked: Approval, people: People, sequence: Sequence, crowd: list[int], now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        again = ask(refusal(sequence, list(reversed(crowd)), now).wanted, by=people.alice, now=now)
        assert again.pk == asked.pk
        assert ask(refusal(sequence, crowd[:11], now).wanted, by=people.alice, now=now).pk != asked.pk
        assert Event.objects.filter(kind="approval.asked").count() == 2


def test_turned_down_or_taken_back_is_for_good(
    asked: Approval, people: People, mia: Membership, sequence: Sequence, crowd: list[int], now: datetime
) -> None:
    with tenant_context(people.acme.pk):
        assert withdraw(asked, by=mia, now=now) is False  # it is not hers
        assert turn_down(asked, by=mia, note="not this list", now=now).note == "not this list"
        second = ask(refusal(sequence, crowd, now).wanted, by=people.alice, now=now)
        assert withdraw(second, by=people.alice, now=now)
        for row in (asked, second):
            with pytest.raises(Refused, match="decided already"):
                sign(row, by=mia, now=now)
        assert {"approval.refused", "approval.withdrawn"} <= set(kinds())
        assert enrolled() == 0


@pytest.mark.parametrize(
    "change",
    ["change = '{}'", "digest = 'x'", "asked_user = 0", "expires_at = expires_at + interval '1 year'", "kind = 'limits'",
     "title = 'Harmless'", "decision = ''", "decided_by = 'member:1'", "applied_at = NULL", "outcome = 'nothing'"],
)  # fmt: skip
@pytest.mark.parametrize("role", ["omnify_web", "omnify_system"])
def test_what_was_asked_and_decided_stays_whatever_statement_is_run(
    asked: Approval, people: People, mia: Membership, now: datetime, role: str, change: str
) -> None:
    with tenant_context(people.acme.pk):
        sign(asked, by=mia, now=now)
        for statement in (
            f"UPDATE tenants_approval SET {change} WHERE id = %s",
            "DELETE FROM tenants_approval WHERE id = %s",
        ):
            with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL ROLE {role}")
                cursor.execute(statement, [asked.pk])


def test_no_row_is_born_signed(asked: Approval, people: People) -> None:
    fields = {field.attname: getattr(asked, field.attname) for field in Approval._meta.local_fields}
    with (
        tenant_context(people.acme.pk),
        pytest.raises(ProgrammingError, match="begins undecided"),
        transaction.atomic(),
    ):
        Approval.objects.create(**fields | {"id": None, "public_id": people.acme.public_id, "decision": "signed"})


def test_a_change_that_breaks_half_way_leaves_the_request_open(
    asked: Approval, people: People, mia: Membership, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process killed between the change and its note: one transaction, so neither is there."""

    def broken(*args: Any, **options: Any) -> None:
        raise IntegrityError("the plug was pulled")

    with tenant_context(people.acme.pk):
        with monkeypatch.context() as patch, pytest.raises(IntegrityError):
            patch.setattr(approvals, "_record", lambda what, *rest, **more: what == "applied" and broken())
            sign(asked, by=mia, now=now)
        assert enrolled() == 0
        assert Approval.objects.get().decision == ""
        assert sign(asked, by=mia, now=now).outcome == "12 enrolled."


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_at_once_make_it_happen_once(
    asked: Approval, people: People, mia: Membership, now: datetime
) -> None:
    olga = make_member(people.acme, "olga", "owner")
    barrier, said = threading.Barrier(4), []

    def press(who: Membership) -> None:
        barrier.wait()
        try:
            with tenant_context(people.acme.pk):
                sign(asked, by=who, now=now)
            said.append("signed")
        except Refused as refusal:
            said.append(str(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=[who]) for who in (mia, olga, mia, olga)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["It was decided already."] * 3 + ["signed"]
    with tenant_context(people.acme.pk):
        assert enrolled() == 12
        assert Event.objects.filter(kind="sequence.enrolled").count() == 1
