"""JUnit's XML, as Jenkins, GitLab and others read it: a test case is a gate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lossctl.render.outcome import outcome, unique
from lossctl.render.text import number, shown

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.render.outcome import Found, Outcome
    from lossctl.report import GateResult

_NO_XML = re.compile("[\ufffe\uffff]")  # what XML has no place for, beside what `shown` escapes


def junit(found: Found, style: Style) -> str:
    """One suite; its properties are the version, the signature and the losses' values.

    A gate that failed is a failure, one that could not be evaluated an error. No times: the
    same numbers give the same file.
    """
    what = outcome(found)
    counts = {
        "name": "lossctl",
        "tests": str(len(what.gates)),
        "failures": str(len(what.failed)),
        "errors": str(len(what.broken)),
    }
    suites = Element("testsuites", counts)
    suite = SubElement(suites, "testsuite", {**counts, "skipped": "0"})
    properties = SubElement(suite, "properties")
    for name, value in _properties(what, style):
        SubElement(properties, "property", name=_text(name), value=_text(value))
    for name, gate in zip(unique(_text(gate.gate) for gate in what.gates), what.gates):
        case = SubElement(suite, "testcase", classname="lossctl.gates", name=name)
        _case(case, gate)
    indent(suites)
    body = tostring(suites, "unicode")
    if not style.unicode:
        body = body.encode("ascii", "xmlcharrefreplace").decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'


def _properties(what: Outcome, style: Style) -> list[tuple[str, str]]:
    found = [("version", what.version)]
    found += zip(unique("signature" for _ in what.signatures), what.signatures)
    found += [(item.loss, number(item.value, style.precision)) for item in what.losses]
    return list(zip(unique(name for name, _ in found), (value for _, value in found)))


def _case(case: Element, gate: GateResult) -> None:
    if gate.error:
        lines = list(map(_text, gate.error.splitlines()))
        SubElement(case, "error", message=" ".join(lines), type="error").text = "\n".join(lines)
    elif not gate.passed:
        failure = SubElement(case, "failure", message=_text(gate.message), type="gate")
        found = (gate.gate, gate.message, f"limit: {gate.limit:g}")
        failure.text = "\n".join(map(_text, found))
    else:
        SubElement(case, "system-out").text = _text(gate.message)


def _text(text: str) -> str:
    return _NO_XML.sub(lambda found: f"\\u{ord(found[0]):x}", shown(text))
