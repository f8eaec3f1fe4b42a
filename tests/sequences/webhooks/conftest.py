import pytest

from sequences.models import Sender
from tests.making import People, make_senders


@pytest.fixture
def senders(people: People) -> dict[str, Sender]:
    return make_senders(people.acme)
