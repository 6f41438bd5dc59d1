"""Files of a home are for its owner's eyes: said once by each process, and inherited below it."""

import os

_NOTHING_FOR_OTHERS = 0o077


def keep_private() -> None:
    """From now on nobody else may read what this process and its children make.

    What exists keeps its mode, and so does what says its own (sealed days are for everybody).
    """
    os.umask(_NOTHING_FOR_OTHERS)
