"""Every page of this floor opens for those it is for, and changes nothing by being opened."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.making import People

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]

PAGES = [
    "home",
    "tenants:settings",
    "tenants:members",
    "tenants:keys",
    "tenants:notifications",
    "tenants:bell",
    "tenants:bell_count",
]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_for_its_owner(people: People, client: Client, name: str) -> None:
    client.force_login(people.alice.user)
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert "style=" not in response.content.decode()
