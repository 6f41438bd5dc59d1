"""The other side of bench_backtest: the same rule in nautilus_trader, run by its own interpreter.

    python nautilus_ema_cross.py TICKS.npy SYMBOL DIGITS UNITS > FILLS.json

It knows nothing of Tickhouse. Averages of 12 and 26 minute closes of mid, seeded as TA-Lib does; on
the first quote of every second the position follows the sign of their difference. Only the engine's
`run` is timed: loading and turning rows into its objects is left out.
"""

import json
import sys
import time
from decimal import Decimal

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.persistence.wranglers import QuoteTickDataWrangler
from nautilus_trader.trading.strategy import Strategy


class EmaCrossConfig(StrategyConfig, frozen=True):
    """What the strategy trades."""

    instrument_id: InstrumentId
    size: Decimal


class EmaCross(Strategy):
    """Always in the market once 26 minutes have closed."""

    def __init__(self, config):
        super().__init__(config)
        self.second = self.minute = -1
        self.mid, self.bars, self.closes = 0.0, 0, []
        self.fast = self.slow = 0.0
        self.side = 0
        self.fills = []

    def on_start(self):
        self.size = Quantity.from_str(str(self.config.size))
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, tick):
        second = tick.ts_event // 1_000_000_000
        if second != self.second:
            self.second = second
            minute = second // 60
            if minute != self.minute:
                if self.minute >= 0:
                    self.close_bar(self.mid)
                self.minute = minute
            if self.bars >= 26:
                self.follow()
        self.mid = (tick.bid_price.as_double() + tick.ask_price.as_double()) / 2.0

    def close_bar(self, close):
        if self.bars < 26:
            self.closes.append(close)
        if self.bars == 25:
            self.fast = sum(self.closes[14:]) / 12
            self.slow = sum(self.closes) / 26
        elif self.bars > 25:
            self.fast += (close - self.fast) * (2.0 / 13.0)
            self.slow += (close - self.slow) * (2.0 / 27.0)
        self.bars += 1

    def follow(self):
        distance = self.fast - self.slow
        side = 1 if distance > 0 else -1 if distance < 0 else 0
        if side == 0 or side == self.side:
            return
        way = OrderSide.BUY if side > 0 else OrderSide.SELL
        for _ in range(2 if self.side else 1):  # close what is held, then enter
            self.submit_order(self.order_factory.market(self.config.instrument_id, way, self.size))
        self.side = side

    def on_order_filled(self, event):
        buy = event.order_side == OrderSide.BUY
        price = event.last_px.as_double()
        self.fills.append([event.ts_event // 1_000_000, "buy" if buy else "sell", price])


def instrument(name, digits):
    """Gold, or a pair of currencies, quoted in dollars, without fees."""
    common = {
        "price_precision": digits, "size_precision": 0,
        "price_increment": Price.from_str(f"{10.0 ** -digits:.{digits}f}"),
        "size_increment": Quantity.from_int(1), "ts_event": 0, "ts_init": 0,
        "margin_init": Decimal("0.001"), "margin_maint": Decimal("0.001"),
        "maker_fee": Decimal(0), "taker_fee": Decimal(0),
    }  # fmt: skip
    identity = InstrumentId(Symbol(name), Venue("SIM"))
    return CurrencyPair(
        instrument_id=identity, raw_symbol=Symbol(name), quote_currency=USD,
        base_currency=Currency.from_str(name[:3]), **common,
    )  # fmt: skip


def main():
    path, name, digits, size = sys.argv[1:5]
    ticks = np.load(path)
    traded = instrument(name, int(digits))
    frame = pd.DataFrame(
        {"bid_price": ticks["bid"], "ask_price": ticks["ask"]},
        index=pd.to_datetime(ticks["time_msc"], unit="ms", utc=True),
    )
    quotes = QuoteTickDataWrangler(traded).process(frame, default_volume=1e6)
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True)
        )
    )
    engine.add_venue(
        venue=Venue("SIM"), oms_type=OmsType.NETTING, account_type=AccountType.MARGIN,
        base_currency=USD, starting_balances=[Money(100_000_000, USD)],
    )  # fmt: skip
    engine.add_instrument(traded)
    engine.add_data(quotes)
    strategy = EmaCross(EmaCrossConfig(instrument_id=traded.id, size=Decimal(size)))
    engine.add_strategy(strategy)
    began, worked = time.perf_counter(), time.process_time()
    engine.run()
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - worked
    json.dump({"wall_s": wall_s, "cpu_s": cpu_s, "fills": strategy.fills}, sys.stdout)
    engine.dispose()


if __name__ == "__main__":
    main()
