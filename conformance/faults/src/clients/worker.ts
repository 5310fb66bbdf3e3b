import type { Prng } from '@themisdb/base';
import type { HttpClient } from './http-client.ts';

/** Where the clients of one round work: collections of its own, so that histories stay short. */
export interface Place {
  readonly round: number;
  readonly acks: string;
  readonly registers: string;
  readonly lists: string;
}

export function placeOf(round: number): Place {
  return {
    round,
    acks: `acks_${round}`,
    registers: `registers_${round}`,
    lists: `lists_${round}`,
  };
}

export interface WorkerOptions {
  readonly name: string;
  readonly place: Place;
  readonly http: HttpClient;
  readonly prng: Prng;
  /** Rest between two operations. */
  readonly pauseMs: number;
  readonly isOver: () => boolean;
}

/** Calls `once` until the round is over. */
export async function work(options: WorkerOptions, once: () => Promise<void>): Promise<void> {
  while (!options.isOver()) {
    await once();
    await sleep(options.pauseMs * (0.5 + options.prng.below(1000) / 1000));
  }
  options.http.close();
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function entityPath(collection: string, key: string): string {
  return `/entity/${collection}%2F${key}`;
}

export const strong: Readonly<Record<string, string>> = { 'x-themis-consistency': 'strong' };
