import type { Lane } from '../src/domain/lane.ts';
import { ordersNormalQueue } from './orders-normal.ts';
import { ordersVipQueue } from './orders-vip.ts';

/** The queue of each lane. */
export const laneQueues = { vip: ordersVipQueue, normal: ordersNormalQueue } satisfies Record<
  Lane,
  typeof ordersVipQueue
>;
