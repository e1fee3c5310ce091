-- +goose Up

-- Who has been in the local channel. The token in their cookie is a secret: only its SHA-256 is here.
CREATE TABLE web_people (
	id         TEXT PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	name       TEXT NOT NULL,
	created    INTEGER NOT NULL,
	seen       INTEGER NOT NULL
);

-- The messages of the local channel, in the order of their id. Whatever happens to one, its coming included, gives it
-- the next revision, so what is new to a reader is what has a greater revision than the last one they know.
CREATE TABLE web_messages (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	rev         INTEGER NOT NULL UNIQUE,
	kind        TEXT NOT NULL CHECK (kind IN ('chat', 'job', 'notice')),
	author      TEXT NOT NULL,
	author_name TEXT NOT NULL,             -- as it was when they wrote
	recipient   TEXT NOT NULL DEFAULT '',  -- who alone may see it; empty: everybody
	job         TEXT NOT NULL DEFAULT '',  -- of kind 'job'
	key         TEXT NOT NULL DEFAULT '',  -- what the author's page calls it, so that it is not posted twice
	body        TEXT NOT NULL,             -- text, of kind 'job' JSON; empty once deleted
	created     INTEGER NOT NULL,
	deleted     INTEGER NOT NULL DEFAULT 0 -- 1: only its place is left
);

CREATE UNIQUE INDEX web_messages_job ON web_messages (job) WHERE kind = 'job';
CREATE UNIQUE INDEX web_messages_key ON web_messages (author, key) WHERE key <> '';

-- The last revision given away. One row.
CREATE TABLE web_revision (rev INTEGER NOT NULL);
INSERT INTO web_revision VALUES (0);

-- +goose Down

DROP TABLE web_revision;
DROP TABLE web_messages;
DROP TABLE web_people;
