"""How the properties are explored, and blocks of which tests of 70,001 rows have several.

Properties are explored anew on each run here, the same way on each run of CI.
"""

from __future__ import annotations

import os

from hypothesis import settings

from lossctl.align import rows

# no deadline: a loaded machine is no failure
settings.register_profile("explore", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "explore")

rows.ELEMENTS, rows.MOST_ROWS = 1 << 18, 1 << 16
