-- What people look for by time or by name in tables that are ordered otherwise: a live run keeps one
-- run_id for ever, so a board's hour must not read its whole past. Rows of a journal or of a process lie in
-- the order of time, so the least and the largest time of a granule tell which to leave out.
ALTER TABLE stage_latency ADD INDEX IF NOT EXISTS by_time ts_event TYPE minmax GRANULARITY 1 -- noqa: PRS
;
ALTER TABLE stage_latency MATERIALIZE INDEX by_time -- noqa: PRS
;
ALTER TABLE order_event ADD INDEX IF NOT EXISTS by_time ts_event TYPE minmax GRANULARITY 1, ADD INDEX IF NOT EXISTS by_order order_id TYPE bloom_filter GRANULARITY 1 -- noqa: PRS
;
ALTER TABLE order_event MATERIALIZE INDEX by_time, MATERIALIZE INDEX by_order -- noqa: PRS
;
ALTER TABLE position ADD INDEX IF NOT EXISTS by_time ts_event TYPE minmax GRANULARITY 1 -- noqa: PRS
;
ALTER TABLE position MATERIALIZE INDEX by_time -- noqa: PRS
;
ALTER TABLE account_state ADD INDEX IF NOT EXISTS by_time ts_event TYPE minmax GRANULARITY 1 -- noqa: PRS
;
ALTER TABLE account_state MATERIALIZE INDEX by_time -- noqa: PRS
;
ALTER TABLE audit_event ADD INDEX IF NOT EXISTS by_time ts_event TYPE minmax GRANULARITY 1 -- noqa: PRS
;
ALTER TABLE audit_event MATERIALIZE INDEX by_time -- noqa: PRS
;
ALTER TABLE signal ADD INDEX IF NOT EXISTS by_signal signal_id TYPE bloom_filter GRANULARITY 1 -- noqa: PRS
;
ALTER TABLE signal MATERIALIZE INDEX by_signal -- noqa: PRS
;
