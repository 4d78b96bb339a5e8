import type pg from 'pg';
import type { BusinessSums } from '../backup/manifest.ts';

const sumOrders = `
  SELECT currency, status, count(*)::float8 AS count, sum(total_minor)::text AS "totalMinor"
  FROM orders GROUP BY currency, status ORDER BY currency, status`;

const sumPayments = `
  SELECT currency, status, count(*)::float8 AS count, sum(amount_minor)::text AS "amountMinor",
    sum(captured_minor)::text AS "capturedMinor", sum(refunded_minor)::text AS "refundedMinor"
  FROM payments GROUP BY currency, status ORDER BY currency, status`;

/** Rules of the business that no constraint of one table can hold, and some that one should: how many rows break each. */
const countViolations = `
  SELECT
    (SELECT count(*) FROM payments p WHERE p.captured_minor > 0
      AND NOT EXISTS (SELECT FROM orders o WHERE o.id = p.id AND o.number = p.order_number))::float8 AS captured_without_order,
    (SELECT count(*) FROM payments WHERE refunded_minor > captured_minor)::float8 AS refunded_above_captured,
    (SELECT count(*) - count(DISTINCT number) FROM orders)::float8 AS order_number_twice,
    (SELECT count(*) FROM orders WHERE number > (SELECT last_value FROM order_number_seq))::float8 AS order_number_ahead,
    (SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM order_items i WHERE i.order_id = o.id))::float8 AS order_without_items,
    (SELECT count(*) FROM orders o WHERE NOT EXISTS
      (SELECT FROM order_events e WHERE e.order_number = o.number AND e.type = 'placed'))::float8 AS order_without_beginning`;

/** What must be the same after a restore, by what the rows mean and not by their bytes. */
export async function readBusinessSums(client: pg.Client): Promise<BusinessSums> {
  await client.query(`SET work_mem = '32MB'`); // these joins see every row once
  const { rows: orders } = await client.query<BusinessSums['orders'][number]>(sumOrders);
  const { rows: payments } = await client.query<BusinessSums['payments'][number]>(sumPayments);
  const { rows: violations } = await client.query<Record<string, number>>(countViolations);
  return { orders, payments, violations: violations[0] ?? {} };
}
