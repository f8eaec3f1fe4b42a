"""Browser tests: Debian's Chromium against the real ASGI application, over the test's own database, as the web role.

Every page fails its test on a script error, a console error or a violation of the content policy.
"""

import os

# Playwright's synchronous API runs an event loop in this thread, where Django would refuse the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import gc
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections

from omnify.tenants.middleware import SESSION_KEY as TENANT_KEY
from omnify.tenants.models import Membership

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOKS = Path(__file__).resolve().parents[2] / "test-results"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(item.path).is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(pytest.mark.browser)
        # A browser hangs up whenever it has seen enough; what the server had open for it then waits for the collector.
        item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
        item.add_marker(pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"))
        if CHROMIUM is None:
            item.add_marker(
                pytest.mark.skip(reason="NO CHROMIUM HERE: the pages were not looked at (apt-get install chromium).")
            )


@pytest.fixture(
    scope="module"
)  # while it is open an event loop runs in this thread, and tests that start their own would fail
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Served:
    """uvicorn in a thread, on a port of its own."""

    def __init__(self) -> None:
        from omnify.asgi import application

        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(application, lifespan="off", ws="websockets-sansio", log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def start(self) -> None:
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            if time.monotonic() > deadline or not self.thread.is_alive():
                raise RuntimeError("The web server of the browser tests did not start.")
            time.sleep(0.02)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        if self.thread.is_alive():
            raise RuntimeError("The web server of the browser tests did not stop.")


@pytest.fixture
def site(transactional_db: None, people: Any) -> Iterator[str]:
    """The address of the running application. Its own connections act as the web role; the test's stays the system role."""
    options = connection.settings_dict["OPTIONS"]
    before = options.get("options", "")
    connection.ensure_connection()
    options["options"] = "-c role=omnify_web"
    served = Served()
    served.start()
    yield served.url
    served.stop()
    options["options"] = before
    connections.close_all()
    gc.collect()  # now, while the marks above hold, and not in some later test


def session_of(member: Membership) -> str:
    """A logged-in session of this member, in their tenant; returns its key."""
    session = SessionStore()
    session[SESSION_KEY] = str(member.user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.user.get_session_auth_hash()
    session[TENANT_KEY] = member.tenant_id
    session.create()
    return str(session.session_key)


@pytest.fixture
def browser_page(site: str, chromium: Any) -> Iterator[Callable[..., Any]]:
    """`browser_page(member, theme="light", viewport=WIDE)` opens a fresh browser page, logged in (None: nobody), with
    `page.site` as its address. At the end every page must have been free of errors and violations."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_page(member: Membership | None = None, *, theme: str = "light", viewport: dict[str, int] = WIDE) -> Any:
        context = chromium.new_context(base_url=site, color_scheme=theme, viewport=viewport, reduced_motion="reduce")
        contexts.append(context)
        if member is not None:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(member), "url": site}])
        context.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.site = site
        page.expected = []  # parts of console errors this test provokes on purpose
        page.on("pageerror", lambda error: complaints.append(f"script error on {page.url}: {error}"))
        page.on("console", lambda message: complain(page, message))
        return page

    def complain(page: Any, message: Any) -> None:
        if message.type == "error" and not any(part in message.text for part in page.expected):
            complaints.append(f"console error on {page.url}: {message.text}")

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


@pytest.fixture
def assert_accessible(axe: Any) -> Callable[[Any], None]:
    """Fails with axe's findings against WCAG 2.2 A and AA on the page as it stands."""

    def check(page: Any) -> None:
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        # preload would copy style sheets into inline ones, which the page's own policy forbids
        found = axe.run(page, options={"runOnly": {"type": "tag", "values": rules}, "preload": False})
        assert not found.violations_count, found.generate_report()

    return check


@pytest.fixture
def look() -> Callable[[Any, str], Path]:
    """Stores a picture of the whole page under test-results/ and returns its path."""

    def take(page: Any, name: str) -> Path:
        LOOKS.mkdir(exist_ok=True)
        path = LOOKS / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
