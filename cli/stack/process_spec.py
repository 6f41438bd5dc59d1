"""What the supervisor needs to know about one process: a frozen description, no behaviour."""

from collections.abc import Mapping

import msgspec

#: Whole seconds, the supervisor's unit. Ending takes one; on a busy machine several, and statements
#: that run and a bus that is away are waited for: so this is patience, not what is expected.
STOP_WAIT_S = 15


class ProcessSpec(msgspec.Struct, frozen=True):
    """One process of a stack.

    `environment` is added to the stack's own. It is ready when `ready_url` answers 200 or,
    without one, when the port named in `<TICKHOUSE_HOME>/run/<name>.json` answers `/health` with
    200 (see core.health). Processes start as soon as all they need are ready, and stop by
    `stop_stage`, lowest first, killed after `stop_wait_s` seconds. One that ends without being
    stopped is restarted, whatever its exit code; in its first second that is tried `start_retries`
    times, after waits of 1, 2, 3 ... seconds.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = {}
    needs: tuple[str, ...] = ()  # those that this stack does not hold count as ready
    ready_url: str = ""
    stop_stage: int = 0
    stop_wait_s: int = STOP_WAIT_S
    start_retries: int = 5
    stop_group: bool = False  # SIGTERM reaches its children too
    after_full_disk: bool = False  # it does not mend by itself: killed once there is space again
    waited_for: bool = True  # False: `Stack.start_all` leaves it to `start_late`
    ends_itself: bool = False  # with exit code 0 it is done: a replay's, never one of `up`
    beats: bool = False  # it sends heartbeats over the bus, and is missed when it does not
