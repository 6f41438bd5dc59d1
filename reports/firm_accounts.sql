-- Accounts of a mode whose executing party a firm is on a day. Of an account the row of its own counts, else that of every
-- account; of versions the last one known.
WITH

traded AS (
    SELECT account FROM order_event
    WHERE mode = {mode:String}
    UNION DISTINCT
    SELECT account FROM account_state
    WHERE mode = {mode:String}
    UNION DISTINCT
    SELECT account FROM broker_account
    WHERE mode = {mode:String}
),

terms AS (
    SELECT
        account AS named,
        executing_party,
        valid_from,
        version,
        ts_init
    FROM reference_account
    WHERE valid_from <= {day:Date}
)

SELECT traded.account AS account
FROM traded
CROSS JOIN terms
WHERE terms.named IN (traded.account, '*')
GROUP BY account
HAVING
    argMax(terms.executing_party, (terms.named = traded.account, terms.valid_from, terms.version, terms.ts_init)) = {firm:String}
ORDER BY account
