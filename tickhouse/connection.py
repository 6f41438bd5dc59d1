"""A home's warehouse for a person's own Python: ticks, bars, features, trades, and any question.

The warehouse is that of the stack which runs on the home, or of the settings; where none runs, one
is started for as long as the connection is open, as `tickhouse import` does. It is signed in to as
the home's reader: nothing that is asked here changes anything; `tickhouse sql` does.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

import msgspec

from core import settings as product
from core.errors import InputError, UnavailableError, WarehouseError
from core.home_users import READER, sign_in
from core.settings import Settings
from tickhouse import arguments
from tickhouse.result import Result
from warehouse import occasion

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Time = datetime | str | None
INTERVALS = ("1s", "1m", "5m", "1h")

_UNKNOWN_TABLE, _UNKNOWN_DATABASE = 60, 81


def connect(home: str | os.PathLike[str] | None = None) -> Connection:
    """Connect to the warehouse of a home, which need not be running.

    Args:
        home: its folder; by default that of TICKHOUSE_HOME, else `.tickhouse` where you are.
            A server named by TICKHOUSE_CLICKHOUSE__URL is taken instead of the home's own.

    Raises:
        InputError: the folder is no home.
        UnavailableError: the server that the settings name does not answer, or the home's own does
            not start.
        WarehouseError: it refused user or password.
        SettingsError: a setting is wrong.
    """
    settings = product.of_home(None if home is None else os.fspath(home))
    from adapters.clickhouse import client  # late: who writes a strategy needs no warehouse

    with ExitStack() as opened:
        url = _url(settings, opened)
        where = sign_in(msgspec.structs.replace(settings.clickhouse, url=url), READER)
        connected = client.connect(where)
        opened.callback(connected.close)
        return Connection(connected, url, opened.pop_all())


def _url(settings: Settings, opened: ExitStack) -> str:
    """Where the warehouse is; one started for the occasion ends with `opened`."""
    given, home = settings.clickhouse.url, settings.home_path
    if not given and not occasion.is_stored(home):
        raise InputError(
            str(home),
            "is no home of Tickhouse: name one (connect(home), or TICKHOUSE_HOME), or make one with"
            " tickhouse demo, tickhouse import or tickhouse up",
        )
    return opened.enter_context(occasion.reached(home, given))


class Connection:
    """Questions to one warehouse. Not for several threads at once: open one for each.

    Closed by `close()`, at the end of a `with` block, or with the program. Every method raises
    UnavailableError when the warehouse is gone, WarehouseError when it refuses a question.
    """

    def __init__(self, client: Client, url: str, opened: ExitStack) -> None:
        self._client, self._url = client, url
        self._ended = weakref.finalize(self, opened.close)

    def close(self) -> None:
        """End the connection, and the warehouse that was started for it. As often as one likes."""
        self._ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """ClickHouse's HTTP address, for other clients."""
        return self._url

    def symbols(self) -> Result:
        """What is stored: source, symbol, ticks (count), first and last (times, UTC)."""
        return self._shipped("symbols", {})

    def runs(self) -> Result:
        """Live trading, replays: run_id, mode, strategy, model, status, ts_start, ts_end (UTC)."""
        return self._shipped("runs", {})

    def ticks(
        self, symbol: str, *, source: str | None = None, start: Time = None, end: Time = None
    ) -> Result:
        """Kept ticks, in order of market time; of every broker that quotes it unless one is named.

        Columns: source, symbol, ts_event (market time, UTC), seq (count within the millisecond),
        bid, ask, last (float64, the symbol's quote currency), volume, flags (MT5's), quality
        (bits: 1 crossed, 2 locked, 4 same millisecond, 8 out of order).

        Args:
            symbol: as stored, "EURUSD".
            source: a broker, "oanda".
            start: first market time; text is ISO 8601, without a zone UTC.
            end: market time at which to stop, not included.

        Raises:
            InputError: no such symbol (or not of that source), or a time is none.
        """
        given = {"symbol": symbol, **_feed(source, start, end)}
        return self._known(self._shipped("ticks", given), symbol, source)

    def bars(
        self,
        symbol: str,
        *,
        interval: str = "1m",
        source: str | None = None,
        start: Time = None,
        end: Time = None,
    ) -> Result:
        """Bars of the bid, in order of time; an hour without ticks has none.

        Columns: source, symbol, interval, ts_open (UTC), bid_open, bid_high, bid_low, bid_close,
        ask_close, spread_max (float64, the symbol's quote currency), tick_count.

        Args:
            symbol: as stored, "EURUSD".
            interval: "1s", "1m", "5m" or "1h".
            source: a broker, "oanda".
            start: first opening time; text is ISO 8601, without a zone UTC.
            end: opening time at which to stop, not included.

        Raises:
            InputError: no such symbol (or not of that source) or interval, or a time is none.
        """
        if interval not in INTERVALS:
            raise InputError(
                f"interval {interval!r}",
                f"is none of {', '.join(INTERVALS)}; of any other: the view bars(...) by sql()",
            )
        given = {"symbol": symbol, "width": interval, **_feed(source, start, end)}
        return self._known(self._shipped("bars", given), symbol, source)

    def features(
        self,
        symbol: str,
        *,
        run: str | None = None,
        source: str | None = None,
        start: Time = None,
        end: Time = None,
    ) -> Result:
        """Feature rows of one run, in order of market time: what a model or strategy was given.

        Columns: run_id, source, symbol, ts_event (market time, UTC), seq, mid, spread (float64),
        then one float32 column per name of `tickhouse.FEATURE_NAMES`, NaN before its warm-up, then
        one for each feature of your own that was served in any of these rows, by name; NaN in rows
        without it.

        Args:
            symbol: as stored, "EURUSD".
            run: "live", or a replay's id; may be left out where there is one run only.
            source: a broker, "oanda".
            start: first market time; text is ISO 8601, without a zone UTC.
            end: market time at which to stop, not included.

        Raises:
            InputError: no such symbol (or not of that source), several runs and none named, or
                a time is none.
        """
        given = {"symbol": symbol, "run": self._run(run), **_feed(source, start, end)}
        names = self._shipped("own_features", given).arrow()["name"].to_pylist()
        rows = self._shipped("features_with_own" if names else "features", given, names)
        return self._known(rows, symbol, source)

    def trades(self, *, run: str | None = None, symbol: str | None = None) -> Result:
        """Positions of the venue from first opening to last closing fill, as mart `fct_trade`.

        Columns: run_id, mode, account, strategy, source, symbol, venue_position, order_id,
        signal_id, side, ts_open, ts_close (UTC, null while open), is_closed, exit_purpose, volume
        (lots), price_open, price_close (volume-weighted), profit_gross, commission, swap,
        profit_net (account currency; costs are negative), fills.

        Args:
            run: "live", or a replay's id; may be left out where there is one run only.
            symbol: as stored, "EURUSD"; all by default.

        Raises:
            InputError: no such symbol, or several runs and none named.
        """
        given = {"run": self._run(run), "symbol": symbol or ""}
        result = self._shipped("trades", given)
        return self._known(result, symbol, None) if symbol else result

    def sql(self, question: str, parameters: Mapping[str, Any] | None = None) -> Result:
        """Any question in ClickHouse's SQL; the database is `tickhouse`.

        Args:
            question: one statement that answers rows, without FORMAT.
            parameters: values of `{name:Type}` in it, bound by the server.

        Raises:
            WarehouseError: ClickHouse's own words: a syntax error, an unknown column, a statement
                that would change something.
        """
        from adapters.clickhouse.client import errors_translated

        with errors_translated():
            return Result(self._client.query_arrow(question, dict(parameters or {})))

    def _shipped(
        self, name: str, parameters: Mapping[str, Any], own_names: Sequence[str] = ()
    ) -> Result:
        text = resources.files("tickhouse").joinpath("sql", f"{name}.sql").read_text("utf-8")
        text = text.replace("own_columns", ", ".join(map(_own_column, own_names)))
        try:
            return self.sql(text, parameters)
        except WarehouseError as error:
            if error.code not in (_UNKNOWN_TABLE, _UNKNOWN_DATABASE):
                raise
            raise UnavailableError(
                f"the warehouse at {self.url} holds no tables yet: tickhouse import, replay or up"
                " makes them"
            ) from error

    def _known(self, result: Result, symbol: str, source: str | None) -> Result:
        """The rows; none at all must not be a misspelt name's."""
        if not len(result):
            arguments.refuse_unknown_feed(self.symbols(), symbol, source)
        return result

    def _run(self, named: str | None) -> str:
        return arguments.run_of(self.runs(), named)


def _own_column(name: str) -> str:
    """A person's feature, whose name is that of a Python file."""
    value = f"o.values[indexOf(o.names, '{name}')]"
    return f"if(has(o.names, '{name}'), {value}, toFloat32(nan)) AS `{name}`"


def _feed(source: str | None, start: Time, end: Time) -> dict[str, Any]:
    return {
        "source": source or "",
        "start": arguments.time_us(start, arguments.BEGINNING),
        "end": arguments.time_us(end, arguments.END),
    }
