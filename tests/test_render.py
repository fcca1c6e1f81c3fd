"""Renderers against golden files, JSON Schemas, and text that no file should hold.

`LOSSCTL_UPDATE_GOLDEN=1 pytest tests/test_render.py` writes the golden files anew; read the
difference before committing it.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from lossctl import losses
from lossctl import render as renderers
from lossctl.errors import UsageError
from lossctl.losses.definition import (
    REGISTRY,
    REQUIRED,
    Convention,
    Domain,
    Elements,
    Example,
    Input,
    Loss,
    Param,
    Sums,
)
from lossctl.render import Style, check, render
from lossctl.render.curve import plot
from lossctl.render.example import commands
from lossctl.render.explain import loss_dict, loss_list, loss_page, losses_json
from lossctl.render.json_text import strict
from lossctl.render.text import UNSAFE, ascii_only, cell, number, shown
from lossctl.report import Group, InputInfo, Interval, LossResult, Report, Summary, Worst, named

FORMATS = [name for name in renderers.FORMATS if name not in renderers.CI]  # those in test_ci.py
GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(losses.__file__).parents[1] / "schemas"
HOSTILE = ["[bold]x[/]", "\x1b[31mred", "a|b", 'a,b\n"c"', "\u202egnp.exe", "`<img src=x>`", "日本"]

# Reports by hand ---------------------------------------------------------------------------------


def summary(value: float, n: int = 442, half: float | None = 203.5, **other: Any) -> Summary:
    facts = {
        "sum": value * n,
        "mean": value,
        "std": 1.25 * value,
        "min": value / 1000,
        "max": 10.5 * value,
        "quantiles": {level: 2 * level * value for level in (0.05, 0.25, 0.5, 0.75, 0.95)},
        "nonfinite": 0,
        "interval": None if half is None else Interval(0.95, value - half, value + half, "t"),
    }
    return Summary(value=value, n=n, **(facts | other))


def result(loss: str, found: Summary, **other: Any) -> LossResult:
    name, _, convention = loss.partition(":")[0].partition("@")
    facts = {"spec": loss, "convention": convention or None, "reduction": "mean", "unit": "nats"}
    return LossResult(loss=loss, name=name, summary=found, **(facts | other))


def report(*results: LossResult, **other: Any) -> Report:
    facts = {
        "version": "1.2.3",
        "signature": "lossctl:1.2.3|loss:mse|reduction:mean|nan:error|n:442|data:0f1e",
        "samples": 442,
        "skipped": 0,
        "inputs": {
            "prediction": InputInfo("ridge.csv", ("y_pred",), (442,), "double"),
            "target": InputInfo("target.npy", (), (442,), "int64"),
        },
    }
    return Report(losses=results, **(facts | other))


def by(column: str, values: list[Any], *scale: float) -> list[tuple[Group, ...]]:
    return [
        tuple(Group({column: v}, summary(s * (i + 1), n=10 + i)) for i, v in enumerate(values))
        for s in scale
    ]


def cases() -> dict[str, Report]:
    mse = result("mse", summary(2859.7, std=math.pi * 1000), unit="target²")
    rmse = result("rmse", summary(53.4761629, half=1.9), unit="target")
    bce = result("bce@keras", summary(0.28597, half=None))
    asymmetric = Interval(0.9, 50.25, 60.125, "bootstrap")
    values = [
        np.int64(7),
        np.datetime64("2024-02-29T12:00:00.000000001"),
        datetime.date(2024, 2, 29),
        Decimal("1.10"),
        b"\xff1",
        None,
        0.1,
        True,
    ]
    typed = by("[any]", values, 2.5, 0.0125)
    hostile = by(HOSTILE[3], HOSTILE, 1.5)[0]
    none = float("nan")
    nothing = summary(0.5, half=None, sum=none, mean=none, std=none, min=none, max=none)
    return {
        "plain": report(
            mse, rmse, bce, skipped=3, notes=("target: trailing axes of length 1 were squeezed",)
        ),
        "groups": report(mse._replace(groups=typed[0]), rmse._replace(groups=typed[1])),
        "worst": report(
            mse._replace(worst=(Worst(17, "P018", 30512.25), Worst(3, "P004", 28011.0))),
            rmse._replace(worst=(Worst(17, "P018", 174.6775), Worst(3, "P004", 167.365))),
        ),
        "samples": report(
            mse._replace(per_sample=np.array([0.25, math.nan, math.inf])),
            rmse._replace(per_sample=np.array([0.5, 1e-7, 12345678.9], dtype="float32")),
            samples=3,
        ),
        "nonfinite": report(
            result("bce", summary(math.inf, nonfinite=2, half=math.inf)),
            result("mse", summary(math.nan, nonfinite=1, quantiles={}), valueless=4),
            result("dice:average=none", nothing, components=(0.25, math.nan), unit=""),
            result("max_error", nothing._replace(quantiles={}), reduction="sum"),
            rmse._replace(summary=rmse.summary._replace(interval=asymmetric)),
        ),
        "hostile": report(
            *(
                result(
                    name,
                    summary(1.5, half=0.25),
                    groups=None if i else hostile,
                    worst=(Worst(i, name, 2.5),),
                )
                for i, name in enumerate(HOSTILE)
            ),
            inputs={name: InputInfo(name, (name, "x"), (7, 2), name) for name in HOSTILE},
            notes=tuple(HOSTILE),
            signature=" ".join(HOSTILE),
        ),
    }


CASES = cases()
NAMES = {
    "table": "table.txt",
    "json": "json",
    "jsonl": "jsonl",
    "csv": "csv",
    "markdown": "md",
    "quiet": "quiet.txt",
}


def golden(name: str, text: str) -> None:
    """The text must be the golden file's, to which it is written first if that is asked for."""
    path = GOLDEN / name
    if os.environ.get("LOSSCTL_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
    assert text + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, format: str) -> None:
    golden(f"{case}.{NAMES[format]}", render(CASES[case], format))


