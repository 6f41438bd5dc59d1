SELECT
    control,
    count() AS raised,
    max(ts_event) AS last,
    argMax(subject, ts_event) AS last_subject,
    argMax(detail, ts_event) AS last_detail
FROM control_alert FINAL
WHERE mode = '${mode}' AND $__timeFilter(ts_event)
GROUP BY control
ORDER BY last DESC
