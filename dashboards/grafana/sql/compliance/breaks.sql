SELECT
    'clock-sync' AS report,
    rule_id AS rule,
    severity,
    count() AS breaks,
    max(report_date) AS last_day
FROM ${marts}.rpt_clock_break
WHERE report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
GROUP BY rule, severity
UNION ALL
SELECT
    'controls' AS report,
    rule_id AS rule,
    severity,
    count() AS breaks,
    max(report_date) AS last_day
FROM ${marts}.rpt_control_break
WHERE report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
GROUP BY rule, severity
UNION ALL
SELECT
    'emir' AS report,
    rule_id AS rule,
    severity,
    count() AS breaks,
    max(report_date) AS last_day
FROM ${marts}.rpt_emir_break
WHERE report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
GROUP BY rule, severity
UNION ALL
SELECT
    'execution-quality' AS report,
    rule_id AS rule,
    severity,
    count() AS breaks,
    max(report_date) AS last_day
FROM ${marts}.rpt_execution_break
WHERE report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
GROUP BY rule, severity
UNION ALL
SELECT
    'order-records' AS report,
    rule_id AS rule,
    severity,
    count() AS breaks,
    max(report_date) AS last_day
FROM ${marts}.rpt_order_record_break
WHERE report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
GROUP BY rule, severity
UNION ALL
SELECT
    'rts22' AS report,
    rule_id AS rule,
    severity,
    count() AS breaks,
    max(report_date) AS last_day
FROM ${marts}.rpt_rts22_break
WHERE report_date >= toDate($__fromTime) AND report_date <= toDate($__toTime)
GROUP BY rule, severity
ORDER BY breaks DESC, report ASC, rule ASC
