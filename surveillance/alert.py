"""An alert of a control: a row of `control_alert`, and what people are told."""

import msgspec

OLD_US = 60_000_000  # what happened longer ago was alerted before, or is history


class ControlAlert(msgspec.Struct, frozen=True):
    """A row of `control_alert`."""

    alert_id: str
    mode: str
    account: str
    control: str
    subject: str
    detail: str
    ts_event_us: int
    ts_raised_us: int
    channel: str
