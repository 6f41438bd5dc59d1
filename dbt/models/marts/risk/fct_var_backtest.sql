-- The tests of risk/coverage_tests.py in SQL: Kupiec, Christoffersen, and Basel's traffic light.
{{ config(order_by="(run_id, account, strategy, measure, confidence, horizon)") }}

with

judged as (
    select
        *,
        loss > value_at_risk as is_exception,
        lagInFrame(toNullable(loss > value_at_risk)) over (
            partition by run_id, account, strategy, measure, confidence, horizon
            order by ts_event asc rows between unbounded preceding and current row
        ) as was_exception
    from {{ ref("int_var_outcome") }}
),

counted as (
    select
        run_id,
        mode,
        account,
        strategy,
        measure,
        confidence,
        horizon,
        toFloat64(count()) as total,
        toFloat64(countIf(is_exception)) as failed,
        toFloat64(countIf(was_exception = 0)) as after_calm,
        toFloat64(countIf(was_exception = 0 and is_exception)) as failed_after_calm,
        toFloat64(countIf(was_exception = 1)) as after_hit,
        toFloat64(countIf(was_exception = 1 and is_exception)) as failed_after_hit,
        max(if(value_at_risk > 0, loss / value_at_risk, 0)) as worst_ratio,
        min(ts_event) as first_moment,
        max(ts_event) as last_moment
    from judged
    group by run_id, mode, account, strategy, measure, confidence, horizon
),

ratios as (
    select
        *,
        round(1 - confidence, 9) as promised,
        2 * (
            {{ log_likelihood("failed", "total", "failed / total") }}
            - ({{ log_likelihood("failed", "total", "round(1 - confidence, 9)") }})
        ) as coverage_ratio,
        failed_after_calm + failed_after_hit as failed_pairs,
        after_calm + after_hit as pairs,
        if(after_calm = 0 or after_hit = 0, 0, 2 * (
            {{ log_likelihood("failed_after_calm", "after_calm", "failed_after_calm / after_calm") }}
            + {{ log_likelihood("failed_after_hit", "after_hit", "failed_after_hit / after_hit") }}
            - ({{ log_likelihood("failed_pairs", "pairs", "failed_pairs / pairs") }})
        )) as independence_ratio,
        arraySum(
            k -> exp(
                lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1)
                + k * log(promised) + (total - k) * log1p(-promised)
            ),
            range(toUInt64(failed) + 1)
        ) as cumulative
    from counted
),

tested as (
    select
        *,
        erfc(sqrt(greatest(coverage_ratio, 0) / 2)) as kupiec_p,
        erfc(sqrt(greatest(independence_ratio, 0) / 2)) as independence_p,
        exp(-greatest(coverage_ratio + independence_ratio, 0) / 2) as conditional_p,
        multiIf(failed <= total * promised or cumulative < 0.95, 'green', cumulative < 0.9999, 'yellow', 'red') as light
    from ratios
)

select
    cast(run_id as String) as run_id,
    cast(mode as String) as mode,
    cast(account as String) as account,
    cast(strategy as String) as strategy,
    cast(measure as String) as measure,
    cast(confidence as Float64) as confidence,
    cast(horizon as String) as horizon,
    cast(total as UInt64) as observations,
    cast(failed as UInt64) as exceptions,
    cast({{ stable("total * promised") }} as Float64) as expected,
    cast({{ stable("worst_ratio") }} as Float64) as worst,
    cast({{ stable("kupiec_p") }} as Float64) as kupiec,
    cast({{ stable("independence_p") }} as Float64) as independence,
    cast({{ stable("conditional_p") }} as Float64) as conditional,
    cast(light as String) as zone,
    cast(multiIf(
        total < 100, 'too few',
        kupiec_p >= 0.05 and conditional_p >= 0.05 and light != 'red', 'holds',
        'fails'
    ) as String) as verdict,
    cast(first_moment as DateTime64(6, 'UTC')) as ts_first,
    cast(last_moment as DateTime64(6, 'UTC')) as ts_last
from tested
