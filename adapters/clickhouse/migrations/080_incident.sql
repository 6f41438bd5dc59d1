-- The register of incidents, folded from the audit trail (actions `incident opened`, `incident ended`, ... under the
-- incident's id). Time limits: article 5 of Delegated Regulation (EU) 2025/301.
CREATE VIEW IF NOT EXISTS incident ( -- noqa: PRS
    incident_id String COMMENT 'Of rule, subject and UTC day; people name it so',
    mode LowCardinality(String) COMMENT 'live, shadow, demo, replay or backtest',
    account String COMMENT 'Account of the installation',
    title String COMMENT 'What is disturbed',
    rule String COMMENT 'Alert rule that opened it; empty: a person did',
    subject String COMMENT 'Feed, process or account that it is about',
    ts_began DateTime64(6, 'UTC') COMMENT 'When it began, as far as is known',
    ts_aware DateTime64(6, 'UTC') COMMENT 'When it was first told of',
    ts_ended DateTime64(6, 'UTC') COMMENT 'When it was over; 1970 while it goes on',
    alerts UInt64 COMMENT 'How often its alert fired',
    status String COMMENT 'open, classified or closed',
    major Bool COMMENT 'Whether the newest classification says major',
    impact String COMMENT 'What it did by the newest classification, JSON; empty without',
    basis Array(String) COMMENT 'Thresholds that it meets, with the article',
    classified_by String COMMENT 'Who classified it last; empty: nobody',
    ts_classified DateTime64(6, 'UTC') COMMENT 'When; 1970: not yet',
    ts_initial DateTime64(6, 'UTC') COMMENT 'When the initial notification was filed; 1970: not',
    ts_intermediate DateTime64(6, 'UTC') COMMENT 'When the newest intermediate report was filed; 1970: not',
    ts_final DateTime64(6, 'UTC') COMMENT 'When the final report was filed; 1970: not',
    filed Array(String) COMMENT 'What was filed, with the reference, in order',
    due_step String COMMENT 'What is due next: classification, initial, intermediate, final; empty: nothing',
    ts_due DateTime64(6, 'UTC') COMMENT 'By when; 1970: nothing is due',
    cause String COMMENT 'Why it happened, as its closing says',
    closed_by String COMMENT 'Who closed it',
    ts_closed DateTime64(6, 'UTC') COMMENT 'When; 1970 while it is not',
    notes Array(String) COMMENT 'Who noted what, in order'
) AS
WITH step AS (
    SELECT
        subject AS incident_id,
        argMin(mode, seq) AS mode,
        argMinIf(detail, seq, action = 'incident opened') AS first_opened,
        minIf(ts_event, action = 'incident opened') AS ts_aware,
        countIf(action = 'incident opened') AS alerts,
        argMaxIf(action, seq, action IN ('incident opened', 'incident ended')) AS last_course,
        argMaxIf(JSONExtractInt(detail, 'ended_us'), seq, action = 'incident ended') AS ended_us,
        argMaxIf(detail, seq, action = 'incident classified') AS classification,
        argMaxIf(actor, seq, action = 'incident classified') AS classified_by,
        maxIf(ts_event, action = 'incident classified') AS ts_classified,
        minIf(ts_event, action = 'incident classified' AND JSONExtractBool(detail, 'major')) AS ts_first_major,
        minIf(ts_event, action = 'incident filed' AND JSONExtractString(detail, 'what') = 'initial') AS ts_initial,
        maxIf(ts_event, action = 'incident filed' AND JSONExtractString(detail, 'what') = 'intermediate') AS ts_intermediate,
        minIf(ts_event, action = 'incident filed' AND JSONExtractString(detail, 'what') = 'final') AS ts_final,
        arrayMap(
            one -> tupleElement(one, 2),
            arraySort(groupArrayIf(
                tuple(
                    seq,
                    concat(JSONExtractString(detail, 'what'), ' ', JSONExtractString(detail, 'reference'), ' by ', actor)
                ),
                action = 'incident filed'
            ))
        ) AS filed,
        argMaxIf(action, seq, action IN ('incident opened', 'incident closed', 'incident reopened')) AS last_state,
        argMaxIf(reason, seq, action = 'incident closed') AS last_cause,
        argMaxIf(actor, seq, action = 'incident closed') AS last_closed_by,
        maxIf(ts_event, action = 'incident closed') AS ts_last_closed,
        arrayMap(
            note -> tupleElement(note, 2),
            arraySort(groupArrayIf(
                tuple(seq, concat(actor, ': ', reason)),
                action IN ('incident noted', 'incident classified', 'incident reopened')
            ))
        ) AS notes
    FROM audit_event
    WHERE stream = 'people' AND startsWith(action, 'incident ')
    GROUP BY incident_id
    HAVING alerts > 0
)

SELECT
    incident_id,
    mode,
    JSONExtractString(first_opened, 'account') AS account,
    JSONExtractString(first_opened, 'title') AS title,
    JSONExtractString(first_opened, 'rule') AS rule,
    JSONExtractString(first_opened, 'about') AS subject,
    fromUnixTimestamp64Micro(JSONExtractInt(first_opened, 'began_us'), 'UTC') AS ts_began,
    ts_aware,
    fromUnixTimestamp64Micro(if(last_course = 'incident ended', ended_us, 0), 'UTC') AS ts_ended,
    alerts,
    multiIf(
        last_state = 'incident closed', 'closed', classification != '', 'classified', 'open'
    ) AS status,
    JSONExtractBool(classification, 'major') AS major,
    JSONExtractRaw(classification, 'impact') AS impact,
    JSONExtract(classification, 'basis', 'Array(String)') AS basis,
    classified_by,
    ts_classified,
    ts_initial,
    ts_intermediate,
    ts_final,
    filed,
    multiIf(
        status = 'closed', '',
        status = 'open', 'classification',
        NOT major, '',
        toUnixTimestamp(ts_initial) = 0, 'initial',
        toUnixTimestamp(ts_intermediate) = 0, 'intermediate',
        toUnixTimestamp(ts_final) = 0, 'final',
        ''
    ) AS due_step,
    multiIf(
        due_step = 'classification', ts_aware + INTERVAL 24 HOUR,
        due_step = 'initial' AND ts_first_major > ts_aware + INTERVAL 24 HOUR, ts_first_major + INTERVAL 4 HOUR,
        due_step = 'initial', least(ts_first_major + INTERVAL 4 HOUR, ts_aware + INTERVAL 24 HOUR),
        due_step = 'intermediate', ts_initial + INTERVAL 72 HOUR,
        due_step = 'final', ts_intermediate + INTERVAL 1 MONTH,
        toDateTime64(0, 6, 'UTC')
    ) AS ts_due,
    if(status = 'closed', last_cause, '') AS cause,
    if(status = 'closed', last_closed_by, '') AS closed_by,
    if(status = 'closed', ts_last_closed, toDateTime64(0, 6, 'UTC')) AS ts_closed,
    notes
FROM step;
