"""When Python looks for garbage: hardly while a program starts, and not as it ends.

Importing makes objects that stay: looked through every 700 of them as by default, they take a
sixth of the CPU of a start. As it ends an interpreter looks three times, in all that there is.
"""

import gc

_USUAL = gc.get_threshold()
_STARTING = (50_000, 20, 100)


def spare_start() -> None:
    """From now on look seldom; a command stays with that, for it ends soon."""
    gc.set_threshold(*_STARTING)


def started() -> None:
    """Look as often as usual, and never again in what is there now."""
    gc.freeze()
    gc.set_threshold(*_USUAL)


def spare_end() -> None:
    """Look no more in what is there now."""
    gc.freeze()
