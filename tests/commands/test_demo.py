"""The demo: complete, safe to load again, and nobody in it is contacted by itself."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth import authenticate

from contacts import phones
from contacts.models import Consent, Contact, Suppression
from contacts.places import place_of
from contacts.samples import rows
from omnify.demo.loading import Demo, load_demo
from omnify.demo.manners import introduce, keep_manners
from omnify.demo.people import PEOPLE
from omnify.simulator.temperaments import TEMPERAMENTS
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership, Tenant, User
from sequences import law
from sequences.enrolling import enrollment_checks
from sequences.models import Enrollment, Sender, Sequence, Step

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(tmp_path: Path, now: datetime) -> Demo:
    return load_demo(tmp_path, now=now)


def counts(tenant: Tenant) -> dict[str, int]:
    with tenant_context(tenant.pk):
        models = (Contact, Consent, Suppression, Membership, Sender, Sequence, Step, Enrollment)
        return {model.__name__: model.objects.count() for model in models}


def test_the_demo_has_people_permissions_senders_and_two_sequences_and_enrols_nobody(demo: Demo) -> None:
    found = counts(demo.tenant)
    assert found["Contact"] == len(PEOPLE) >= 12
    assert found["Consent"] == 3 * (len(PEOPLE) - 1)
    assert found["Suppression"] == 3
    assert (found["Membership"], found["Sender"], found["Sequence"], found["Enrollment"]) == (2, 3, 2, 0)
    with tenant_context(demo.tenant.pk):
        assert sorted(Sequence.objects.values_list("status", flat=True)) == ["active", "draft"]
        kinds = list(Step.objects.filter(version_id=demo.sequence.published_id).values_list("kind", flat=True))
    assert kinds == ["sms", "wait", "email", "wait", "voice", "task", "exit"]


def test_nobody_of_the_demo_shares_a_number_with_another_or_with_the_sample_list() -> None:
    header, *sample = rows()
    written = [phones.normalise(row[header.index("Phone")], row[header.index("Country")]) for row in sample]
    numbers = [person.phone for person in PEOPLE] + [each.e164 for each in written if isinstance(each, phones.Phone)]
    assert len(numbers) == len(PEOPLE) + len(sample)
    assert sorted(set(numbers)) == sorted(numbers)


def test_loading_it_again_changes_nothing_and_keeps_the_log_in(demo: Demo, tmp_path: Path, now: datetime) -> None:
    before = counts(demo.tenant)
    again = load_demo(tmp_path, now=now + timedelta(days=1))
    assert counts(demo.tenant) == before
    assert (again.email, again.password) == (demo.email, demo.password)


def test_the_log_in_is_kept_for_its_owner_alone_and_opens_the_account(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    assert path.stat().st_mode & 0o077 == 0
    kept = json.loads(path.read_text())
    user = authenticate(None, email=kept["email"], password=kept["password"])
    assert user is not None
    assert (user.is_staff, user.is_superuser) == (True, True)


def test_a_lost_log_in_is_replaced(demo: Demo, tmp_path: Path, now: datetime) -> None:
    (tmp_path / "demo.json").unlink()
    again = load_demo(tmp_path, now=now)
    assert again.password != demo.password
    assert User.objects.get(email=again.email).check_password(again.password)


def test_the_agent_of_the_demo_cannot_log_in_before_choosing_a_password(demo: Demo) -> None:
    with tenant_context(demo.tenant.pk):
        agent = Membership.objects.select_related("user").get(role="agent")
    assert not agent.user.has_usable_password()


def test_before_enrolling_the_demo_shows_who_cannot_be_contacted_and_why(demo: Demo) -> None:
    with tenant_context(demo.tenant.pk):
        ids = list(Contact.objects.values_list("pk", flat=True))
        verdicts = {reason: len(found) for reason, found in enrollment_checks(demo.sequence, ids).items()}
    assert verdicts["suppressed"] == 1
    assert verdicts["ready"] == len(PEOPLE) - 1


@pytest.mark.parametrize("hour", range(24))
@pytest.mark.parametrize("month", [1, 7])
def test_at_any_hour_somebody_may_be_contacted(hour: int, month: int) -> None:
    instant = datetime(2026, month, 14, hour, 30, tzinfo=UTC)
    reachable = [
        person
        for person in PEOPLE
        if person.consents
        and not person.suppressed
        and law.allowed(
            instant,
            law.Person((person.zone,), place_of(country=person.country, state=person.state, e164=person.phone).places),
            "sms",
        ).allowed
    ]
    assert reachable


def test_the_demos_people_are_told_apart_and_have_known_temperaments() -> None:
    assert {person.temperament for person in PEOPLE} <= set(TEMPERAMENTS)
    assert len({person.phone for person in PEOPLE}) == len({person.email for person in PEOPLE}) == len(PEOPLE)


class Simulator:
    """What introduce() needs of a SimulatorClient."""

    def __init__(self, known: list[str]) -> None:
        self.known = known
        self.set: dict[str, dict[str, str]] = {}

    def people(self) -> list[dict[str, str]]:
        return [{"address": address} for address in self.known]

    def set_person(self, address: str, **settings: str) -> None:
        self.set[address] = settings


def test_people_keep_the_manners_somebody_gave_them(demo: Demo, tmp_path: Path) -> None:
    simulator = Simulator(known=["+12125550141"])
    assert introduce(simulator) == 2 * len(PEOPLE) - 1
    assert "+12125550141" not in simulator.set
    path = tmp_path / "ledger.config.json"
    path.write_text(json.dumps({"people": {"+12125550141": {"temperament": "angry"}}}))
    assert keep_manners(path) == 2 * len(PEOPLE) - 1
    assert json.loads(path.read_text())["people"]["+12125550141"] == {"temperament": "angry"}
    assert keep_manners(path) == 0
