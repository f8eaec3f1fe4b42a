"""The simulator as a process: quick to start, hard to kill, deaf to strangers; and its callbacks' manners."""

import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from omnify.simulator.client import SimulatorClient
from omnify.simulator.running import ROOT, RunningSimulator, free_ports, running_simulator
from tests.simulator.conftest import OURS, POSTMARK_TOKEN, SID, TOKEN, Hooks, accounts, eventually


def text(sim: RunningSimulator, to: str, **more: str) -> httpx.Response:
    return httpx.post(
        f"{sim.base_url}/twilio/api.twilio.com/2010-04-01/Accounts/{SID}/Messages.json",
        auth=(SID, TOKEN),
        data={"To": to, "From": OURS, "Body": "Hello", **more},
        timeout=10,
        trust_env=False,
        verify=False,  # plain HTTP: loading certificates would be most of the work
    )


def test_nothing_is_forgotten_when_the_simulator_is_killed(tmp_path: Path, hooks: Hooks, number):
    person = number()
    with running_simulator(tmp_path, pace=0.2) as sim:
        sim.client.configure(accounts(hooks))
        sim.client.set_person(person, temperament="silent", name="Ann")
        sids = [text(sim, person, StatusCallback=hooks.url("/status")).json()["sid"] for _ in range(20)]
        sim.client.reply(person, "sms", "STOP")
        before = sim.client.ledger(record="all")
        sim.kill()
        sim.start()
        after = sim.client.ledger(record="all")
        assert after[: len(before)] == before
        received = [r["provider_id"] for r in sim.client.ledger(to=person) if not r.get("automatic")]
        assert received == sids
        assert sim.client.thread(person)["name"] == "Ann"
        assert text(sim, person).json()["code"] == 21610, "the person's STOP is kept too"
        assert sim.client.settled()
        until = time.monotonic() + 20
        while delivered(hooks) != set(sids) and time.monotonic() < until:
            time.sleep(0.1)  # a callback that the kill cut off is sent again after the provider's pause
        assert delivered(hooks) == set(sids), "lives go on where they were"


def delivered(hooks: Hooks) -> set[str]:
    """Whose delivery was told. A request that the kill cut off in the middle has no form and told nothing."""
    return {hit.form["MessageSid"] for hit in hooks.at("/status") if hit.form.get("MessageStatus") == "delivered"}


def test_it_starts_with_less_than_a_second_of_work_and_stops_cleanly(tmp_path: Path):
    port, smtp_port = free_ports(2)
    sim = RunningSimulator(tmp_path, port, smtp_port)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    sim.start()
    assert sim.stop() == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    sim.client.close()
    # Processor time, not the clock on the wall: the machine may be busy with something else.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
    assert (tmp_path / "simulator.log").read_text() == ""


def test_a_request_that_hangs_does_not_keep_it_from_stopping(tmp_path: Path, hooks: Hooks, number):
    with running_simulator(tmp_path) as sim:
        sim.client.configure(accounts(hooks))
        sim.client.faults([{"match": {"op": "create"}, "do": {"accept_then_timeout": 60}}])
        with pytest.raises(httpx.TimeoutException):
            httpx.post(
                f"{sim.base_url}/twilio/api.twilio.com/2010-04-01/Accounts/{SID}/Messages.json",
                auth=(SID, TOKEN), data={"To": number(), "From": OURS, "Body": "x"}, timeout=0.3, trust_env=False,
            )  # fmt: skip
        started = time.monotonic()
        assert sim.stop() == 0
        assert time.monotonic() - started < 5


def test_it_needs_neither_django_nor_any_sdk():
    names = "django", "twilio", "vapi", "openai", "anymail"
    code = f"import sys, omnify.simulator.app; sys.exit(str([n for n in {names!r} if n in sys.modules] or ''))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stderr.strip() == ""


def test_a_second_simulator_on_the_same_ledger_gives_up(tmp_path: Path):
    with running_simulator(tmp_path):
        second = RunningSimulator(tmp_path, *free_ports(2))
        with pytest.raises(RuntimeError, match="in use by another simulator"):
            second.start()
        second.client.close()


def test_a_page_on_another_host_name_cannot_talk_to_it(sim):
    answer = httpx.get(sim.base_url + "/people", headers={"host": "evil.example"}, trust_env=False)
    assert answer.status_code == 403
    assert httpx.get(sim.base_url + "/people", headers={"host": "localhost:1"}, trust_env=False).status_code == 200


