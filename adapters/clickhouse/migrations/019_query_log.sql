-- What was asked of the warehouse, by whom. The engine behind the embedded server knows one user:
-- the server writes the real one in front of the comment, and the client's query id in a comment
-- of the statement, which is taken out again. A real server's own user is used there.
CREATE VIEW IF NOT EXISTS query_log (
    ts_event DateTime64(6, 'UTC') COMMENT 'When it ended',
    user String COMMENT 'Who asked',
    query_id String COMMENT 'Name of the statement',
    kind String COMMENT 'Select, Insert, Create, ...',
    query String COMMENT 'The statement',
    seconds Float64 COMMENT 'How long it took',
    read_rows UInt64 COMMENT 'Rows read',
    read_bytes UInt64 COMMENT 'Bytes read, uncompressed',
    written_rows UInt64 COMMENT 'Rows written',
    written_bytes UInt64 COMMENT 'Bytes written, uncompressed',
    result_rows UInt64 COMMENT 'Rows answered',
    memory_bytes UInt64 COMMENT 'Most memory it held',
    code Int32 COMMENT 'Error code; 0 is success',
    error String COMMENT 'Error text; empty on success'
) AS
SELECT
    toTimeZone(l.event_time_microseconds, 'UTC') AS ts_event,
    if(startsWith(l.log_comment, 'user='), substring(splitByChar(' ', l.log_comment)[1], 6), l.user) AS user,
    if(
        match(l.query, '/\\*query_id=\\S* request=\\d+\\*/'),
        decodeURLComponent(extract(l.query, '/\\*query_id=(\\S*) request=\\d+\\*/')),
        l.query_id
    ) AS query_id,
    l.query_kind AS kind,
    replaceRegexpAll(l.query, '\\n?/\\*query_id=\\S* request=\\d+\\*/\\n?', '') AS query,
    l.query_duration_ms / 1000 AS seconds,
    l.read_rows AS read_rows,
    l.read_bytes AS read_bytes,
    l.written_rows AS written_rows,
    l.written_bytes AS written_bytes,
    l.result_rows AS result_rows,
    l.memory_usage AS memory_bytes,
    l.exception_code AS code,
    l.exception AS error
FROM system.query_log AS l
WHERE l.type != 'QueryStart' AND l.is_initial_query AND l.query_kind NOT IN ('Set', 'Use');

CREATE VIEW IF NOT EXISTS slow_query (
    query String COMMENT 'The statement with its literals replaced by question marks',
    user String COMMENT 'Who asked it last',
    runs UInt64 COMMENT 'How often within the last day',
    seconds_total Float64 COMMENT 'Together',
    seconds_p50 Float64 COMMENT 'Median',
    seconds_max Float64 COMMENT 'Slowest',
    memory_max UInt64 COMMENT 'Most bytes held',
    read_rows_max UInt64 COMMENT 'Most rows read',
    ts_last DateTime64(6, 'UTC') COMMENT 'When it last ended'
) AS
SELECT
    normalizeQuery(q.query) AS query,
    argMax(q.user, q.ts_event) AS user,
    count() AS runs,
    sum(q.seconds) AS seconds_total,
    quantile(0.5)(q.seconds) AS seconds_p50,
    max(q.seconds) AS seconds_max,
    max(q.memory_bytes) AS memory_max,
    max(q.read_rows) AS read_rows_max,
    max(q.ts_event) AS ts_last
FROM query_log AS q
WHERE q.ts_event > now64(6) - INTERVAL 1 DAY
GROUP BY normalizeQuery(q.query)
HAVING seconds_max >= 0.1;
