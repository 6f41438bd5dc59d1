DROP VIEW IF EXISTS limits_book;
-- The limits by version, with their text: those that sessions began with, those installed while they ran, and files edited
-- and limits signed while trading, from when they held. A decision's limits_version up to ' override ' is one of these,
-- and what an override changes stands behind it. Of a file the version ends in the first digits of the hash of its text, of
-- signed limits in the number of their entry.
CREATE VIEW IF NOT EXISTS limits_book ( -- noqa: PRS
    version String COMMENT 'As order_event and lineage name it',
    hash String COMMENT 'SHA-256 of the text; empty for limits of the settings, which the session has',
    body String COMMENT 'The file; empty for limits of the settings',
    ts_since DateTime64(6, 'UTC') COMMENT 'When it came into force',
    author String COMMENT 'Who started the session, installed or signed it; empty when a file was edited, for nobody said so',
    session_id String COMMENT 'Session that began with it; of what was installed, the newest that had begun by then'
) AS
WITH begun AS (
    SELECT s.* -- noqa: AM04
    FROM session AS s FINAL
    WHERE s.number > 0
),

-- Each version once: as it was installed, or when an edited file first held.
running AS (
    SELECT
        JSONExtractString(e.detail, 'version') AS version,
        argMin(JSONExtractString(e.detail, 'content'), (e.action != 'limits install', e.ts_event)) AS body,
        argMin(e.ts_event, (e.action != 'limits install', e.ts_event)) AS ts_since,
        argMin(
            if(e.action = 'limits install', e.actor, JSONExtractString(e.detail, 'author')),
            (e.action != 'limits install', e.ts_event)
        ) AS author
    FROM audit_event AS e
    WHERE e.action IN ('limits install', 'limits in force')
    GROUP BY version
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
    r.version AS version,
    lower(hex(SHA256(r.body))) AS hash,
    r.body AS body,
    r.ts_since AS ts_since,
    r.author AS author,
    tupleElement(
        arrayLast(
            one -> one.1 <= r.ts_since,
            (SELECT arraySort(groupArray((n.ts_start, n.session_id))) FROM begun AS n)
        ), 2
    ) AS session_id
FROM running AS r
SETTINGS join_use_nulls = 0;
