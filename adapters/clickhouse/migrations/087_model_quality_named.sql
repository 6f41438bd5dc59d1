-- Models that a desk's strategies name are watched like the champion.
ALTER TABLE model_quality COMMENT COLUMN IF EXISTS role 'champion, challenger, or named (by a strategy of a desk)';