@pytest.mark.parametrize("case", ["plain", "groups", "hostile"])
def test_golden_on_a_narrow_terminal(case: str) -> None:
    style = Style(terminal=True, width=48, color=True)
    golden(f"{case}.terminal.txt", render(CASES[case], "table", style))


def test_golden_in_ascii() -> None:
    text = render(CASES["hostile"], "table", Style(unicode=False))
    assert text.isascii()
    golden("hostile.ascii.txt", text)


@pytest.mark.parametrize("format", FORMATS)
def test_golden_with_three_digits(format: str) -> None:
    golden(f"plain.3.{NAMES[format]}", render(CASES["plain"], format, Style(precision=3)))


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="markdown"):
        render(CASES["plain"], "markdwn")


# JSON --------------------------------------------------------------------------------------------


def validator(name: str) -> Draft202012Validator:
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}
    pairs = ((schema["$id"], Resource.from_contents(schema)) for schema in read.values())
    return Draft202012Validator(read[name], registry=Registry().with_resources(pairs))


def refuse(token: str) -> None:
    raise AssertionError(f"{token} is no JSON")


def parsed(text: str) -> Any:
    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", ["eval-1", "eval-line-1", "losses-1", "verify-1"])
def test_schemas_are_schemas_and_describe_every_field(name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    described = set()

    def walk(part: Any, path: str) -> None:
        if isinstance(part, list):
            for i, item in enumerate(part):
                walk(item, f"{path}/{i}")
        elif isinstance(part, dict):
            for field, facts in part.get("properties", {}).items():
                described.add(f"{path}/{field}")
                target = facts
                if "description" not in facts:
                    base, _, pointer = facts["$ref"].partition("#/$defs/")
                    stem = base.removeprefix("urn:lossctl:") or name
                    target = json.loads((SCHEMAS / f"{stem}.json").read_text("utf-8"))
                    target = target["$defs"][pointer]
                assert target["description"], f"{path}/{field}"
            for key, item in part.items():
                walk(item, f"{path}/{key}")

    walk(schema, name)
    assert described


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.name)
def test_golden_documents_fit_their_schema(path: Path) -> None:
    document = parsed(path.read_text("utf-8"))
    name = document["schema"].removeprefix("lossctl.").replace("/", "-")
    validator(name).validate(document)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.jsonl")), ids=lambda path: path.name)
def test_golden_lines_fit_their_schema(path: Path) -> None:
    check = validator("eval-line-1")
    for line in path.read_text("utf-8").split("\n")[:-1]:
        check.validate(parsed(line))


def test_schemas_refuse_what_is_not_described() -> None:
    document = parsed(render(CASES["groups"], "json"))
    document["losses"][0]["groups"][0]["more"] = 1
    assert not validator("eval-1").is_valid(document)
    line = parsed(render(CASES["plain"], "jsonl").splitlines()[0])
    assert not validator("eval-line-1").is_valid({**line, "more": 1})


