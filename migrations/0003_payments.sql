-- Money: what was agreed, what providers were asked to do, and what they told us. Amounts are in ISO 4217 minor units.

ALTER TABLE order_events DROP CONSTRAINT order_events_type_check;
ALTER TABLE order_events ADD CONSTRAINT order_events_type_check
  CHECK (type IN ('placed', 'paid', 'started', 'given_back', 'completed', 'failed', 'retry_scheduled', 'retried', 'cancelled')) NOT VALID;
ALTER TABLE order_events VALIDATE CONSTRAINT order_events_type_check;

-- The payment of an order that is paid online. It has the id of its order: one payment, one order.
CREATE TABLE payments (
  id                      uuid PRIMARY KEY REFERENCES orders (id) ON DELETE RESTRICT,
  order_number            bigint NOT NULL UNIQUE,
  provider                text NOT NULL CHECK (provider IN ('stripe', 'paypal')),
  status                  text NOT NULL DEFAULT 'requires_payment' CHECK (status IN
    ('requires_payment', 'authorised', 'captured', 'partially_refunded', 'refunded', 'voided', 'failed', 'expired')),
  amount_minor            bigint NOT NULL CHECK (amount_minor > 0),
  currency                text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  -- What a manager has accepted instead of the amount, when another one came.
  accepted_minor          bigint CHECK (accepted_minor > 0),
  checkout_reference      text,
  checkout_url            text,
  checkout_expires_at     timestamptz,
  authorisation_reference text,
  authorised_minor        bigint CHECK (authorised_minor >= 0),
  -- When the hold ends, and until when the provider stands by it without a renewal.
  held_until              timestamptz,
  honoured_until          timestamptz,
  capture_reference       text,
  captured_minor          bigint NOT NULL DEFAULT 0 CHECK (captured_minor >= 0),
  refunded_minor          bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
  failure_code            text,
  failure_message         text,
  -- Raised by whoever wants the payment looked at; a look sets synced_no to what it was when the look began.
  sync_no                 integer NOT NULL DEFAULT 1,
  synced_no               integer NOT NULL DEFAULT 0,
  sync_failures           integer NOT NULL DEFAULT 0,
  -- When the janitor has it looked at, if nobody did before. Null: nothing is left to do.
  next_sync_at            timestamptz,
  -- One process at a time talks to the provider about a payment.
  lease_id                uuid,
  lease_until             timestamptz,
  authorised_at           timestamptz,
  captured_at             timestamptz,
  created_at              timestamptz NOT NULL DEFAULT now(),
  updated_at              timestamptz NOT NULL DEFAULT now(),
  CHECK ((lease_id IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX payments_to_sync ON payments (next_sync_at) WHERE next_sync_at IS NOT NULL;
CREATE UNIQUE INDEX payments_by_authorisation ON payments (provider, authorisation_reference) WHERE authorisation_reference IS NOT NULL;
CREATE UNIQUE INDEX payments_by_capture ON payments (provider, capture_reference) WHERE capture_reference IS NOT NULL;

-- Every checkout that was ever opened for a payment: an old one may still be heard of.
CREATE TABLE payment_checkouts (
  provider   text NOT NULL,
  reference  text NOT NULL,
  payment_id uuid NOT NULL REFERENCES payments (id) ON DELETE RESTRICT,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (provider, reference)
);

-- What a provider is asked to do, written down before it is asked. The key never depends on how often it is asked.
CREATE TABLE payment_operations (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  payment_id      uuid NOT NULL REFERENCES payments (id) ON DELETE RESTRICT,
  type            text NOT NULL CHECK (type IN ('checkout', 'expire', 'authorise', 'reauthorise', 'capture', 'void', 'refund')),
  seq             integer NOT NULL CHECK (seq >= 1),
  idempotency_key text NOT NULL UNIQUE,
  amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
  currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  state           text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'succeeded', 'failed', 'unknown')),
  requested_by    text NOT NULL,
  reason          text,
  -- The Idempotency-Key of the request that asked for it.
  request_key     text CHECK (length(request_key) BETWEEN 1 AND 255),
  provider_reference text,
  -- declined, refused, …: what kind of failure it was.
  error_kind      text,
  error_code      text,
  error_message   text,
  asked_count     integer NOT NULL DEFAULT 0,
  first_asked_at  timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  finished_at     timestamptz,
  UNIQUE (payment_id, type, seq),
  CHECK ((state IN ('succeeded', 'failed')) = (finished_at IS NOT NULL))
);
-- Beside refunds, which wait for each other in their order, nothing is asked while the end of something else is open.
CREATE UNIQUE INDEX payment_operations_open ON payment_operations (payment_id)
  WHERE state IN ('requested', 'unknown') AND type <> 'refund';
CREATE UNIQUE INDEX payment_operations_by_key ON payment_operations (payment_id, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX payment_operations_unknown ON payment_operations (first_asked_at) WHERE state = 'unknown';

-- The timeline of the money; moves of the order are order_events.
CREATE TABLE payment_events (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments (id) ON DELETE RESTRICT,
  type       text NOT NULL,
  actor      text NOT NULL,
  detail     jsonb,
  at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX payment_events_by_payment ON payment_events (payment_id, id);

-- What providers told us, once each, as it came. It never carries state: it makes us read the object.
CREATE TABLE webhook_events (
  id           uuid PRIMARY KEY,
  provider     text NOT NULL CHECK (provider IN ('stripe', 'paypal')),
  event_id     text NOT NULL,
  type         text NOT NULL,
  occurred_at  timestamptz NOT NULL,
  payment_id   uuid,
  object_references text[] NOT NULL,
  amount_minor bigint,
  currency     text,
  raw_body     bytea NOT NULL,
  -- Delivered, or found in the provider's list of what it could not deliver.
  source       text NOT NULL CHECK (source IN ('webhook', 'list')),
  state        text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'handled', 'parked', 'quarantined', 'discarded')),
  tries        integer NOT NULL DEFAULT 0,
  next_try_at  timestamptz,
  received_at  timestamptz NOT NULL DEFAULT now(),
  handled_at   timestamptz,
  UNIQUE (provider, event_id)
);
CREATE INDEX webhook_events_to_handle ON webhook_events (next_try_at) WHERE next_try_at IS NOT NULL;

-- What does not agree with the ledger waits here for a manager.
CREATE TABLE quarantine (
  id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  payment_id       uuid REFERENCES payments (id) ON DELETE RESTRICT,
  webhook_event_id uuid UNIQUE REFERENCES webhook_events (id) ON DELETE RESTRICT,
  -- amount_differs, currency_differs, object_unknown, move_unexpected
  kind             text NOT NULL,
  expected_minor   bigint,
  expected_currency text,
  found_minor      bigint,
  found_currency   text,
  detail           text NOT NULL,
  state            text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'discarded')),
  decided_by       text,
  decided_at       timestamptz,
  created_at       timestamptz NOT NULL DEFAULT now(),
  CHECK ((state = 'open') = (decided_at IS NULL)),
  CHECK (payment_id IS NOT NULL OR webhook_event_id IS NOT NULL)
);
-- The same disagreement found again is no second one.
CREATE UNIQUE INDEX quarantine_open_of_payment ON quarantine (payment_id, kind) WHERE state = 'open' AND webhook_event_id IS NULL;
-- And what somebody has decided is not put aside again: by a look that had begun before, or by those that give the money back.
CREATE UNIQUE INDEX quarantine_decided_of_payment ON quarantine (payment_id, kind, detail) WHERE webhook_event_id IS NULL;