def test_the_configuration_shows_no_secrets(sim):
    shown = httpx.get(sim.base_url + "/config", trust_env=False).text
    assert SID in shown
    assert TOKEN not in shown
    assert POSTMARK_TOKEN not in shown
    assert "hook:secret" not in shown


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/config/accounts", {"pigeon": [{}]}),
        ("PUT", "/config/accounts", {"twilio": [{}]}),
        ("PUT", "/config/accounts", []),
        ("PUT", "/config/shares", {"friendly": 2}),
        ("POST", "/faults", [{"do": "explode"}]),
        ("PUT", "/people/+12125550000", {"temperament": "furious"}),
        ("POST", "/people/+12125550000/reply", {"channel": "fax", "body": "x"}),
        ("POST", "/people/a@b.example/reply", {"channel": "email", "body": "to what?"}),
        ("GET", "/ledger?after=x", None),
    ],
)
def test_a_control_request_nobody_understands_is_refused_with_a_reason(sim, method, path, body):
    answer = httpx.request(method, sim.base_url + path, json=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_client_of_a_dead_simulator_says_it_is_not_healthy():
    client = SimulatorClient(f"http://127.0.0.1:{free_ports(1)[0]}")
    assert not client.healthy()
    client.close()


def test_a_webhook_on_another_machine_is_never_called(sim, number):
    sid = text(sim, number(), StatusCallback="http://192.0.2.1/status").json()["sid"]
    assert sim.client.settled()
    tried = sim.client.callbacks(about=sid)
    assert tried
    assert all(c["status"] == 0 and "not a loopback address" in c["error"] for c in tried)


def test_a_public_webhook_is_delivered_to_the_public_base_under_its_own_name(tmp_path, hooks, number):
    with running_simulator(tmp_path, public_base=hooks.url("")) as sim:
        sim.client.configure(accounts(hooks))
        text(sim, number(), StatusCallback="https://omnify.example/t/status?a=b")
        assert sim.client.settled()
    assert [(hit.path, hit.headers["host"]) for hit in hooks.hits] == [("/t/status?a=b", "omnify.example")] * 2


def test_postmark_tries_again_after_an_error_but_not_after_a_403(sim, hooks):
    hooks.answers["/postmark/tracking"] = [(500, ""), (500, ""), (200, "")]

    def send(to: str) -> None:
        body = {"From": "sam@acme.example", "To": to, "Subject": "Hi", "TextBody": "Hello"}
        token = {"X-Postmark-Server-Token": POSTMARK_TOKEN}
        httpx.post(sim.base_url + "/postmark/email", json=body, headers=token, trust_env=False).raise_for_status()

    send("one@retry.example")
    assert sim.client.settled()
    assert len(hooks.hits) == 3
    hooks.answers["/postmark/tracking"] = [(403, "")]
    send("two@retry.example")
    assert sim.client.settled()
    assert len(hooks.hits) == 4


def test_twilio_tries_once_more_when_nobody_listens_and_never_after_an_answer(sim, hooks, number):
    (closed,) = free_ports(1)
    sid = text(sim, number(), StatusCallback=f"http://127.0.0.1:{closed}/status").json()["sid"]
    assert sim.client.settled()
    assert sorted((c["event"], c["attempt"]) for c in sim.client.callbacks(about=sid)) == [
        ("delivered", 1), ("delivered", 2), ("sent", 1), ("sent", 2),
    ]  # fmt: skip
    hooks.answers["/status"] = [(500, "")] * 2
    text(sim, number(), StatusCallback=hooks.url("/status"))
    assert sim.client.settled()
    assert len(hooks.at("/status")) == 2


def test_a_share_of_people_answers_by_itself_and_it_is_always_the_same_people(tmp_path, hooks, number):
    everyone = [number() for _ in range(40)]

    def stoppers(folder: Path, seed: int) -> set[str]:
        with running_simulator(folder, seed=seed) as sim:
            sim.client.configure(accounts(hooks))
            sim.client.set_shares(stopper=0.5)
            for to in everyone:
                text(sim, to)
            assert sim.client.settled()
            return {p["address"] for p in sim.client.people() if p["temperament"] == "stopper"}

    first = stoppers(tmp_path / "a", seed=3)
    assert 5 < len(first) < 35
    assert {hit.form["From"] for hit in hooks.at("/sms")} == first
    assert stoppers(tmp_path / "b", seed=3) == first
    assert stoppers(tmp_path / "c", seed=4) != first


def test_unread_counts_what_came_since_the_thread_was_looked_at(sim, number):
    person = number()
    text(sim, person)
    text(sim, person)
    assert sim.client.thread(person)["unread"] == 2
    assert sim.client.mark_read(person)["unread"] == 0
    text(sim, person)
    assert eventually(lambda: next(p for p in sim.client.people() if p["address"] == person))["unread"] == 1


def test_a_kill_under_load_keeps_all_that_was_answered_and_doubles_nothing(tmp_path: Path, hooks: Hooks, number):
    people = [number() for _ in range(300)]
    answered: dict[str, str] = {}
    with running_simulator(tmp_path) as sim:
        sim.client.configure(accounts(hooks))

        def work(mine: list[str]) -> None:
            for to in mine:
                try:
                    answered[to] = text(sim, to, StatusCallback=hooks.url(f"/m/{to[1:]}")).json()["sid"]
                except httpx.TransportError:
                    continue  # what an engine calls unknown: it may or may not have been accepted

        workers = [threading.Thread(target=work, args=(people[n::4],)) for n in range(4)]
        for worker in workers:
            worker.start()
        eventually(lambda: len(answered) > 40)
        sim.kill()
        sim.start()
        for worker in workers:
            worker.join()
        received = sim.client.ledger(kind="sms")
        assert answered.items() <= {r["to"]: r["provider_id"] for r in received}.items()
        assert len({r["to"] for r in received}) == len(received)
        assert sim.client.duplicates() == []
        assert sim.client.settled(20)
        everything = [r["seq"] for r in sim.client.ledger(record="all")]
        assert everything == list(range(1, len(everything) + 1))


def test_a_text_the_provider_held_when_it_died_still_arrives_once(tmp_path: Path, hooks: Hooks, number):
    to = number()
    with running_simulator(tmp_path) as sim:
        sim.client.configure(accounts(hooks))
        sim.client.faults([{"match": {"op": "create"}, "do": {"dwell_s": 30}}])
        text(sim, to)
        assert sim.client.ledger(to=to) == []
        sim.kill()
        sim.start()
        assert sim.client.settled()
        assert len(sim.client.ledger(to=to)) == 1
        sim.kill()
        sim.start()
        assert sim.client.settled()
        assert len(sim.client.ledger(to=to)) == 1
