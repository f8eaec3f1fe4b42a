"""Twilio's signature, as Twilio's own library checks it."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from sequences.webhooks.twilio import pairs_of, signature_matches

TOKEN = "5ecret"
URL = "https://hooks.example.com/hooks/twilio/abc/inbound"


def library(url: str, params: list[tuple[str, str]], signature: str, token: str) -> bool:
    from django.http import QueryDict
    from twilio.request_validator import RequestValidator

    query = QueryDict(mutable=True)
    for name, value in params:
        query.appendlist(name, value)
    return bool(RequestValidator(token).validate(url, query, signature))


def signed(url: str, params: list[tuple[str, str]]) -> str:
    from django.http import QueryDict
    from twilio.request_validator import RequestValidator

    query = QueryDict(mutable=True)
    for name, value in params:
        query.appendlist(name, value)
    return str(RequestValidator(TOKEN).compute_signature(url, query))


@pytest.mark.conformance
def test_the_vendors_own_cases(shared_data: Path) -> None:
    given: dict[str, Any] = json.loads((shared_data / "webhooks" / "twilio_signatures.json").read_text())
    assert given["cases"]
    for case in given["cases"]:
        params = [(name, value) for name, value in case.get("params", [])]
        token = case.get("auth_token", given["auth_token"])
        answer = signature_matches(case["url"], params, case["signature"], token, case.get("body", ""))
        assert answer is case["valid"], case["id"]


@pytest.mark.parametrize(
    "params",
    [
        [("Body", "héllo wörld 🏠"), ("From", "+12125550100")],
        [("Body", ""), ("From", "+1")],
        [("b", "2"), ("a", "1"), ("B", "3"), ("a", "0"), ("a", "1")],
        [],
    ],
)
@pytest.mark.parametrize("url", [URL, URL + "?x=1&y=%20", "http://127.0.0.1:8000/hooks/twilio/k/status/m"])
def test_it_agrees_with_the_library(url: str, params: list[tuple[str, str]]) -> None:
    signature = signed(url, params)
    assert signature_matches(url, params, signature, TOKEN)
    assert library(url, params, signature, TOKEN)
    for wrong in (signature[:-2] + "A=", signature.lower(), "", "é" * 28):
        assert signature_matches(url, params, wrong, TOKEN) is library(url, params, wrong, TOKEN) is False


def test_of_2000_random_requests_none_is_judged_otherwise_than_by_the_library() -> None:
    dice = random.Random(3)
    letters = "ab+é &=%\n"
    for _ in range(2000):
        params = [(dice.choice("abAB"), "".join(dice.choices(letters, k=3))) for _ in range(dice.randrange(4))]
        url = URL + dice.choice(["", "?a=1", "?" + "".join(dice.choices("ab=&", k=3))])
        signature = signed(url, params)
        other = [*params, ("a", "x")] if dice.random() < 0.5 else params
        assert signature_matches(url, other, signature, TOKEN) is library(url, other, signature, TOKEN)


@pytest.mark.parametrize(
    "form",
    [
        "",
        "a=1&b=2",
        "a=&b&&=c&a=1=2",
        "Body=hello+world%21&From=%2B1212",
        "Body=%F0%9F%8F%A0+%zz+%e9&%41=%26%3D",
        "a=+%2b+&a=%00;b=1",
    ],
)
def test_forms_are_read_as_the_standard_library_reads_them(form: str) -> None:
    from urllib.parse import parse_qsl

    assert list(pairs_of(form)) == parse_qsl(form, keep_blank_values=True, max_num_fields=1000)


def test_more_parameters_than_twilio_ever_sends_are_not_read() -> None:
    with pytest.raises(ValueError):
        pairs_of("&".join(f"a{n}=1" for n in range(1001)))
