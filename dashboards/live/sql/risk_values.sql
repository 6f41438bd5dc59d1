-- Value at risk and expected shortfall of a moment.
SELECT
    v.measure AS measure,
    v.confidence AS confidence,
    v.horizon AS horizon,
    v.value_at_risk AS value_at_risk,
    v.expected_shortfall AS expected_shortfall
FROM value_at_risk AS v FINAL
WHERE
    v.run_id = {run_id:String} AND v.account = {account:String} AND v.strategy = ''
    AND v.ts_event = fromUnixTimestamp64Micro({at_us:Int64}, 'UTC')
ORDER BY measure, confidence, horizon
