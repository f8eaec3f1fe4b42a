"""A caller with an API key."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from omnify.tenants.actions import create_api_key
from omnify.tenants.context import tenant_context
from omnify.tenants.models import ApiKey, Membership
from tests.making import People


@dataclass
class Caller:
    """Calls the API with one key; answers are the response with `.json()`."""

    key: str
    row: ApiKey
    client: Client = field(default_factory=Client)

    def _ask(self, method: str, path: str, data: Any = None, **extra: Any) -> Any:
        options: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {self.key}", **extra}
        if method == "get":
            return self.client.get(f"/api/v1{path}", data or {}, **options)
        return getattr(self.client, method)(f"/api/v1{path}", data, content_type="application/json", **options)

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("get", path, query)

    def post(self, path: str, data: Any = None, **extra: Any) -> Any:
        return self._ask("post", path, {} if data is None else data, **extra)

    def patch(self, path: str, data: Any) -> Any:
        return self._ask("patch", path, data)

    def delete(self, path: str) -> Any:
        return self._ask("delete", path)


def caller(member: Membership, now: datetime, role: str = "agent") -> Caller:
    with tenant_context(member.tenant_id):
        row, key = create_api_key(name="website", role=role, by=member, now=now)
    return Caller(key, row)


@pytest.fixture(autouse=True)
def _no_throttle_left_over() -> None:
    cache.clear()


@pytest.fixture
def api(people: People, now: datetime) -> Caller:
    """Acme's key, with the role agent."""
    return caller(people.alice, now)


@pytest.fixture
def stranger(people: People, now: datetime) -> Caller:
    return caller(people.charlie, now)
