"""What generated pages say that the code does not: why orders are denied, what settings are."""

from typing import NamedTuple

from core.contracts.order import DenialReason


class Denied(NamedTuple):
    """What a reader of a denied order needs to know."""

    when: str
    limit: str
    observed: str


DENIED = {
    DenialReason.HALTED: Denied(
        "a person or a breaker halted trading, or an earlier order of this feed has no known"
        " outcome yet",
        "0",
        "1 for the unsettled order, else 0",
    ),
    DenialReason.REDUCING: Denied("only orders that reduce risk pass", "0", "lots asked for"),
    DenialReason.STALE_SIGNAL: Denied(
        "the signal is past its expiry (`signals.expiry_s`)",
        "seconds a signal lives",
        "its age in seconds",
    ),
    DenialReason.STALE_QUOTE: Denied(
        "the newest quote is too old, or there is none",
        "`max_quote_age_s`",
        "its age in seconds, infinite without one",
    ),
    DenialReason.DUPLICATE: Denied("a signal with this id was handled before", "1", "2"),
    DenialReason.OVERSIZED: Denied(
        "more lots than one order may have, or a target outside -1 to 1",
        "the smaller of `max_lots` and the venue's maximum; 1 for a target",
        "lots asked for; the target",
    ),
    DenialReason.TOO_MANY: Denied(
        "too many entries of this feed within a minute",
        "`max_orders_per_minute`",
        "entries with this one",
    ),
    DenialReason.OFF_PRICE: Denied(
        "the signal's reference price is too far from the live mid; or its stop is missing or"
        " already passed",
        "`collar`; or the stop",
        "distance as a share of the price; or the price at which the position would close",
    ),
    DenialReason.WIDE_SPREAD: Denied(
        "the spread is too wide against the median of the feed's last 256 quotes",
        "`max_spread_ratio`",
        "spread over that median",
    ),
    DenialReason.MARKET_CLOSED: Denied(
        "outside the instrument's session (`core/instruments.toml`)", "1", "0"
    ),
    DenialReason.UNKNOWN_SYMBOL: Denied(
        "no reference data for the symbol, or the venue does not trade it", "1", "0"
    ),
    DenialReason.NO_CONVERSION_RATE: Denied(
        "the venue cannot say the margin in account currency", "1", "0"
    ),
    DenialReason.NO_MARGIN: Denied("the account has too little free margin", "free", "needed"),
    DenialReason.BELOW_MINIMUM: Denied(
        "the position to be opened is below the venue's smallest", "smallest lots", "lots wanted"
    ),
    DenialReason.RESTRICTED: Denied(
        "the limits file closes the symbol to new positions (`restricted`)", "0", "lots asked for"
    ),
    DenialReason.ORDER_VALUE: Denied(
        "the order is worth too much, account currency",
        "the smaller of `max_order_value` and `max_order_equity` equities",
        "its notional",
    ),
    DenialReason.POSITION_LIMIT: Denied(
        "all strategies together would hold too much of the feed",
        "`max_position_lots`, or `max_position_equity` equities",
        "net lots with this order, or their notional",
    ),
    DenialReason.SYMBOL_TAKEN: Denied(
        "a netting account has one position in a symbol, and an order that waits needs it alone",
        "0",
        "lots that are held or wait",
    ),
    DenialReason.GROSS_EXPOSURE: Denied(
        "all positions together would be worth too much, account currency",
        "the smaller of `max_gross_exposure` and `max_gross_equity` equities",
        "their notional with this order",
    ),
    DenialReason.MESSAGE_RATE: Denied(
        "too many orders of the account within a second, exits counted",
        "`max_messages_per_second`",
        "orders with this one",
    ),
    DenialReason.THROTTLED: Denied(
        "the strategy entered this feed too often within `repeat_window_s`; closed until"
        " `tickhouse throttle release`",
        "`max_repeats`",
        "entries with this one",
    ),
    DenialReason.DAILY_LOSS: Denied(
        "the account lost too much since 17:00 New York",
        "the smaller of `max_daily_loss` and `max_daily_loss_share` of the equity then",
        "the loss",
    ),
    DenialReason.DRAWDOWN: Denied(
        "the account is too far below its highest equity", "`max_drawdown`", "how far"
    ),
    DenialReason.FUTURE_SIGNAL: Denied(
        "the signal is dated after our clock: it is not taken up, supersedes nothing, and is no"
        " reason to call a later one outdated; exits of held positions do not depend on it",
        "`admission.future_tolerance_s`",
        "how far ahead it is, seconds",
    ),
    DenialReason.UNKNOWN_STRATEGY: Denied(
        "the signal's strategy does not run here (`admission.strategies`, `run.strategy`): it is"
        " not taken up",
        "1",
        "0",
    ),
    DenialReason.SIGNAL_RATE: Denied(
        "too many signals of the strategy within a second, or of all unknown ones together: it is"
        " not taken up; the first of each second is stored, the log counts the rest",
        "`admission.max_signals_per_second`",
        "signals with this one",
    ),
    DenialReason.VALUE_AT_RISK: Denied(
        "all positions with this order risk too much: parametric value at risk, 99 %, a day, and"
        " more than without it",
        "`max_var_equity`, in money",
        "value at risk with this order, money",
    ),
    DenialReason.EXPECTED_SHORTFALL: Denied(
        "the same of the mean of the losses beyond it",
        "`max_shortfall_equity`, in money",
        "expected shortfall with this order, money",
    ),
    DenialReason.ORDER_RISK: Denied(
        "this order alone adds too much value at risk",
        "`max_order_var_equity`, in money",
        "value at risk that it adds, money",
    ),
    DenialReason.CURRENCY_EXPOSURE: Denied(
        "too much would be held or owed of one currency that is not the account's",
        "`max_currency_equity`, in money",
        "the largest such exposure, money",
    ),
    DenialReason.CORRELATED_EXPOSURE: Denied(
        "too much of all exposures would move with this symbol",
        "`max_correlated_equity`, in money",
        "exposure that moves with it, money",
    ),
    DenialReason.STRESS_LOSS: Denied(
        "the worst stress scenario would lose too much, and more than without this order",
        "`max_stress_equity`, in money",
        "loss in that scenario, money",
    ),
    DenialReason.REGIME: Denied(
        "the strategy does not enter in the regime that the feed is in, or nobody knows it",
        "the wildest regime in which it does: 0 calm, 1 normal, 2 wild; -1 none",
        "the present regime; -1 not known: a feed's first two days, or figures that are too old",
    ),
    DenialReason.STALE_RISK: Denied(
        "a limit on risk is set, and the stream's figures are too old, or none came yet",
        "`max_risk_age_s`",
        "age in seconds; infinite without any",
    ),
    DenialReason.UNFIT_ORDER: Denied(
        "an order that waits says what no venue could take: unknown words, no price, too short a"
        " life; execution's log names it",
        "0",
        "the price it waits for",
    ),
    DenialReason.ORDER_PRICE: Denied(
        "the market has reached the price an order waits for, or is nearer than the broker allows",
        "the market's price",
        "the order's",
    ),
    DenialReason.ORDER_WORKS: Denied(
        "an order of that name waits already; one of the strategy does, beside a target; or another"
        " of its group was filled since it was asked for",
        "0",
        "1",
    ),
    DenialReason.FIRM_DAILY_LOSS: Denied(
        "too little is left before the firm's daily loss (`firms.<name>`), open positions and this"
        " order counted at their stops",
        "what may be lost, less the margin that is left alone",
        "what was lost, and is at stake",
    ),
    DenialReason.FIRM_DRAWDOWN: Denied(
        "too little is left before the firm's drawdown, in the same way; or nobody has looked at"
        " the account yet (then the limit is 0)",
        "what may be lost, less the margin that is left alone",
        "what was lost, and is at stake",
    ),
    DenialReason.FIRM_LOTS: Denied(
        "more lots in one order, or in all positions, than the firm allows",
        "`max_order_lots` or `max_open_lots`",
        "lots with this order",
    ),
    DenialReason.RETAIL_MARGIN: Denied(
        "a retail client's margin, by ESMA's shares of notional, is more than the equity",
        "equity of the account",
        "initial margin of all positions with this order",
    ),
    DenialReason.CLIENT_FILE: Denied(
        "a document that the file of the account's client needs lacks or has run out"
        " (`tickhouse clients status`)",
        "documents that are needed",
        "those that are in order",
    ),
    DenialReason.STALE_CLIENT_FILE: Denied(
        "clients' files were not checked for too long, never, or after our clock's time"
        " (`tickhouse clients check`)",
        "hours that a check counts",
        "hours since the last",
    ),
    DenialReason.NEWS: Denied(
        "an event of the economic calendar is near (`news.<name>`, or the firm's own rule)",
        "minutes before it, or after it",
        "minutes from it; below 0 before it",
    ),
    DenialReason.NO_CALENDAR: Denied(
        "rules about news hold, and the calendar says nothing of now:"
        " `tickhouse calendar import FILE`",
        "1",
        "0",
    ),
}

