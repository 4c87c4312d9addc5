"""A made-up system of many codes, and the server that sends it.

1,009 variables, 827 of them selectors, with 562,740 codes: from 103,000 of the largest
variable down to 2, by a power law. ``python codes.py`` prints its port and serves until it
is ended; answers to paths that start with ``/slow`` come 20 ms late.
"""

from __future__ import annotations

VARIABLES = 1_009
SELECTORS = 827
CODES = 562_740
LARGEST = 103_000
# Of the power law: chosen so that the smallest has 2 codes and all have 562,740.
_SHIFT, _EXPONENT = 2.0, 1.9
DELAY_SECONDS = 0.02


def sizes() -> list[int]:
    """Numbers of codes of the selectors, in the order of the variables."""
