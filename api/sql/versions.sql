-- What changes whenever a row of one of these tables does.
SELECT
    max(p.modification_time) AS newest,
    sum(p.bytes_on_disk) AS stored,
    count() AS parts,
    max(p.max_block_number) AS block
FROM system.parts AS p
WHERE p.active AND p.database = currentDatabase() AND p.table IN ({tables:Array(String)})
