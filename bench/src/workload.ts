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

/** What workloads get that start clusters of their own. */
export interface ClusterContext {
  readonly folder: string;
  readonly nodes: number;
  readonly seconds: number;
  /** Failovers to measure. */
  readonly rounds: number;
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
  /** Shown at the end of the line. */
  readonly note?: string;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Result[]>;
}

/** Runs while the servers that other workloads share are not up. */
export interface ClusterWorkload {
  readonly name: string;
  readonly title: string;
  runClusters(context: ClusterContext): Promise<Result[]>;
}