def test_json_has_all_digits_and_rounds_no_name() -> None:
    value = 0.1 + 0.2
    groups = (Group({"level": 0.123456}, summary(value)),)
    item = result("mse", summary(value), groups=groups, worst=(Worst(0, 0.123456, value),))
    full = parsed(render(report(item), "json"))["losses"][0]
    assert full["value"] == value
    rounded = parsed(render(report(item), "json", Style(precision=1)))["losses"][0]
    assert rounded["value"] == 0.3
    assert rounded["interval"]["level"] == 0.95
    assert rounded["groups"][0]["group"] == {"level": 0.123456}
    assert rounded["worst"][0]["key"] == 0.123456


def test_json_is_utf8_and_a_lone_surrogate_is_still_json() -> None:
    text = render(report(notes=("日本", "a\udcffb", "\x9b2J", "\u202e")), "json")
    assert "日本" in text
    assert text.encode("utf-8")
    assert parsed(text)["notes"] == ["日本", "a\udcffb", "\x9b2J", "\u202e"]
    assert not UNSAFE.search(text.replace("\n", ""))


def test_strict_makes_values_of_any_type_plain() -> None:
    given = {
        1: np.float32(0.5),
        None: np.bool_(True),
        datetime.datetime(2024, 2, 29, 12): np.datetime64("NaT"),
        "complex": 1 + 2j,
        "array": np.array([[1, 2]]),
        "nan": np.float64("nan"),
        "set": {3},
        "delta": datetime.timedelta(days=1),
        "big": 10**30,
    }
    assert strict(given) == {
        "1": 0.5,
        "null": True,
        "2024-02-29T12:00:00": None,
        "complex": "1+2j",
        "array": [[1, 2]],
        "nan": None,
        "set": [3],
        "delta": "1 day, 0:00:00",
        "big": 10**30,
    }


# Hypothesis: names from anywhere, numbers of any kind --------------------------------------------

TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(HOSTILE)
FLOATS = st.floats(width=64)
VALUES = (
    TEXT
    | FLOATS
    | st.integers()
    | st.booleans()
    | st.none()
    | st.binary(max_size=4)
    | st.datetimes()
    | st.decimals()
    | st.builds(np.int16, st.integers(-9, 9))
)
SUMMARIES = st.builds(
    Summary,
    value=FLOATS,
    n=st.integers(0, 10**9),
    sum=FLOATS,
    mean=FLOATS,
    std=FLOATS,
    min=FLOATS,
    max=FLOATS,
    quantiles=st.dictionaries(st.sampled_from([0.05, 0.5, 0.95]), FLOATS),
    nonfinite=st.integers(0, 9),
    interval=st.none()
    | st.builds(Interval, st.floats(0.5, 0.99), low=FLOATS, high=FLOATS, method=TEXT),
)


@st.composite
def reports(draw: st.DrawFn, samples: bool = False) -> Report:
    columns = draw(st.lists(TEXT, max_size=2, unique=True))
    groups = st.tuples(
        st.builds(Group, st.fixed_dictionaries(dict.fromkeys(columns, VALUES)), SUMMARIES)
    )
    arrays = st.lists(FLOATS, max_size=4).map(np.array)
    labels = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    results = [
        LossResult(
            loss=label,
            name=label,
            spec=draw(TEXT),
            convention=draw(st.none() | TEXT),
            reduction=draw(st.sampled_from(["mean", "sum"])),
            unit=draw(TEXT),
            summary=draw(SUMMARIES),
            valueless=draw(st.integers(0, 3)),
            components=draw(st.just(()) | st.tuples(FLOATS, FLOATS)),
            groups=draw(st.none() | groups) if columns else None,
            worst=draw(st.none() | st.tuples(st.builds(Worst, st.integers(0, 9), VALUES, FLOATS))),
            per_sample=draw(arrays) if samples else None,
        )
        for label in labels
    ]
    info = st.builds(
        InputInfo, TEXT, st.lists(TEXT, max_size=6).map(tuple), st.just((3, 2)), dtype=TEXT
    )
    return report(
        *results,
        inputs=draw(st.dictionaries(TEXT, info, max_size=2)),
        notes=draw(st.lists(TEXT, max_size=2).map(tuple)),
        signature=draw(TEXT),
    )


