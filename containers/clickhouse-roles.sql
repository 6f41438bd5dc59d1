-- Roles for a ClickHouse server of one's own, 25.8 or newer: what the embedded warehouse lets its roles do, as grants.
-- Run as an administrator, then give each process a user with its role: streams, watch and Dagster `tickhouse_recorder`;
-- what makes tables and marts (`up`, `import`, `restate`, dbt) `tickhouse_writer`; pages, Grafana and people
-- `tickhouse_analyst`. Marts lie in databases of their own, whose names begin like ours.
CREATE ROLE IF NOT EXISTS tickhouse_analyst;
GRANT SELECT, SHOW ON tickhouse*.* TO tickhouse_analyst;
CREATE ROLE IF NOT EXISTS tickhouse_recorder;
GRANT SELECT, SHOW ON tickhouse*.* TO tickhouse_recorder;
GRANT INSERT ON tickhouse.* TO tickhouse_recorder;
-- The row that a corrected tick had before leaves `tick`; nothing else of it is deleted (docs/adr/0016-tick-versions.md).
GRANT ALTER DELETE ON tickhouse.tick TO tickhouse_recorder;
CREATE ROLE IF NOT EXISTS tickhouse_writer;
GRANT ALL ON tickhouse*.* TO tickhouse_writer;
