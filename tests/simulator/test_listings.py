"""What the simulated providers list: the fields, pages and days of the real ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from omnify.simulator.running import RunningSimulator

POSTMARK = {"X-Postmark-Server-Token": "lists"}


@pytest.fixture
def lists(simulator: RunningSimulator) -> RunningSimulator:
    simulator.client.configure(
        {
            "postmark": [{"server_token": "lists"}],
            "vapi": [{"api_key": "lists", "phone_number_ids": ["line-1"]}],
        }
    )
    return simulator


def get(running: RunningSimulator, path: str, headers: dict[str, str], **query: Any) -> Any:
    answer = httpx.get(f"{running.base_url}{path}", params=query, headers=headers, trust_env=False)
    assert answer.status_code == 200
    return answer.json()


def write_and_answer(running: RunningSimulator, person: str) -> None:
    mail = {"From": "us@acme.example", "To": person, "Subject": "Hi", "TextBody": "Hello", "Metadata": {"m": "1"}}
    answer = httpx.post(f"{running.base_url}/postmark/email", json=mail, headers=POSTMARK, trust_env=False)
    assert answer.status_code == 200
    assert running.client.settled()


def test_the_list_of_inbound_mail_has_no_texts_and_the_details_do(lists: RunningSimulator) -> None:
    write_and_answer(lists, "pat@people.example")
    lists.client.reply("pat@people.example", "email", "Thanks!")
    (mail,) = get(lists, "/postmark/messages/inbound", POSTMARK, count=10, offset=0)["InboundMessages"]
    assert "TextBody" not in mail
    assert "Headers" not in mail
    whole = get(lists, f"/postmark/messages/inbound/{mail['MessageID']}/details", POSTMARK)
    assert whole["TextBody"].startswith("Thanks!")
    assert {"Name": "Return-Path", "Value": "<pat@people.example>"} in whole["Headers"]


def test_bounces_are_listed_by_their_days(lists: RunningSimulator) -> None:
    lists.client.set_person("gone@people.example", temperament="late_bounce")
    write_and_answer(lists, "gone@people.example")
    (bounce,) = [
        each
        for each in get(lists, "/postmark/bounces", POSTMARK, count=10, offset=0)["Bounces"]
        if each["Email"] == "gone@people.example"
    ]
    assert (bounce["Type"], bounce["RecordType"], "Metadata" in bounce) == ("HardBounce", "Bounce", False)
    before = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    assert get(lists, "/postmark/bounces", POSTMARK, count=10, offset=0, todate=before)["Bounces"] == []


def test_a_call_to_us_is_listed_as_inbound_with_what_was_said(lists: RunningSimulator) -> None:
    call_id = lists.client.call("+12125550199", "line-1", "Hello?", "Take me off your list.")
    auth = {"authorization": "Bearer lists"}
    (call,) = [each for each in get(lists, "/vapi/call", auth, phoneNumberId="line-1") if each["id"] == call_id]
    assert (call["type"], call["status"], call["customer"]) == (
        "inboundPhoneCall",
        "ended",
        {"number": "+12125550199"},
    )
    assert "User: Take me off your list." in call["artifact"]["transcript"]


def test_a_call_that_waits_can_be_deleted_and_never_rings(lists: RunningSimulator) -> None:
    lists.client.faults([{"match": {"provider": "vapi", "op": "create"}, "do": {"dwell_s": 1.0}, "times": 1}])
    auth = {"authorization": "Bearer lists"}
    body = {"assistantId": "a", "phoneNumberId": "line-1", "customer": {"number": "+12125550188"}}
    placed = httpx.post(f"{lists.base_url}/vapi/call", json=body, headers=auth, trust_env=False).json()
    gone = httpx.delete(f"{lists.base_url}/vapi/call/{placed['id']}", headers=auth, trust_env=False).json()
    assert (gone["status"], gone["endedReason"]) == ("ended", "call-deleted")
    assert lists.client.settled()
    assert lists.client.ledger(to="+12125550188") == []
