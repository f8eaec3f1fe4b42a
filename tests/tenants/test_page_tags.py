"""The tags that pages are written with."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.http import HttpResponse
from django.template import Context, Template

from omnify.tenants.icons import ICONS
from omnify.tenants.navigation import SECTIONS, sections
from omnify.tenants.toasts import toast


def render(source: str, **context: Any) -> str:
    return Template("{% load page %}" + source).render(Context(context))


def test_an_icon_without_a_name_is_hidden_from_screen_readers() -> None:
    html = render('{% icon "sms" %}')
    assert 'aria-hidden="true"' in html
    assert "role=" not in html
    assert "style=" not in html


def test_a_named_icon_is_an_image_and_its_name_is_escaped() -> None:
    html = render("{% icon 'sms' label=name %}", name='"><script>')
    assert 'role="img"' in html
    assert "<script>" not in html


def test_an_unknown_icon_is_an_error_and_not_a_hole() -> None:
    with pytest.raises(KeyError):
        render('{% icon "unicorn" %}')


def test_every_section_has_its_icon() -> None:
    assert {section.icon for section in SECTIONS} <= set(ICONS)


def test_a_time_says_how_long_ago_and_exactly_when() -> None:
    html = render("{% time at %}", at=datetime(2020, 2, 3, 4, 5, tzinfo=UTC))
    assert 'datetime="2020-02-03T04:05:00+00:00"' in html
    assert 'title="Mon 3 Feb 2020, 04:05 UTC (UTC)"' in html
    assert ">3 Feb 2020</time>" in html


def test_no_time_is_said_by_a_dash() -> None:
    assert render("{% time at %}", at=None) == "–"


@pytest.mark.parametrize(
    ("state", "tone"), [("active", "good"), ("failed", "bad"), ("paused", "warn"), ("whatever", "")]
)
def test_a_state_has_its_colour_and_always_its_word(state: str, tone: str) -> None:
    assert render("{% status state %}", state=state) == f'<span class="chip {tone}">{state.capitalize()}</span>'


@pytest.mark.parametrize(
    ("channel", "word"), [("sms", "SMS"), ("email", "Email"), ("voice", "AI call"), ("pigeon", "Pigeon")]
)
def test_channels_have_words(channel: str, word: str) -> None:
    assert render("{{ c|channel_name }}", c=channel) == word
    assert word in render("{% channel c %}", c=channel)


def test_a_field_carries_its_label_help_and_error() -> None:
    class Form(forms.Form):
        name = forms.CharField(help_text="As on the <b>door</b>")

    html = str(Form({})["name"].as_field_group())
    assert '<label for="id_name">Name</label>' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", "Home"),
        ("/contacts/", "Contacts"),
        ("/contacts/some-id/", "Contacts"),
        ("/settings/keys/", "Settings"),
        ("/imports/new/", "Import"),
        ("/notifications/", None),
    ],
)
def test_the_open_section_is_marked_and_only_that(path: str, current: str | None) -> None:
    class Everything:
        is_staff = True

        def may(self, role: str) -> bool:
            return True

    shown = sections(path, Everything(), Everything())  # type: ignore[arg-type]
    assert [each.section.label for each in shown if each.current] == ([current] if current else [])


def test_somebody_without_a_workspace_is_shown_no_section() -> None:
    class Nobody:
        is_staff = False

    assert sections("/", None, Nobody()) == []


def test_a_toast_travels_in_a_header() -> None:
    response = toast(HttpResponse(), "Done.", undo="/undo/")
    assert response["HX-Trigger"] == '{"toast": {"text": "Done.", "kind": "good", "undo": "/undo/"}}'
