"""What the formats for continuous integration share: gates and values, whoever found them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lossctl.render.text import cell
from lossctl.report import named

if TYPE_CHECKING:
    from lossctl.report import Comparison, Difference, GateResult, LossResult, Report, Verdict

    Found: TypeAlias = Report | Verdict | Comparison


class Outcome(NamedTuple):
    """Of an evaluation, a comparison or the gates of a file, what such a format may show."""

    version: str
    signatures: tuple[str, ...]
    samples: int
    gates: tuple[GateResult, ...]
    losses: tuple[LossResult, ...]
    differences: tuple[Difference, ...]

    @property
    def failed(self) -> tuple[GateResult, ...]:
        """The gates that were evaluated and have not passed."""
        return tuple(gate for gate in self.gates if not gate.passed and not gate.error)

    @property
    def broken(self) -> tuple[GateResult, ...]:
        """The gates that could not be evaluated."""
        return tuple(gate for gate in self.gates if gate.error)

    @property
    def told(self) -> str:
        """How the gates went, in words; nothing where there are none."""
        if not self.gates:
            return ""
        many = f"{len(self.gates)} gate{'' if len(self.gates) == 1 else 's'}"
        said = [f"{len(self.failed)} of {many} failed"] if self.failed else []
        if self.broken:
            said.append(f"{len(self.broken)} of {many} could not be evaluated")
        return ", ".join(said) or f"{many} passed"


def outcome(found: Found) -> Outcome:
    """Read what there is from a report, a verdict or a comparison."""
    # a report has one signature, a verdict one of each evaluation that its gates needed
    signature = getattr(found, "signature", None)
    return Outcome(
        found.version,
        (signature,) if signature is not None else getattr(found, "signatures", ()),
        found.samples,
        tuple(getattr(found, "gates", ())),
        tuple(getattr(found, "losses", ())),
        tuple(getattr(found, "differences", ())),
    )


def group_text(group: Mapping[str, Any]) -> str:
    """For example `segment=eu,size=3`."""
    return ",".join(
        f"{cell(column)}={cell(named(value), missing='null')}" for column, value in group.items()
    )


def unique(names: Iterable[str]) -> Iterator[str]:
    """The names; one that was there before is numbered, for it would replace the first."""
    seen: set[str] = set()
    for name in names:
        free, number = name, 1
        while free in seen:
            number += 1
            free = f"{name} ({number})"
        seen.add(free)
        yield free
