"""A Merkle root over event hashes, as in RFC 6962: one number that stands for a day's events.

Leaves and nodes are hashed with different first bytes, so a node cannot be passed off as a leaf.
Computed as leaves come, in memory that grows with the logarithm of their number.
"""

import hashlib


class Merkle:
    """Add leaves in order; `root` at any time."""

    def __init__(self) -> None:
        self.count = 0
        self._stack: list[tuple[int, bytes]] = []  # (leaves below, hash), sizes falling

    def add(self, leaf: bytes) -> None:
        """One more leaf."""
        self.count += 1
        size, value = 1, _sha(b"\x00" + leaf)
        while self._stack and self._stack[-1][0] == size:
            _, left = self._stack.pop()
            size, value = size * 2, _sha(b"\x01" + left + value)
        self._stack.append((size, value))

    def root(self) -> str:
        """Hex; that of no leaves is the SHA-256 of nothing."""
        if not self._stack:
            return _sha(b"").hex()
        *rest, (_, value) = self._stack
        for _, left in reversed(rest):
            value = _sha(b"\x01" + left + value)
        return value.hex()


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
