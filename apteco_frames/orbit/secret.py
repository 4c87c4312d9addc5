"""Text that is not printed."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A password or token: unprintable, and not to be pickled.

    >>> Secret("P@ssw0rd123!")
    <secret>
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")
