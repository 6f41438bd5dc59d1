-- Share of the warehouse's disk in use, per disk.
SELECT
    name AS subject,
    1 - unreserved_space / total_space AS value
FROM system.disks
WHERE total_space > 0
ORDER BY subject