PRECISIONS = st.none() | st.integers(1, 17)


@given(reports() | reports(samples=True), PRECISIONS)
def test_json_parses_and_keeps_everything(found: Report, precision: int | None) -> None:
    text = render(found, "json", Style(precision=precision))
    document = parsed(text)
    assert document == strict(found.to_dict(), precision)
    validator("eval-1").validate(document)
    assert not UNSAFE.search(text.replace("\n", ""))


@given(reports() | reports(samples=True))
def test_each_line_of_jsonl_parses(found: Report) -> None:
    check = validator("eval-line-1")
    text = render(found, "jsonl")
    lines = text.splitlines()
    assert lines == (text.split("\n") if text else [])
    for line in lines:
        check.validate(parsed(line))
    if found.losses[0].per_sample is None:
        assert len(lines) == sum(len(item.groups or "x") for item in found.losses)
    else:
        assert len(lines) == max(len(item.per_sample) for item in found.losses)


@given(reports() | reports(samples=True))
def test_csv_reads_back(found: Report) -> None:
    header, *rows = csv.reader(io.StringIO(render(found, "csv"), newline=""), strict=True)
    assert all(len(row) == len(header) for row in rows)
    if found.losses[0].per_sample is not None:
        assert header == ["sample", *(shown(item.loss) for item in found.losses)]
        for i, row in enumerate(rows):
            assert row[0] == str(i)
            for item, text in zip(found.losses, row[1:], strict=True):
                assert text == (cell(item.per_sample[i]) if i < len(item.per_sample) else "")
        return
    summaries = [
        (item, group.summary)
        for item in found.losses
        for group in (Group({}, item.summary), *(item.groups or ()))
    ]
    for (item, figures), row in zip(summaries, rows, strict=True):
        read = dict(zip(header, row, strict=True))
        assert read["loss"] == shown(item.loss)
        assert float(read["value"]) == figures.value or math.isnan(figures.value)


def test_csv_names_of_groups_do_not_hide_figures() -> None:
    groups = (Group({"value": "a", "group_value": "b"}, summary(1.5)),)
    found = report(result("mse", summary(1), groups=groups))
    header, whole, row = csv.reader(io.StringIO(render(found, "csv")))
    read = dict(zip(header, row, strict=True))
    assert (read["value"], read["group_value"], read["group_group_value"]) == ("1.5", "a", "b")
    read = dict(zip(header, whole, strict=True))
    assert (read["value"], read["group_value"], read["group_group_value"]) == ("1", "", "")
    frame = found.to_pandas()
    assert frame[["value", "group_value", "group_group_value"]].values.tolist() == [[1.5, "a", "b"]]


def test_a_report_is_plain_values_whatever_the_groups_and_keys_are() -> None:
    values = [
        *(datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12), Decimal("1.10"), b"x"),
        *(np.float64("nan"), np.float32("nan"), float("nan"), Decimal("NaN"), None),
        *(np.datetime64("NaT"), np.int8(3), (datetime.date(2024, 2, 29), b"y")),
    ]
    item = result("mse", summary(1.5), groups=by("g", values, 1.5)[0])
    item = item._replace(worst=tuple(Worst(i, value, 1.0) for i, value in enumerate(values)))
    found = json.loads(json.dumps(report(item).to_dict()))["losses"][0]
    plain = ["2024-02-29", "2024-02-29T12:00:00", "1.10", "x", *[None] * 6, 3, ["2024-02-29", "y"]]
    assert [group["group"]["g"] for group in found["groups"]] == plain
    assert [worst["key"] for worst in found["worst"]] == plain
    assert found["unit"] == "nats"


# What a format does not show ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "asked", "hidden"),
    [
        ("quiet", {"worst": 3, "per_sample": True}, "--worst and --per-sample"),
        ("csv", {"worst": 3}, "--worst"),
        ("csv", {"by": ("g",), "per_sample": True}, "--by"),
        ("jsonl", {"by": ("g",), "worst": 3}, "--worst"),
        ("jsonl", {"per_sample": True, "worst": 3}, "--worst"),
    ],
)
def test_a_format_that_would_leave_something_out_is_refused(
    format: str, asked: dict[str, Any], hidden: str
) -> None:
    nothing: dict[str, Any] = {"worst": None, "per_sample": False, "by": ()}
    with pytest.raises(UsageError, match=f"leave out {hidden}\n.*table, json or markdown"):
        check(format, **(nothing | asked))


