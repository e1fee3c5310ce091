-- The pictures that were made: see the package gallery. Nobody's tenant, channel and name are empty, so that whoever asks
-- without one of them is not taken for somebody.

-- +goose Up
CREATE TABLE pictures (
	job          TEXT    NOT NULL,                    -- ULID
	idx          INTEGER NOT NULL,
	tenant       TEXT    NOT NULL CHECK (tenant <> ''),
	channel      TEXT    NOT NULL CHECK (channel <> ''),
	owner        TEXT    NOT NULL CHECK (owner <> ''),
	visibility   TEXT    NOT NULL CHECK (visibility IN ('private', 'channel', 'tenant', 'public')),
	request      TEXT    NOT NULL,                    -- JSON
	model        TEXT    NOT NULL,
	parent       TEXT,                                -- the job it came from, or null
	parent_index INTEGER,
	took         INTEGER NOT NULL,                    -- milliseconds
	width        INTEGER NOT NULL,
	height       INTEGER NOT NULL,
	blob         TEXT    NOT NULL,                    -- the file's SHA-256, or empty when the picture was withheld
	verdict      TEXT    NOT NULL,
	created      INTEGER NOT NULL,
	PRIMARY KEY (job, idx)
);
CREATE INDEX pictures_channel ON pictures (tenant, channel, job DESC, idx);
CREATE INDEX pictures_blob ON pictures (blob);

-- +goose Down
DROP TABLE pictures;
