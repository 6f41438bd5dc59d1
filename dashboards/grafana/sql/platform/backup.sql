SELECT dateDiff('second', max(ts_event), now()) AS age FROM offsite_backup
HAVING count() > 0
