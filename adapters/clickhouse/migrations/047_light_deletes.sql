-- A row that a correction replaced or took back is left out at once, by a note of a few bytes, instead of
-- waiting for the merges of its part: for that a part has to say where each of its rows came from.
ALTER TABLE tick MODIFY SETTING enable_block_number_column = 1, enable_block_offset_column = 1 -- noqa: PRS
;
