"""Runs proofs: each in a process of its own, with the database and the simulator it needs, and a time it must keep."""

import importlib
import importlib.util
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from omnify.promises import scratch
from omnify.promises.book import DATABASE, NOTHING, PROCESSES, SIMULATOR, Promise, Proof
from omnify.promises.outcome import Outcome
from omnify.simulator.running import running_simulator

KEPT, BROKEN, NO_PROOF = "kept", "broken", "no proof yet"
# How many proofs run side by side; of those that have the machine to themselves, one.
LANES = 2
# Seconds in which a proof that is told to end must have stopped what it started.
GRACE = 20.0


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    promise: str
    says: str
    proof: str
    state: str
    tried: int = 0
    failed: int = 0
    seconds: float = 0.0
    note: str = ""


@dataclass(slots=True)
class Running:
    """A proof under way, in the process `process`; its words are in `log`, its outcome will be in `answer`."""

    promise: Promise
    proof: Proof
    process: Any
    log: Path
    answer: Path
    began: float
    longest: float


def missing(proof: Proof) -> str:
    """Why there is nothing to run; "" when there is. A module that is there and cannot be loaded raises."""
    module, _, name = proof.driver.rpartition(".")
    if importlib.util.find_spec(module) is None:
        return "Its proof is not written yet."
    return "" if hasattr(importlib.import_module(module), name) else "Its proof is not written yet."


def run(promises: list[Promise], scale: str, seed: int, template: str, folder: Path) -> Iterator[Result]:
    """Runs the proofs of these promises, two side by side, and yields each line as soon as it is known."""
    waiting: list[tuple[Promise, Proof]] = []
    for promise in promises:
        if not promise.proofs:
            yield Result(promise.key, promise.says, "", NO_PROOF, note=promise.without)
        for proof in promise.proofs:
            if proof.only_full and scale != "full":
                continue
            try:
                why = missing(proof)
            except Exception as error:  # noqa: BLE001 (whatever a module raises, it proves nothing)
                note = f"cannot be loaded: {type(error).__name__}: {error}"
                yield Result(promise.key, promise.says, proof.name, BROKEN, failed=1, note=note)
                continue
            if why:
                yield Result(promise.key, promise.says, proof.name, NO_PROOF, note=why)
            else:
                waiting.append((promise, proof))
    # The long ones first; those with processes of their own wait more than they work.
    waiting.sort(key=lambda pair: (not pair[1].early, pair[1].needs != PROCESSES, -pair[1].seconds[scale == "full"]))
    working: list[Running] = []
    try:
        while waiting or working:
            yield from _harvest(working)
            _start_more(waiting, working, scale, seed, template, folder)
            time.sleep(0.05)
    finally:
        for each in working:
            _kill(each)


def _start_more(
    waiting: list[tuple[Promise, Proof]], working: list[Running], scale: str, seed: int, template: str, folder: Path
) -> None:
    for pair in list(waiting):
        if len(working) >= LANES:
            return
        promise, proof = pair
        if proof.needs == PROCESSES and any(each.proof.needs == PROCESSES for each in working):
            continue
        waiting.remove(pair)
        longest = proof.seconds[scale == "full"]
        log, answer = folder / f"{proof.name}.log", folder / f"{proof.name}.json"
        arguments = (proof, scale, seed, template, folder / proof.name, log, answer)
        process = multiprocessing.get_context("fork").Process(target=_child, args=arguments)
        process.start()
        working.append(Running(promise, proof, process, log, answer, time.monotonic(), longest))


def _harvest(working: list[Running]) -> Iterator[Result]:
    for each in list(working):
        seconds = time.monotonic() - each.began
        late = seconds > each.longest
        if each.process.is_alive() and not late:
            continue
        working.remove(each)
        _kill(each)
        names = (each.promise.key, each.promise.says, each.proof.name)
        if each.answer.exists():
            outcome = Outcome(**json.loads(each.answer.read_text()))
            state = KEPT if outcome.tried and not outcome.failed else BROKEN
            note = outcome.note if outcome.tried else f"tried nothing. {outcome.note}"
            failed = outcome.failed or int(not outcome.tried)
            yield Result(*names, state, outcome.tried, failed, seconds, note)
        else:
            why = f"not done within {each.longest:.0f} s" if late else f"ended with {each.process.exitcode}"
            said = each.log.read_text(errors="replace").strip().splitlines() if each.log.exists() else []
            yield Result(*names, BROKEN, 0, 1, seconds, f"{why}: {said[-1] if said else 'it said nothing'}"[:300])


def _kill(each: Running) -> None:
    """The process and everything it has started: asked first, because it may have servers of its own to stop."""
    if each.process.is_alive():
        each.process.terminate()
        each.process.join(GRACE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(each.process.pid, signal.SIGKILL)
    each.process.join()


def _child(proof: Proof, scale: str, seed: int, template: str, folder: Path, log: Path, answer: Path) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    words = log.open("w", buffering=1)
    sys.stdout = sys.stderr = words
    os.dup2(words.fileno(), 1)
    os.dup2(words.fileno(), 2)
    try:
        outcome = prove(proof, scale, seed, template, folder)
        aside = answer.with_suffix(".new")
        aside.write_text(json.dumps({"tried": outcome.tried, "failed": outcome.failed, "note": outcome.note}))
        aside.replace(answer)
        ended = 0
    except BaseException:  # noqa: BLE001 (the child ends here, whatever it met; the parent reads the last line)
        traceback.print_exc()
        ended = 1
    words.flush()
    os._exit(ended)


def prove(proof: Proof, scale: str, seed: int, template: str, folder: Path) -> Outcome:
    """Runs one driver, here, with what it needs around it."""
    logging.disable(logging.WARNING)  # what is tried here fails on purpose, thousands of times
    module, _, name = proof.driver.rpartition(".")
    driver = getattr(importlib.import_module(module), name)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as around:
        if proof.needs in (DATABASE, SIMULATOR):
            around.enter_context(scratch.copy(template, f"{template}_{proof.name.replace('.', '_')}"[:63]))
        if proof.needs == SIMULATOR:
            simulator = around.enter_context(running_simulator(folder / "simulator", seed=seed))
            settings.SIMULATOR_URL, settings.SIMULATOR_SMTP_PORT = simulator.base_url, simulator.smtp_port
            os.environ |= {"SIMULATOR_URL": simulator.base_url, "SIMULATOR_SMTP_PORT": str(simulator.smtp_port)}
        if proof.needs != NOTHING:
            # Nobody listens there unless the proof itself does: no callback may reach a running Omnify.
            settings.PUBLIC_URL = "http://127.0.0.1:9"
            settings.MEDIA_ROOT = folder / "media"
        outcome: Outcome = driver(scale, seed)
        connections.close_all()
    return outcome
