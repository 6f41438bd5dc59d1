-- Marts as dbt makes them, empty: written by `make empty-marts`, not by hand.
-- Nothing in them is a fact of its own: dbt's models say what each column means.

CREATE TABLE IF NOT EXISTS {marts}.dim_model
(
    `model` String COMMENT 'SHA-256 of the artefact, or the strategy when no model spoke',
    `name` String COMMENT 'Name a person gave',
    `ts_registered` DateTime64(6, 'UTC') COMMENT 'When registered',
    `feature_set_hash` String COMMENT 'Feature set it takes',
    `trained_run` String COMMENT 'Run whose rows it learnt from',
    `is_simulated` Bool COMMENT 'Trained on simulated data: may never go live',
    `status` String COMMENT 'Last thing that happened',
    `metrics` String COMMENT 'JSON: metrics beside the baseline',
    `horizon_s` Float64 COMMENT 'How far ahead its label looks, seconds',
    `labels` String COMMENT 'horizon: where the mid stands when it ends; barrier: which side it touches first',
    `label_spreads` Float64 COMMENT 'A move counts beyond so many spreads of its row',
    `rule_from` String COMMENT 'card: as it learnt; assumed: registered before that was kept, judged at 60 s and one spread'
)
ENGINE = MergeTree
ORDER BY (model)
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Registered models.';

CREATE TABLE IF NOT EXISTS {marts}.dim_symbol
(
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `valid_from` Date COMMENT 'First UTC date on which it holds',
    `description` String COMMENT 'For people',
    `digits` UInt8 COMMENT 'Decimals of the price',
    `point` Float64 COMMENT 'Smallest price step',
    `contract_size` Float64 COMMENT 'Units of base per lot',
    `base` String COMMENT 'Base currency or metal',
    `quote` String COMMENT 'Quote currency',
    `volume_min` Float64 COMMENT 'Lots',
    `volume_max` Float64 COMMENT 'Lots',
    `volume_step` Float64 COMMENT 'Lots',
    `margin_rate` Float64 COMMENT 'Share of notional',
    `commission` Float64 COMMENT 'Account currency, negative is paid',
    `session` String COMMENT 'forex, metal or always'
)
ENGINE = MergeTree
ORDER BY ((source, symbol))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Instruments, newest reference data.';

CREATE TABLE IF NOT EXISTS {marts}.fct_broker_twin
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `ts_hour` DateTime('UTC') COMMENT 'Hour in which the orders were journalled',
    `orders` UInt64 COMMENT 'Orders that both were given',
    `real_filled` UInt64 COMMENT 'Orders the broker filled, whole or in part',
    `twin_filled` UInt64 COMMENT 'Orders the twin filled',
    `real_rejected` UInt64 COMMENT 'Orders the broker rejected',
    `twin_rejected` UInt64 COMMENT 'Orders the twin rejected',
    `real_slippage_bp` Nullable(Float64) COMMENT 'Actual: mean distance of the broker\'s fill from the arrival mid, worse is positive, basis points',
    `twin_slippage_bp` Nullable(Float64) COMMENT 'Expected: the same of the twin\'s fills',
    `excess_slippage_bp` Nullable(Float64) COMMENT 'Actual less expected, over orders that both filled',
    `real_latency_ms_p50` Nullable(Float64) COMMENT 'Median from journalled to known, milliseconds',
    `twin_latency_ms_p50` Nullable(Float64) COMMENT 'Median from journalled to the modelled fill, milliseconds',
    `real_latency_ms_max` Nullable(Float64) COMMENT 'Slowest answer, milliseconds',
    `real_commission` Float64 COMMENT 'Account currency',
    `twin_commission` Float64 COMMENT 'Account currency'
)
ENGINE = MergeTree
ORDER BY ((run_id, source, symbol, ts_hour))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Per broker, symbol and hour: actual against expected slippage, rejects and latency. Expected is what a simulated terminal on the same ticks made of the same orders.\n';

CREATE TABLE IF NOT EXISTS {marts}.fct_data_quality_daily
(
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `ts_first` DateTime64(6, 'UTC') COMMENT 'First event (or tick)',
    `ts_last` DateTime64(6, 'UTC') COMMENT 'Last tick',
    `ticks` UInt64 COMMENT 'Ticks',
    `crossed` UInt64 COMMENT 'Ask below bid',
    `locked` UInt64 COMMENT 'Ask equal to bid',
    `same_millisecond` UInt64 COMMENT 'Shares its millisecond with an earlier tick',
    `out_of_order` UInt64 COMMENT 'Came after a later one',
    `quarantined` UInt64 COMMENT 'Refused',
    `spread_median` Float64 COMMENT 'Median of ask minus bid',
    `spread_max` Float64 COMMENT 'Widest ask minus bid',
    `longest_silence_s` Float64 COMMENT 'Longest time without a tick within the day, seconds',
    `restated_from_ticks` Nullable(UInt64) COMMENT 'Ticks the day was last built from before more came; null when never restated',
    `day_rows` UInt64 COMMENT 'Rows of the warehouse the day was built from; more of them restate it'
)
ENGINE = MergeTree
PARTITION BY (trading_day)
ORDER BY ((source, symbol))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'How clean each feed was, by trading day.';

CREATE TABLE IF NOT EXISTS {marts}.fct_denial_outcome
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `order_id` String COMMENT 'Our order',
    `signal_id` String COMMENT 'Signal behind it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `ts_denied` DateTime64(6, 'UTC') COMMENT 'Market time of the denial',
    `rule` String COMMENT 'Denial reason',
    `limits_version` String COMMENT 'Version of the limits',
    `limit_value` Float64 COMMENT 'Limit of the check that denied',
    `observed` Float64 COMMENT 'What that check saw',
    `side` String COMMENT 'buy or sell',
    `volume` Float64 COMMENT 'Lots',
    `price_in` Nullable(Float64) COMMENT 'Ask for a buy, bid for a sell, at the denial',
    `price_out` Nullable(Float64) COMMENT 'Bid for a buy, ask for a sell, at the horizon; null when unknown',
    `move_bp` Nullable(Float64) COMMENT 'Move in the direction of the decision, basis points',
    `quote_currency` String COMMENT 'Currency of would_have_made',
    `would_have_made` Nullable(Float64) COMMENT 'Spread paid, commission not, quote currency; positive is what the denial cost us',
    `commission_saved` Nullable(Float64) COMMENT 'Both sides, account currency',
    `day_rows` UInt64 COMMENT 'Rows of the warehouse the day was built from; more of them restate it'
)
ENGINE = MergeTree
PARTITION BY (trading_day)
ORDER BY ((run_id, rule, limits_version, ts_denied, order_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What each denied entry would have made, per rule and version of the limits.';

CREATE TABLE IF NOT EXISTS {marts}.fct_execution_quality
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `purpose` String COMMENT 'entry, horizon, opposite, stop or flatten',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `orders` UInt64 COMMENT 'Orders sent',
    `filled` UInt64 COMMENT 'Orders with a fill',
    `rejected` UInt64 COMMENT 'Orders the venue refused',
    `fill_ratio` Float64 COMMENT 'filled over orders',
    `slippage_mean_bp` Nullable(Float64) COMMENT 'Fill against arrival mid, positive costs us, basis points',
    `slippage_p50_bp` Nullable(Float64) COMMENT 'Median',
    `slippage_p99_bp` Nullable(Float64) COMMENT '99th percentile',
    `spread_mean_bp` Nullable(Float64) COMMENT 'Mean spread at arrival, basis points',
    `fill_ms_p50` Nullable(Float64) COMMENT 'Sent to filled, milliseconds of market time',
    `fill_ms_p99` Nullable(Float64) COMMENT 'The same, 99th percentile',
    `mid_difference_max` Nullable(Float64) COMMENT 'Largest difference between the mid found by ASOF join and the one execution journalled',
    `day_rows` UInt64 COMMENT 'Rows of the warehouse the day was built from; more of them restate it'
)
ENGINE = MergeTree
PARTITION BY (trading_day)
ORDER BY ((run_id, source, symbol, purpose))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Slippage against the arrival mid, speed and fill ratio by day.';

CREATE TABLE IF NOT EXISTS {marts}.fct_model_performance
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `model` String COMMENT 'SHA-256 of the artefact, or the strategy when no model spoke',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `predictions` UInt64 COMMENT 'Predictions made',
    `labelled` UInt64 COMMENT 'Those whose outcome is known',
    `accuracy` Nullable(Float64) COMMENT 'Share whose likeliest class came true',
    `log_loss` Nullable(Float64) COMMENT 'Mean negative log of what it gave the outcome',
    `moves_said` UInt64 COMMENT 'Labelled predictions of a move',
    `moves_right` Nullable(Float64) COMMENT 'Share of them that came true',
    `share_up` Nullable(Float64) COMMENT 'Share of outcomes',
    `share_down` Nullable(Float64) COMMENT 'Share of outcomes',
    `p_up_mean` Float64 COMMENT 'Mean of what was predicted',
    `p_down_mean` Float64 COMMENT 'Mean of what was predicted',
    `day_rows` UInt64 COMMENT 'Rows of the warehouse the day was built from; more of them restate it',
    `horizon_s` Float64 COMMENT 'How far ahead its label looks, seconds',
    `labels` String COMMENT 'horizon: where the mid stands when it ends; barrier: which side it touches first',
    `label_spreads` Float64 COMMENT 'A move counts beyond so many spreads of its row',
    `rule_from` String COMMENT 'card: as it learnt; assumed: registered before that was kept, judged at 60 s and one spread'
)
ENGINE = MergeTree
PARTITION BY (trading_day)
ORDER BY ((run_id, model, source, symbol))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Predictions against what the market did, by day, each model by the horizon and label it learnt.';

