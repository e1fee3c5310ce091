-- Cases are posted where moderators are.

-- +goose Up
ALTER TABLE cases ADD COLUMN message TEXT NOT NULL DEFAULT '';         -- the platform's ID of it in the review channel, once posted
ALTER TABLE cases ADD COLUMN decided_by_name TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN about TEXT NOT NULL DEFAULT '';          -- the case of an effect, or empty: its job alone

CREATE INDEX cases_approved ON cases (platform, tenant, prompt) WHERE decision = 'approve';

-- The local channel has one owner at most: the first who did anything in it.
ALTER TABLE web_people ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;
UPDATE web_people SET owner = 1 WHERE rowid = (SELECT rowid FROM web_people ORDER BY created, rowid LIMIT 1);
CREATE UNIQUE INDEX web_people_owner ON web_people (owner) WHERE owner = 1;

-- The local channel's messages may be cases. SQLite cannot change a check, so the table is made anew.
ALTER TABLE web_messages RENAME TO web_messages_before;
CREATE TABLE web_messages (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	rev         INTEGER NOT NULL UNIQUE,
	kind        TEXT NOT NULL CHECK (kind IN ('chat', 'job', 'notice', 'case')),
	author      TEXT NOT NULL,
	author_name TEXT NOT NULL,             -- as it was when they wrote
	recipient   TEXT NOT NULL DEFAULT '',  -- who alone may see it; empty: everybody
	job         TEXT NOT NULL DEFAULT '',  -- of kind 'job', and the case's ID of kind 'case'
	key         TEXT NOT NULL DEFAULT '',  -- what the author's page calls it, so that it is not posted twice
	body        TEXT NOT NULL,             -- text, of kinds 'job' and 'case' JSON; empty once deleted
	created     INTEGER NOT NULL,
	deleted     INTEGER NOT NULL DEFAULT 0 -- 1: only its place is left
);
INSERT INTO web_messages SELECT id, rev, kind, author, author_name, recipient, job, key, body, created, deleted FROM web_messages_before;
DROP TABLE web_messages_before;
CREATE UNIQUE INDEX web_messages_job ON web_messages (kind, job) WHERE job <> '';
CREATE UNIQUE INDEX web_messages_key ON web_messages (author, key) WHERE key <> '';

-- +goose Down
DELETE FROM web_messages WHERE kind = 'case';
DELETE FROM outbox WHERE about <> '';
DROP INDEX web_people_owner;
ALTER TABLE web_people DROP COLUMN owner;
DROP INDEX cases_approved;
ALTER TABLE outbox DROP COLUMN about;
ALTER TABLE cases DROP COLUMN decided_by_name;
ALTER TABLE cases DROP COLUMN message;
