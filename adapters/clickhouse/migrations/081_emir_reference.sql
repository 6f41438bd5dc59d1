-- What EMIR asks about parties, accounts and instruments beyond the other regimes; dated, versioned and kept as reference_party.
CREATE TABLE IF NOT EXISTS reference_emir_party (
    party LowCardinality(String) COMMENT 'Short name, as in reference_party',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    nature LowCardinality(String) COMMENT 'F financial, N non-financial, C central counterparty, O other',
    sector LowCardinality(String) COMMENT 'Codes of its activities, the most important first, with a space between',
    above_threshold Bool COMMENT 'Above the clearing threshold',
    obligated Bool COMMENT 'Whether it has to report under EMIR itself',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (party, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- How an account's derivatives are reported: by which regime, at which level, under which agreement, by whom numbered.
CREATE TABLE IF NOT EXISTS reference_emir_account (
    account LowCardinality(String) COMMENT 'Account as the run names it; * for every other, with source *',
    source LowCardinality(String) COMMENT 'Broker',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    regime LowCardinality(String) COMMENT 'EU or UK',
    level LowCardinality(String) COMMENT 'trade or position: at which level both parties agreed to report',
    responsible LowCardinality(String) COMMENT 'Party that is responsible for reporting; empty: the party itself',
    uti_stage LowCardinality(String) COMMENT 'ccp, venue, third_country or platform that generates the UTI; empty: one of the two parties',
    uti_agreed LowCardinality(String) COMMENT 'Party that both agreed upon, or that it was delegated to; empty: no agreement',
    portfolio_code LowCardinality(String) COMMENT 'Code of the collateral portfolio; empty: none',
    collateral LowCardinality(String) COMMENT 'Collateralisation category, as OWC1; UNCL: none',
    agreement LowCardinality(String) COMMENT 'Type of the master agreement, as ISDA; OTHR',
    agreement_other String COMMENT 'Its name, of OTHR',
    agreement_year LowCardinality(String) COMMENT 'Its version, a year; empty: none',
    confirmed LowCardinality(String) COMMENT 'NCNF, ECNF or YCNF: whether and how trades are confirmed',
    intragroup Bool COMMENT 'Both parties are of one group (EMIR, article 3)',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (account, source, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- What kind of derivative an instrument is.
CREATE TABLE IF NOT EXISTS reference_emir_instrument (
    source LowCardinality(String) COMMENT 'Broker or feed; its name for the instrument follows',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    upi LowCardinality(String) COMMENT 'ISO 4914; empty where an ISIN identifies the product',
    contract_type LowCardinality(String) COMMENT 'CFDS, FRAS, FUTR, FORW, OPTN, SPDB, SWAP, SWPT or OTHR',
    asset_class LowCardinality(String) COMMENT 'COMM, CRDT, CURR, EQUI or INTR',
    crypto Bool COMMENT 'Based on crypto-assets',
    underlying_kind LowCardinality(String) COMMENT 'I an ISIN, B a basket, X an index; empty: a currency or commodity',
    settlement_currency LowCardinality(String) COMMENT 'ISO 4217 of the cash settlement; empty: settled physically',
    clearing_obligation LowCardinality(String) COMMENT 'TRUE, FLSE or UKWN (its class is under no clearing obligation)',
    base_product LowCardinality(String) COMMENT 'Of a commodity, as METL; else empty',
    sub_product LowCardinality(String) COMMENT 'Of a commodity, as PRME; else empty',
    further_sub_product LowCardinality(String) COMMENT 'Of a commodity, as GOLD; else empty',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (source, symbol, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Trade identifiers that somebody else generated, as the counterparty, venue or platform told them.
CREATE TABLE IF NOT EXISTS reference_uti (
    account LowCardinality(String) COMMENT 'Account as the run names it',
    source LowCardinality(String) COMMENT 'Broker',
    ticket LowCardinality(String) COMMENT 'Deal of a trade; P and the first deal of a position',
    valid_from Date COMMENT 'Day on which it was told',
    uti String COMMENT 'ISO 23897',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (account, source, ticket, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;
