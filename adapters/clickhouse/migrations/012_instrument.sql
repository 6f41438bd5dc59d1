-- Dated reference data; money per lot is in account currency.
CREATE TABLE IF NOT EXISTS instrument (
    symbol LowCardinality(String) COMMENT 'Instrument',
    valid_from Date COMMENT 'First UTC date on which the entry holds',
    description String COMMENT 'For people',
    digits UInt8 COMMENT 'Decimals of the price',
    contract_size Float64 COMMENT 'Units of base per lot',
    base LowCardinality(String) COMMENT 'Base currency or metal',
    quote LowCardinality(String) COMMENT 'Quote currency',
    volume_min Float64 COMMENT 'Lots',
    volume_max Float64 COMMENT 'Lots',
    volume_step Float64 COMMENT 'Lots',
    margin_rate Float64 COMMENT 'Share of notional',
    commission Float64 COMMENT 'Account currency per lot and side',
    swap_long Float64 COMMENT 'Points per lot and night',
    swap_short Float64 COMMENT 'Points per lot and night',
    session LowCardinality(String) COMMENT 'forex, metal or always',
    source LowCardinality(String) COMMENT 'Where the entry comes from'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (source, symbol, valid_from)
SETTINGS non_replicated_deduplication_window = 10000;