CREATE TABLE IF NOT EXISTS {marts}.fct_order
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `order_id` String COMMENT 'Our order',
    `signal_id` String COMMENT 'Signal behind it',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `side` String COMMENT 'buy or sell; empty when the target was held already and nothing was to be traded',
    `purpose` String COMMENT 'entry, horizon, opposite, stop or flatten',
    `status` String COMMENT 'Last thing that happened',
    `refusal` String COMMENT 'Denial reason, or the words of the venue; empty when neither refused',
    `ts_first` DateTime64(6, 'UTC') COMMENT 'First event (or tick)',
    `ts_submitted` Nullable(DateTime64(6, 'UTC')) COMMENT 'When journalled and sent; null when it never was',
    `ts_filled` Nullable(DateTime64(6, 'UTC')) COMMENT 'Last fill; null without one',
    `volume_asked` Float64 COMMENT 'Lots',
    `volume_filled` Float64 COMMENT 'Lots',
    `price_asked` Float64 COMMENT 'Price at which it was sent or denied',
    `price_filled` Nullable(Float64) COMMENT 'Volume-weighted price of its fills',
    `commission` Float64 COMMENT 'Account currency, negative is paid',
    `swap` Float64 COMMENT 'Account currency',
    `profit` Float64 COMMENT 'Realised by its fills, before costs',
    `events` UInt64 COMMENT 'Journal records of the order',
    `order_type` String COMMENT 'market; limit or stop: it waits for its price; modify or cancel: what changed one, or took it back',
    `order_name` String COMMENT 'Name of an order that waits, given by its strategy; empty: a target asked for it'
)
ENGINE = MergeTree
ORDER BY ((run_id, source, symbol, ts_first, order_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'One row per order, whatever became of it.';

CREATE TABLE IF NOT EXISTS {marts}.fct_pnl_daily
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `fills` UInt64 COMMENT 'Fills at the venue',
    `positions_reduced` UInt64 COMMENT 'Positions closed or made smaller',
    `volume` Float64 COMMENT 'Lots',
    `profit_gross` Float64 COMMENT 'Before costs, account currency',
    `commission` Float64 COMMENT 'Account currency, negative is paid',
    `swap` Float64 COMMENT 'Account currency',
    `profit_net` Float64 COMMENT 'After commission and swap, account currency; null when nothing was traded',
    `profit_net_running` Float64 COMMENT 'Sum of profit_net since the run began'
)
ENGINE = MergeTree
ORDER BY ((run_id, source, symbol, trading_day))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Realised profit after costs by trading day.';

CREATE TABLE IF NOT EXISTS {marts}.fct_risk_daily
(
    `run_id` String COMMENT 'Run the account trades in',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account, ours',
    `strategy` String COMMENT 'Whose positions; empty: all of the account',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `currency` String COMMENT 'Of the account, and of all money here',
    `moments` UInt64 COMMENT 'Moments with figures, while something was held',
    `unmeasured` UInt64 COMMENT 'Moments whose figures are missing: the column problem of portfolio_risk says why',
    `gross_max` Float64 COMMENT 'Largest sum of exposures, long and short alike',
    `net_max` Float64 COMMENT 'Largest exposure of longs against shorts, as an amount',
    `correlated_max` Float64 COMMENT 'Largest exposure after correlation',
    `concentration_max` Float64 COMMENT 'Largest Herfindahl index of exposures',
    `value_at_risk_max` Float64 COMMENT 'Largest filtered historical value at risk: 99 %, a day',
    `expected_shortfall_max` Float64 COMMENT 'Largest expected shortfall of the same measure',
    `parametric_max` Float64 COMMENT 'Largest parametric value at risk: 99 %, a day; what limits look at',
    `value_at_risk_share_max` Nullable(Float64) COMMENT 'Largest filtered value at risk over equity; of the account only',
    `margin_max` Float64 COMMENT 'Most margin in use',
    `stop_out_min` Nullable(Float64) COMMENT 'Least that could be lost before the broker closes positions; of the account only',
    `stop_out_days_min` Nullable(Float64) COMMENT 'The same in standard deviations of a day'
)
ENGINE = MergeTree
ORDER BY ((run_id, account, strategy, trading_day))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What each account and strategy could lose, by trading day.';

CREATE TABLE IF NOT EXISTS {marts}.fct_signal_outcome
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `model` String COMMENT 'SHA-256 of the artefact, or the strategy when no model spoke',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `signal_id` String COMMENT 'Signal behind it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'Market time',
    `ts_horizon` DateTime64(6, 'UTC') COMMENT 'Market time at which the position was to close',
    `target` Float64 COMMENT '-1 to 1',
    `confidence` Float64 COMMENT '0 to 1',
    `reference_price` Float64 COMMENT 'Mid at the signal',
    `mid_at_horizon` Nullable(Float64) COMMENT 'Mid at the horizon; null when unknown: the ticks end before, or the market was closed',
    `move_bp` Nullable(Float64) COMMENT 'Move in the direction of the decision, basis points',
    `trades` UInt64 COMMENT 'Trades it led to',
    `profit_net` Nullable(Float64) COMMENT 'After commission and swap, account currency; null when nothing was traded',
    `day_rows` UInt64 COMMENT 'Rows of the warehouse the day was built from; more of them restate it',
    `model_horizon_s` Float64 COMMENT 'How far ahead its model\'s label looks, seconds; 0 when no model spoke',
    `model_labels` String COMMENT 'horizon or barrier: what its model learnt to foresee; empty when no model spoke',
    `model_label_spreads` Float64 COMMENT 'A move counts for that model beyond so many spreads; 0 when no model spoke',
    `model_outcome` String COMMENT 'up, down or flat by that rule; empty while not known, and when no model spoke',
    `model_was_right` Nullable(Bool) COMMENT 'Whether that was the side the signal took'
)
ENGINE = MergeTree
PARTITION BY (trading_day)
ORDER BY ((run_id, source, symbol, ts_event, signal_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What the market did after each entry signal, traded or not, and whether its model was right by its own rule.';

CREATE TABLE IF NOT EXISTS {marts}.fct_strategy_pnl_daily
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `orders` UInt64 COMMENT 'Orders that its signals and exits asked for, whatever became of them',
    `orders_denied` UInt64 COMMENT 'Those that our own checks refused',
    `fills` UInt64 COMMENT 'Fills at the venue',
    `volume` Float64 COMMENT 'Lots',
    `profit_gross` Float64 COMMENT 'Before costs, account currency',
    `commission` Float64 COMMENT 'Account currency, negative is paid',
    `swap` Float64 COMMENT 'Account currency',
    `profit_net` Float64 COMMENT 'After commission and swap, account currency, to the cent',
    `profit_net_running` Float64 COMMENT 'Sum of profit_net since the run began'
)
ENGINE = MergeTree
ORDER BY ((run_id, account, strategy, trading_day))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What each strategy asked for and earned by trading day, over all of its symbols; netting is what those that share an account\'s positions leave to none.';

CREATE TABLE IF NOT EXISTS {marts}.fct_stress
(
    `run_id` String COMMENT 'Run the account trades in',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account, ours',
    `strategy` String COMMENT 'Whose positions; empty: all of the account',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'Market time of prices and positions',
    `scenario` String COMMENT 'Name of the scenario',
    `version` String COMMENT 'Of its file, with the hash of its bytes',
    `profit` Float64 COMMENT 'Account currency; negative is a loss',
    `share` Float64 COMMENT 'Profit over equity',
    `factor` Nullable(Float64) COMMENT 'How many times the scenario loses the target; null when it never does',
    `target` Float64 COMMENT 'Share of equity that reverse stress looks for',
    `worst_symbol` String COMMENT 'Feed that loses most',
    `untouched` String COMMENT 'Held symbols that the scenario says nothing of'
)
ENGINE = MergeTree
ORDER BY ((run_id, account, strategy, scenario, ts_event))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What scenarios would have done to what was held; of each moment the newest computation.';

CREATE TABLE IF NOT EXISTS {marts}.fct_trade
(
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed that quoted',
    `symbol` String COMMENT 'Instrument as the source names it',
    `venue_position` UInt64 COMMENT 'Position ticket of the venue',
    `order_id` String COMMENT 'Our order',
    `signal_id` String COMMENT 'Signal behind it',
    `side` String COMMENT 'buy or sell',
    `trading_day` Date COMMENT 'Trading day, which ends at 17:00 New York',
    `ts_open` DateTime64(6, 'UTC') COMMENT 'First opening fill, or start of the bar',
    `ts_close` Nullable(DateTime64(6, 'UTC')) COMMENT 'Last closing fill; null while open',
    `is_closed` Bool COMMENT 'All that was opened is closed',
    `exit_purpose` String COMMENT 'Why it was closed',
    `volume` Float64 COMMENT 'Lots',
    `price_open` Nullable(Float64) COMMENT 'Volume-weighted',
    `price_close` Nullable(Float64) COMMENT 'Volume-weighted; null while open',
    `profit_gross` Float64 COMMENT 'Before costs, account currency',
    `commission` Float64 COMMENT 'Account currency, negative is paid',
    `swap` Float64 COMMENT 'Account currency',
    `profit_net` Float64 COMMENT 'After commission and swap, account currency; null when nothing was traded',
    `fills` UInt64 COMMENT 'Fills at the venue'
)
ENGINE = MergeTree
ORDER BY ((run_id, source, symbol, ts_open, venue_position))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'One row per position of the venue, from its opening to its closing fill.';

CREATE TABLE IF NOT EXISTS {marts}.fct_var_backtest
(
    `run_id` String COMMENT 'Run the account trades in',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account, ours',
    `strategy` String COMMENT 'Whose positions; empty: all of the account',
    `measure` String COMMENT 'historical, filtered, parametric or monte_carlo',
    `confidence` Float64 COMMENT '0.95 or 0.99',
    `horizon` String COMMENT '1h: full hours; 1d: midnights UTC',
    `observations` UInt64 COMMENT 'Moments whose outcome is known: what was held, valued at the end of the horizon',
    `exceptions` UInt64 COMMENT 'Losses beyond the figure',
    `expected` Float64 COMMENT 'Exceptions that a right measure has',
    `worst` Float64 COMMENT 'Largest loss over its figure',
    `kupiec` Float64 COMMENT 'Probability of so wrong a share under a right measure (Kupiec 1995)',
    `independence` Float64 COMMENT 'Probability of such rows of exceptions (Christoffersen 1998); 1 where nothing can be said',
    `conditional` Float64 COMMENT 'Probability of both together',
    `zone` String COMMENT 'Traffic light of the Basel Framework: green, yellow, red',
    `verdict` String COMMENT 'holds, fails, or too few: under 100 observations nobody can say',
    `ts_first` DateTime64(6, 'UTC') COMMENT 'First moment',
    `ts_last` DateTime64(6, 'UTC') COMMENT 'Last moment'
)
ENGINE = MergeTree
ORDER BY ((run_id, account, strategy, measure, confidence, horizon))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Whether each measure held: exceptions against their promised share, over all moments that can be judged.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_abuse_alert
(
    `report_date` Date COMMENT 'UTC day of the orders',
    `alert_id` String COMMENT 'Of the alert and of its case; tickhouse abuse show takes it',
    `scenario` String COMMENT 'Name of the scenario',
    `scenario_version` String COMMENT 'Version of its parameters',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `accounts` String COMMENT 'Accounts whose orders they are',
    `strategies` String COMMENT 'Strategies that sent them',
    `ts_from` DateTime64(6, 'UTC') COMMENT 'First event of the pattern',
    `ts_to` DateTime64(6, 'UTC') COMMENT 'Last event of the pattern',
    `score` Float64 COMMENT 'How far beyond the scenario: 1 is its limit',
    `detail` String COMMENT 'What was seen, in words',
    `order_id` String COMMENT 'One of the orders; tickhouse explain takes it',
    `orders` String COMMENT 'All of them',
    `ts_raised` DateTime64(6, 'UTC') COMMENT 'When it was raised first',
    `due` Date COMMENT 'By when a person has to have decided',
    `status` String COMMENT 'open, taken or closed',
    `analyst` String COMMENT 'Who took it; empty: nobody',
    `outcome` String COMMENT 'false_positive, explained or reported, once closed',
    `reason` String COMMENT 'What the analyst found',
    `reference` String COMMENT 'The authority\'s for the report that was filed'
)
ENGINE = MergeTree
ORDER BY ((report_date, scenario, alert_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Alerts of market-abuse surveillance with how far people are with each.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_abuse_break
(
    `report_date` Date COMMENT 'UTC day',
    `scenario` String COMMENT 'Name of the scenario; empty: all',
    `rule_id` String COMMENT 'day_not_scanned, events_after_scan, review_overdue',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What there is'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((rule_id, scenario))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Where market-abuse surveillance has a hole.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_abuse_scan
(
    `report_date` Date COMMENT 'UTC day that was looked at',
    `scenario` String COMMENT 'Name of the scenario',
    `scenario_version` String COMMENT 'Version of its parameters',
    `title` String COMMENT 'Its title',
    `says` String COMMENT 'What it looks for',
    `basis` String COMMENT 'Practice in the law that it stands for',
    `parameters` String COMMENT 'Its parameters, JSON',
    `review` Date COMMENT 'By when its parameters are to be reviewed',
    `events` UInt64 COMMENT 'Order events of the day when it looked',
    `alerts` UInt64 COMMENT 'Alerts that it raised',
    `closed_year` UInt64 COMMENT 'Its alerts of the year before that are decided',
    `false_year` UInt64 COMMENT 'Of these the false positives'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY (scenario)
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Each day\'s look by each scenario of market abuse.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_alert_latency
(
    `report_date` Date COMMENT 'UTC date of the report',
    `alert_id` String COMMENT 'Event the alert follows from',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `control` String COMMENT 'Denial reason or state',
    `subject` String COMMENT 'What it was done to',
    `detail` String COMMENT 'What was seen, and the limit',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'When it happened, UTC',
    `ts_raised` DateTime64(6, 'UTC') COMMENT 'When the alert was out',
    `latency_ms` Float64 COMMENT 'From the event to the alert',
    `in_time` Bool COMMENT 'Whether that is within five seconds',
    `channel` String COMMENT 'How people were told',
    `order_id` String COMMENT 'Order that was blocked or lost; empty of a stop. tickhouse explain takes it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, ts_event, alert_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'How long alerts took.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_broker_reconciliation
(
    `report_date` Date COMMENT 'UTC date of the report',
    `account` String COMMENT 'Account the run trades',
    `item` String COMMENT 'deal, position or money',
    `item_key` String COMMENT 'Ticket, or which amount',
    `symbol` String COMMENT 'Instrument as the source names it',
    `ours` Float64 COMMENT 'From our journal: money, or signed lots of a position',
    `theirs` Float64 COMMENT 'From the broker\'s statement',
    `difference` Float64 COMMENT 'Ours less theirs',
    `status` String COMMENT 'matched, or how it differs',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, item, item_key))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Our books against the last statement of the broker.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_client_money
(
    `report_date` Date COMMENT 'UTC date that is compared',
    `account` String COMMENT 'Account the run trades',
    `client` String COMMENT 'Pseudonym of whom it trades for; empty for the firm itself',
    `item` String COMMENT 'balance, open profit, equity, margin, or statement where there was none',
    `currency` String COMMENT 'Of the account, and of all money here',
    `ours` Float64 COMMENT 'From the order journal, our last ticks and reference data',
    `theirs` Float64 COMMENT 'From the broker\'s last statement of the day',
    `difference` Float64 COMMENT 'Ours less theirs',
    `tolerance` Float64 COMMENT 'What a difference may be',
    `status` String COMMENT 'matched, differs, or why it could not be compared',
    `severity` String COMMENT 'error, or warning of margin; empty when it agrees',
    `owner` String COMMENT 'Who clears it; empty when it agrees',
    `since` Date COMMENT 'First of the days on which it differs one after another; 1970 when it agrees',
    `age_days` UInt16 COMMENT 'Days since then',
    `ts_stated` DateTime64(6, 'UTC') COMMENT 'Market time for which the statement holds; 1970 without',
    `ts_compared` DateTime64(6, 'UTC') COMMENT 'When it was compared'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, item))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Client money of each day, books beside the broker\'s statement (Directive 2014/65/EU, article 16(8) and (9)).';

CREATE TABLE IF NOT EXISTS {marts}.rpt_client_money_break
(
    `report_date` Date COMMENT 'UTC date that is compared',
    `account` String COMMENT 'Account the run trades',
    `item` String COMMENT 'Which amount; statement where there was none, all where nobody compared',
    `status` String COMMENT 'differs, not compared, or why it could not be',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `owner` String COMMENT 'Who clears it',
    `since` Date COMMENT 'First of the days on which it differs one after another',
    `age_days` UInt16 COMMENT 'Days since then'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, item))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Client money that differs, could not be compared, or was not.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_clock_break
(
    `report_date` Date COMMENT 'UTC date of the report',
    `host` String COMMENT 'Machine measured; empty when none was',
    `source` String COMMENT 'Reference; empty when the rule is about all of them',
    `field` String COMMENT 'Column of the summary',
    `rule_id` String COMMENT 'Rule that is broken',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What the column holds'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((host, source, rule_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Clocks beyond the limits, and clocks nobody can speak for.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_clock_measurement
(
    `report_date` Date COMMENT 'UTC date of the report',
    `host` String COMMENT 'Machine measured',
    `source` String COMMENT 'Reference it was held to: chrony\'s, the kernel, a time server, or a broker',
    `method` String COMMENT 'chrony, kernel, ntp, or ticks',
    `stamp_point` String COMMENT 'Which time stamps the measurement speaks of',
    `ts_measured` DateTime64(6, 'UTC') COMMENT 'When, by the clock that was measured',
    `stratum` UInt8 COMMENT 'Distance of the reference from a reference clock; 0 when it does not say',
    `traceable` Bool COMMENT 'Whether the reference claims to be UTC; a broker does not, and is held to no limit',
    `synchronised` Bool COMMENT 'Whether the reference says that it is synchronised itself',
    `offset_us` Float64 COMMENT 'Our clock less the reference',
    `uncertainty_us` Float64 COMMENT 'How wrong that may be: way, root delay and dispersion, or the kernel\'s maximum error',
    `divergence_us` Float64 COMMENT 'Offset without its sign, and uncertainty: the most the clock can have been off',
    `divergence_limit_us` Nullable(Float64) COMMENT 'Allowed by RTS 25 for clock_category; empty for a reference that is not traceable',
    `granularity_us` Float64 COMMENT 'Smallest step of the time stamps',
    `granularity_limit_us` Nullable(Float64) COMMENT 'Allowed by RTS 25 for clock_category',
    `is_breach` Bool COMMENT 'Beyond a limit, or the reference is not synchronised',
    `detail` String COMMENT 'What else was said'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((host, source, ts_measured))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Measurements of clocks, with the limits of RTS 25.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_clock_sync
(
    `report_date` Date COMMENT 'UTC date of the report',
    `host` String COMMENT 'Machine measured',
    `source` String COMMENT 'Reference it was held to',
    `stamp_point` String COMMENT 'Which time stamps',
    `method` String COMMENT 'chrony, kernel, ntp, or ticks',
    `traceable` Bool COMMENT 'Whether the reference claims to be UTC',
    `stratum_max` UInt8 COMMENT 'Largest distance from a reference clock',
    `samples` UInt64 COMMENT 'Measurements',
    `ts_first` DateTime64(6, 'UTC') COMMENT 'The first',
    `ts_last` DateTime64(6, 'UTC') COMMENT 'The last',
    `longest_gap_minutes` Float64 COMMENT 'Longest time between two',
    `offset_max_us` Float64 COMMENT 'Largest offset, without its sign',
    `offset_p99_us` Float64 COMMENT '99th percentile of it',
    `uncertainty_max_us` Float64 COMMENT 'Largest uncertainty',
    `divergence_max_us` Float64 COMMENT 'The most the clock can have been off',
    `divergence_limit_us` Nullable(Float64) COMMENT 'Allowed by RTS 25 for clock_category',
    `granularity_max_us` Float64 COMMENT 'Coarsest step of the stamps',
    `granularity_limit_us` Nullable(Float64) COMMENT 'Allowed by RTS 25 for clock_category',
    `unsynchronised` UInt64 COMMENT 'Measurements whose reference was not synchronised',
    `breaches` UInt64 COMMENT 'Measurements beyond a limit'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((host, source, stamp_point))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Divergence and granularity per host and reference and day.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_control_block
(
    `report_date` Date COMMENT 'UTC date of the report',
    `ts_blocked` DateTime64(6, 'UTC') COMMENT 'When the control acted',
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `side` String COMMENT 'BUYI or SELL; buy or sell where it is our own word',
    `purpose` String COMMENT 'entry, horizon, opposite, stop or flatten',
    `volume` Float64 COMMENT 'Lots',
    `price` Float64 COMMENT 'Price asked for, or of the fill',
    `control` String COMMENT 'Denial reason or state',
    `limit_value` Float64 COMMENT 'Limit of the control',
    `observed` Float64 COMMENT 'What the control saw',
    `limits_version` String COMMENT 'Version of the limits, with the override that held',
    `action` String COMMENT 'What was done',
    `approver` String COMMENT 'Who approved the override that held; empty without one',
    `journal_seq` UInt64 COMMENT 'Record of the order journal'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, ts_blocked, order_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Orders that a control of ours blocked.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_control_break
(
    `report_date` Date COMMENT 'UTC date of the report',
    `item` String COMMENT 'alert, order, change or strategy',
    `row_id` String COMMENT 'Which: alert, order, number of the audit event, or strategy',
    `field` String COMMENT 'Column that is wrong or stands out',
    `rule_id` String COMMENT 'Rule that is broken',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What the column holds',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it; empty of a change',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((item, row_id, rule_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Holes in the evidence of controls.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_control_change
(
    `report_date` Date COMMENT 'UTC date of the report',
    `stream` String COMMENT 'Audit stream',
    `seq` UInt64 COMMENT 'Number within the stream',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'When it happened, UTC',
    `actor` String COMMENT 'Who did it',
    `authenticated` Bool COMMENT 'Whether a password was given',
    `action` String COMMENT 'What was done',
    `subject` String COMMENT 'What it was done to',
    `reason` String COMMENT 'Denial reason, the venue\'s words, or why',
    `told` String COMMENT 'The detail in words',
    `event_hash` String COMMENT 'Hash of the journalled event'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((ts_event, stream, seq))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What people did to the controls; not what they did with reports, breaks, cases and incidents.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_control_version
(
    `report_date` Date COMMENT 'UTC date on which it was signed',
    `number` UInt64 COMMENT 'Number within the chain: what limits_version of a denial names behind its #',
    `ts_signed` DateTime64(6, 'UTC') COMMENT 'When it was signed',
    `kind` String COMMENT 'What was signed: limits, override, resume, strategy, person, approve, ...',
    `subject` String COMMENT 'Which strategy, model, server, person or table; empty when there is one',
    `base` UInt64 COMMENT 'Version it would replace, 0 for none; of approve and withdraw the entry they are about',
    `raises` Bool COMMENT 'Whether it raises risk against that version, as the signer was told',
    `signed_by` String COMMENT 'Who signed it first',
    `reason` String COMMENT 'Why, in the words of the signer',
    `changes` String COMMENT 'Old and new of each change, a line each, as the signer was shown them',
    `approved_by` String COMMENT 'Who signed it second; empty where nobody did',
    `ts_approved` Nullable(DateTime64(6, 'UTC')) COMMENT 'When that was',
    `withdrawn_by` String COMMENT 'Who took it back; empty where nobody did',
    `ts_withdrawn` Nullable(DateTime64(6, 'UTC')) COMMENT 'When that was',
    `ts_until` Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ends; null for what only another replaces',
    `content_hash` String COMMENT 'SHA-256 of what was signed',
    `event_hash` String COMMENT 'SHA-256 of its line in the chain'
)
ENGINE = MergeTree
ORDER BY (number)
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Every signed version of a control, and what became of it.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_emir_break
(
    `report_date` Date COMMENT 'UTC date of the report',
    `record_id` String COMMENT 'The record that breaks it',
    `field` String COMMENT 'Table and field, as 2.1; empty when no field is wrong',
    `rule_id` String COMMENT 'Rule',
    `severity` String COMMENT 'error bars the release, warning does not',
    `value` String COMMENT 'What was there',
    `owner` String COMMENT 'Who has to mend it',
    `order_id` String COMMENT 'Our order',
    `signal_id` String COMMENT 'Signal behind it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((record_id, field, rule_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What is wrong with an EMIR report: unknown, malformed, contradictory, twice.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_emir_field
(
    `report_date` Date COMMENT 'UTC date of the report',
    `table_number` UInt8 COMMENT '1 counterparties, 2 common data, 3 margin',
    `field` UInt8 COMMENT 'Number of the field in its table',
    `field_name` String COMMENT 'Its name here',
    `status` String COMMENT 'filled, not applicable or missing',
    `reason` String COMMENT 'Why it is not applicable, or what to supply',
    `reports` UInt64 COMMENT 'Reports of the day of which that holds',
    `order_id` String COMMENT 'Our order: of the first of them'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((table_number, field, status, reason))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Every field of EMIR\'s tables over the day\'s reports: filled, not applicable and why, or missing and what to supply.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_emir_margin
(
    `report_date` Date COMMENT 'UTC date of the report',
    `record_id` String COMMENT 'Our id of the record, in the message and in answers to it',
    `layout_version` String COMMENT 'Version of this layout; drafts until a compliance officer signs them',
    `regime` String COMMENT 'EU or UK: reference_emir_account',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account whose margin it is',
    `source` String COMMENT 'Broker or feed, of what is not in a portfolio; else of its first contract',
    `contracts` UInt64 COMMENT 'Open contracts that it is of',
    `order_id` String COMMENT 'Our order: of the last fill of its first contract',
    `signal_id` String COMMENT 'Signal that asked for it',
    `t3_02_report_submitting_entity` String COMMENT 'Table 3, field 2: as field 1.2',
    `t3_03_entity_responsible` String COMMENT 'Table 3, field 3: as field 1.3',
    `t3_04_counterparty_1` String COMMENT 'Table 3, field 4: as field 1.4',
    `t3_05_counterparty_2_by_lei` String COMMENT 'Table 3, field 5: true: parties of the reference data have LEIs',
    `t3_06_counterparty_2` String COMMENT 'Table 3, field 6: as field 1.9',
    `t3_07_collateral_timestamp` String COMMENT 'Table 3, field 7: time of that state of the account',
    `t3_08_portfolio_indicator` String COMMENT 'Table 3, field 8: whether reference_emir_account.portfolio_code is given',
    `t3_09_portfolio_code` String COMMENT 'Table 3, field 9: reference_emir_account.portfolio_code',
    `t3_10_uti` String COMMENT 'Table 3, field 10: of what is not in a portfolio: the contract\'s UTI',
    `t3_11_category` String COMMENT 'Table 3, field 11: reference_emir_account.collateral (2022/1860, article 5)',
    `t3_12_initial_posted_before_haircut` String COMMENT 'Table 3, field 12: account_state.margin at the day\'s end, where the category has counterparty 1 post it',
    `t3_13_initial_posted` String COMMENT 'Table 3, field 13: the same: cash has no haircut',
    `t3_14_initial_posted_currency` String COMMENT 'Table 3, field 14: account_state.currency',
    `t3_28_action_type` String COMMENT 'Table 3, field 28: MARU; CORR when packaging corrects what was released before',
    `t3_29_event_date` String COMMENT 'Table 3, field 29: the day of the report',
    `t3_30_execution_agent` String COMMENT 'Table 3, field 30, which the United Kingdom alone asks for: LEI of reference_emir_account.execution_agent'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, record_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'EMIR margin, draft layout: what is posted for the open contracts of each portfolio, or of each contract that is in none.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_emir_report
(
    `report_date` Date COMMENT 'UTC date of the report',
    `record_id` String COMMENT 'Our id of the record, in the message and in answers to it',
    `reportable` Bool COMMENT 'Whether the reference data of the day says it is reported',
    `reportable_reason` String COMMENT 'Why, or why not',
    `layout_version` String COMMENT 'Version of this layout; drafts until a compliance officer signs them',
    `regime` String COMMENT 'EU or UK: reference_emir_account',
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `order_id` String COMMENT 'Our order: of the last fill of a position or valuation',
    `signal_id` String COMMENT 'Signal that asked for it',
    `venue_deal` UInt64 COMMENT 'Deal ticket of the venue, as order_id',
    `journal_seq` UInt64 COMMENT 'Record of the order journal, as order_id',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'Time of that fill at the venue',
    `contract_key` String COMMENT 'What the contract is known by: mode, run, account, feed, level, first deal and record',
    `sequence` UInt8 COMMENT 'Order of what happened at one moment: a position after its components, its end after its beginning',
    `uti_generator` String COMMENT 'LEI of who generates the UTI; empty when it is neither party',
    `has_instrument` Bool COMMENT 'Whether reference_instrument knows the instrument on the day',
    `has_account` Bool COMMENT 'Whether reference_account knows the account on the day',
    `has_emir_account` Bool COMMENT 'Whether reference_emir_account knows the account on the day',
    `has_emir_parties` Bool COMMENT 'Whether reference_emir_party knows both counterparties on the day',
    `has_emir_instrument` Bool COMMENT 'Whether reference_emir_instrument knows the instrument on the day',
    `instrument_since` Date COMMENT 'First day of which reference_instrument knows the instrument',
    `counterparty_1_lei_until` Date COMMENT 'Renewal of counterparty 1\'s LEI',
    `counterparty_2_lei_until` Date COMMENT 'Renewal of counterparty 2\'s LEI',
    `t1_02_report_submitting_entity` String COMMENT 'Table 1, field 2: LEI of reference_account.submitter',
    `t1_03_entity_responsible` String COMMENT 'Table 1, field 3: LEI of reference_emir_account.responsible; empty there: counterparty 1',
    `t1_04_counterparty_1` String COMMENT 'Table 1, field 4: LEI of reference_account.client_party: on whose account it is',
    `t1_05_nature_1` String COMMENT 'Table 1, field 5: reference_emir_party.nature',
    `t1_06_sector_1` String COMMENT 'Table 1, field 6: reference_emir_party.sector',
    `t1_07_threshold_1` String COMMENT 'Table 1, field 7: reference_emir_party.above_threshold',
    `t1_08_counterparty_2_by_lei` String COMMENT 'Table 1, field 8: true: parties of the reference data have LEIs',
    `t1_09_counterparty_2` String COMMENT 'Table 1, field 9: LEI of reference_account.counterparty',
    `t1_11_nature_2` String COMMENT 'Table 1, field 11: reference_emir_party.nature',
    `t1_12_sector_2` String COMMENT 'Table 1, field 12: reference_emir_party.sector',
    `t1_13_threshold_2` String COMMENT 'Table 1, field 13: reference_emir_party.above_threshold',
    `t1_14_obligation_2` String COMMENT 'Table 1, field 14: reference_emir_party.obligated',
    `t1_17_direction` String COMMENT 'Table 1, field 17: BYER when the contract is long (2022/1860, article 4(6)); of a position that turned around, its side now',
    `t1_21_execution_agent` String COMMENT 'Table 1, field 21, which the United Kingdom alone asks for: LEI of reference_emir_account.execution_agent',
    `t2_001_uti` String COMMENT 'Table 2, field 1: LEI of who generates it (article 7(3)), TH and 30 hex digits of SHA-256 over mode, run, account, feed, level and first deal; what utis.csv says goes before',
    `t2_004_subsequent_position_uti` String COMMENT 'Table 2, field 4: of a component: the UTI of its position',
    `t2_007_isin` String COMMENT 'Table 2, field 7: reference_instrument.isin',
    `t2_008_upi` String COMMENT 'Table 2, field 8: reference_emir_instrument.upi, where there is no ISIN',
    `t2_009_cfi` String COMMENT 'Table 2, field 9: reference_instrument.cfi',
    `t2_010_contract_type` String COMMENT 'Table 2, field 10: reference_emir_instrument.contract_type',
    `t2_011_asset_class` String COMMENT 'Table 2, field 11: reference_emir_instrument.asset_class',
    `t2_012_crypto` String COMMENT 'Table 2, field 12: reference_emir_instrument.crypto',
    `t2_013_underlying_type` String COMMENT 'Table 2, field 13: reference_emir_instrument.underlying_kind',
    `t2_014_underlying_id` String COMMENT 'Table 2, field 14: reference_instrument.underlying_isin',
    `t2_016_underlying_index_name` String COMMENT 'Table 2, field 16: reference_instrument.underlying_index',
    `t2_019_settlement_currency_1` String COMMENT 'Table 2, field 19: reference_emir_instrument.settlement_currency',
    `t2_021_valuation_amount` String COMMENT 'Table 2, field 21: of a valuation: (mid less price) times quantity; mid of the last one-minute bar of our ticks before the day\'s end, at most six days old',
    `t2_022_valuation_currency` String COMMENT 'Table 2, field 22: reference_instrument.price_currency',
    `t2_023_valuation_timestamp` String COMMENT 'Table 2, field 23: end of that bar',
    `t2_024_valuation_method` String COMMENT 'Table 2, field 24: MTMA: quotes of the broker',
    `t2_026_portfolio_indicator` String COMMENT 'Table 2, field 26: whether reference_emir_account.portfolio_code is given',
    `t2_027_portfolio_code` String COMMENT 'Table 2, field 27: reference_emir_account.portfolio_code',
    `t2_028_confirmation_timestamp` String COMMENT 'Table 2, field 28: time of the fill, when trades are confirmed: the venue answers with it',
    `t2_029_confirmed` String COMMENT 'Table 2, field 29: reference_emir_account.confirmed, of new trades',
    `t2_030_clearing_obligation` String COMMENT 'Table 2, field 30: reference_emir_instrument.clearing_obligation',
    `t2_031_cleared` String COMMENT 'Table 2, field 31: Y where the central counterparty generates UTIs, else N',
    `t2_034_master_agreement` String COMMENT 'Table 2, field 34: reference_emir_account.agreement',
    `t2_035_other_master_agreement` String COMMENT 'Table 2, field 35: reference_emir_account.agreement_other',
    `t2_036_master_agreement_version` String COMMENT 'Table 2, field 36: reference_emir_account.agreement_year',
    `t2_037_intragroup` String COMMENT 'Table 2, field 37: reference_emir_account.intragroup',
    `t2_038_ptrr` String COMMENT 'Table 2, field 38: false: no post-trade risk reduction in MT5',
    `t2_041_venue` String COMMENT 'Table 2, field 41: reference_instrument.venue',
    `t2_042_execution_timestamp` String COMMENT 'Table 2, field 42: time of the contract\'s first fill, whole seconds, UTC',
    `t2_043_effective_date` String COMMENT 'Table 2, field 43: day of that fill: the contract names no other',
    `t2_044_expiration_date` String COMMENT 'Table 2, field 44: reference_instrument.expiry',
    `t2_045_early_termination_date` String COMMENT 'Table 2, field 45: of a termination: the day',
    `t2_047_delivery` String COMMENT 'Table 2, field 47: reference_instrument.delivery',
    `t2_048_price` String COMMENT 'Table 2, field 48: price of the fill; of a contract its average: what reduces it leaves the price (2022/1855, article 6(1)(c))',
    `t2_049_price_currency` String COMMENT 'Table 2, field 49: reference_instrument.price_currency',
    `t2_055_notional_1` String COMMENT 'Table 2, field 55: price times total notional quantity (article 5(1)(g))',
    `t2_056_notional_currency_1` String COMMENT 'Table 2, field 56: reference_instrument.price_currency',
    `t2_060_quantity_1` String COMMENT 'Table 2, field 60: lots times units_per_lot times price_multiplier',
    `t2_116_base_product` String COMMENT 'Table 2, field 116: reference_emir_instrument.base_product',
    `t2_117_sub_product` String COMMENT 'Table 2, field 117: reference_emir_instrument.sub_product',
    `t2_118_further_sub_product` String COMMENT 'Table 2, field 118: reference_emir_instrument.further_sub_product',
    `t2_151_action_type` String COMMENT 'Table 2, field 151: NEWT, MODI, TERM, POSC, VALU; CORR, EROR and REVI when packaging corrects what was released before',
    `t2_152_event_type` String COMMENT 'Table 2, field 152: TRAD, INCP, ETRM; empty of VALU, CORR, EROR and REVI',
    `t2_153_event_date` String COMMENT 'Table 2, field 153: the day of the report',
    `t2_154_level` String COMMENT 'Table 2, field 154: TCTN or PSTN, as reference_emir_account.level says',
    `price_notation` String COMMENT 'MONE, PERC, YIEL or BAPO',
    `collateral` String COMMENT 'reference_emir_account.collateral',
    `portfolio` String COMMENT 'reference_emir_account.portfolio_code'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, ts_event, record_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'EMIR trade activity and valuations, draft layout: what is reported of each fill, contract and position, or excluded with the reason.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_execution_break
(
    `report_date` Date COMMENT 'UTC date of the report',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it',
    `journal_seq` UInt64 COMMENT 'First record of the order in the journal',
    `field` String COMMENT 'Column that is wrong or stands out',
    `rule_id` String COMMENT 'Rule that is broken',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What the column holds'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, order_id, rule_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Orders whose figures cannot be right, and those a reviewer should look at.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_execution_order
(
    `report_date` Date COMMENT 'UTC date of the report',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `run_id` String COMMENT 'Run the row belongs to',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it. Of a stop: the order that opened the position',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it',
    `journal_seq` UInt64 COMMENT 'First record of the order in the journal; of a stop its own record',
    `side` String COMMENT 'buy or sell',
    `purpose` String COMMENT 'entry, horizon, opposite, flatten; of what the broker closed its cause',
    `order_type` String COMMENT 'market; limit or stop: it waited for its price; stop at the broker, or closed by the broker',
    `ts_sent` DateTime64(6, 'UTC') COMMENT 'When the order was journalled to be sent, our clock; of a stop the venue\'s time',
    `ts_filled` Nullable(DateTime64(6, 'UTC')) COMMENT 'Last fill, the venue\'s time',
    `outcome` String COMMENT 'filled, partially_filled, rejected, cancelled, expired, working (it waits for its price), unknown, or busted: taken back by the broker later',
    `refusal` String COMMENT 'Return code and text of the venue when not all was filled',
    `volume_asked` Float64 COMMENT 'Lots sent',
    `volume_filled` Float64 COMMENT 'Lots filled',
    `fill_ratio` Float64 COMMENT 'Lots filled of those sent',
    `reference_kind` String COMMENT 'tick mid: last stored quote when sent; stop level; order price, of one that waited; journal mid when no quote is younger than tca_quote_s; none',
    `reference_price` Float64 COMMENT 'The price that slippage is counted from',
    `spread_bp` Nullable(Float64) COMMENT 'Spread of that quote, basis points',
    `quote_age_ms` Nullable(Float64) COMMENT 'Age of that quote when the order was sent',
    `mid_difference_bp` Nullable(Float64) COMMENT 'Mid of that quote against the mid that was journalled with the order',
    `price_filled` Nullable(Float64) COMMENT 'Average price of the fills',
    `slippage_bp` Nullable(Float64) COMMENT 'How much worse than the reference, basis points; negative is better',
    `commission` Float64 COMMENT 'Of the fills, account currency',
    `known_ms` Nullable(Float64) COMMENT 'From sent to the first fill journalled, both by our clock; null for one that waited',
    `venue_ms` Nullable(Float64) COMMENT 'From sent, our clock, to the last fill, the venue\'s clock',
    `twin_outcome` String COMMENT 'What the broker\'s twin made of the same order; empty without a twin',
    `twin_slippage_bp` Nullable(Float64) COMMENT 'The twin\'s slippage against the journalled mid',
    `over_twin_bp` Nullable(Float64) COMMENT 'How much worse the broker\'s price is than the twin\'s, basis points',
    `twin_ms` Nullable(Float64) COMMENT 'The twin\'s time to a fill'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, ts_sent, order_id, order_type))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Execution quality, order by order: what was asked, what came of it, how far from the mid, how fast, and the broker\'s twin beside it.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_execution_quality
(
    `report_date` Date COMMENT 'UTC date of the report',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `order_type` String COMMENT 'market; limit or stop: it waited for its price; stop at the broker, or closed by the broker',
    `purpose` String COMMENT 'entry, horizon, opposite, flatten; of what the broker closed its cause',
    `hour` UInt8 COMMENT 'Hour of the day, UTC',
    `orders` UInt64 COMMENT 'Orders sent, or closings by the broker',
    `filled` UInt64 COMMENT 'Filled whole',
    `partially_filled` UInt64 COMMENT 'Filled in part',
    `rejected` UInt64 COMMENT 'Refused by the venue',
    `not_executed` UInt64 COMMENT 'Cancelled, expired, waiting, taken back by the broker, or of unknown outcome',
    `fill_ratio` Nullable(Float64) COMMENT 'Lots filled of lots sent',
    `reject_ratio` Float64 COMMENT 'Orders refused of orders sent',
    `spread_mean_bp` Nullable(Float64) COMMENT 'Mean spread when sent',
    `slippage_mean_bp` Nullable(Float64) COMMENT 'Mean slippage against the reference',
    `slippage_p50_bp` Nullable(Float64) COMMENT 'Median slippage',
    `slippage_p95_bp` Nullable(Float64) COMMENT 'Slippage that 5 % of orders exceed',
    `slippage_worst_bp` Nullable(Float64) COMMENT 'Worst slippage',
    `known_ms_p50` Nullable(Float64) COMMENT 'Median time to the first fill known, our clock',
    `known_ms_p99` Nullable(Float64) COMMENT '99th percentile of it',
    `venue_ms_p50` Nullable(Float64) COMMENT 'Median time to the last fill, the venue\'s clock',
    `venue_ms_p99` Nullable(Float64) COMMENT '99th percentile of it',
    `twin_orders` UInt64 COMMENT 'Orders that the broker\'s twin got too',
    `twin_disagrees` UInt64 COMMENT 'Orders that only one of both refused',
    `over_twin_mean_bp` Nullable(Float64) COMMENT 'Mean of how much worse than the twin',
    `worst_order_id` String COMMENT 'The order with the worst slippage; tickhouse explain takes it',
    `worst_signal_id` String COMMENT 'Its signal; tickhouse explain takes it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, source, symbol, order_type, purpose, hour))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Execution quality by instrument, kind of order, purpose and hour.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_incident
(
    `report_date` Date COMMENT 'UTC day on which it was first told of',
    `incident_id` String COMMENT 'tickhouse incidents show takes it',
    `account` String COMMENT 'Account of the installation',
    `title` String COMMENT 'What is disturbed',
    `rule` String COMMENT 'Alert rule that opened it; empty: a person did',
    `subject` String COMMENT 'Feed, process or account that it is about',
    `ts_began` DateTime64(6, 'UTC') COMMENT 'When it began, as far as is known',
    `ts_aware` DateTime64(6, 'UTC') COMMENT 'When it was first told of',
    `ts_ended` DateTime64(6, 'UTC') COMMENT 'When it was over; 1970 while it goes on',
    `alerts` UInt64 COMMENT 'How often its alert fired',
    `status` String COMMENT 'open, classified or closed',
    `major` Bool COMMENT 'Whether the newest classification says major',
    `impact` String COMMENT 'What it did by that classification, JSON',
    `basis` String COMMENT 'Thresholds that it meets, with the article',
    `classified_by` String COMMENT 'Who classified it last; empty: nobody',
    `ts_classified` DateTime64(6, 'UTC') COMMENT 'When; 1970: not yet',
    `ts_initial` DateTime64(6, 'UTC') COMMENT 'When the initial notification was filed; 1970: not',
    `ts_intermediate` DateTime64(6, 'UTC') COMMENT 'When the newest intermediate report was filed; 1970: not',
    `ts_final` DateTime64(6, 'UTC') COMMENT 'When the final report was filed; 1970: not',
    `filed` String COMMENT 'What was filed, with the reference, in order',
    `due_step` String COMMENT 'What is due next; empty: nothing',
    `ts_due` DateTime64(6, 'UTC') COMMENT 'By when; 1970: nothing is due',
    `cause` String COMMENT 'Why it happened, once closed',
    `closed_by` String COMMENT 'Who closed it',
    `ts_closed` DateTime64(6, 'UTC') COMMENT 'When; 1970 while it is not'
)
ENGINE = MergeTree
ORDER BY ((report_date, incident_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'The register of incidents as it stands.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_incident_break
(
    `report_date` Date COMMENT 'UTC day on which the limit passed',
    `incident_id` String COMMENT 'The incident',
    `rule_id` String COMMENT 'not_classified, not_filed, filed_late',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What is due, or came late'
)
ENGINE = MergeTree
ORDER BY ((report_date, rule_id, incident_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Where the register of incidents is late.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_kill_register
(
    `report_date` Date COMMENT 'UTC date of the report',
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `ts_stopped` DateTime64(6, 'UTC') COMMENT 'When trading was stopped',
    `state` String COMMENT 'halted or reducing',
    `stopped_by` String COMMENT 'Person or breaker',
    `trigger_kind` String COMMENT 'person or breaker',
    `reason` String COMMENT 'Denial reason, the venue\'s words, or why',
    `scope` String COMMENT 'What was stopped',
    `orders_cancelled` UInt64 COMMENT 'Orders that ended unexecuted while stopped',
    `positions_closed` UInt64 COMMENT 'Closing orders of a flattening halt that filled',
    `ms_to_last` Nullable(Float64) COMMENT 'Milliseconds from the stop to the last of them',
    `next_state` String COMMENT 'State that followed; empty while it lasts',
    `next_by` String COMMENT 'Who set that state',
    `ts_next` Nullable(DateTime64(6, 'UTC')) COMMENT 'When that was'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, ts_stopped))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Every time trading was stopped.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_lineage
(
    `report_date` Date COMMENT 'UTC date of the event',
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `journal_seq` UInt64 COMMENT 'Journal record',
    `event_id` String COMMENT 'order_id, a dot and the count within the order',
    `own_event` String COMMENT 'What happened to the order, in our words',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'Market time; the time of the venue for what the venue did',
    `order_id` String COMMENT 'Our order',
    `venue_deal` UInt64 COMMENT 'Deal ticket of the venue',
    `session_id` String COMMENT 'Session that journalled it',
    `signal_id` String COMMENT 'Signal behind it; empty for what nobody signalled',
    `signal_session_id` String COMMENT 'Session that decided',
    `settings_hash` String COMMENT 'Settings of that session: a row of content',
    `strategy_hash` String COMMENT 'Strategy of a person in that session: a row of content',
    `model` String COMMENT 'SHA-256 of the artefact, or the strategy when no model spoke',
    `prediction_id` String COMMENT 'Prediction at that tick; empty without a model',
    `feature_set_hash` String COMMENT 'Feature set of the row at that tick',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument',
    `ts_tick` DateTime64(6, 'UTC') COMMENT 'Market time of the tick that caused the signal',
    `tick_seq` UInt32 COMMENT 'Count of that tick within its millisecond',
    `tick_status` String COMMENT 'unchanged, corrected, withdrawn or missing; empty without a signal',
    `tick_bid_then` Decimal(18, 8) COMMENT 'Bid that the decision saw',
    `tick_ask_then` Decimal(18, 8) COMMENT 'Ask that the decision saw',
    `tick_bid` Decimal(18, 8) COMMENT 'Bid as it stands',
    `tick_ask` Decimal(18, 8) COMMENT 'Ask as it stands',
    `tick_correction_id` String COMMENT 'Correction that brought what stands; empty: none',
    `features_hash` String COMMENT 'Own features of that session: a row of content; empty without any'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, run_id, journal_seq))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Lineage of every order event of a day: what it comes from, down to the tick as the decision saw it and as it stands.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_order_record
(
    `report_date` Date COMMENT 'UTC date of the report',
    `journal_seq` UInt64 COMMENT 'Record of the order journal',
    `event_code` String COMMENT 'Event in the vocabulary of RTS 24, from macros/order_codes.sql; empty for what never reached the venue, and for acknowledgements',
    `own_event` String COMMENT 'Event as order_event names it',
    `ts_event` DateTime64(6, 'UTC') COMMENT 'When it happened, UTC',
    `ts_recorded` DateTime64(6, 'UTC') COMMENT 'When it was journalled, UTC',
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `decision_id` String COMMENT 'Who decided: reference_person of the day',
    `execution_id` String COMMENT 'Who executed: reference_person of the day',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `isin` String COMMENT 'reference_instrument of the day',
    `venue` String COMMENT 'MIC: reference_instrument of the day',
    `side` String COMMENT 'BUYI or SELL; buy or sell where it is our own word',
    `purpose` String COMMENT 'entry, horizon, opposite, stop or flatten',
    `order_type` String COMMENT 'LMTO or STOP: it waits for its price; MARK: at the market within a collar',
    `validity` String COMMENT 'GTCV, DAVY, GTTV: how long it waits, as the venue was told; IOCV: what does not fill at once is cancelled',
    `quantity_ordered` Float64 COMMENT 'Lots of the order when it was sent',
    `quantity_event` Float64 COMMENT 'Lots of this fill; 0 for other events',
    `quantity_left` Float64 COMMENT 'Lots ordered and not filled after this event',
    `price` Float64 COMMENT 'Price asked for, or of the fill',
    `price_currency` String COMMENT 'reference_instrument of the day',
    `stop_price` Float64 COMMENT 'Stop sent with the entry; of a moved stop the new one',
    `reason` String COMMENT 'Denial reason, the venue\'s words, or why',
    `venue_order` UInt64 COMMENT 'Order ticket of the venue',
    `venue_deal` UInt64 COMMENT 'Deal ticket of the venue',
    `event_hash` String COMMENT 'Hash of the journalled event',
    `event_meaning` String COMMENT 'What the event means, from the table of codes; empty: an event that it does not know'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, run_id, journal_seq))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Order events in the vocabulary of RTS 24.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_order_record_break
(
    `report_date` Date COMMENT 'UTC date of the report',
    `run_id` String COMMENT 'Run the row belongs to',
    `account` String COMMENT 'Account the run trades',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it',
    `journal_seq` UInt64 COMMENT 'Record of the order journal',
    `own_event` String COMMENT 'Event as order_event names it',
    `rule_id` String COMMENT 'Rule that is broken',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What the field holds'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, run_id, journal_seq, rule_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Sequence checks of order records.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_retention
(
    `report_date` Date COMMENT 'UTC day of which it is',
    `subject` String COMMENT 'Table, or group of files',
    `kind` String COMMENT 'table or files',
    `policy` String COMMENT 'Name of its policy; empty: none names it',
    `title` String COMMENT 'Title of the policy',
    `basis` String COMMENT 'What asks for it',
    `policy_version` String COMMENT 'Version of the policy',
    `years` UInt8 COMMENT 'Years that it is kept at least; 0: nothing asks for it',
    `after_that` String COMMENT 'keep, or destroy',
    `ttl_days` UInt32 COMMENT 'Days after which the table itself forgets rows; 0: never',
    `total` UInt64 COMMENT 'Rows, or folders and files',
    `oldest` Nullable(Date) COMMENT 'UTC day of the oldest; null: none, or nothing tells',
    `due` UInt64 COMMENT 'Older than the years of the policy',
    `held` UInt64 COMMENT 'Of these under a legal hold',
    `destroyed` UInt64 COMMENT 'Destroyed in the month of the day, up to it',
    `holds` String COMMENT 'Legal holds that cover it',
    `ts_counted` DateTime64(6, 'UTC') COMMENT 'When it was counted'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY (subject)
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What was kept, since when, and what of it was due, held and destroyed.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_retention_break
(
    `report_date` Date COMMENT 'UTC day of the census',
    `subject` String COMMENT 'Table, group of files, policy or hold',
    `rule_id` String COMMENT 'hold_on_destroyed, ttl_too_short, ttl_under_hold, due_not_destroyed, without_policy, review_overdue',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `field` String COMMENT 'Field of policy, hold or table that it is about',
    `value` String COMMENT 'What there is'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((rule_id, subject, value))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Where retention\'s policies and what is there part.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_rts22_break
(
    `report_date` Date COMMENT 'UTC date of the report',
    `trade_id` String COMMENT 'Our id of the trade: the transaction reference',
    `field` String COMMENT 'Number of the field',
    `rule_id` String COMMENT 'Rule that is broken',
    `severity` String COMMENT 'error blocks the release, warning does not',
    `value` String COMMENT 'What the field holds',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((trade_id, field, rule_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'What is wrong with a reportable trade, and trades nobody decided about.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_rts22_field
(
    `report_date` Date COMMENT 'UTC date of the report',
    `field` UInt8 COMMENT 'Number of the field in annex I, table 2',
    `field_name` String COMMENT 'Column of rpt_rts22_transaction',
    `status` String COMMENT 'filled, not applicable, or missing: wanted, and empty',
    `reason` String COMMENT 'Why it is not applicable',
    `trades` UInt64 COMMENT 'Reportable trades of which this holds',
    `order_id` String COMMENT 'Order of one of them; tickhouse explain takes it'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((field, status, reason))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Every field of the day\'s reportable trades: filled, not applicable and why, or missing.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_rts22_transaction
(
    `report_date` Date COMMENT 'UTC date of the report',
    `trade_id` String COMMENT 'Our id of the trade: the transaction reference',
    `reportable` Bool COMMENT 'Whether the reference data of the day says it is reported',
    `reportable_reason` String COMMENT 'Why, or why not',
    `layout_version` String COMMENT 'Version of this layout; drafts until a compliance officer signs them',
    `run_id` String COMMENT 'Run the row belongs to',
    `mode` String COMMENT 'live, shadow, demo, replay or backtest',
    `account` String COMMENT 'Account the run trades',
    `strategy` String COMMENT 'Strategy that asked for it',
    `source` String COMMENT 'Broker or feed',
    `symbol` String COMMENT 'Instrument as the source names it',
    `order_id` String COMMENT 'Our order; tickhouse explain takes it',
    `signal_id` String COMMENT 'Signal that asked for it; tickhouse explain takes it',
    `venue_deal` UInt64 COMMENT 'Deal ticket of the venue',
    `journal_seq` UInt64 COMMENT 'Record of the order journal',
    `ts_trade` DateTime64(6, 'UTC') COMMENT 'Time of the fill at the venue',
    `has_account` Bool COMMENT 'Whether reference_account knows the account on the day',
    `has_instrument` Bool COMMENT 'Whether reference_instrument knows the instrument on the day',
    `has_person` Bool COMMENT 'Whether reference_person knows the strategy on the day',
    `executing_lei_until` Date COMMENT 'Renewal of the executing entity\'s LEI',
    `client_lei_until` Date COMMENT 'Renewal of the client\'s LEI',
    `counterparty_lei_until` Date COMMENT 'Renewal of the counterparty\'s LEI',
    `submitter_lei_until` Date COMMENT 'Renewal of the submitter\'s LEI',
    `f01_report_status` String COMMENT 'Field 1: Report status; NEWT; CANC when packaging cancels what was released before',
    `f02_transaction_reference` String COMMENT 'Field 2: Transaction reference number; TH and 30 hex digits of SHA-256 over mode, run, account, deal and journal record',
    `f03_venue_transaction_id` String COMMENT 'Field 3: Trading venue transaction identification code; not applicable off venue, else missing: MT5 tells none',
    `f04_executing_entity` String COMMENT 'Field 4: Executing entity; LEI of reference_account.executing_party',
    `f05_investment_firm` String COMMENT 'Field 5: Investment firm covered by 2014/65/EU; reference_account.investment_firm',
    `f06_submitting_entity` String COMMENT 'Field 6: Submitting entity; LEI of reference_account.submitter',
    `f07_buyer_id` String COMMENT 'Field 7: Buyer identification; LEI of the client when we buy, else of the counterparty',
    `f08_buyer_branch_country` String COMMENT 'Field 8: Country of the branch for the buyer; of a client that buys: reference_account.branch_country, else the executing party\'s country',
    `f09_buyer_first_names` String COMMENT 'Field 9: Buyer first names; empty: no natural person',
    `f10_buyer_surnames` String COMMENT 'Field 10: Buyer surnames; empty: no natural person',
    `f11_buyer_birth_date` String COMMENT 'Field 11: Buyer date of birth; empty: no natural person',
    `f12_buyer_decision_maker` String COMMENT 'Field 12: Buyer decision maker; LEI of the firm that decides for its client: reference_account.mandate',
    `f13_buyer_decision_first_names` String COMMENT 'Field 13: Buyer decision maker first names; empty',
    `f14_buyer_decision_surnames` String COMMENT 'Field 14: Buyer decision maker surnames; empty',
    `f15_buyer_decision_birth_date` String COMMENT 'Field 15: Buyer decision maker date of birth; empty',
    `f16_seller_id` String COMMENT 'Field 16: Seller identification; LEI of the counterparty when we buy, else of the client',
    `f17_seller_branch_country` String COMMENT 'Field 17: Country of the branch for the seller; of a client that sells, as field 8',
    `f18_seller_first_names` String COMMENT 'Field 18: Seller first names; empty: no natural person',
    `f19_seller_surnames` String COMMENT 'Field 19: Seller surnames; empty: no natural person',
    `f20_seller_birth_date` String COMMENT 'Field 20: Seller date of birth; empty: no natural person',
    `f21_seller_decision_maker` String COMMENT 'Field 21: Seller decision maker; as field 12, of a client that sells',
    `f22_seller_decision_first_names` String COMMENT 'Field 22: Seller decision maker first names; empty',
    `f23_seller_decision_surnames` String COMMENT 'Field 23: Seller decision maker surnames; empty',
    `f24_seller_decision_birth_date` String COMMENT 'Field 24: Seller decision maker date of birth; empty',
    `f25_transmission` String COMMENT 'Field 25: Transmission of order indicator; false: nothing is transmitted',
    `f26_transmitting_firm_buyer` String COMMENT 'Field 26: Transmitting firm for the buyer; empty',
    `f27_transmitting_firm_seller` String COMMENT 'Field 27: Transmitting firm for the seller; empty',
    `f28_trading_time` String COMMENT 'Field 28: Trading date time; order_event.ts_event of the fill, UTC, microseconds',
    `f29_capacity` String COMMENT 'Field 29: Trading capacity; reference_account.capacity',
    `f30_quantity` String COMMENT 'Field 30: Quantity; lots of the fill times units_per_lot, rounded to 8 digits',
    `f31_quantity_currency` String COMMENT 'Field 31: Quantity currency; notional currency 1 when the quantity is an amount',
    `f32_notional_change` String COMMENT 'Field 32: Derivative notional increase or decrease; empty',
    `f33_price` String COMMENT 'Field 33: Price; price of the fill, rounded to 8 digits',
    `f34_price_currency` String COMMENT 'Field 34: Price currency; price_currency when the price is an amount',
    `f35_net_amount` String COMMENT 'Field 35: Net amount; not applicable unless debt, else missing',
    `f36_venue` String COMMENT 'Field 36: Venue; reference_instrument.venue',
    `f37_membership_country` String COMMENT 'Field 37: Country of the branch membership; on a venue, as field 8',
    `f38_up_front_payment` String COMMENT 'Field 38: Up-front payment; empty',
    `f39_up_front_currency` String COMMENT 'Field 39: Up-front payment currency; empty',
    `f40_complex_trade_id` String COMMENT 'Field 40: Complex trade component id; empty',
    `f41_instrument_id` String COMMENT 'Field 41: Instrument identification code; reference_instrument.isin',
    `f42_instrument_name` String COMMENT 'Field 42: Instrument full name; full_name, when there is no ISIN',
    `f43_classification` String COMMENT 'Field 43: Instrument classification; CFI, when there is no ISIN',
    `f44_notional_currency_1` String COMMENT 'Field 44: Notional currency 1; when there is no ISIN',
    `f45_notional_currency_2` String COMMENT 'Field 45: Notional currency 2; when there is no ISIN',
    `f46_price_multiplier` String COMMENT 'Field 46: Price multiplier; when there is no ISIN',
    `f47_underlying_id` String COMMENT 'Field 47: Underlying instrument code; underlying_isin, when there is no ISIN',
    `f48_underlying_index` String COMMENT 'Field 48: Underlying index name; when there is no ISIN',
    `f49_underlying_index_term` String COMMENT 'Field 49: Term of the underlying index; when there is no ISIN',
    `f50_option_type` String COMMENT 'Field 50: Option type; when there is no ISIN',
    `f51_strike` String COMMENT 'Field 51: Strike price; when there is no ISIN',
    `f52_strike_currency` String COMMENT 'Field 52: Strike price currency; when there is no ISIN',
    `f53_option_style` String COMMENT 'Field 53: Option exercise style; when there is no ISIN',
    `f54_maturity` String COMMENT 'Field 54: Maturity date; when there is no ISIN',
    `f55_expiry` String COMMENT 'Field 55: Expiry date; when there is no ISIN',
    `f56_delivery` String COMMENT 'Field 56: Delivery type; when there is no ISIN',
    `f57_investment_decision` String COMMENT 'Field 57: Investment decision within firm; reference_person.decision_id when the firm decides: dealing on own account, or under a mandate',
    `f58_decision_country` String COMMENT 'Field 58: Country of the branch of the deciding person; only of a person',
    `f59_execution` String COMMENT 'Field 59: Execution within firm; reference_person.execution_id, or NORE',
    `f60_execution_country` String COMMENT 'Field 60: Country of the branch of the executing person; only of a person',
    `f61_waiver` String COMMENT 'Field 61: Waiver indicator; not applicable off venue, else missing: MT5 tells none',
    `f62_short_selling` String COMMENT 'Field 62: Short selling indicator; of shares (CFI ES) that we or our client sell: SESH when the account is short after the fill, else SELL',
    `f63_otc_indicator` String COMMENT 'Field 63: OTC post-trade indicator; not applicable unless XOFF, else missing: MT5 tells none',
    `f64_commodity_indicator` String COMMENT 'Field 64: Commodity derivative indicator; false for commodity derivatives, else empty',
    `f65_securities_financing` String COMMENT 'Field 65: Securities financing transaction indicator; false',
    `decision_kind` String COMMENT 'ALGO or PERSON',
    `execution_kind` String COMMENT 'ALGO, PERSON or NORE',
    `price_notation` String COMMENT 'MONE, PERC, YIEL or BAPO',
    `quantity_notation` String COMMENT 'UNIT, NOML or MONE',
    `reference_version` UInt64 COMMENT 'Audit event that loaded the instrument\'s row',
    `side` String COMMENT 'buy or sell: what the account did',
    `cfi` String COMMENT 'ISO 10962 class of the instrument, with or without an ISIN',
    `is_for_client` Bool COMMENT 'Whether the account trades for another party than the executing one',
    `is_at_discretion` Bool COMMENT 'Whether the firm decides for that client: reference_account.mandate'
)
ENGINE = MergeTree
PARTITION BY (report_date)
ORDER BY ((account, ts_trade, trade_id))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'RTS 22 transaction report, draft layout: every fill as its 65 fields, reportable or excluded with the reason.';

CREATE TABLE IF NOT EXISTS {marts}.rpt_strategy_inventory
(
    `strategy` String COMMENT 'Strategy that asked for it',
    `valid_from` Date COMMENT 'From when on it holds',
    `version` UInt64 COMMENT 'Audit event that loaded it',
    `is_current` Bool COMMENT 'Whether it is the last known',
    `decision_kind` String COMMENT 'ALGO or PERSON',
    `decision_id` String COMMENT 'Who decided: reference_person of the day',
    `execution_kind` String COMMENT 'ALGO, PERSON or NORE',
    `execution_id` String COMMENT 'Who executed: reference_person of the day',
    `description` String COMMENT 'What the strategy does',
    `owner` String COMMENT 'Who answers for it',
    `approved_by` String COMMENT 'Who approved it for use',
    `ts_loaded` DateTime64(6, 'UTC') COMMENT 'When it was loaded',
    `loaded_by` String COMMENT 'Who loaded it'
)
ENGINE = MergeTree
ORDER BY ((strategy, valid_from, version))
SETTINGS replicated_deduplication_window = '0', index_granularity = 8192
COMMENT 'Strategies and their change log.';
