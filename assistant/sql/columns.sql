-- Columns of one table, with their meaning.
SELECT
    c.name AS name,
    c.type AS type,
    c.comment AS meaning
FROM system.columns AS c
WHERE
    c.`database` = if({database:String} = '', currentDatabase(), {database:String})
    AND c.`table` = {table:String}
ORDER BY c.position
