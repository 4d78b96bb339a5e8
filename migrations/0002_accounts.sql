-- Accounts, their sessions, who tried to get in, and who did what.

-- argon2id in PHC form; an account without one cannot sign in.
ALTER TABLE users ADD COLUMN password_hash text CHECK (password_hash LIKE '$argon2id$%');

-- One sign-in and everything that was refreshed from it: the family of a refresh token.
CREATE TABLE sessions (
  id         uuid PRIMARY KEY,
  user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Where it was begun: who guesses from elsewhere does not make its owner wait there.
  network    text,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The end of its youngest refresh token: nobody can come back after that.
  expires_at timestamptz NOT NULL,
  ended_at   timestamptz,
  end_reason text CHECK (end_reason IN ('signed_out', 'token_reused', 'password_changed', 'account_closed')),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_by_user ON sessions (user_id, network);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- SHA-256 of the token: who reads this table can sign in as nobody.
CREATE TABLE refresh_tokens (
  token_hash    bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  session_id    uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at    timestamptz NOT NULL DEFAULT now(),
  expires_at    timestamptz NOT NULL,
  first_used_at timestamptz
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Failed sign-ins, by account (also one that does not exist) and by address; forgotten after a day without any.
CREATE TABLE sign_in_failures (
  -- SHA-256 of `account:…` or `address:…`: nobody's typing errors are kept in clear.
  key             bytea PRIMARY KEY CHECK (length(key) = 32),
  count           integer NOT NULL CHECK (count >= 0),
  last_failed_at  timestamptz NOT NULL DEFAULT now(),
  blocked_until   timestamptz
);
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_failed_at);

-- Who did what. Without foreign keys: it outlives the accounts it names.
CREATE TABLE audit_events (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  action     text NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
  -- `user` with its id and e-mail of that time, `admin` (Basic auth) with its name, or `system`.
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'admin', 'system')),
  actor_id   uuid,
  actor_name text NOT NULL,
  -- What it was done to, such as `order 1001` or `bot 3`; for accounts the e-mail.
  subject    text,
  detail     jsonb,
  address    text
);
CREATE INDEX audit_events_by_action ON audit_events (action, id);
CREATE INDEX audit_events_by_actor ON audit_events (lower(actor_name), id);

CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit events are never changed or deleted';
END $$;
CREATE TRIGGER audit_events_are_kept BEFORE UPDATE OR DELETE ON audit_events
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit();
CREATE TRIGGER audit_events_are_not_emptied BEFORE TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();

-- A robot of one's own: one for each account with the role BOT.
CREATE UNIQUE INDEX bots_by_user ON bots (user_id) WHERE user_id IS NOT NULL AND deleted_at IS NULL;
