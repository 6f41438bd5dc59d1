-- Two of a tick's three times follow from the first in a replay and an import: ts_recv and ts_known are ts_event, or
-- one moment for all of a file. Stored whole they were 40 % of a tick; now as what is left to say, and their names stay
-- as aliases. Every statement is right before and after the last of them, so that a kill in between does no harm.
-- (The linter does not know ADD COLUMN's codecs.)
ALTER TABLE tick ADD COLUMN IF NOT EXISTS recv_after_us Int64 CODEC (T64, ZSTD(1)) COMMENT 'Microseconds from ts_event to when we received it; 0 in a replay' AFTER quality, -- noqa: PRS,LT05
ADD COLUMN IF NOT EXISTS ts_noted DateTime64(6, 'UTC') CODEC (GCD, Delta(8), ZSTD(1)) COMMENT 'When this version was stored, where that is not when it was received; else 1970' AFTER recv_after_us -- noqa: PRS,LT05
;
ALTER TABLE tick UPDATE -- noqa: PRS,LT05
recv_after_us = toUnixTimestamp64Micro(ts_recv) - toUnixTimestamp64Micro(ts_event), -- noqa: PRS
ts_noted = if(ts_known = ts_recv, fromUnixTimestamp64Micro(0, 'UTC'), ts_known) -- noqa: PRS
WHERE 1 SETTINGS mutations_sync = 2 -- noqa: PRS
;
ALTER TABLE tick DROP COLUMN IF EXISTS ts_known, -- noqa: PRS
DROP COLUMN IF EXISTS ts_recv, -- noqa: PRS
ADD COLUMN ts_recv DateTime64(6, 'UTC') ALIAS ts_event + toIntervalMicrosecond(recv_after_us) COMMENT 'When we received it; in a replay the market time' AFTER ts_noted, -- noqa: PRS,LT05
ADD COLUMN ts_known DateTime64(6, 'UTC') ALIAS if(toUnixTimestamp64Micro(ts_noted) = 0, ts_recv, ts_noted) COMMENT 'When this version was stored; received, of a live feed' AFTER ts_recv -- noqa: PRS,LT05
;
