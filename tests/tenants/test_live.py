"""The websocket hears one tenant, and only while the session may."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

from omnify.bench import scratch
from omnify.lib import live
from omnify.tenants.consumers import NOT_WELCOME, LiveConsumer
from omnify.tenants.context import tenant_context
from omnify.tenants.models import Membership
from tests.making import People

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = b"http://127.0.0.1:8000"


def session_of(member: Membership) -> SessionStore:
    session = SessionStore()
    session[SESSION_KEY] = str(member.user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.user.get_session_auth_hash()
    session["tenant_id"] = member.tenant_id
    session.create()
    return session


class Browser(ApplicationCommunicator):
    """The browser's end of a websocket."""

    async def connect(self) -> bool:
        """Opens; False when the server refused the handshake."""
        await self.send_input({"type": "websocket.connect"})
        return bool((await self.receive_output(5))["type"] == "websocket.accept")

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        return dict(json.loads((await self.receive_output(5))["text"]))

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1005})
        await self.wait(5)


def socket(session: SessionStore | None, origin: bytes = ORIGIN, path: str = "/ws/live/") -> Browser:
    from omnify.asgi import application

    headers = [(b"host", b"127.0.0.1:8000"), (b"origin", origin)]
    if session is not None:
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode()))
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
    return Browser(application, scope)


def run(story: Callable[[], Any]) -> None:
    """Runs one asynchronous story, then closes what its threads opened."""

    async def whole() -> None:
        layer_cleared()
        try:
            await asyncio.wait_for(story(), 20)
        finally:
            await stop_listening()
            await sync_to_async(connections.close_all)()

    async_to_sync(whole)()


def layer_cleared() -> None:
    """A layer belongs to one event loop; each story has its own."""
    from channels.layers import channel_layers

    channel_layers.backends.clear()


async def stop_listening() -> None:
    from channels.layers import get_channel_layer

    task = getattr(get_channel_layer(), "_listener", None)
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def hint_to(tenant_id: int, key: str) -> None:
    with tenant_context(tenant_id):
        live.hint(tenant_id, "notifications", key)


async def heard(communicator: Browser, tenant_id: int) -> dict[str, str]:
    """A hint that is sent now, once: a page that is open hears it."""
    await sync_to_async(hint_to)(tenant_id, "now")
    return await communicator.hear()


def test_a_member_hears_of_their_own_tenant_only(people: People) -> None:
    ours, theirs = session_of(people.alice), session_of(people.charlie)

    async def story() -> None:
        alice, charlie = socket(ours), socket(theirs)
        assert await alice.connect()
        assert await charlie.connect()
        assert (await heard(alice, people.acme.pk))["topic"] == "notifications"
        assert await charlie.receive_nothing(0.3)
        assert (await heard(charlie, people.charlie.tenant_id))["topic"] == "notifications"
        await alice.leave()
        await charlie.leave()

    run(story)


def test_the_very_first_page_of_a_process_hears_what_is_told_as_soon_as_it_is_open(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the process needs to begin to listen."""
    session = session_of(people.alice)
    connect = psycopg.AsyncConnection.connect

    async def slowly(**given: Any) -> Any:
        await asyncio.sleep(0.5)
        return await connect(**given)

    async def story() -> None:
        monkeypatch.setattr(psycopg.AsyncConnection, "connect", slowly)
        page = socket(session)
        assert await page.connect()
        assert (await heard(page, people.acme.pk))["key"] == "now"
        await page.leave()

    run(story)


def test_a_page_whose_process_lost_the_database_comes_back_to_look_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(people.alice)
    connect, pids = psycopg.AsyncConnection.connect, []

    async def noted(**given: Any) -> Any:
        found = await connect(**given)
        pids.append(found.info.backend_pid)
        return found

    def hang_up() -> None:
        scratch.as_owner("SELECT pg_terminate_backend(%s)", pids[:1])

    async def story() -> None:
        monkeypatch.setattr(psycopg.AsyncConnection, "connect", noted)
        page = socket(session)
        assert await page.connect()
        await sync_to_async(hang_up)()
        closed = await page.receive_output(5)
        assert closed["type"] == "websocket.close"
        assert closed.get("code") != NOT_WELCOME
        again = socket(session)
        assert await again.connect()
        assert (await heard(again, people.acme.pk))["key"] == "now"
        await again.leave()

    run(story)


def test_nobody_listens_without_a_session(people: People) -> None:
    async def story() -> None:
        browser = socket(None)
        assert await browser.connect()
        assert await browser.receive_output(5) == {"type": "websocket.close", "code": NOT_WELCOME}
        await browser.leave()

    run(story)


@pytest.mark.parametrize("origin", [b"http://evil.example", b"http://127.0.0.1:9999", b"null", b""])
def test_a_page_of_another_origin_is_refused_even_with_the_cookie(people: People, origin: bytes) -> None:
    session = session_of(people.alice)

    async def story() -> None:
        assert not await socket(session, origin).connect()

    run(story)


def test_an_unknown_socket_address_is_refused(people: People) -> None:
    session = session_of(people.alice)

    async def story() -> None:
        assert not await socket(session, path="/ws/elsewhere/").connect()

    run(story)


@pytest.mark.parametrize("ending", ["logged out", "removed", "new password", "account closed"])
def test_the_socket_closes_when_the_right_to_listen_ends(
    people: People, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(LiveConsumer, "recheck_seconds", 0.05)
    session = session_of(people.bob)

    def end() -> None:
        if ending == "logged out":
            session.delete()
        elif ending == "removed":
            Membership.objects.all_tenants().filter(pk=people.bob.pk).delete()
        elif ending == "new password":
            people.bob.user.set_password("something else entirely")
            people.bob.user.save()
        else:
            people.bob.user.is_active = False
            people.bob.user.save()

    async def story() -> None:
        communicator = socket(session)
        assert await communicator.connect()
        assert await communicator.receive_nothing(0.2)
        await sync_to_async(end)()
        closed = await communicator.receive_output(5)
        assert closed == {"type": "websocket.close", "code": NOT_WELCOME}
        await communicator.leave()

    run(story)


def test_what_the_browser_sends_is_never_a_group_name(people: People) -> None:
    session = session_of(people.charlie)

    async def story() -> None:
        communicator = socket(session)
        assert await communicator.connect()
        await communicator.say(json.dumps({"group": live.group_name(people.acme.pk), "type": "subscribe"}))
        await communicator.say("{not json")
        await heard(communicator, people.charlie.tenant_id)
        while not await communicator.receive_nothing(0.1):
            await communicator.hear()
        await sync_to_async(hint_to)(people.acme.pk, "secret")
        assert await communicator.receive_nothing(0.3)
        await communicator.leave()

    run(story)
