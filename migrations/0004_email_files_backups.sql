-- What customers are told, their receipts, and the backups.

-- Followed like the orders' events: what is older than every running transaction can no longer be joined by a smaller id.
ALTER TABLE payment_events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX payment_events_by_place ON payment_events (xid, id);

-- How far a follower of events has come. Of this cluster alone, as xids are: a backup leaves it out.
CREATE TABLE event_cursors (
  follower text PRIMARY KEY,
  xid      xid8 NOT NULL,
  id       bigint NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);

-- One row per message. Its Message-ID never changes, so that a repeat after a lost answer is known as one.
CREATE TABLE emails (
  id              uuid PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('order_confirmed', 'order_ready', 'receipt', 'order_cancelled', 'order_refunded')),
  order_number    bigint NOT NULL REFERENCES orders (number) ON DELETE CASCADE,
  -- The event that made it due, `order-17` or `payment-4`: one message for one event.
  source          text NOT NULL UNIQUE,
  recipient       text NOT NULL,
  message_id      text NOT NULL UNIQUE,
  -- What the event said, such as the amount of a refund.
  detail          jsonb,
  state           text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed', 'suppressed')),
  tries           integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- When it is tried again, if its job is lost. Null: it has ended.
  next_try_at     timestamptz,
  -- One process at a time hands it to the mail server.
  lease_id        uuid,
  lease_until     timestamptz,
  -- What the mail server said last.
  smtp_code       integer,
  smtp_response   text,
  failure_code    text,
  failure_message text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  finished_at     timestamptz,
  CHECK ((state = 'queued') = (finished_at IS NULL)),
  CHECK ((state = 'queued') = (next_try_at IS NOT NULL)),
  CHECK ((lease_id IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX emails_by_order ON emails (order_number);
CREATE INDEX emails_to_send ON emails (next_try_at) WHERE state = 'queued';

-- Who wants no news of orders. Receipts and refunds are told all the same.
CREATE TABLE email_opt_outs (
  address    text PRIMARY KEY CHECK (address = lower(address)),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The PDF of a captured payment, in the files store.
CREATE TABLE receipts (
  payment_id uuid PRIMARY KEY REFERENCES payments (id) ON DELETE RESTRICT,
  object_key text NOT NULL UNIQUE,
  sha256     text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  bytes      integer NOT NULL CHECK (bytes > 0),
  made_at    timestamptz NOT NULL DEFAULT now()
);

-- A part that works less well, by the account of the process that found it; /readyz shows it. Gone when it works again.
CREATE TABLE service_faults (
  service    text PRIMARY KEY CHECK (service IN ('mail', 'media', 'files', 'backups')),
  code       text NOT NULL,
  message    text NOT NULL,
  -- Whether we have stopped a queue for it: what somebody else has stopped, we do not start again.
  has_paused boolean NOT NULL DEFAULT false,
  since      timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now()
);

-- The runs of backups as this database knows them. What can be restored is told by the store alone.
CREATE TABLE backups (
  id             uuid PRIMARY KEY,
  -- The folder in the store, `20261122T021500Z-1f3a9c`: sorts by time.
  name           text NOT NULL UNIQUE,
  state          text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'stored', 'verified', 'failed', 'deleted')),
  -- snapshot, upload, read_back, restore, compare, retention: what it is at.
  phase          text,
  -- Of the phase: rows, bytes or tables, whichever it counts.
  done_units     bigint NOT NULL DEFAULT 0,
  total_units    bigint NOT NULL DEFAULT 0,
  trigger        text NOT NULL CHECK (trigger IN ('schedule', 'api', 'cli')),
  requested_by   text NOT NULL,
  snapshot_at    timestamptz,
  stored_bytes   bigint,
  row_count      bigint,
  table_count    integer,
  is_encrypted   boolean,
  -- Of the snapshot and the upload; of the restore into the scratch database.
  backup_ms      integer,
  restore_ms     integer,
  failure        text,
  created_at     timestamptz NOT NULL DEFAULT now(),
  started_at     timestamptz,
  -- Renewed while somebody is at it: a run whose process died is seen by its age.
  seen_at        timestamptz,
  verified_at    timestamptz,
  finished_at    timestamptz
);
CREATE INDEX backups_by_time ON backups (created_at);
