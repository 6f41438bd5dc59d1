"""Names of orders, from inputs alone: the same signal gives the same order after any crash."""

import hashlib


def order_id(signal_id: str, purpose: str, leg: str = "") -> str:
    """30 hex digits: short enough to travel whole in a broker's comment of 31 characters.

    `leg` tells apart the orders that one signal causes for one purpose: the venue's position it
    reduces, and the count of the attempt.
    """
    text = f"{signal_id}|{purpose}|{leg}"
    return hashlib.blake2b(text.encode(), digest_size=15).hexdigest()
