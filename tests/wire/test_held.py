from datetime import timedelta

import pytest

from contacts.models import Interaction
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Event
from sequences import held
from sequences.claiming import claim_next
from tests.wire.wiring import Wire, refreshed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("choice", "state"), [(held.mark_sent, "sent"), (held.send_again, "ready"), (held.skip, "cancelled")]
)
def test_a_person_decides_once(wire: Wire, choice: object, state: str) -> None:
    message = wire.ready(state="held", attempt=2)
    with tenant_context(wire.tenant_id):
        assert choice(message, by=wire.people.bob, now=wire.now)  # type: ignore[operator]
        assert not choice(message, by=wire.people.bob, now=wire.now)  # type: ignore[operator]
        assert Event.objects.filter(kind="message.settled", subject_id=message.pk).count() == 1
    assert refreshed(message).state == state
    assert (claim_next(["sms"], wire.now) is not None) == (state == "ready")
    touches = Interaction.objects.all_tenants().filter(message_id=message.pk).count()
    assert touches == (1 if state == "sent" else 0)


def test_old_news_is_not_sent_again(wire: Wire) -> None:
    message = wire.ready(state="held", expires_at=wire.now)
    with tenant_context(wire.tenant_id):
        assert not held.send_again(message, by=wire.people.bob, now=wire.now + timedelta(seconds=1))
    assert refreshed(message).state == "held"
