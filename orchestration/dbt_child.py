"""dbt as a child that does not outlive whoever started it: `python -m orchestration.dbt_child ...`.

A run that was killed is started again; the build it left behind must not go on beside the new one,
for both would replace the same partitions.
"""

import os
import sys
import threading
import time

_POLL_S = 0.5


def main() -> None:
    """Run dbt's command with the arguments given, which `dbt_parsed.invoke` names."""
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    from orchestration import dbt_parsed  # imports dbt, for seconds: the watch comes first

    sys.exit(dbt_parsed.invoke(sys.argv[1:]))


def end_with(parent: int) -> None:
    """End this process at once when its parent is another than it was."""
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)


if __name__ == "__main__":
    main()
