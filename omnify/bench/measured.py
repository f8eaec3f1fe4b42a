"""What a measurement says: a value, the floor it is compared with, their ratio, and the goal."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Measure:
    """`ratio` is value / floor, both from the same run; None where the goal is absolute. `met`: whether the goal was reached."""

    what: str
    value: float
    unit: str
    goal: str
    met: bool
    floor: float | None = None
    ratio: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        given = asdict(self)
        return given.pop("more") | given

    def sentence(self) -> str:
        compared = f", floor {self.floor:,.6g}, ratio {self.ratio:.3g}" if self.ratio is not None and self.floor else ""
        return f"{self.what}: {self.value:,.6g} {self.unit}{compared} (goal {self.goal}: {'met' if self.met else 'not met'})"


def compared(what: str, value: float, floor: float, unit: str, *, goal: str, met: bool, **more: Any) -> Measure:
    """A measure beside its floor."""
    return Measure(what, round(value, 3), unit, goal, met, round(floor, 3), round(value / floor, 3), more)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a bench works through; None means its own default. `full`: the sizes of the goals, which take their time."""

    people: int | None = None
    rows: int | None = None
    rounds: int | None = None
    batch: int = 500
    processes: int | None = None
    full: bool = False

    def of(self, asked: int | None, default: int, full: int) -> int:
        return asked if asked is not None else full if self.full else default
