"""Loss specs: the text `NAME[@CONVENTION][:PARAM=VALUE,…]` and weighted sums of it, as values.

A spec says only what was written. Whether the loss exists and takes the parameters is
decided where the losses are (`lossctl.losses.resolve`).
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from lossctl.errors import SpecError

Scalar: TypeAlias = float | int | bool | str | None
Value: TypeAlias = Scalar | tuple[Scalar, ...]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
# A `+` joins only where a new term starts, so that `delta=1e+5` stays a number.
_JOIN = re.compile(rf"\s*\+\s*(?=(?:{_NUMBER}\s*\*\s*)?{_NAME}\s*(?:[@:+]|$))")
_MANTISSA = re.compile(
    r"(?<![A-Za-z0-9_.])(?:\d+\.?\d*|\.\d+)[eE]$"
)  # what stands before an exponent
_TERM = re.compile(
    rf"\s*(?:(?P<factor>{_NUMBER})\s*\*\s*)?(?P<name>{_NAME})"
    rf"(?:@(?P<convention>\*|[A-Za-z][A-Za-z0-9_]*))?(?:\s*:(?P<params>.*))?\s*$",
    re.DOTALL,
)
_PARAM = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=(.*)$", re.DOTALL)
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "none": None}


class LossSpec(NamedTuple):
    """One named loss with what was written behind it."""

    name: str
    convention: str | None = None
    params: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        at = f"@{self.convention}" if self.convention else ""
        params = ",".join(f"{name}={format_value(value)}" for name, value in self.params)
        return f"{self.name}{at}:{params}" if params else f"{self.name}{at}"


class Spec(NamedTuple):
    """A weighted sum of named losses; a single loss is a sum of one."""

    terms: tuple[tuple[float, LossSpec], ...]

    def __str__(self) -> str:
        return "+".join(
            str(loss) if factor == 1 else f"{format_value(factor)}*{loss}"
            for factor, loss in self.terms
        )


def parse(text: str) -> Spec:
    """Read a spec from text.

    Args:
        text: For example `huber:delta=2` or `0.5*dice+0.5*bce:from_logits=true`.

    Raises:
        SpecError: The text is no spec; the message shows the part that is not understood.
    """
    return Spec(tuple(_term(part, text) for part in _terms(text)))


def _terms(text: str) -> list[str]:
    """Split a sum at the `+` between its terms."""
    parts, start = [], 0
    for match in _JOIN.finditer(text):
        exponent = text[match.end()].isdigit() and _MANTISSA.search(text[: match.start()])
        if not exponent:  # the + of a factor such as 2e+1*bce
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _term(part: str, text: str) -> tuple[float, LossSpec]:
    match = _TERM.match(part)
    if match is None:
        raise SpecError(
            f"loss spec {text!r}: {part.strip()!r} is not NAME[@CONVENTION][:PARAM=VALUE,…]",
            _hint(part),
        )
    params: dict[str, Value] = {}
    for item in _split(match["params"]) if match["params"] is not None else ():
        pair = _PARAM.match(item)
        if pair is None or not pair[2].strip():
            raise SpecError(
                f"loss spec {text!r}: {item.strip()!r} is not PARAM=VALUE",
                f"for example: {match['name']}:param=1,other=[1,2]",
            )
        name = pair[1].lower()
        if name in params:
            raise SpecError(f"loss spec {text!r}: {name} is given twice", "give it once")
        params[name] = parse_value(pair[2])
    convention = match["convention"].lower() if match["convention"] else None
    loss = LossSpec(match["name"].lower().replace("-", "_"), convention, tuple(params.items()))
    return float(match["factor"] or 1), loss


def _hint(part: str) -> str:
    """What was probably meant."""
    if re.fullmatch(rf"\s*{_NAME}(\s*,\s*{_NAME})+\s*", part):
        return "give each loss by itself: -l mse -l mae"
    if re.search(r"\w\s*-\s*[\d.]+\s*\*", part):
        return "terms are joined by +, and factors may be negative: 0.5*bce+-0.5*hamming"
    return "for example: huber:delta=2, bce@keras:from_logits=true, 0.5*dice+0.5*bce"


def _split(text: str) -> list[str]:
    """Split at commas outside brackets."""
    return re.split(r",(?![^\[]*\])", text)


def parse_value(text: str) -> Value:
    """Read one value: a number, `true`, `false`, `none`, a word, or a list in brackets."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1].strip()
        return tuple(_scalar(item) for item in inner.split(",")) if inner else ()
    return _scalar(text)


def _scalar(text: str) -> Scalar:
    text = text.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def format_value(value: Value) -> str:
    """Write a value so that `parse_value` reads the same one."""
    if isinstance(value, tuple):
        return f"[{','.join(format_value(item) for item in value)}]"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
