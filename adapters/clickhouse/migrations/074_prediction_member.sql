DROP VIEW IF EXISTS prediction_member;
-- What each member of a model said of a row, champion's, challenger's and those that strategies name: a row per prediction
-- and member. Filter it
-- by run_id, source, symbol and ts_event: those it reads by the primary key.
CREATE VIEW IF NOT EXISTS prediction_member (
    run_id String COMMENT 'Run the row belongs to',
    mode String COMMENT 'live, shadow, demo, replay or backtest',
    source String COMMENT 'Broker or feed that quoted',
    symbol String COMMENT 'Instrument as the source names it',
    ts_event DateTime64(6, 'UTC') COMMENT 'Market time',
    seq UInt32 COMMENT 'Count of the causing tick within its millisecond',
    prediction_id String COMMENT 'Name of the prediction, as signals carry it',
    role String COMMENT 'champion: it traded; challenger: in its shadow; named: strategies of a desk name it',
    model String COMMENT 'SHA-256 of the model artefact',
    place UInt32 COMMENT 'Of the member in the manifest, from 1',
    member String COMMENT 'Name of the member; its place when the table model does not have the model',
    p_down Float32 COMMENT 'Its calibrated probability of a fall beyond costs; NaN when absent',
    p_flat Float32 COMMENT 'Of neither; NaN when absent',
    p_up Float32 COMMENT 'Of a rise beyond costs; NaN when absent',
    weight Float64 COMMENT 'Its share while all members speak; 0 when the table model does not say',
    weight_used Float64 COMMENT 'Its share of this prediction, of those that spoke; 0 as weight',
    absent Bool COMMENT 'It had no part in it',
    outside Bool COMMENT 'The row left its training range; false in rows of before this was kept',
    veto Bool COMMENT 'So it vetoed the prediction: outside, present, and with a weight'
) AS
SELECT
    p.run_id AS run_id,
    p.mode AS mode,
    p.source AS source,
    p.symbol AS symbol,
    p.ts_event AS ts_event,
    p.seq AS seq,
    concat(
        p.run_id, '.', p.source, '.', p.symbol, '.', toString(toUnixTimestamp64Milli(p.ts_event)), '.', toString(p.seq),
        if(p.role = 'named', concat(':', p.model), '')
    ) AS prediction_id,
    p.role AS role,
    p.model AS model,
    p.place AS place,
    if(place <= length(m.members), m.members[place], concat('member ', toString(place))) AS member,
    p.members[3 * place - 2] AS p_down,
    p.members[3 * place - 1] AS p_flat,
    p.members[3 * place] AS p_up,
    m.member_weights[place] AS weight,
    if(
        bitTest(p.absent, place - 1), 0,
        ifNull(weight / nullIf(arraySum(
            (share, n) -> if(bitTest(p.absent, n - 1), 0, share), m.member_weights, arrayEnumerate(m.member_weights)
        ), 0), 0)
    ) AS weight_used,
    bitTest(p.absent, place - 1) AS absent,
    bitTest(p.outside, place - 1) AS outside,
    bitTest(p.outside, place - 1) AND NOT bitTest(p.absent, place - 1) AND weight > 0 AS veto
FROM (
    SELECT
        run_id,
        mode,
        source,
        symbol,
        ts_event,
        seq,
        'champion' AS role,
        model,
        members,
        absent,
        outside,
        arrayJoin(range(1, toUInt32(intDiv(length(members), 3)) + 1)) AS place
    FROM prediction FINAL
    UNION ALL
    SELECT
        run_id,
        mode,
        source,
        symbol,
        ts_event,
        seq,
        'challenger' AS role,
        model,
        members,
        absent,
        outside,
        arrayJoin(range(1, toUInt32(intDiv(length(members), 3)) + 1)) AS place
    FROM shadow_prediction FINAL
    UNION ALL
    SELECT
        run_id,
        mode,
        source,
        symbol,
        ts_event,
        seq,
        'named' AS role,
        model,
        members,
        absent,
        outside,
        arrayJoin(range(1, toUInt32(intDiv(length(members), 3)) + 1)) AS place
    FROM named_prediction FINAL
) AS p
LEFT JOIN (
    SELECT
        model,
        members,
        member_weights
    FROM model FINAL
) AS m ON p.model = m.model
SETTINGS join_use_nulls = 0;
