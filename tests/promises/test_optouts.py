"""The proof of G3 itself: it sees a claim that came too late, and finds none in Omnify."""

from typing import Any

import pytest

from contacts import permissions
from contacts.locks import having
from contacts.models import Contact
from omnify.promises import optouts, turnstile
from omnify.promises.optouts import prove_stop
from omnify.promises.turnstile import after_stop

NUMBER = "+12125550123"


@pytest.mark.parametrize(
    ("order", "late"),
    [
        (("claimed", "closed"), 0),
        (("closed", "claimed"), 1),
        (("closed", "opened", "claimed"), 0),
        (("closed", "opened", "closed", "claimed", "claimed"), 2),
    ],
)
def test_a_claim_counts_as_late_when_it_commits_while_its_address_is_closed(order: tuple[str, ...], late: int) -> None:
    assert len(after_stop((what, 1, "sms", NUMBER) for what in order)) == late


@pytest.mark.parametrize("other", [(2, "sms", NUMBER), (1, "email", NUMBER), (1, "sms", "+12125550124")])
def test_a_claim_of_another_tenant_channel_or_number_is_not_late(other: tuple[int, str, str]) -> None:
    assert after_stop([("closed", 1, "sms", NUMBER), ("claimed", *other)]) == []


def test_the_same_number_in_another_spelling_is_the_same_number() -> None:
    assert after_stop([("closed", 1, "sms", NUMBER), ("claimed", 1, "sms", "(212) 555-0123")])


@pytest.mark.django_db(transaction=True)
def test_no_claim_commits_after_a_stop(
    people: Any, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setitem(optouts.STOPS, "quick", 25)
    outcome = prove_stop("quick", 7)
    assert outcome.failed == 0, outcome.note
    assert outcome.tried >= 25


@pytest.mark.django_db(transaction=True)
def test_a_stop_that_takes_no_lock_is_caught(
    people: Any, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setitem(optouts.STOPS, "quick", 25)
    monkeypatch.setattr(turnstile, "LINGERING", {"claim": 0.2, "stop": 0})
    monkeypatch.setattr(
        permissions, "lock_contacts_having", lambda address: list(Contact.objects.filter(having(address)))
    )
    monkeypatch.setattr(permissions, "lock_addresses", lambda addresses: None)
    monkeypatch.setattr(optouts.matching, "lock_contacts_having", permissions.lock_contacts_having)
    monkeypatch.setattr(optouts.optouts, "cancel_waiting", lambda *args, **given: 0)
    assert prove_stop("quick", 7).failed > 0
