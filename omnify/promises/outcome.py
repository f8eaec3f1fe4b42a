"""What one proof brought back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a driver hands back after it has tried to break a promise.

    A driver is a function ``(scale: "quick" | "full", seed: int) -> Outcome``, named in omnify/promises/book.py.
    `tried` is how often it tried (sends, kills, interleavings, forged bodies), `failed` how often the promise was broken:
    0 is the only good answer, and a proof that tried nothing proves nothing. `note` says in a few words what was tried,
    and with which seed where the driver drew its own. A driver that cannot judge raises; it never reports 0.
    """

    tried: int
    failed: int
    note: str = ""
