"""The data source that boards and alert rules ask: that of the ClickHouse plugin."""

TYPE, UID = "grafana-clickhouse-datasource", "tickhouse"