-- One comparison of the ledger with a provider's books. Its counts grow while it is under way.
CREATE TABLE reconciliation_runs (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  provider    text NOT NULL CHECK (provider IN ('stripe', 'paypal')),
  from_time   timestamptz NOT NULL,
  to_time     timestamptz NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  -- Lines of the provider's books; of these, what was sold elsewhere with the same account.
  movements   integer NOT NULL DEFAULT 0,
  of_others   integer NOT NULL DEFAULT 0,
  -- Payments of ours; of these, what was looked at once more.
  compared    integer NOT NULL DEFAULT 0,
  looked_at   integer NOT NULL DEFAULT 0,
  found       integer NOT NULL DEFAULT 0,
  resolved    integer NOT NULL DEFAULT 0,
  failure     text,
  CHECK (from_time < to_time)
);
CREATE INDEX reconciliation_runs_by_time ON reconciliation_runs (provider, started_at);

-- What did not agree.
CREATE TABLE reconciliation_differences (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  provider       text NOT NULL CHECK (provider IN ('stripe', 'paypal')),
  kind           text NOT NULL CHECK (kind IN
    ('missing_at_provider', 'unknown_to_us', 'amount_differs',
     'capture_overdue', 'hold_not_released', 'money_not_returned', 'operation_stuck', 'webhook_parked')),
  -- capture, refund, …: what of the payment it is about.
  about          text NOT NULL,
  payment_id     uuid REFERENCES payments (id) ON DELETE RESTRICT,
  reference      text NOT NULL,
  ours_minor     bigint,
  theirs_minor   bigint,
  currency       text,
  detail         text,
  -- When the money moved: only a comparison of this time can tell that it agrees. Null: what our own ledger shows at any time.
  happened_at    timestamptz,
  first_seen_run uuid NOT NULL REFERENCES reconciliation_runs (id),
  last_seen_run  uuid NOT NULL REFERENCES reconciliation_runs (id),
  first_seen_at  timestamptz NOT NULL DEFAULT now(),
  last_seen_at   timestamptz NOT NULL DEFAULT now(),
  resolved_at    timestamptz
);
CREATE UNIQUE INDEX reconciliation_differences_open ON reconciliation_differences (provider, kind, about, reference) WHERE resolved_at IS NULL;
