select
    symbol,
    valid_from,
    description,
    digits,
    contract_size,
    base,
    quote,
    volume_min,
    volume_max,
    volume_step,
    margin_rate,
    commission,
    swap_long,
    swap_short,
    session,
    source
from {{ source('market', 'instrument') }} final
