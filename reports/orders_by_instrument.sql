SELECT
    source,
    symbol,
    order_type,
    purpose,
    count(),
    countIf(outcome = 'filled'),
    countIf(outcome = 'partially_filled'),
    countIf(outcome = 'rejected'),
    countIf(outcome IN ('cancelled', 'expired', 'unknown', 'busted', 'working')),
    toString(round(avgOrNull(spread_bp), 3)),
    toString(round(avgOrNull(slippage_bp), 3)),
    toString(round(quantileExactOrNull(0.95)(slippage_bp), 3)), -- noqa: LT01
    toString(round(quantileExactOrNull(0.5)(known_ms), 1)), -- noqa: LT01
    toString(round(quantileExactOrNull(0.99)(known_ms), 1)), -- noqa: LT01
    toString(round(avgOrNull(over_twin_bp), 3))
FROM {db}.rpt_execution_order
WHERE {when}
GROUP BY source, symbol, order_type, purpose
ORDER BY source, symbol, order_type, purpose
