"""Saved reports (`lossctl eval --json`) as baselines."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lossctl.errors import DataError
from lossctl.gates.expression import QUANTILES
from lossctl.gates.gate import ENDS
from lossctl.report import SCHEMA, named
from lossctl.sources.reference import Reference

_ENDS = 1 << 16  # where a report says that it is one, however its keys are sorted


class Identity(NamedTuple):
    """What must be the same for two values to compare."""

    loss: str  # as typed
    full: str  # with every parameter
    reduction: str
    nan: str
    samples: int
    n: int  # those that have a value
    weighted: bool
    options: Mapping[str, Any]  # of the evaluation, as a report records them


def is_report(baseline: Reference) -> bool:
    """Whether a baseline is a saved report (or will be, where there is none yet)."""
    if not _may_be(baseline):
        return False
    try:
        with open(baseline.path, "rb") as file:
            start = file.read(_ENDS)
            file.seek(max(0, os.path.getsize(baseline.path) - _ENDS))
            return b'"lossctl.' in start + file.read()
    except FileNotFoundError:
        return True
    except OSError:
        return False


def is_other(baseline: Reference) -> bool:
    """Whether a baseline that is no saved report is no JSON lines of predictions either.

    One row of predictions is a JSON document too: an object with a number in it, or a list.
    """
    if not _may_be(baseline):
        return False
    try:
        if os.path.getsize(baseline.path) > _ENDS:
            return False  # rows, or their reader says what is wrong
        with open(baseline.path, encoding="utf-8-sig") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return False  # likewise: rows are no document, unless there is only one
    row = isinstance(found, dict)
    return not row or not any(isinstance(item, int | float | list) for item in found.values())


def _may_be(baseline: Reference) -> bool:
    return baseline.columns is None and baseline.path.lower().endswith(".json")


class Saved:
    """A saved report."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found = _read(path)
        fields = (item.partition(":") for item in str(self.found["signature"]).split("|"))
        self.fields = {name: value for name, _, value in fields}

    @property
    def losses(self) -> list[dict[str, Any]]:
        """The losses' entries."""
        return list(self.found["losses"])

    @property
    def made_by(self) -> str:
        """The version of lossctl that has written it."""
        return str(self.found.get("version", ""))

    def entry(self, wanted: Identity) -> dict[str, Any]:
        """The entry of a loss.

        Raises:
            DataError: There is none, or it differs in what a value depends on.
        """
        fulls = self.fields.get("loss", "").split(" ")
        fulls = fulls if len(fulls) == len(self.losses) else [""] * len(self.losses)
        same = [item for full, item in zip(fulls, self.losses) if full == wanted.full]
        if not same:
            name = wanted.full.partition(":")[0].partition("@")[0]
            near = [full for full in fulls if full.partition(":")[0].partition("@")[0] == name]
            if near:
                self._differs("the loss", near[0], wanted.full)
            raise DataError(
                f"{self.path} has no {wanted.loss}: it has "
                f"{', '.join(str(item['loss']) for item in self.losses)}",
                "write it anew: lossctl gate --update",
            )
        entry = same[0]
        samples = int(self.found["samples"]) - int(self.found["skipped"])
        for what, theirs, ours in (
            ("the reduction", str(entry["reduction"]), wanted.reduction),
            ("the policy for NaN", self.fields.get("nan", ""), wanted.nan),
            ("the number of samples", str(samples), str(wanted.samples)),
            ("the weight", _told("weight" in self.found["inputs"]), _told(wanted.weighted)),
        ):
            if theirs != ours:
                self._differs(what, theirs, ours)
        return entry

    def _same_options(self, wanted: Identity, figure: str) -> None:
        """Refuse a report that was made in another way, as far as the figure depends on it."""
        theirs = self.found.get("options") or {}
        names: tuple[str, ...] = ("weight", "dtype")
        if figure in ENDS:
            names += ("cluster", "confidence", "bootstrap", "seed", "interval")
        for name in names if theirs else ():
            there, here = (_column(item.get(name)) for item in (theirs, wanted.options))
            if there != here:
                self._differs(name, there, here)

    def require_groups(self, wanted: Identity, groups: Iterable[Mapping[str, Any]]) -> None:
        """Refuse a candidate that lacks a group of the report: it would pass unseen.

        Raises:
            DataError: With the group.
        """
        there = [{column: named(value) for column, value in group.items()} for group in groups]
        for item in self.entry(wanted).get("groups") or []:
            if item["group"] not in there:
                raise DataError(
                    f"{self.path} has a group{_in(item['group'], ' ')} that is not in the data",
                    "look at the data, or write it anew: lossctl gate --update",
                )

    def _differs(self, what: str, theirs: str, ours: str) -> None:
        raise DataError(
            f"{self.path} does not compare: {what} is {theirs} there and {ours} here",
            "evaluate the same way, or write it anew: lossctl gate --update",
        )

    def figure(self, wanted: Identity, name: str, group: Mapping[str, Any]) -> float:
        """A figure of a loss, of all samples or of one group.

        Raises:
            DataError: It is not there, or not finite.
        """
        entry = self.entry(wanted)
        self._same_options(wanted, name)
        if entry.get("n") != wanted.n:
            there = str(entry.get("n", "not given"))
            self._differs(f"n({wanted.loss})", there, str(wanted.n))
        if group:
            entry = self._group(entry, wanted, group)
        value = _figure(entry, name)
        if value is None or not math.isfinite(value):
            subject = wanted.loss if name == "value" else f"{name}({wanted.loss})"
            raise DataError(
                f"{self.path}: {subject} is not a finite number there{_in(group)}",
                "write it anew: lossctl gate --update",
            )
        return value

    def _group(
        self, entry: Mapping[str, Any], wanted: Identity, group: Mapping[str, Any]
    ) -> dict[str, Any]:
        shown = {column: named(value) for column, value in group.items()}
        groups: list[dict[str, Any]] = entry.get("groups") or []
        for item in groups:
            if item["group"] == shown:
                return item
        what = f"no group{_in(group, ' ')}" if groups else "no groups"
        raise DataError(
            f"{self.path}: {wanted.loss} has {what} there",
            "write it anew: lossctl gate --update",
        )


