{#- The table of codes: what each of our order events is called in RTS 24 (annex, table 2, field 21), by what caused it
    where that decides. An empty code is a step of our own, or an acknowledgement. What is not here is a break. -#}
{% macro order_event_codes() -%}
    select
        tupleElement(line, 1) as code_event,
        tupleElement(line, 2) as code_cause,
        tupleElement(line, 3) as code,
        tupleElement(line, 4) as meaning
    from (
        select arrayJoin([
            tuple('submitted', '', 'NEWO', 'new order'),
            tuple('partially_filled', '', 'PARF', 'filled in part'),
            tuple('filled', '', 'FILL', 'filled'),
            tuple('rejected', '', 'REMO', 'refused by the venue'),
            tuple('cancelled', 'rest', 'CAMO', 'the venue cancels what did not fill at once'),
            tuple('cancelled', '', 'CAME', 'cancelled by us'),
            tuple('cancelled', 'venue', 'CAMO', 'the venue removes what waits, as for want of margin'),
            tuple('expired', '', 'EXPI', 'expired'),
            tuple('stop_moved', '', 'REME', 'the stop at the broker was replaced, by us or by a person there'),
            tuple('closed', 'stop', 'TRIG', 'the stop at the broker was triggered and filled'),
            tuple('closed', 'take_profit', 'TRIG', 'the take-profit at the broker was triggered and filled'),
            tuple('closed', 'stop_out', 'FILL', 'closed by the broker for want of margin'),
            tuple('closed', 'manual', 'FILL', 'closed by hand at the broker'),
            tuple('received', '', '', 'our own step: a signal asks for a position'),
            tuple('superseded', '', '', 'our own step: a newer target replaced it unsent'),
            tuple('denied', '', '', 'our own step: a control refused it, it never left'),
            tuple('accepted', '', '', 'acknowledged by the venue'),
            tuple('unknown', '', '', 'our own step: sent, and no answer came'),
            tuple('reconciled', '', '', 'our own step: settled against the venue'),
            tuple('cancelling', '', '', 'our own step: about to take it back'),
            tuple('stop_moving', '', '', 'our own step: about to ask for another stop'),
            tuple('stop_kept', '', '', 'the venue kept the old stop'),
            tuple('modifying', '', '', 'our own step: about to ask for other terms'),
            tuple('modified', '', 'REME', 'price, exits or end of what waits were replaced'),
            tuple('unmodified', '', '', 'the venue kept the old terms'),
            tuple('booked', '', '', 'the broker\'s own: no order of ours')
        ]) as line
    )
{%- endmacro %}

{#- What caused an order event, where that decides its code. `taken_back`: how often we asked to have the order back. -#}
{% macro event_cause(taken_back) -%}
    multiIf(
        kind = 'closed', purpose, kind != 'cancelled' or {{ taken_back }} > 0, '',
        reason = 'rest', 'rest', startsWith(reason, 'state '), 'venue', ''
    )
{%- endmacro %}