def test_groups_that_go_to_a_file_are_not_left_out() -> None:
    check("quiet", worst=None, per_sample=False, by=("g",), output="o.csv")
    check("csv", worst=None, per_sample=True, by=("g",), output="o.csv")
    with pytest.raises(UsageError, match="--worst"):
        check("jsonl", worst=1, per_sample=False, by=("g",), output="o.csv")


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_that_shows_all_is_not_refused(format: str) -> None:
    check(format, worst=None, per_sample=False, by=())
    if format in ("table", "json", "markdown"):
        check(format, worst=3, per_sample=True, by=("g",))
    check(format, worst=None, per_sample=False, by=("g",))
    if format != "quiet":
        check(format, worst=None, per_sample=True, by=())
    if format == "jsonl":
        check(format, worst=3, per_sample=False, by=())


def test_the_legend_says_what_is_weighted() -> None:
    found = CASES["plain"]
    assert "weighted" not in render(found)
    weight = InputInfo("w.npy", (), (442,), "double")
    text = render(found._replace(inputs={**found.inputs, "weight": weight}))
    assert "std … max: of the losses of single samples, weighted" in text


def test_an_interval_stays_beside_its_value() -> None:
    groups = by("g", ["a", "b"], 1.5)[0]
    items = [result(f"loss_{i}", summary(1.5), groups=groups) for i in range(6)]
    text = render(report(*items), "table", Style(terminal=True, width=40))
    heads = [line for line in text.split("By g\n")[1].splitlines() if line.startswith("g ")]
    assert len(heads) > 1
    assert all(re.fullmatch(r"g +(n +)?(loss_\d +± 95% *)+", line) for line in heads)


def test_intervals_of_groups_that_are_not_symmetric_have_two_ends() -> None:
    found = summary(5.0)._replace(interval=Interval(0.9, 4.0, 8.0, "bootstrap"))
    text = render(report(result("mse", summary(5.0), groups=(Group({"g": 1}, found),))))
    assert re.search(r"g +n +mse +90% low +90% high", text)


@given(reports() | reports(samples=True))
def test_markdown_rows_have_equal_cells(found: Report) -> None:
    for block in render(found, "markdown").split("\n\n"):
        if not block.startswith("| "):
            continue
        counts = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block.split("\n")}
        assert len(counts) == 1
        assert not re.search(r"[<>]|(?<!\\)(?:\\\\)*`", block)


@given(reports(), st.integers(20, 120), st.booleans())
def test_tables_lose_no_digit_and_obey_no_name(found: Report, width: int, unicode: bool) -> None:
    for style in (Style(unicode=unicode), Style(terminal=True, width=width, unicode=unicode)):
        text = render(found, "table", style)
        assert not UNSAFE.search(text.replace("\n", ""))
        assert unicode or text.isascii()
        for item in found.losses:
            assert number(item.value, 6) in text
        if not style.terminal:
            for item in found.losses:
                assert (shown(item.loss) if unicode else ascii_only(shown(item.loss))) in text


@given(reports())
def test_quiet_reads_back(found: Report) -> None:
    lines = [line.split("\t") for line in render(found, "quiet").split("\n")]
    grouped = [item for item in found.losses if item.groups]
    if not grouped:
        assert {len(line) for line in lines} == {1}
        np.testing.assert_equal([float(line[0]) for line in lines], [x.value for x in found.losses])
    columns = list(grouped[0].groups[0].group) if grouped and grouped[0].groups else []
    for index, item in enumerate(grouped):
        for group in item.groups or ():
            names = [cell(named(group.group[name]), missing="null") for name in columns]
            assert {len(line) for line in lines} == {len(names) + len(grouped)}
            numbers = [line[len(names) + index] for line in lines if line[: len(names)] == names]
            assert number(group.value) in numbers


# Numbers and text --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (0.1 + 0.2, None, "0.30000000000000004"),
        (2859.7, 3, "2860"),
        (1234567.8, 6, "1234570"),
        (1.23456789e-7, 3, "1.23e-07"),
        (1e300, 3, "1e+300"),
        (0.1, 17, "0.10000000000000001"),
        (math.nan, 6, "nan"),
        (-math.inf, None, "-inf"),
        (np.float32(0.5), None, "0.5"),
        (3, 6, "3"),
    ],
)
def test_number(value: float, precision: int | None, text: str) -> None:
    assert number(value, precision) == text


