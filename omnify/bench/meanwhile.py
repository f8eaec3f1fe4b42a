"""How much longer a page takes while something else works: asked for again and again by a process of its own."""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from omnify.bench import scratch
from omnify.tenants.models import Membership

# Ten people who look at their list at once, each every half second.
EVERY_SECONDS = 0.05
ALONE_REQUESTS = 100


def asked(work: Callable[[], object], by: Membership) -> tuple[float, float]:
    """(milliseconds within which 95 of 100 requests for the list of people are served alone, the same while `work` is done)."""
    client = Client()
    client.force_login(by.user)
    connections.close_all()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_ask, args=(client, theirs), daemon=True)
    process.start()
    try:
        alone = _answer(ours)
        work()
        ours.send("enough")
        return alone, _answer(ours)
    finally:
        process.join(30)
        process.kill()


def _answer(pipe: Any) -> float:
    if not pipe.poll(120):
        raise RuntimeError("The pages were not served.")
    return float(pipe.recv())


def _ask(client: Client, pipe: Any) -> None:
    with override_settings(ALLOWED_HOSTS=["testserver"], REQUIRE_MFA=False), scratch.as_role("omnify_web"):
        _served(client)  # what the first request loads is not measured
        pipe.send(_within([_served(client) for _ in range(ALONE_REQUESTS)]))
        taken = []
        while not pipe.poll():
            taken.append(_served(client))
        pipe.send(_within(taken))


def _served(client: Client) -> float:
    """Milliseconds of one request."""
    time.sleep(EVERY_SECONDS)
    began = time.perf_counter()
    answer = client.get(reverse("contacts:list"))
    taken = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"The list of people answered {answer.status_code}.")
    return taken * 1000


def _within(taken: list[float]) -> float:
    taken.sort()
    return taken[int(len(taken) * 0.95)]
