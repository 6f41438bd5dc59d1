SELECT signal_id FROM signal FINAL
WHERE signal_id = {asked:String} AND (empty({run_id:String}) OR run_id = {run_id:String})
UNION DISTINCT
SELECT signal_id FROM order_event FINAL
WHERE
    (
        order_id = {asked:String} OR event_id = {asked:String}
        OR ({deal:UInt64} > 0 AND venue_deal = {deal:UInt64})
    )
    AND (empty({run_id:String}) OR run_id = {run_id:String})
