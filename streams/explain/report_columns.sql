-- Marts of reports with the columns that lead to a decision, and those that name a row of theirs.
SELECT
    database,
    table,
    arraySort(groupArrayIf(name, match(name, '^(worst_)?(signal|order)_id$'))) AS leads,
    arraySort(groupArrayIf(
        name, type = 'String' AND match(name, '(^|_)(trade|transaction|order|signal|event|alert)_id$|_reference$|(^|_)hash$')
    )) AS ids,
    countIf(name = 'run_id') > 0 AS has_run
FROM system.columns
WHERE
    startsWith(database, concat(currentDatabase(), '_marts'))
    AND (startsWith(table, 'rpt_') OR startsWith(table, 'fct_'))
GROUP BY database, table
HAVING notEmpty(leads) AND notEmpty(ids)
ORDER BY database, table
