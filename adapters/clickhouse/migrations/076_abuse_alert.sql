-- Market-abuse surveillance over own orders: each night's look by each scenario, and what it raised. A look again at the
-- same day by the same parameters gives the same rows; what people decide about an alert stands in the audit trail.
CREATE TABLE IF NOT EXISTS abuse_scan (
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    report_date Date COMMENT 'UTC day that was looked at',
    scenario LowCardinality(String) COMMENT 'Name of the scenario',
    version LowCardinality(String) COMMENT 'Version of its parameters',
    title LowCardinality(String) COMMENT 'Its title',
    says String COMMENT 'What it looks for',
    basis LowCardinality(String) COMMENT 'Practice in the law that it stands for',
    parameters String COMMENT 'Its parameters, JSON',
    review Date COMMENT 'By when its parameters are to be reviewed',
    events UInt64 COMMENT 'Order events of the day',
    alerts UInt64 COMMENT 'Alerts that it raised',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was done'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (mode, report_date, scenario, version)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS abuse_alert (
    alert_id String COMMENT 'Of scenario, version, instrument, accounts and orders; names the case, too',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    report_date Date COMMENT 'UTC day of the orders',
    scenario LowCardinality(String) COMMENT 'Name of the scenario',
    version LowCardinality(String) COMMENT 'Version of its parameters',
    source LowCardinality(String) COMMENT 'Broker or feed',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    accounts Array(String) COMMENT 'Accounts whose orders they are',
    strategies Array(String) COMMENT 'Strategies that sent them',
    ts_from DateTime64(6, 'UTC') COMMENT 'First event of the pattern',
    ts_to DateTime64(6, 'UTC') COMMENT 'Last event of the pattern',
    score Float64 COMMENT 'How far beyond the scenario: 1 is its limit',
    detail String COMMENT 'What was seen, in words',
    order_ids Array(String) COMMENT 'The orders; lineage and explain take them',
    due Date COMMENT 'By when a person has to have decided',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was raised first'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (mode, report_date, scenario, alert_id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Alerts as cases: how far people are with each, folded from the audit trail (actions `case taken`, `case noted`, `case
-- closed`, `case reopened`, under the alert's id). A case is open until somebody takes it.
CREATE VIEW IF NOT EXISTS abuse_case ( -- noqa: PRS
    alert_id String COMMENT 'Of the alert; names the case, too',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    report_date Date COMMENT 'UTC day of the orders',
    scenario LowCardinality(String) COMMENT 'Name of the scenario',
    version LowCardinality(String) COMMENT 'Version of its parameters',
    source LowCardinality(String) COMMENT 'Broker or feed',
    symbol LowCardinality(String) COMMENT 'Instrument as the source names it',
    accounts Array(String) COMMENT 'Accounts whose orders they are',
    strategies Array(String) COMMENT 'Strategies that sent them',
    ts_from DateTime64(6, 'UTC') COMMENT 'First event of the pattern',
    ts_to DateTime64(6, 'UTC') COMMENT 'Last event of the pattern',
    score Float64 COMMENT 'How far beyond the scenario: 1 is its limit',
    detail String COMMENT 'What was seen, in words',
    order_ids Array(String) COMMENT 'The orders; lineage and explain take them',
    due Date COMMENT 'By when a person has to have decided',
    ts_init DateTime64(6, 'UTC') COMMENT 'When it was raised first',
    status String COMMENT 'open, taken or closed',
    analyst String COMMENT 'Who took it; empty: nobody yet',
    outcome String COMMENT 'What was decided; empty while it is not closed',
    reason String COMMENT 'Why; empty while it is not closed',
    reference String COMMENT 'Of what was filed; empty without',
    ts_closed DateTime64(6, 'UTC') COMMENT 'When it was closed; 1970 while it is not',
    notes Array(String) COMMENT 'Who noted what, in order'
) AS
WITH step AS (
    SELECT
        subject,
        argMaxIf(actor, seq, action = 'case taken') AS analyst,
        argMaxIf(action, seq, action IN ('case taken', 'case closed', 'case reopened')) AS last_step,
        argMaxIf(JSONExtractString(detail, 'outcome'), seq, action = 'case closed') AS last_outcome,
        argMaxIf(JSONExtractString(detail, 'reference'), seq, action = 'case closed') AS last_reference,
        argMaxIf(reason, seq, action = 'case closed') AS last_reason,
        maxIf(ts_event, action = 'case closed') AS ts_last_closed,
        arrayMap(
            note -> tupleElement(note, 2),
            arraySort(groupArrayIf(tuple(seq, concat(actor, ': ', reason)), action = 'case noted'))
        ) AS notes
    FROM audit_event
    WHERE stream = 'people' AND startsWith(action, 'case ')
    GROUP BY subject
)

SELECT
    a.*, -- noqa: AM04
    multiIf(s.last_step = 'case closed', 'closed', s.analyst != '', 'taken', 'open') AS status,
    s.analyst AS analyst,
    if(status = 'closed', s.last_outcome, '') AS outcome,
    if(status = 'closed', s.last_reason, '') AS reason,
    if(status = 'closed', s.last_reference, '') AS reference,
    if(status = 'closed', s.ts_last_closed, toDateTime64(0, 6, 'UTC')) AS ts_closed,
    s.notes AS notes
FROM (SELECT * FROM abuse_alert FINAL) AS a
LEFT JOIN step AS s ON a.alert_id = s.subject
SETTINGS join_use_nulls = 0;
