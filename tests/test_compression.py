"""What a browser loads comes compressed, and still is what it was."""

import gzip

import pytest
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.as_web]
BROWSER = {"accept-encoding": "gzip, deflate, br"}


def test_a_page_is_compressed_for_whoever_can_read_that(client, people):
    client.force_login(people.alice.user)
    page = client.get(reverse("sequences:list"), headers=BROWSER)
    assert page["content-encoding"] == "gzip"
    assert b"Sequences" in gzip.decompress(page.content)
    assert len(page.content) < len(client.get(reverse("sequences:list")).content) / 2


def test_whoever_asks_for_no_compression_gets_plain_text(client, people):
    client.force_login(people.alice.user)
    page = client.get(reverse("sequences:list"))
    assert "content-encoding" not in page
    assert b"Sequences" in page.content


def test_a_style_sheet_is_compressed_once(client):
    plain = client.get("/static/css/kit.css")
    packed = client.get("/static/css/kit.css", headers=BROWSER)
    assert packed["content-encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["content-length"]) == len(packed.content)


def test_the_same_page_never_has_the_same_compressed_length(client, people):
    """Lengths that repeat would tell an onlooker what a secret in the page begins with (BREACH)."""
    client.force_login(people.alice.user)
    lengths = {len(client.get(reverse("sequences:create"), headers=BROWSER).content) for _ in range(12)}
    assert len(lengths) > 1
