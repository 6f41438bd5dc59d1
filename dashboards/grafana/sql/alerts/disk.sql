-- Share of the warehouse's disk in use.
SELECT max(1 - unreserved_space / total_space) AS used
FROM system.disks
WHERE total_space > 0
