-- Times are texts as WorkOS writes them: 2026-01-01T12:00:00.000Z. They compare as texts.

CREATE TABLE IF NOT EXISTS departments (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE
);
INSERT OR IGNORE INTO departments (name) VALUES ('Engineering'), ('Finance'), ('Sales'), ('Support');

-- A person in an organization. Somebody in two organizations is here twice, somebody who signed in and has none yet once
-- without.
CREATE TABLE IF NOT EXISTS people (
    id INTEGER PRIMARY KEY,
    organization_id TEXT,
    workos_id TEXT,
    directory_user_id TEXT UNIQUE,
    directory_id TEXT,
    email TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT 'member',
    department_id INTEGER REFERENCES departments,
    active INTEGER NOT NULL DEFAULT TRUE,
    deleted_at TEXT,
    last_signed_in_at TEXT,
    -- When WorkOS last changed what is told here. Older news comes late and changes nothing.
    changed_at TEXT NOT NULL DEFAULT '',
    UNIQUE (organization_id, workos_id)
);
CREATE INDEX IF NOT EXISTS people_by_email ON people (organization_id, email);
CREATE INDEX IF NOT EXISTS people_by_user ON people (workos_id);
CREATE INDEX IF NOT EXISTS people_by_directory ON people (directory_id);

-- The groups of directories, and who is in them: roles and departments are made of these. What has gone stays as a mark,
-- so that older news does not bring it back.
CREATE TABLE IF NOT EXISTS directory_groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    deleted_at TEXT,
    changed_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS directory_group_members (
    group_id TEXT NOT NULL,
    directory_user_id TEXT NOT NULL,
    is_member INTEGER NOT NULL,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (directory_user_id, group_id)
);
CREATE INDEX IF NOT EXISTS members_by_group ON directory_group_members (group_id);
CREATE TABLE IF NOT EXISTS deleted_directories (id TEXT PRIMARY KEY);

-- Every event that was worked off: WorkOS may deliver one twice.
CREATE TABLE IF NOT EXISTS webhook_events (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    processed_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY,
    organization_id TEXT NOT NULL,
    title TEXT NOT NULL,
    author TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_organization ON documents (organization_id, id);
