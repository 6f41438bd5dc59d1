-- Days until a client's document ends, within those on which people are told.
SELECT
    concat(client, ' ', need) AS subject,
    dateDiff('second', now64(6, 'UTC'), ts_until) / 86400 AS value
FROM client_need
WHERE is_in_order AND ts_until < now64(6, 'UTC') + toIntervalDay(warn_days)
ORDER BY subject
