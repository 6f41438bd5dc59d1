-- Why it was done stands by itself, so that nobody has to look for it in JSON.
ALTER TABLE audit_event ADD COLUMN IF NOT EXISTS reason String AFTER subject;
ALTER TABLE audit_event COMMENT COLUMN IF EXISTS reason 'Why, in the words of the actor';
