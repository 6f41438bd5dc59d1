-- What the strategy had in mind before the decision's row.
SELECT base64Encode(state)
FROM strategy_state FINAL
WHERE
    run_id = {run_id:String} AND strategy = {strategy:String} AND source = {source:String}
    AND symbol = {symbol:String} AND signal_id = {signal_id:String}
