-- `clickhouse-roles.sql` for a cluster (docs/how-to/distributed.md). `{cluster}` is ClickHouse's macro: give the name
-- itself where the servers' configuration has no such macro. The part of `tick` on a shard is `tick_local`, and whoever
-- gives a statement for all servers needs the right to (CLUSTER).
CREATE ROLE IF NOT EXISTS tickhouse_analyst ON CLUSTER '{cluster}';
GRANT ON CLUSTER '{cluster}' SELECT, SHOW ON tickhouse*.* TO tickhouse_analyst;
CREATE ROLE IF NOT EXISTS tickhouse_recorder ON CLUSTER '{cluster}';
GRANT ON CLUSTER '{cluster}' SELECT, SHOW ON tickhouse*.* TO tickhouse_recorder;
GRANT ON CLUSTER '{cluster}' INSERT ON tickhouse.* TO tickhouse_recorder;
GRANT ON CLUSTER '{cluster}' ALTER DELETE ON tickhouse.tick_local TO tickhouse_recorder;
CREATE ROLE IF NOT EXISTS tickhouse_writer ON CLUSTER '{cluster}';
GRANT ON CLUSTER '{cluster}' ALL ON tickhouse*.* TO tickhouse_writer;
GRANT ON CLUSTER '{cluster}' CLUSTER ON *.* TO tickhouse_recorder, tickhouse_writer;
-- Whose client does not say so itself (people, Grafana): a subquery over shards is asked once, for all of them.
CREATE SETTINGS PROFILE IF NOT EXISTS tickhouse_cluster ON CLUSTER '{cluster}'
SETTINGS distributed_product_mode = 'global', load_balancing = 'in_order'
TO tickhouse_analyst, tickhouse_recorder, tickhouse_writer;
