-- Signals behind an id: `rank` says what it is an id of, for numbers of the venue may coincide.
SELECT
    1 AS rank,
    signal_id
FROM signal FINAL
WHERE signal_id = {asked:String} AND (empty({run_id:String}) OR run_id = {run_id:String})
UNION DISTINCT
SELECT
    multiIf(
        order_id = {asked:String} OR event_id = {asked:String} OR hash = {asked:String}, 1,
        venue_deal = {number:UInt64}, 2,
        venue_order = {number:UInt64}, 3,
        4
    ) AS rank,
    signal_id
FROM order_event FINAL
WHERE
    signal_id != ''
    AND (
        order_id = {asked:String} OR event_id = {asked:String} OR hash = {asked:String}
        OR (
            {number:UInt64} > 0
            AND {number:UInt64} IN (venue_deal, venue_order, venue_position)
        )
    )
    AND (empty({run_id:String}) OR run_id = {run_id:String})
