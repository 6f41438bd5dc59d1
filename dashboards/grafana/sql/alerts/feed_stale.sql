-- Seconds since the newest tick of any feed that spoke within the last hour.
SELECT dateDiff('second', max(ts_event), now()) AS age
FROM tick
WHERE ts_event >= now() - INTERVAL 1 HOUR
HAVING count() > 0
