-- Client money, daily: what our books say is an account's, against what its broker states; made again, a day is replaced.
ALTER TABLE broker_account ADD COLUMN IF NOT EXISTS margin Float64 DEFAULT -1 COMMENT 'In use; -1: the statement did not say' -- noqa: PRS
;

CREATE TABLE IF NOT EXISTS client_money (
    report_date Date COMMENT 'UTC date that is compared',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account LowCardinality(String) COMMENT 'Account the run trades',
    client String COMMENT 'Pseudonym of whom it trades for; empty: for the firm itself',
    item LowCardinality(String) COMMENT 'balance, open profit, equity, margin, or statement where there was none',
    currency LowCardinality(String) COMMENT 'Of the account, and of all money here',
    ours Float64 COMMENT 'From the order journal, our last ticks and reference data',
    theirs Float64 COMMENT 'From the last statement of the day',
    difference Float64 COMMENT 'Ours less theirs',
    tolerance Float64 COMMENT 'What a difference may be',
    status String COMMENT 'matched, differs, or why it could not be compared',
    severity LowCardinality(String) COMMENT 'error, or warning of margin; empty when it agrees',
    owner LowCardinality(String) COMMENT 'operations or reference data: who clears it; empty when it agrees',
    since Date COMMENT 'First of the days on which it differs one after another; 1970 when it agrees',
    age_days UInt16 COMMENT 'Days since then',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time for which the statement holds; 1970 without',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was compared'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (mode, account, report_date, item)
SETTINGS non_replicated_deduplication_window = 10000;

-- What differs by the newest day of each account, with owner and age.
CREATE VIEW IF NOT EXISTS client_money_break ( -- noqa: PRS
    report_date Date COMMENT 'UTC date that was compared',
    mode String COMMENT 'live, shadow, demo, replay or backtest',
    account String COMMENT 'Account the run trades',
    client String COMMENT 'Pseudonym of whom it trades for; empty: for the firm itself',
    item String COMMENT 'Which amount, or statement where there was none',
    ours Float64 COMMENT 'From our books',
    theirs Float64 COMMENT 'From the statement',
    difference Float64 COMMENT 'Ours less theirs',
    status String COMMENT 'differs, or why it could not be compared',
    severity String COMMENT 'error, or warning of margin',
    owner String COMMENT 'Who clears it',
    since Date COMMENT 'First of the days on which it differs one after another',
    age_days UInt16 COMMENT 'Days since then'
) AS
SELECT
    report_date,
    mode,
    account,
    client,
    item,
    ours,
    theirs,
    difference,
    status,
    severity,
    owner,
    since,
    age_days
FROM client_money FINAL
WHERE
    status != 'matched'
    AND (mode, account, report_date) IN (SELECT mode, account, max(report_date) FROM client_money GROUP BY mode, account);
