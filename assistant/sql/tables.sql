-- Tables of ours with what they hold.
SELECT
    t.`database` AS `database`,
    t.name AS `table`,
    t.comment AS holds
FROM system.tables AS t
WHERE t.`database` = currentDatabase() OR startsWith(t.`database`, 'marts')
ORDER BY `database`, `table`
