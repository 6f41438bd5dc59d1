-- What dbt builds as fct_trade, straight from the order events: a home needs no marts to be asked.
WITH
positions AS (
    SELECT
        run_id,
        mode,
        account,
        venue_position,
        any(e.strategy) AS strategy,
        any(e.source) AS source,
        any(e.symbol) AS symbol,
        argMinIf(e.order_id, e.seq, e.opens) AS order_id,
        argMinIf(e.signal_id, e.seq, e.opens) AS signal_id,
        argMinIf(e.side, e.seq, e.opens) AS side,
        minIf(e.ts_event, e.opens) AS ts_open,
        maxIf(e.ts_event, NOT e.opens) AS closed_at,
        argMaxIf(e.purpose, e.seq, NOT e.opens) AS exit_purpose,
        round(sumIf(e.volume, e.opens), 9) AS volume,
        round(sumIf(e.volume, NOT e.opens), 9) AS closed,
        round(sumIf(e.volume * e.price, e.opens), 9) AS opened_price,
        round(sumIf(e.volume * e.price, NOT e.opens), 9) AS closed_price,
        round(sum(e.profit), 9) AS profit_gross,
        round(sum(e.commission), 9) AS commission,
        round(sum(e.swap), 9) AS swap,
        count() AS fills
    FROM (
        SELECT -- noqa: AM04
            *,
            purpose = 'entry' AND kind != 'closed' AS opens
        FROM order_event FINAL
        WHERE
            run_id = {run:String}
            AND ({symbol:String} = '' OR symbol = {symbol:String})
            AND kind IN ('partially_filled', 'filled', 'closed')
    ) AS e
    GROUP BY run_id, mode, account, venue_position
)

SELECT
    run_id,
    mode,
    account,
    strategy,
    source,
    symbol,
    venue_position,
    order_id,
    signal_id,
    side,
    ts_open,
    if(closed = 0, NULL, closed_at) AS ts_close,
    CAST(closed > 0 AND abs(volume - closed) < 1e-9 AS Bool) AS is_closed,
    exit_purpose,
    volume,
    opened_price / nullIf(volume, 0) AS price_open,
    closed_price / nullIf(closed, 0) AS price_close,
    profit_gross,
    commission,
    swap,
    profit_gross + commission + swap AS profit_net,
    fills
FROM positions
ORDER BY ts_open, venue_position
