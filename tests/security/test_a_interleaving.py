"""4-reliability §4 A4: many tenants at once over few connections never meet."""

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.db import connection, connections
from django.test import Client

from contacts.models import Contact
from omnify.tenants.context import tenant_context
from tests.making import People, make_contact


def in_threads(count: int, work: Callable[[int], None]) -> list[BaseException]:
    """Runs `work(n)` in so many threads, each of which closes its connections; returns what went wrong."""
    wrong: list[BaseException] = []

    def run(n: int) -> None:
        try:
            work(n)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    return wrong


@pytest.fixture
def pool_of_two(transactional_db: None, people: People) -> Iterator[None]:
    """New connections are the web role's and come from a pool of two, as the web process's do from one of sixteen."""
    connection.ensure_connection()
    options = connection.settings_dict["OPTIONS"]
    before, age = dict(options), connection.settings_dict["CONN_MAX_AGE"]
    options |= {"options": "-c role=omnify_web", "pool": {"min_size": 1, "max_size": 2, "timeout": 60}}
    connection.settings_dict["CONN_MAX_AGE"] = 0
    yield

    def end_pool() -> None:
        connection.close_pool()

    thread = threading.Thread(target=end_pool)
    thread.start()
    thread.join()
    connection.close_pool()
    options.clear()
    options.update(before)
    connection.settings_dict["CONN_MAX_AGE"] = age


class Lost(Exception):
    """A request that breaks in its middle."""


@pytest.mark.django_db(transaction=True)
def test_a4_a_thousand_interleaved_contexts_on_two_connections_never_meet(
    people: People, now: datetime, pool_of_two: None
) -> None:
    tenants = [people.acme.pk, people.charlie.tenant_id]
    words = {tenants[0]: "Oursword", tenants[1]: "Theirsword"}
    for tenant, member in zip(tenants, (people.alice, people.charlie), strict=True):
        make_contact(member.tenant, now, first_name=words[tenant])
    seen = itertools.count()

    def work(n: int) -> None:
        dice = random.Random(n)
        for _ in range(250):
            tenant = dice.choice(tenants)
            try:
                with tenant_context(tenant):
                    names = set(Contact.objects.all_tenants().values_list("first_name", flat=True))
                    assert names == {words[tenant]}
                    next(seen)
                    if dice.random() < 0.2:
                        raise Lost
            except Lost:
                pass
            assert Contact.objects.all_tenants().count() == 0

    assert in_threads(4, work) == []
    assert next(seen) == 1000


@pytest.mark.django_db(transaction=True)
def test_a4_interleaved_requests_on_two_connections_never_meet(
    people: People, now: datetime, pool_of_two: None
) -> None:
    who = [(people.alice, "Oursword"), (people.charlie, "Theirsword")]
    for member, word in who:
        make_contact(member.tenant, now, first_name=word)

    def work(n: int) -> None:
        member, word = who[n % 2]
        other = who[(n + 1) % 2][1]
        client = Client()
        client.force_login(member.user)
        for turn in range(40):
            answer = client.get("/api/v1/contacts/" if turn % 4 else "/no/such/page/")
            text = answer.content.decode()
            assert other not in text
            assert turn % 4 == 0 or [each["first_name"] for each in json.loads(text)["results"]] == [word]

    assert in_threads(4, work) == []