#: What a comment in core/sections.py does not say already.
SETTINGS = {
    "run.run_id": "under which rows and journal are kept; a replay makes its own",
    "run.mode": "stored in every row; `shadow` decides and sends nothing; a replay sets `replay`",
    "run.account": "ours, not the broker's login; one order journal per account",
    "run.strategy": "`model`, or `scripted`, a fixed rule without a model",
    "clickhouse.url": "`http://host:8123` of a real server; then no warehouse is started",
    "clickhouse.user": "of that server; the home's own warehouse needs none, see `credentials`",
    "clickhouse.password": "of that server; better in the environment than in a file",
    "clickhouse.database": "made if missing",
    "bus.kind": "`kafka` needs `bus.url` and the extra `kafka`",
    "bus.url": "`nats://host:4222` of a real server, `kafka://host:9092,...`: no bus is started",
    "bus.user": "at a server elsewhere, with `bus.password`",
    "bus.password": "of `bus.user`",
    "bus.token": "instead of user and password, when the server wants one",
    "bus.credentials": "`<home>/credentials` by itself while `bus.url` is empty; name it beside the"
    " address of a home's embedded server",
    "bus.ca": "PEM file of who signed the server's certificate; then nothing but TLS is spoken",
    "bus.certificate": "PEM file of ours, with `bus.key`, when the server asks for one",
    "bus.key": "PEM file of the key of `bus.certificate`",
    "terminal.agent": "its agent's name, the same on both machines",
    "bus.duplicate_window_s": "how long a repeated message id is recognised",
    "terminal.kind": "`real` needs Windows and the package MetaTrader5; `agent`: it has an agent",
    "terminal.address": "of a simulated terminal that runs already; then none is started",
    "terminal.credentials": "folder with the credentials of the home whose terminal that is; empty:"
    " this home's",
    "terminal.symbols": "what the collector takes and the generated market makes",
    "terminal.currency": "of the simulated account",
    "terminal.login": "of the one real account that may trade; 0: none may",
    "terminal.server": "of that account",
    "terminal.path": "of the terminal's executable; empty: the one that runs",
    "collector.poll_ms": "pause between two looks at the terminal",
    "signals.horizon_s": "how long an entry of strategy `model` is held",
    "signals.expiry_s": "after so many seconds a signal may not open or add",
    "execution.max_quote_age_s": "older quotes deny entries",
    "execution.limits_version": "stored with each denial while no limits file is installed",
    "orchestration.enabled": "off: nothing runs on a schedule",
    "alerts.email_to": "an address; needs `alerts.smtp`",
    "alerts.email_from": "the sender",
    "alerts.smtp_user": "of the mail server; empty: it asks for none",
    "alerts.smtp_password": "of the mail server; better in the environment than in a file",
    "alerts.smtp_security": "of the connection to the mail server",
    "models.horizon_s": "how far ahead the label looks",
    "models.rounds": "trees per class",
    "models.depth": "of each tree",
    "models.learning_rate": "of the booster",
    "models.max_rows": "of each part; more are thinned evenly over time",
    "models.threads": "of the trainer",
    "models.members": "of the ensemble; `sequence` needs the extra of that name, and a replay's"
    " training leaves it out",
    "chaos.crash_at": "`<process>.<place>:<n>`, several with commas; never set it in earnest",
}

#: Tables of which the migration that made them says what is no longer so.
TABLES = {
    "account_state": "The account as the terminal reports it.",
    "exposure_rate": "What accounts hold and how often they speak to their brokers; from topic"
    " order_events by the executions flow, on Kafka by `python -m streams.quix exposure`.",
}
