"""The promises G1 to G20, in the words of docs/reliability.md, and who proves each.

A proof is named by its dotted path and loaded when it runs. One that is not there says so in the table; one that cannot be
loaded has failed.
"""

from dataclasses import dataclass

HERE = "omnify.promises"
# What a proof needs of the machine: nothing; a database of its own; that and a simulator of its own; the machine for itself,
# because it starts and kills processes (it makes its own database and simulator).
NOTHING, DATABASE, SIMULATOR, PROCESSES = "nothing", "database", "simulator", "processes"


@dataclass(frozen=True, slots=True)
class Proof:
    """One driver: `(scale, seed) -> Outcome`. `seconds`: how long it may take at the quick and at the full scale, on a busy
    machine. `early`: it goes before the others, because it measures time and so needs a neighbour that leaves it a core."""

    driver: str
    needs: str = SIMULATOR
    seconds: tuple[float, float] = (150.0, 1800.0)
    only_full: bool = False
    early: bool = False

    @property
    def name(self) -> str:
        return self.driver.removeprefix(f"{HERE}.")


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised, its proofs, and, where there is none, why."""

    key: str
    says: str
    proofs: tuple[Proof, ...] = ()
    without: str = ""


def _by(
    name: str, needs: str = SIMULATOR, seconds: tuple[float, float] = (150.0, 1800.0), *, early: bool = False
) -> Proof:
    return Proof(f"{HERE}.{name}", needs, seconds, early=early)


BOOK: tuple[Promise, ...] = (
    Promise(
        "G1",
        "Nobody gets the same step twice",
        (
            _by("killing.prove_kills", PROCESSES, (200.0, 3 * 3600.0)),
            Proof(f"{HERE}.stories.prove_stories", PROCESSES, (0.0, 3600.0), only_full=True),
        ),
    ),
    Promise("G2", "No reply is lost", (_by("reading.prove_no_reply_lost"),)),
    Promise(
        "G3", "After an opt-out nothing more is claimed", (_by("optouts.prove_stop", DATABASE, (150.0, 2 * 3600.0)),)
    ),
    Promise("G4", "Nothing goes out in quiet hours", (_by("night.prove_hours", NOTHING, (150.0, 3600.0), early=True),)),
    Promise("G5", "Caps hold per person, not per sequence", (_by("limits.caps_under_workers"),)),
    Promise("G6", "One tenant never touches another's data", (_by("walls.prove_walls", DATABASE),)),
    Promise("G7", "No send storm, and a switch that stops", (_by("limits.switch_flips"),)),
    Promise(
        "G8",
        "Forged webhooks refused, doubles and any order harmless",
        (_by("forging.prove_forgeries"), _by("forging.prove_orders")),
    ),
    Promise(
        "G9",
        "What kills its worker stops itself, not the others",
        (_by("poison.prove_parked", DATABASE), _by("recovering.prove_recovery", PROCESSES, (150.0, 3600.0))),
    ),
    Promise(
        "G10",
        "A slow or dead model never blocks sends",
        without="No model is on the way of a send yet.",
    ),
    Promise("G11", "An import is safe at every moment", (_by("importing.prove_import", DATABASE),)),
    Promise("G12", "A wrong clock sends nothing early", (_by("clocks.prove_jumps", DATABASE),)),
    Promise(
        "G13",
        "A crash of the database loses no fact",
        (_by("killing.prove_crashes", PROCESSES, (200.0, 3600.0)),),
    ),
    Promise(
        "G14",
        "What is unknown is settled, and never by a guess",
        (_by("backlog.prove_backlog"), _by("reading.prove_no_wrong_match")),
    ),
    Promise("G15", "New keys and restarts lose nothing", (_by("rotating.prove_rotation"),)),
    Promise(
        "G16",
        "A restored database sends nothing again",
        (_by("limits.epoch_refuses"), _by("reading.prove_restore")),
    ),
    Promise("G17", "A copy of the data reaches nobody", (_by("quarantine.prove_no_socket", DATABASE),)),
    Promise("G18", "Every touch can be explained", (_by("explaining.prove_explainable"),)),
    Promise("G19", "One call at a time, and no redial", (_by("calling.prove_calls", DATABASE),)),
    Promise("G20", "What models may cost is bounded", without="Nothing asks a model by itself yet."),
)
KEYS = tuple(promise.key for promise in BOOK)
