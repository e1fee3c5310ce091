-- What waits for a moderator: see the package review. A job has at most one case of each subject.

-- +goose Up
CREATE TABLE cases (
	id         TEXT    PRIMARY KEY,                  -- ULID
	job        TEXT    NOT NULL REFERENCES jobs (id),
	subject    TEXT    NOT NULL CHECK (subject IN ('prompt', 'pictures')),
	platform   TEXT    NOT NULL,
	tenant     TEXT    NOT NULL CHECK (tenant <> ''),
	channel    TEXT    NOT NULL,
	owner      TEXT    NOT NULL,
	owner_name TEXT    NOT NULL,
	prompt     TEXT    NOT NULL,
	negative   TEXT    NOT NULL,
	reasons    TEXT    NOT NULL,                     -- JSON
	opened     INTEGER NOT NULL,
	decision   TEXT    NOT NULL DEFAULT '' CHECK (decision IN ('', 'approve', 'reject', 'withdrawn')),
	decided_by TEXT    NOT NULL DEFAULT '',
	decided    INTEGER,
	UNIQUE (job, subject)
);
CREATE INDEX cases_open ON cases (tenant, id) WHERE decision = '';

-- The file of a picture that waits for a moderator; nobody else can see it.
ALTER TABLE pictures ADD COLUMN held TEXT NOT NULL DEFAULT '';
CREATE INDEX pictures_held ON pictures (held) WHERE held <> '';

-- +goose Down
DROP INDEX pictures_held;
ALTER TABLE pictures DROP COLUMN held;
DROP TABLE cases;
