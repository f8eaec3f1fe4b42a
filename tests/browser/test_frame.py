"""The frame, the entrance and the workspace's pages: in both themes, wide and narrow, accessible and within the policy."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.urls import reverse

from omnify.tenants.context import tenant_context
from omnify.tenants.notifications import notify
from tests.browser.conftest import NARROW, WIDE
from tests.factors import code_of
from tests.making import PASSWORD, People, make_contact, make_enrollment, make_sequence

VIEWS = [(theme, name, size) for theme in ("light", "dark") for name, size in (("wide", WIDE), ("narrow", NARROW))]
INSIDE = [
    "home",
    "tenants:settings",
    "tenants:members",
    "tenants:keys",
    "tenants:notifications",
    "account_change_password",
    "mfa_index",
    "account_email",
]
OUTSIDE = ["account_login", "account_signup", "account_reset_password", "account_reset_password_done"]


@pytest.fixture
def lively(people: People, now: Any) -> People:
    """Acme with something on every page."""
    sequence = make_sequence(
        people.acme, now, {"kind": "sms"}, {"kind": "email", "subject": "Hi"}, {"kind": "voice"}, name="Trial nurture"
    )
    waiting = make_contact(people.acme, now, first_name="Maya", last_name="Okafor")
    parked = make_contact(people.acme, now, first_name="Ivo", last_name="Petrov")
    make_enrollment(sequence, waiting, now, needs_human_intervention=True, replied_at=now)
    make_enrollment(sequence, parked, now, status="failed", status_reason="no_address", next_run_at=None)
    with tenant_context(people.acme.pk):
        notify(
            tenant_id=people.acme.pk,
            type="reply",
            title="Maya Okafor replied",
            body="How long does onboarding take?",
            url="/",
        )
        notify(tenant_id=people.acme.pk, type="opt_out", title="Sam Reyes asked to stop", priority="high")
    return people


@pytest.mark.parametrize(("theme", "width", "viewport"), VIEWS)
@pytest.mark.django_db(transaction=True)
def test_every_page_of_a_member_is_accessible_and_fits(
    lively: People,
    browser_page: Any,
    look: Any,
    assert_accessible: Any,
    theme: str,
    width: str,
    viewport: dict[str, int],
) -> None:
    page = browser_page(lively.alice, theme=theme, viewport=viewport)
    for name in INSIDE:
        page.goto(reverse(name))
        assert page.locator("h1").count() == 1
        look(page, f"{name.replace(':', '-')}-{theme}-{width}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"


@pytest.mark.parametrize(("theme", "width", "viewport"), VIEWS)
@pytest.mark.django_db(transaction=True)
def test_every_page_before_logging_in_is_accessible_and_fits(
    browser_page: Any, look: Any, assert_accessible: Any, theme: str, width: str, viewport: dict[str, int]
) -> None:
    page = browser_page(None, theme=theme, viewport=viewport)
    for name in OUTSIDE:
        page.goto(reverse(name))
        look(page, f"{name}-{theme}-{width}")
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"


@pytest.mark.django_db(transaction=True)
def test_the_application_under_the_browser_acts_as_the_web_role(site: str) -> None:
    def role() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            return str(cursor.fetchone()[0])

    def elsewhere() -> str:
        try:
            return role()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere).result(10) == "omnify_web"
    assert role() == "omnify_system"


@pytest.mark.django_db(transaction=True)
def test_logging_in_and_out_by_hand(people: People, browser_page: Any) -> None:
    page = browser_page(None)
    page.goto("/")
    page.get_by_label("Email").fill(people.alice.user.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").is_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    assert page.get_by_role("heading", level=1).inner_text() == "Home"
    page.get_by_text("Alice", exact=True).click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")


@pytest.mark.parametrize(("theme", "width", "viewport"), VIEWS)
@pytest.mark.django_db(transaction=True)
def test_menus_and_dialogs_are_accessible(
    lively: People,
    browser_page: Any,
    look: Any,
    assert_accessible: Any,
    theme: str,
    width: str,
    viewport: dict[str, int],
) -> None:
    page = browser_page(lively.alice, theme=theme, viewport=viewport)
    page.goto("/")
    for name, opener in (
        ("tenants", ".tenant-menu > summary"),
        ("person", ".side-foot .menu:first-child > summary"),
        ("bell", ".bell > summary"),
    ):
        if width == "narrow":
            page.get_by_role("button", name="Menu", exact=True).click()
        page.locator(opener).click()
        if name == "bell":
            page.locator("#bell-list").get_by_text("Sam Reyes asked to stop").wait_for()
        look(page, f"menu-{name}-{theme}-{width}")
        assert_accessible(page)
        page.keyboard.press("Escape")
        assert page.locator("details.menu[open]").count() == 0
        if width == "narrow":
            page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keyboard shortcuts").wait_for()
    look(page, f"dialog-{theme}-{width}")
    assert_accessible(page)


@pytest.mark.django_db(transaction=True)
def test_a_chosen_theme_stays(people: People, browser_page: Any) -> None:
    page = browser_page(people.alice, theme="light")
    page.goto("/")
    page.get_by_text("Alice", exact=True).click()
    page.get_by_role("button", name="Dark").click()
    page.goto(reverse("tenants:settings"))
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.get_by_text("Alice", exact=True).click()
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


@pytest.mark.django_db(transaction=True)
def test_keys_jump_between_pages(people: People, browser_page: Any) -> None:
    page = browser_page(people.alice)
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press(",")
    page.wait_for_url("**/settings/")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.press("g")
    page.keyboard.press("h")
    assert page.url.endswith("/settings/"), "shortcuts are off while typing"


@pytest.mark.django_db(transaction=True)
def test_a_notification_reaches_open_pages_and_is_read_under_the_bell(people: People, browser_page: Any) -> None:
    page = browser_page(people.alice)
    page.goto(reverse("tenants:settings"))
    page.locator("body[data-live=on]").wait_for()
    with tenant_context(people.acme.pk):
        notify(tenant_id=people.acme.pk, type="reply", title="Maya replied")
    page.locator("#bell-count .count").wait_for()
    page.locator(".bell > summary").click()
    page.get_by_role("button", name="Mark “Maya replied” as read").click()
    page.locator("#bell-count .count").wait_for(state="detached")
    assert page.locator(".bell").get_by_text("Maya replied").is_visible()


@pytest.mark.django_db(transaction=True)
def test_a_strangers_page_hears_nothing_of_ours(people: People, browser_page: Any) -> None:
    ours, theirs = browser_page(people.alice), browser_page(people.charlie)
    for page in (ours, theirs):
        page.goto("/")
        page.locator("body[data-live=on]").wait_for()
        page.evaluate(
            "let heard = 0; document.body.addEventListener('live:notifications', () => { document.body.dataset.heard = ++heard })"
        )
    with tenant_context(people.acme.pk):
        notify(tenant_id=people.acme.pk, type="reply", title="Only for Acme")
    ours.locator("body[data-heard='1']").wait_for()
    with tenant_context(people.charlie.tenant_id):
        notify(tenant_id=people.charlie.tenant_id, type="reply", title="Only for Charlie")
    theirs.locator("body[data-heard]").wait_for()
    assert theirs.locator("body").get_attribute("data-heard") == "1"
    assert "Only for Acme" not in theirs.content()


@pytest.mark.django_db(transaction=True)
def test_a_key_is_shown_once_and_copied(people: People, browser_page: Any, look: Any, assert_accessible: Any) -> None:
    page = browser_page(people.alice)
    page.expected = ["422"]
    page.goto(reverse("tenants:keys"))
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("alert").wait_for()
    look(page, "keys-error")
    assert_accessible(page)
    page.get_by_label("Name").fill("Website form")
    page.get_by_role("button", name="Make the key").click()
    assert page.locator("code.key").inner_text().startswith("omk_")
    look(page, "keys-made")
    assert_accessible(page)
    page.goto(reverse("tenants:keys"))
    assert page.locator("code.key").count() == 0
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("no longer works").wait_for()
    look(page, "keys-revoked")
    assert_accessible(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.django_db(transaction=True)
def test_turning_on_two_factor_log_in(
    people: People, browser_page: Any, look: Any, assert_accessible: Any, theme: str
) -> None:
    page = browser_page(people.alice, theme=theme)
    page.goto(reverse("mfa_activate_totp"))
    page.get_by_label("Password").fill(PASSWORD)
    look(page, f"reauthenticate-{theme}")
    assert_accessible(page)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("code.key").inner_text()
    look(page, f"mfa-activate-{theme}")
    assert_accessible(page)
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    page.wait_for_url("**/recovery-codes/")
    look(page, f"mfa-codes-{theme}")
    assert_accessible(page)
    page.goto(reverse("mfa_index"))
    look(page, f"mfa-index-{theme}")
    assert_accessible(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.django_db(transaction=True)
def test_the_admin_is_in_our_colours_and_clean(
    people: People, browser_page: Any, look: Any, assert_accessible: Any, theme: str
) -> None:
    people.alice.user.is_staff = people.alice.user.is_superuser = True
    people.alice.user.save()
    page = browser_page(people.alice, theme=theme)
    for number, address in enumerate(("/admin/", "/admin/contacts/contact/", "/admin/sequences/sender/add/")):
        page.goto(address)
        look(page, f"admin-{number}-{theme}")
        assert_accessible(page)
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')").strip() != "#f5dd5d"


@pytest.mark.django_db(transaction=True)
def test_wrong_addresses_say_so_plainly(people: People, browser_page: Any, look: Any, assert_accessible: Any) -> None:
    page = browser_page(people.bob)
    page.expected = ["404", "403"]
    for name, address, words in (
        ("404", "/nowhere/", "There is nothing here"),
        ("403", reverse("tenants:keys"), "Your role does not allow this"),
    ):
        page.goto(address)
        assert page.get_by_role("heading", level=1).inner_text() == words
        look(page, f"error-{name}")
        assert_accessible(page)


def test_a_second_click_does_not_send_a_form_twice(people: People, browser_page: Any) -> None:
    page = browser_page(people.alice)
    page.goto(page.site + reverse("tenants:settings"))
    sent = page.evaluate(
        """() => {
          let sent = 0;
          addEventListener("submit", (event) => { if (!event.defaultPrevented) sent += 1; event.preventDefault(); });
          const form = document.querySelector("main form[method=post]");
          form.requestSubmit();
          form.requestSubmit();
          return sent;
        }"""
    )
    assert sent == 1
