"""The two lanes of the tests: the quick one of plain ``tox``, the thorough one of ``tox -m full``.

The quick one leaves out what is marked ``slow``, and tries a tenth of the examples that Hypothesis
makes up.
"""

from __future__ import annotations

from hypothesis import settings

# How busy a machine is decides nothing: no example fails for its time alone.
settings.register_profile("quick", deadline=None, print_blob=True, max_examples=10)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=100)

PATIENCE = 60.0
"""Seconds, however busy the machine is; only what hangs takes more, and goes on much longer."""


def up_to(examples: int) -> int:
    """So many examples in the thorough lane, a tenth of them in the quick one."""
    return max(1, examples * settings().max_examples // 100)
