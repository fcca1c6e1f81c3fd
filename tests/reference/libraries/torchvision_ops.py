"""torchvision, also beside a torch that its compiled part was not built for.

Its losses are pure Python, but ``import torchvision`` describes its compiled operators to torch,
which raises "operator torchvision::nms does not exist" where the compiled part does not load (a
CPU build of torch and a CUDA build of torchvision). Declaring the names is enough: nothing here
calls them. The package imports this before anything that imports torchvision.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from torch import library as registry

try:
    import torchvision
except RuntimeError as problem:
    if "does not exist" not in str(problem):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    spec = find_spec("torchvision")
    assert spec and spec.origin
    text = Path(spec.origin).with_name("_meta_registrations.py").read_text("utf-8")
    # kept by name: what it declared ends with it
    LIBRARY = registry.Library("torchvision", "FRAGMENT")
    for name in sorted(set(re.findall(r'(?:torchvision::|register_meta\(")(\w+)', text))):
        LIBRARY.define(name + "(Tensor x) -> Tensor")
    import torchvision

__all__ = ["torchvision"]