@given(FLOATS, st.integers(1, 17))
def test_a_rounded_number_is_the_nearest_of_its_digits(value: float, precision: int) -> None:
    rounded = float(f"{value:.{precision}g}")
    if math.isinf(rounded):
        rounded = value
    assert float(number(value, precision)) == rounded or math.isnan(value)


def test_shown_escapes_what_terminals_obey_and_nothing_else() -> None:
    assert shown("\x1b[31m\n\x9b\u202e\udcff") == r"\x1b[31m\n\x9b\u202e\udcff"
    assert shown("日本 é 👩‍👧 C:\\n") == "日本 é 👩‍👧 C:\\n"


def test_ascii_only_spells_formulas() -> None:
    assert ascii_only("½e² where |e| ≤ δ, Rényi") == "1/2e^2 where |e| <= delta, Renyi"


# Tables ------------------------------------------------------------------------------------------


def test_points_stand_under_each_other() -> None:
    found = report(
        result("a", summary(1234.5)), result("b", summary(0.25)), result("c", summary(7))
    )
    lines = [line for line in render(found).splitlines() if re.match("[abc] ", line)]
    values = [line[3:] for line in lines]
    places = [re.match(r" *\d+", text) for text in values]
    assert len({place.end() for place in places if place}) == 1


def test_wide_characters_take_two_cells() -> None:
    groups = by("city", ["東京", "Rome"], 1.5)[0]
    lines = render(report(result("mse", summary(1.5), groups=groups))).splitlines()
    tokyo, rome = (next(line for line in lines if line.startswith(c)) for c in ("東京", "Rome"))
    assert tokyo.index("10") + 2 == rome.index("11")


def test_color_only_where_it_is_asked_for() -> None:
    assert "\x1b" not in render(CASES["plain"], "table", Style(terminal=True, width=80))
    assert "\x1b[" in render(CASES["plain"], "table", Style(color=True))


def test_many_samples_are_neither_cropped_nor_slow() -> None:
    many = CASES["plain"].losses[0]._replace(per_sample=np.arange(20_000) / 8)
    text = render(report(many), "table", Style(terminal=True, width=40))
    assert "19999  2499.88" in text


def test_many_columns_are_counted() -> None:
    info = InputInfo("p.parquet", tuple(f"p_{i}" for i in range(10)), (3, 10), "float")
    text = render(report(result("mse", summary(1)), inputs={"prediction": info}))
    assert "p.parquet::p_0,p_1,…,p_9 (10 columns)" in text


# Losses ------------------------------------------------------------------------------------------


def _kernel(xp: Any, prediction: Any, target: Any, scale: Any, *, delta: float, mode: str) -> Any:
    assert scale is None and mode == "hard"
    error = xp.abs(prediction - target)
    return Elements(xp.where(error < delta, error**2, xp.inf), xp.ones_like(error))


EXAMPLE = Loss(
    name="capped",
    task="regression",
    summary="Squared error up to a cap",
    formula="e² where |e| < δ\nelse ∞",
    use="Where an error beyond delta is a failure; one such error makes it infinite.",
    reference="Nobody 2024, [bold]On caps[/]",
    example=Example(
        {"prediction": [0.5, 1.25], "target": [0, 1]}, 0.3125, {"delta": 2.0}, reduction="sum"
    ),
    kernel=_kernel,
    inputs=(
        Input("prediction", "(N, …)", help="any number"),
        Input("target", "(N, …)", Domain("≥ 0", lambda *_: None), unless="free"),
        Input("scale", "(N,)", optional=True, constant=True),
    ),
    alternatives=(("prediction", "target"), ("scale",)),
    params=(
        Param("delta", REQUIRED, "where it ends", kind="number", above=0, unit="target"),
        Param("mode", "hard", "how it ends", choices=("hard", "soft")),
    ),
    aliases=("cap", "ceiling"),
    finish=lambda *_: None,
    finish_when=("mode", "soft"),
    whole_when=("mode", "soft"),
    unit="target²",
    curve="error",
    traits=("robust",),
    conventions={
        "torch": Convention("torch.nn.functional.capped_loss", {"delta": 1.0}, "sum", "sums"),
        "keras": Convention("keras.losses.Capped"),
    },
)


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("page.txt", Style()),
        ("page.ascii.txt", Style(unicode=False)),
        ("page.terminal.txt", Style(terminal=True, width=40, color=True)),
    ],
)
def test_golden_page(name: str, style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY, "capped", EXAMPLE)
    golden(name, loss_page(EXAMPLE, style))


