"""Gates in pytest: a test fails where a gate does, with what the gate has found.

    def test_the_model_is_good_enough(lossctl_gate):
        lossctl_gate("lossctl.toml")
        lossctl_gate(loss="mae", prediction="pred.npy", target="target.npy", fail_if="mae > 0.3")

pytest loads this by itself where lossctl is installed; `-p no:lossctl.pytest_plugin` leaves
it out. It imports nothing of lossctl before a test asks for a gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    import os

    from lossctl.report import GateResult, Report, Verdict

    Gate: TypeAlias = Callable[..., Report | Verdict]


@pytest.fixture
def lossctl_gate(request: pytest.FixtureRequest) -> Gate:
    """Call it with the file of the gates, or with what `lossctl.evaluate` takes and `fail_if`.

    Returns the verdict or the report where all gates pass; what cannot be evaluated fails the
    test. The versions and signatures become properties of the test, which `--junit-xml` writes
    down.
    """
    __tracebackhide__ = True

    def gate(config: str | os.PathLike[str] | None = None, /, **options: Any) -> Report | Verdict:
        __tracebackhide__ = True
        from lossctl.errors import LossctlError

        wrong = ""
        try:
            found = _found(config, options)
        except LossctlError as error:
            wrong = str(error)
        if wrong:  # the caller's mistake, and so without a traceback, also of this
            pytest.fail(wrong, pytrace=False)
        signatures = getattr(found, "signatures", None) or (getattr(found, "signature", ""),)
        request.node.user_properties.append(("lossctl_version", found.version))
        for signature in signatures:
            request.node.user_properties.append(("lossctl_signature", signature))
        open_ = [item for item in found.gates if not item.passed]
        if open_:
            pytest.fail("\n".join(map(_told, open_)), pytrace=False)
        return found

    return gate


def _found(config: str | os.PathLike[str] | None, options: dict[str, Any]) -> Report | Verdict:
    from lossctl.errors import UsageError, nearest

    if config is not None:
        import lossctl

        known = list(lossctl.gate.__kwdefaults__ or ())
        for name in options:
            if name not in known:
                hint = nearest(name, known) or f"it takes {', '.join(known)}"
                raise UsageError(f"lossctl_gate takes no {name!r} beside a file", hint)
        verdict: Verdict = lossctl.gate(config, **options)
        return verdict
    from lossctl.evaluation import check_keywords, evaluate

    options = {"loss": (), **options}  # the plan says that none is given
    check_keywords(options["loss"], options)
    if not options.get("fail_if"):
        raise UsageError("there is no gate", "name a file of gates, or give fail_if='mae > 0.3'")
    return evaluate(**options)


def _told(item: GateResult) -> str:
    word = "could not be evaluated" if item.error else "failed"
    return f"gate {word}: {item.gate}: {item.error or item.message}"
