import fc from 'fast-check';
import type { Contract, Route } from '../support/contract.ts';
import { breakValue, countTexts } from './break-value.ts';
import { type FuzzRequest, goodRequest } from './requests.ts';

const nullCharacter = 'a\0b';

/** What is tried at every route in every run, chance or not: a null character, which Postgres does not take, in every text. */
export function sweepOf(contract: Contract, route: Route, seed: number): FuzzRequest[] {
  const size = (request: FuzzRequest) => JSON.stringify([request.body, request.query]).length;
  const fullest = fc
    .sample(goodRequest(contract, route, { byRightCaller: true }), { seed, numRuns: 20 })
    .reduce((best, request) => (size(request) > size(best) ? request : best));
  const { body, query, params } = fullest;
  const value = body && 'value' in body ? body.value : undefined;
  return [
    fullest,
    ...Array.from({ length: countTexts(value) }, (_, place) => ({
      ...fullest,
      body: { value: breakValue(value, { kind: 'spoil', place, by: nullCharacter }) },
    })),
    ...Object.keys(query).map((name) => ({ ...fullest, query: { ...query, [name]: nullCharacter } })),
    ...Object.keys(params).map((name) => ({ ...fullest, params: { ...params, [name]: nullCharacter } })),
  ];
}