def test_golden_list() -> None:
    other = replace(EXAMPLE, name="wild", task="plugin", aliases=(), traits=("robust",))
    others = [replace(other, name=f"wild_{i}", conventions={}, traits=()) for i in range(5)]
    golden("list.txt", loss_list([EXAMPLE, other, *others], Style(terminal=True, width=60)))


def test_golden_losses_json() -> None:
    golden("losses.json", losses_json([EXAMPLE]))


def test_every_loss_has_a_page_and_facts_that_fit_the_schema() -> None:
    found = losses.all()
    validator("losses-1").validate(parsed(losses_json(found)))
    for loss in found:
        page = loss_page(loss, Style())
        assert loss.use in page
        assert loss_dict(loss)["name"] == loss.name
        assert loss_page(loss, Style(unicode=False)).isascii()
        assert bool(plot(loss)) == bool(loss.curve), loss.name
    listed = loss_list(found, Style())
    assert all(f"  {loss.name} " in listed for loss in found)


@pytest.mark.parametrize("loss", losses.all(), ids=lambda loss: loss.name)
def test_the_example_of_each_loss_writes_its_inputs(loss: Loss, tmp_path: Path) -> None:
    write, evaluate = commands(loss)
    write = re.sub(r"^python ", f"{sys.executable} ", write)
    subprocess.run(["sh", "-c", write], cwd=tmp_path, check=True)
    (path,) = tmp_path.iterdir()
    assert path.name in evaluate
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            read = dict(arrays)
    else:
        header, *rows = csv.reader(path.read_text().splitlines())
        table = np.array([[float(text) for text in row] for row in rows])
        read = {}
        for name in loss.example.inputs:
            own = [i for i, column in enumerate(header) if re.fullmatch(rf"{name}(_\d+)?", column)]
            read[name] = table[:, own[0]] if header[own[0]] == name else table[:, own]
    assert set(read) == set(loss.example.inputs)
    for name, value in loss.example.inputs.items():
        np.testing.assert_array_equal(read[name], np.asarray(value), strict=False)


def test_inputs_that_make_no_table_go_into_arrays() -> None:
    example = Example({"real": [0.5, 0.25], "fake": [[1 + 2j]]}, 1.0)
    write, evaluate = commands(replace(EXAMPLE, example=example, name="own"))
    assert write.startswith('python -c \'import numpy; numpy.savez("example.npz", real=[0.5, 0.25]')
    assert evaluate == (
        "lossctl eval --input real=example.npz::real --input fake=example.npz::fake -l own"
    )


def test_wide_inputs_are_columns_with_a_glob() -> None:
    example = Example({"prediction": [[0.5, 0.5]], "target": [1], "variance": [2.0]}, 1.0)
    write, evaluate = commands(replace(EXAMPLE, example=example, name="own"))
    assert write == (
        r"printf 'prediction_0,prediction_1,target,variance\n0.5,0.5,1,2.0\n' > example.csv"
    )
    assert evaluate == (
        "lossctl eval example.csv --prediction 'prediction_*'"
        " --input variance=example.csv::variance -l own"
    )


def test_a_kernel_of_sums_has_no_curve() -> None:
    def sums(xp: Any, prediction: Any, target: Any, **_: Any) -> Sums:
        return Sums(prediction - target)

    assert plot(replace(EXAMPLE, kernel=sums)) == []
    assert plot(replace(EXAMPLE, curve="")) == []


# Start-up ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import lossctl.render", ["json", "csv", "rich", "numpy"]),
        ("import lossctl.render.json_text", ["rich", "numpy"]),
        ("import lossctl.render.delimited, lossctl.render.markdown", ["rich", "numpy"]),
        ("import lossctl.render.table", ["numpy", "rich.progress", "rich.markdown", "rich.syntax"]),
        (
            "from lossctl import losses; from lossctl.render import explain;"
            "explain.losses_json(losses.all())",
            ["rich", "numpy"],
        ),
        (
            "from lossctl import losses; from lossctl.render import explain, Style;"
            "explain.loss_list(losses.all(), Style())",
            ["numpy"],
        ),
    ],
)
def test_nothing_is_imported_that_is_not_used(code: str, absent: list[str]) -> None:
    check = f"import sys; {code}; print([m for m in {absent!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
