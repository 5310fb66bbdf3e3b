import type { Postgres } from './postgres.ts';
import type { ThemisServer } from './themis.ts';

export interface Context {
  readonly themis: ThemisServer;
  readonly postgres: Postgres | undefined;
  readonly folder: string;
  /** Documents of the large collection. */
  readonly rows: number;
  readonly seconds: number;
}

/** One line of the result table. */
export interface Result {
  readonly workload: string;
  readonly system: string;
  readonly what: string;
  /** In `unit`. */
  readonly value: number;
  readonly unit: string;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Result[]>;
}
