-- What a model learnt to foresee, by which it is judged, and how its members are weighed. Models that
-- were registered before have zeros until their cards are read again: 60 s and one spread are assumed.
ALTER TABLE model
ADD COLUMN IF NOT EXISTS horizon_s Float64 COMMENT 'How far ahead its label looks, seconds; 0: of before this was kept',
ADD COLUMN IF NOT EXISTS labels LowCardinality(String) COMMENT 'horizon: where the mid stands when it ends; barrier: which side it touches first',
ADD COLUMN IF NOT EXISTS label_spreads Float64 COMMENT 'A move counts beyond so many spreads of its row',
ADD COLUMN IF NOT EXISTS member_weights Array(Float64) COMMENT 'Share of each member while all speak, in the order of `members`';