def _in(group: Mapping[str, Any], before: str = " in ") -> str:
    shown = ", ".join(f"{column}={named(value)}" for column, value in group.items())
    return f"{before}{shown}" if group else ""


def _column(value: Any) -> str:
    """An option as text; of a reference the column, for paths are relative to other folders."""
    return str(value).rpartition("::")[2] if value is not None else "not given"


def _told(there: bool) -> str:
    return "given" if there else "not given"


def _figure(entry: Mapping[str, Any], name: str) -> float | None:
    found: Any
    if name in QUANTILES:
        found = entry["quantiles"].get(f"{QUANTILES[name]:g}")
    elif name in ENDS:
        found = (entry["interval"] or {}).get(name)
    else:
        found = entry.get(name)
    plain = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if plain else None


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        raise DataError(
            f"{path}: there is no saved report", "write it: lossctl gate --update"
        ) from None
    except OSError as error:
        why = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise DataError(f"{path}: {why}", "name a file that can be read") from None
    except ValueError:
        raise DataError(f"{path} is not JSON", "save a report: lossctl eval … --json") from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise DataError(
            f"{path} is of the schema {schema}, not {SCHEMA}",
            "save a report: lossctl eval … --json",
        )
    lacking = {"signature", "samples", "skipped", "inputs", "losses"} - set(found)
    if lacking:
        raise DataError(
            f"{path} lacks {', '.join(sorted(lacking))}", "save a report: lossctl eval … --json"
        )
    losses = found["losses"]
    if not isinstance(losses, list) or not all(isinstance(item, dict) for item in losses):
        raise DataError(f"{path} is not whole", "save a report: lossctl eval … --json")
    return dict(found)
