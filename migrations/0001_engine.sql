-- The engine's own tables. Postgres is the truth: a queue says only what to do next, and can be rebuilt from here.

CREATE TABLE users (
  id           uuid PRIMARY KEY,
  email        text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
  role         text NOT NULL CHECK (role IN ('NORMAL', 'VIP', 'MANAGER', 'BOT')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  deleted_at   timestamptz
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE deleted_at IS NULL;

CREATE TABLE products (
  id           uuid PRIMARY KEY,
  sku          text NOT NULL CHECK (length(sku) BETWEEN 1 AND 64),
  name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  description  text NOT NULL DEFAULT '',
  price_minor  bigint NOT NULL CHECK (price_minor >= 0),
  currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  image_url    text,
  sound_url    text,
  is_available boolean NOT NULL DEFAULT true,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  deleted_at   timestamptz
);
CREATE UNIQUE INDEX products_sku_key ON products (sku) WHERE deleted_at IS NULL;

CREATE SEQUENCE order_number_seq AS bigint START 1001;
-- The place in a lane: taken when an order becomes due, kept when it is given back.
CREATE SEQUENCE order_due_seq AS bigint;

CREATE TABLE orders (
  id               uuid PRIMARY KEY,
  number           bigint NOT NULL DEFAULT nextval('order_number_seq'),
  user_id          uuid NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  lane             text NOT NULL CHECK (lane IN ('vip', 'normal')),
  status           text NOT NULL CHECK (status IN ('awaiting_payment', 'pending', 'processing', 'complete', 'cancelled', 'failed')),
  due_seq          bigint,
  -- Grows when a new job is made for the order; an order given back keeps its job.
  enqueue_no       integer NOT NULL DEFAULT 1 CHECK (enqueue_no >= 1),
  -- How many times the order was started: the fence. Only the current attempt may finish it.
  attempt          integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  -- Handler errors and host deaths; removals of a bot and deploys do not count.
  failure_count    integer NOT NULL DEFAULT 0 CHECK (failure_count >= 0),
  total_minor      bigint NOT NULL CHECK (total_minor >= 0),
  currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  payment_method   text NOT NULL CHECK (payment_method IN ('counter', 'stripe', 'paypal')),
  customer_name    text CHECK (length(customer_name) <= 200),
  note             text CHECK (length(note) <= 1000),
  idempotency_key  text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
  request_hash     bytea,
  -- No foreign key to bots or bot_hosts: its check would lock the bot's row at every start. Bots are never deleted, only marked.
  bot_id           uuid,
  bot_number       integer,
  host_id          uuid,
  progress         real CHECK (progress BETWEEN 0 AND 1),
  expected_at      timestamptz,
  retry_at         timestamptz,
  failure_reason   text,
  placed_at        timestamptz NOT NULL DEFAULT now(),
  started_at       timestamptz,
  completed_at     timestamptz,
  cancelled_at     timestamptz,
  updated_at       timestamptz NOT NULL DEFAULT now(),
  deleted_at       timestamptz,
  CONSTRAINT orders_due_has_place CHECK (due_seq IS NOT NULL OR status NOT IN ('pending', 'processing', 'complete')),
  CONSTRAINT orders_processing_has_bot CHECK (status <> 'processing' OR (bot_id IS NOT NULL AND started_at IS NOT NULL AND attempt > 0)),
  CONSTRAINT orders_complete_has_time CHECK ((status = 'complete') = (completed_at IS NOT NULL)),
  CONSTRAINT orders_cancelled_has_time CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
  CONSTRAINT orders_key_has_hash CHECK ((idempotency_key IS NULL) = (request_hash IS NULL))
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX orders_number_key ON orders (number);
CREATE UNIQUE INDEX orders_idempotency_key ON orders (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX orders_by_user ON orders (user_id, number);
CREATE INDEX orders_pending ON orders (lane, due_seq) WHERE status = 'pending';
CREATE INDEX orders_processing ON orders (bot_id) WHERE status = 'processing';
ALTER SEQUENCE order_number_seq OWNED BY orders.number;
ALTER SEQUENCE order_due_seq OWNED BY orders.due_seq;

-- What was ordered, at the price of that moment: a later change of the catalogue never changes an order.
CREATE TABLE order_items (
  order_id         uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  line             smallint NOT NULL CHECK (line >= 1),
  sku              text NOT NULL,
  name             text NOT NULL,
  quantity         integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000),
  unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
  PRIMARY KEY (order_id, line)
);

-- The timeline of every order, written by the statement that makes each move. The live board follows it by (xid, id):
-- what is older than every running transaction can no longer be joined by a late commit with a smaller id.
-- A restore into another cluster must not copy xid: let the default give it anew.
CREATE TABLE order_events (
  xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id           bigint GENERATED ALWAYS AS IDENTITY,
  order_number bigint NOT NULL REFERENCES orders (number) ON DELETE CASCADE,
  lane         text NOT NULL,
  type         text NOT NULL CHECK (type IN ('placed', 'started', 'given_back', 'completed', 'failed', 'retry_scheduled', 'retried', 'cancelled')),
  from_status  text,
  to_status    text NOT NULL,
  attempt      integer NOT NULL,
  bot_number   integer,
  actor        text NOT NULL,
  detail       jsonb,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (xid, id)
);
CREATE INDEX order_events_by_order ON order_events (order_number, id);

-- A process that runs bots. Its lease is renewed every second; whoever finds it ended gives its orders back.
CREATE TABLE bot_hosts (
  id          uuid PRIMARY KEY,
  name        text NOT NULL,
  capacity    integer NOT NULL CHECK (capacity >= 0),
  lease_until timestamptz NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT now()
);

CREATE SEQUENCE bot_number_seq AS integer START 1;
CREATE TABLE bots (
  id         uuid PRIMARY KEY,
  number     integer NOT NULL DEFAULT nextval('bot_number_seq') UNIQUE,
  -- A robot of one's own belongs to a user and is never leased by a host.
  user_id    uuid REFERENCES users (id) ON DELETE RESTRICT,
  host_id    uuid REFERENCES bot_hosts (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CHECK (user_id IS NULL OR host_id IS NULL)
);
ALTER SEQUENCE bot_number_seq OWNED BY bots.number;
CREATE INDEX bots_by_host ON bots (host_id) WHERE deleted_at IS NULL;

-- Jobs, written by the transaction that makes them due; removed once their queue holds them. One row carries the jobs
-- that one transaction made for one queue, so a group of 200 orders costs one row and not 200.
CREATE TABLE outbox (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue         text NOT NULL,
  jobs          jsonb NOT NULL CHECK (jsonb_typeof(jobs) = 'array'),
  trace_context text,
  -- Not before this time by a relay: the writing process hands over by itself first, and a retry waits out its backoff.
  available_at  timestamptz NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- What we know of the queue store that was last filled: a store with another marker or run id is rebuilt.
CREATE TABLE queue_stores (
  kind       text PRIMARY KEY CHECK (kind IN ('redis', 'postgres')),
  marker     uuid NOT NULL,
  run_id     text NOT NULL,
  rebuilt_at timestamptz NOT NULL DEFAULT now()
);
