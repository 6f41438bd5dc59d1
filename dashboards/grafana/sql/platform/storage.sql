SELECT
    replaceRegexpOne(`table`, '_local$', '') AS name,
    sum(`rows`) AS stored_rows,
    sum(bytes_on_disk) AS bytes,
    sum(data_uncompressed_bytes) / nullIf(sum(data_compressed_bytes), 0) AS compression,
    count() AS parts
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY name
ORDER BY bytes DESC
