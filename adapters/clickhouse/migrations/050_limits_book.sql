-- The limits by version, with their text: those that sessions began with, and those installed while they ran. A decision's
-- limits_version up to ' override ' is one of these; what an override changes stands behind it.
CREATE VIEW IF NOT EXISTS limits_book ( -- noqa: PRS
    version String COMMENT 'As order_event and lineage name it',
    hash String COMMENT 'SHA-256 of the text; empty for limits of the settings, which the session has',
    body String COMMENT 'The file; empty for limits of the settings',
    ts_since DateTime64(6, 'UTC') COMMENT 'When it came into force',
    author String COMMENT 'Who started the session, or installed it',
    session_id String COMMENT 'Session that began with it; of what was installed, the newest that had begun by then'
) AS
WITH begun AS (
    SELECT s.* -- noqa: AM04
    FROM session AS s FINAL
    WHERE s.number > 0
)

SELECT
    b.limits_version AS version,
    b.limits_hash AS hash,
    c.body AS body,
    b.ts_start AS ts_since,
    b.who AS author,
    b.session_id AS session_id
FROM begun AS b
LEFT JOIN (
    SELECT
        k.hash AS hash,
        k.body AS body
    FROM content AS k FINAL
    WHERE k.kind = 'limits'
) AS c ON b.limits_hash = c.hash
UNION ALL
SELECT
    JSONExtractString(a.detail, 'version') AS version,
    lower(hex(SHA256(JSONExtractString(a.detail, 'content')))) AS hash,
    JSONExtractString(a.detail, 'content') AS body,
    a.ts_event AS ts_since,
    a.actor AS author,
    tupleElement(
        arrayLast(
            one -> one.1 <= a.ts_event,
            (SELECT arraySort(groupArray((n.ts_start, n.session_id))) FROM begun AS n)
        ), 2
    ) AS session_id
FROM audit_event AS a
WHERE a.action = 'limits install'
SETTINGS join_use_nulls = 0;
