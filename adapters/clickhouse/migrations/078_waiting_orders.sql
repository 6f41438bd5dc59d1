-- A signal may ask for an order that waits for its price instead of a target (ADR 0021); empty on targets.
ALTER TABLE signal ADD COLUMN IF NOT EXISTS name LowCardinality(String) COMMENT 'Name of an order that waits, from its strategy; empty: a target' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS action LowCardinality(String) COMMENT 'place, modify or cancel; empty: a target' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS entry LowCardinality(String) COMMENT 'limit or stop; empty: a target, traded at the market' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS entry_price Float64 COMMENT 'Price at which the order waits; 0: a target, or a cancel' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS filling LowCardinality(String) COMMENT 'How the order may be filled: fok, ioc or return; empty: a target' -- noqa: PRS
;
ALTER TABLE signal ADD COLUMN IF NOT EXISTS expiry LowCardinality(String) COMMENT 'What the venue is told of its end: gtc, day or specified; empty: a target' -- noqa: PRS
;
