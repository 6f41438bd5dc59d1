-- The mode that runs here, always one row: that of the newest start that trades (live, shadow or demo). Before the
-- first, that of the newest replay or backtest; in an empty warehouse live. Boards open in it:
-- SELECT mode FROM running_mode. How far it is believed is in `status`: running until a drain says ended.
CREATE VIEW IF NOT EXISTS running_mode
(
    mode String COMMENT 'live, shadow, demo, replay or backtest',
    session_id String COMMENT 'That start; empty before the first',
    account String COMMENT 'Account it trades',
    status String COMMENT 'running or ended; of a replay as in run'
)
AS
SELECT
    if(count() = 0, 'live', argMax(s.mode, (s.mode NOT IN ('replay', 'backtest'), s.ts_start, s.number))) AS mode,
    argMax(s.session_id, (s.mode NOT IN ('replay', 'backtest'), s.ts_start, s.number)) AS session_id,
    argMax(s.account, (s.mode NOT IN ('replay', 'backtest'), s.ts_start, s.number)) AS account,
    argMax(s.status, (s.mode NOT IN ('replay', 'backtest'), s.ts_start, s.number)) AS status
FROM session AS s FINAL;
