-- What clients' files must hold, by the newest check that was published (action `client files published`), and requests of
-- people about their data, folded from the audit trail (actions `privacy opened`, ... under the case's name).
CREATE VIEW IF NOT EXISTS client_need ( -- noqa: PRS
    client String COMMENT 'Pseudonym of the client',
    need LowCardinality(String) COMMENT 'What the file must hold: identity, address, ...',
    is_in_order Bool COMMENT 'Whether an approved document covers it now',
    ts_until DateTime64(6, 'UTC') COMMENT 'When that ends, documents that follow one another counted; 1970: it lacks',
    warn_days UInt16 COMMENT 'Days before its end on which people are told',
    version String COMMENT 'Version of all files, as execution reads them',
    ts_published DateTime64(6, 'UTC') COMMENT 'When this version was first published'
) AS
WITH
    newest AS (
        SELECT
            argMax(detail, seq) AS detail,
            argMax(ts_event, seq) AS ts_published
        FROM audit_event
        WHERE stream = 'people' AND action = 'client files published'
        HAVING count() > 0
    ),

    need AS (
        SELECT
            detail,
            ts_published,
            toUnixTimestamp64Micro(now64(6, 'UTC')) AS now_us,
            arrayJoin(JSONExtractArrayRaw(detail, 'clients')) AS one,
            arrayFold(
                (reached, span) -> if(
                    tupleElement(span, 1) <= reached AND tupleElement(span, 2) > reached,
                    tupleElement(span, 2), reached
                ),
                arraySort(arrayZip(
                    JSONExtract(one, 'from_us', 'Array(Int64)'), JSONExtract(one, 'until_us', 'Array(Int64)')
                )),
                now_us
            ) AS until_us
        FROM newest
    )

SELECT
    JSONExtractString(one, 'client') AS client,
    JSONExtractString(one, 'need') AS need,
    until_us > now_us AS is_in_order,
    fromUnixTimestamp64Micro(if(is_in_order, until_us, 0), 'UTC') AS ts_until,
    JSONExtractUInt(one, 'warn_days') AS warn_days,
    JSONExtractString(detail, 'version') AS version,
    ts_published
FROM need;

CREATE VIEW IF NOT EXISTS privacy_case ( -- noqa: PRS
    case_id String COMMENT 'People name it so',
    kind LowCardinality(String) COMMENT 'access or erasure',
    pseudonym String COMMENT 'Who asks',
    ts_opened DateTime64(6, 'UTC') COMMENT 'When the request had come',
    opened_by String COMMENT 'Who opened it',
    due Date COMMENT 'By when the person has to have an answer',
    status LowCardinality(String) COMMENT 'open, exported, erased or refused',
    is_late Bool COMMENT 'Whether it is open after that day',
    basis String COMMENT 'Of a refusal, or what an erasure rests on',
    answered_by String COMMENT 'Who answered; empty: nobody yet',
    ts_answered DateTime64(6, 'UTC') COMMENT 'When; 1970: not yet',
    notes Array(String) COMMENT 'Who noted what, in order'
) AS
WITH step AS (
    SELECT
        subject AS case_id,
        argMinIf(detail, seq, action = 'privacy opened') AS opened,
        argMinIf(actor, seq, action = 'privacy opened') AS opened_by,
        minIf(ts_event, action = 'privacy opened') AS ts_opened,
        argMaxIf(action, seq, action IN ('privacy exported', 'privacy erased', 'privacy refused')) AS answer,
        argMaxIf(detail, seq, action IN ('privacy exported', 'privacy erased', 'privacy refused')) AS said,
        argMaxIf(actor, seq, action IN ('privacy exported', 'privacy erased', 'privacy refused')) AS answered_by,
        maxIf(ts_event, action IN ('privacy exported', 'privacy erased', 'privacy refused')) AS ts_answered,
        arrayMap(
            note -> tupleElement(note, 2),
            arraySort(groupArrayIf(tuple(seq, concat(actor, ': ', reason)), action = 'privacy noted'))
        ) AS notes
    FROM audit_event
    WHERE stream = 'people' AND startsWith(action, 'privacy ')
    GROUP BY case_id
    HAVING countIf(action = 'privacy opened') > 0
)

SELECT
    case_id,
    JSONExtractString(opened, 'kind') AS kind,
    JSONExtractString(opened, 'pseudonym') AS pseudonym,
    ts_opened,
    opened_by,
    toDate(ts_opened) + 30 AS due,
    if(answer = '', 'open', substring(answer, 9)) AS status,
    status = 'open' AND toDate(now('UTC')) > due AS is_late,
    JSONExtractString(said, 'basis') AS basis,
    answered_by,
    ts_answered,
    notes
FROM step;
