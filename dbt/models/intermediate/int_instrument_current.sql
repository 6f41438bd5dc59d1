-- The newest reference data per source and symbol.
select
    source as instrument_source,
    symbol as instrument_symbol,
    max(valid_from) as current_from,
    argMax(description, valid_from) as current_description,
    argMax(digits, valid_from) as current_digits,
    argMax(contract_size, valid_from) as current_contract_size,
    argMax(base, valid_from) as current_base,
    argMax(quote, valid_from) as current_quote,
    argMax(volume_min, valid_from) as current_volume_min,
    argMax(volume_max, valid_from) as current_volume_max,
    argMax(volume_step, valid_from) as current_volume_step,
    argMax(margin_rate, valid_from) as current_margin_rate,
    argMax(commission, valid_from) as current_commission,
    argMax(session, valid_from) as current_session
from {{ ref("stg_market__instrument") }}
group by source, symbol
