"""Answers that were packed on their way: gzip and deflate, unpacked as they come.

``urllib3`` does as much, but with gzip of several members version 2.8 raises an error of zlib's,
or goes on for ever. What comes out of here comes in small pieces, so that who reads it can end it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

ACCEPTED = "gzip, deflate"
"""What a request says that its answer may be packed with."""

_PIECE_BYTES = 2**18
_MOST_PACKINGS = 5
_GZIP = frozenset({"gzip", "x-gzip"})
# Nobody is asked for these. Other words are no packing: servers put names of alphabets there.
_NOT_ACCEPTED = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})


class UnpackError(Exception):
    """What came is not packed as it says; the message says how, in a part of a sentence."""


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """What comes, unpacked.

    Args:
        pieces: the parts of an answer's body.
        encoding: its header ``Content-Encoding``.

    Returns:
        parts of the body, some of them empty, so that nothing goes on unseen.

    Raises:
        UnpackError: it is packed in another way, or was cut off.

    >>> import gzip
    >>> b"".join(unpacked([gzip.compress(b"People, "), gzip.compress(b"Bookings")], "gzip"))
    b'People, Bookings'
    """
    packings = [word.strip().lower() for word in encoding.split(",")]
    if len(packings) > _MOST_PACKINGS:
        raise UnpackError(f"it is packed {len(packings)} times over")
    for packing in reversed(packings):
        if packing in _NOT_ACCEPTED:
            raise UnpackError(f"it is packed as {packing!r}, which was not asked for")
        if packing in _GZIP or packing == "deflate":
            pieces = _inflated(pieces, packing)
    return iter(pieces)


def _inflated(pieces: Iterable[bytes], packing: str) -> Iterator[bytes]:
    is_gzip = packing in _GZIP
    member = None
    held = b""
    for piece in pieces:
        held += piece
        yield b""
        while held:
            if member is None:
                if is_gzip:
                    held = held.lstrip(b"\0")  # what some programs fill up blocks with
                if len(held) < 2:
                    break
                member = zlib.decompressobj(zlib.MAX_WBITS + 16 if is_gzip else _window(held))
            try:
                out = member.decompress(held, _PIECE_BYTES)
                yield out
                while not member.unconsumed_tail and len(out) == _PIECE_BYTES:
                    out = member.decompress(b"", _PIECE_BYTES)
                    yield out
            except zlib.error:
                raise UnpackError("it is not packed as its headers say") from None
            held = member.unconsumed_tail or member.unused_data
            if member.eof:
                if not is_gzip:  # which has one member only
                    return
                member = None
    if member is not None or held:
        raise UnpackError("it was cut off")


def _window(start: bytes) -> int:
    """What zlib is to be told of a deflate stream, which comes with a header or without."""
    has_header = start[0] & 15 == zlib.DEFLATED and int.from_bytes(start[:2]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
