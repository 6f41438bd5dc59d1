-- What the members of the ensemble said, one by one, and how far they agreed.
ALTER TABLE prediction
ADD COLUMN IF NOT EXISTS agreement Float32 DEFAULT 1 COMMENT '1 minus the mean distance of the members from the prediction',
ADD COLUMN IF NOT EXISTS veto Bool DEFAULT false COMMENT 'The row lies outside the training range: no position is opened on it',
ADD COLUMN IF NOT EXISTS absent UInt32 DEFAULT 0 COMMENT 'Bit m: member m, in the order of the manifest, had no part in it',
ADD COLUMN IF NOT EXISTS members Array(Float32) COMMENT 'Calibrated p_down, p_flat, p_up of every member, in the order of the manifest; NaN when absent';
