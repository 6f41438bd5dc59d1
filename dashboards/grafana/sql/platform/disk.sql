SELECT
    name,
    1 - unreserved_space / total_space AS used
FROM system.disks
WHERE total_space > 0
