SELECT
    symbol,
    other_symbol AS other,
    argMax(correlation, ts_event) AS correlation
FROM correlation
WHERE
    run_id IN (
        SELECT run_id FROM run
        WHERE mode = '${mode}'
    ) AND $__timeFilter(ts_event) AND (source, symbol) != (other_source, other_symbol)
GROUP BY source, symbol, other_source, other_symbol
ORDER BY abs(correlation) DESC
