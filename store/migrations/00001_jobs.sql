-- The journal of jobs and the outbox of their effects: see the package jobs.

-- +goose Up
CREATE TABLE jobs (
	id           TEXT    NOT NULL PRIMARY KEY,        -- ULID
	key          TEXT    NOT NULL,                    -- what the asker calls it
	platform     TEXT    NOT NULL,
	tenant       TEXT    NOT NULL,
	channel      TEXT    NOT NULL,
	visibility   TEXT    NOT NULL,
	owner        TEXT    NOT NULL,
	owner_name   TEXT    NOT NULL,
	kind         TEXT    NOT NULL,
	parent       TEXT,                                -- the job it came from, or null
	parent_index INTEGER,
	request      TEXT    NOT NULL,                    -- JSON
	model        TEXT    NOT NULL,
	credits      REAL    NOT NULL,
	state        TEXT    NOT NULL,
	reason       TEXT    NOT NULL DEFAULT '',         -- for the member
	cause        TEXT    NOT NULL DEFAULT '',         -- for the operator
	attempts     INTEGER NOT NULL DEFAULT 0,
	message      TEXT    NOT NULL DEFAULT '',         -- the platform's ID, once posted
	created      INTEGER NOT NULL,
	started      INTEGER,
	finished     INTEGER,
	took         INTEGER NOT NULL DEFAULT 0,          -- milliseconds
	deleted      INTEGER NOT NULL DEFAULT 0,
	UNIQUE (platform, tenant, key)
);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE state NOT IN ('done', 'refused', 'failed', 'cancelled');
CREATE INDEX jobs_channel ON jobs (tenant, channel, id);

CREATE TABLE outbox (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	key      TEXT    NOT NULL UNIQUE,
	job      TEXT    NOT NULL REFERENCES jobs (id),
	effect   TEXT    NOT NULL,
	amount   REAL    NOT NULL DEFAULT 0,              -- credits to give back
	created  INTEGER NOT NULL,
	due      INTEGER NOT NULL,                        -- not to be tried before
	attempts INTEGER NOT NULL DEFAULT 0,
	error    TEXT    NOT NULL DEFAULT '',             -- of the last attempt
	done     INTEGER                                  -- null while it is to be done
);
CREATE INDEX outbox_due ON outbox (due) WHERE done IS NULL;
CREATE INDEX outbox_job ON outbox (job);

-- +goose Down
DROP TABLE outbox;
DROP TABLE jobs;
