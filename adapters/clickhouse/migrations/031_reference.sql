-- Dated reference data of the reports. Every version of a row is kept: valid_from says from when on it
-- holds in the world, version and ts_init when we came to know it. Nothing here replaces anything.
CREATE TABLE IF NOT EXISTS reference_instrument (
    source LowCardinality(String) COMMENT 'Broker or feed; its name for the instrument follows',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    full_name String COMMENT 'Name of the instrument',
    isin LowCardinality(String) COMMENT 'ISO 6166; empty when it has none, then the description is reported',
    cfi LowCardinality(String) COMMENT 'ISO 10962 classification',
    venue LowCardinality(String) COMMENT 'MIC of the venue; XOFF or XXXX when traded off venue',
    price_currency LowCardinality(String) COMMENT 'ISO 4217',
    price_notation LowCardinality(String) COMMENT 'MONE, PERC, YIEL or BAPO',
    quantity_notation LowCardinality(String) COMMENT 'UNIT, NOML or MONE',
    units_per_lot Float64 COMMENT 'Units, or nominal, of one lot',
    notional_currency_1 LowCardinality(String) COMMENT 'ISO 4217; empty when it has none',
    notional_currency_2 LowCardinality(String) COMMENT 'ISO 4217; empty when it has none',
    price_multiplier Float64 COMMENT 'Units of the underlying per contract; 0 when it is no derivative',
    underlying_isin LowCardinality(String) COMMENT 'ISO 6166 of the underlying; empty when it has none',
    underlying_index LowCardinality(String) COMMENT 'Name of the underlying index; empty when it is none',
    underlying_index_term LowCardinality(String) COMMENT 'Term of the index, as 3MNTH; empty when it has none',
    option_type LowCardinality(String) COMMENT 'PUTO, CALL or OTHR; empty when it is no option',
    strike Float64 COMMENT 'Strike price; 0 when it is no option',
    strike_currency LowCardinality(String) COMMENT 'ISO 4217; empty when it is no option',
    option_style LowCardinality(String) COMMENT 'EURO, AMER, ASIA, BERM or OTHR; empty when it is no option',
    maturity LowCardinality(String) COMMENT 'YYYY-MM-DD of a debt instrument; else empty',
    expiry LowCardinality(String) COMMENT 'YYYY-MM-DD of a derivative that ends; else empty',
    delivery LowCardinality(String) COMMENT 'PHYS, CASH or OPTL; empty when it is no derivative',
    commodity Bool COMMENT 'Commodity derivative',
    reportable_rts22 Bool COMMENT 'Whether trades in it are reported under RTS 22; the firm decides, not the code',
    reason_rts22 String COMMENT 'Why',
    reportable_emir Bool COMMENT 'Whether trades in it fall under EMIR; no report exists yet',
    reason_emir String COMMENT 'Why',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (source, symbol, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Legal entities: the firm, its counterparties, who submits for it.
CREATE TABLE IF NOT EXISTS reference_party (
    party LowCardinality(String) COMMENT 'Short name used in other templates',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    legal_name String COMMENT 'As registered',
    lei String COMMENT 'ISO 17442',
    lei_valid_until Date COMMENT 'Last day on which the LEI is renewed',
    country LowCardinality(String) COMMENT 'ISO 3166 alpha-2',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (party, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Who trades on an account, with whom, in which capacity.
CREATE TABLE IF NOT EXISTS reference_account (
    account LowCardinality(String) COMMENT 'Account as the run names it; * for every other, with source *',
    source LowCardinality(String) COMMENT 'Broker',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    executing_party LowCardinality(String) COMMENT 'Party that executes (field 4)',
    client_party LowCardinality(String) COMMENT 'Party on whose account it is: buyer or seller',
    counterparty LowCardinality(String) COMMENT 'Party on the other side',
    submitter LowCardinality(String) COMMENT 'Party that submits the report',
    investment_firm Bool COMMENT 'Whether the executing party is an investment firm (field 5)',
    capacity LowCardinality(String) COMMENT 'DEAL, MTCH or AOTC',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (account, source, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Who decides and who executes: algorithms and people, per strategy. Identities of people are pseudonyms here.
CREATE TABLE IF NOT EXISTS reference_person (
    strategy LowCardinality(String) COMMENT 'Strategy as the run names it',
    valid_from Date COMMENT 'First UTC date on which the row holds',
    decision_kind LowCardinality(String) COMMENT 'ALGO or PERSON: who decides the investment',
    decision_id String COMMENT 'At most 50 characters for an algorithm',
    execution_kind LowCardinality(String) COMMENT 'ALGO, PERSON or NORE: who executes',
    execution_id String COMMENT 'At most 50 characters for an algorithm',
    country LowCardinality(String) COMMENT 'ISO 3166 alpha-2 of the branch that supervises the person',
    description String COMMENT 'What the strategy does, for the inventory',
    owner LowCardinality(String) COMMENT 'Who answers for it',
    approved_by LowCardinality(String) COMMENT 'Who approved it for use',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (strategy, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Conversion rates: what one unit of a currency is worth in US dollars on a date.
CREATE TABLE IF NOT EXISTS reference_rate (
    currency LowCardinality(String) COMMENT 'ISO 4217',
    valid_from Date COMMENT 'Date of the rate',
    rate Float64 COMMENT 'US dollars for one unit',
    publisher LowCardinality(String) COMMENT 'Who published it',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (currency, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;

-- Lists of codes that fields are checked against.
CREATE TABLE IF NOT EXISTS reference_code (
    list LowCardinality(String) COMMENT 'mic, currency or country',
    code LowCardinality(String) COMMENT 'The code',
    valid_from Date COMMENT 'First UTC date on which it holds',
    name String COMMENT 'What it stands for',
    version UInt64 COMMENT 'Audit event that loaded the row',
    ts_init DateTime64(6, 'UTC') COMMENT 'When the row was loaded',
    loaded_by LowCardinality(String) COMMENT 'Who loaded it'
)
ENGINE = {engine:MergeTree}
ORDER BY (list, code, valid_from, version)
SETTINGS non_replicated_deduplication_window = 10000;
