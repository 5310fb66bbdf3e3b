import type { Value } from '@themisdb/base';
import type { Transaction } from '@themisdb/storage';
import type { EvaluationContext, Row } from '../expression/contract.ts';

/**
 * The contract of physical operators.
 *
 * A query is a chain of operators; each turns a stream of batches of rows into another. All rows of a
 * query, its subqueries included, share one register layout: an operator fills the registers of the
 * variables it makes and leaves the others alone.
 *
 * - **Batches** hold at least one row and about `run.batchRows`; a larger one only where splitting
 *   would be pointless. Order of rows is order of results.
 * - **Ownership**: a batch and its rows belong to whom they were yielded to, once yielded. An
 *   operator may overwrite and pass on a row it received, must copy a row it wants to emit twice, and
 *   must not touch a row after yielding it. Values in registers are shared and never changed.
 * - **Waiting**: inside a batch all is synchronous; an operator awaits only its input, the
 *   transaction, and `run.pause()`. It calls `run.checkpoint()` once per batch, or per few thousand
 *   steps of a loop of its own, and awaits `run.pause()` when that answers true.
 * - **Ending**: a consumer that needs no more calls `return()` (`break` in `for await` does); the
 *   operator then closes its input and what it holds, in `finally`.
 * - **Memory** held across batches is charged to `run.memory` and released when given up.
 * - **Reuse**: `open` may be called many times, also while earlier streams are open (a subquery is
 *   opened once per outer row). All state belongs to the stream, none to the operator.
 */
export interface Operator {
  /** The id of the plan node this operator runs, for statistics. */
  readonly nodeId: number;
  open(input: Batches, run: Run, origin: Origin): Batches;
}

/**
 * The row a chain of operators began with, values of variables that are the same for all its rows
 * included: what an aggregate over no rows makes its one row from.
 */
export interface Origin {
  row: Row;
}

export type Batch = Row[];
export type Batches = AsyncIterableIterator<Batch>;

/** One execution of a query, as its operators see it. */
export interface Run {
  readonly transaction: Transaction;
  /** For expressions: warnings, random numbers, the query's clock. */
  readonly context: EvaluationContext;
  readonly memory: MemoryMeter;
  readonly counters: Counters;
  /** Rows per batch between operators. */
  readonly batchRows: number;
  /** Set when the query is profiled. */
  readonly profiler: { measure(nodeId: number, stream: Batches): Batches } | undefined;

  /** Throws when the query was killed, is past its deadline; true when it should `pause`. */
  checkpoint(): boolean;
  /** Lets other work have its turn. */
  pause(): Promise<void>;
  /** Results computed once per execution (hash tables, uncorrelated subqueries), by plan node. */
  shared<T>(nodeId: number, make: () => T): T;
}

/** Bytes are estimates: the point is to stop a runaway query, not to do accounts. */
export interface MemoryMeter {
  readonly used: number;
  readonly peak: number;
  /** Throws QUERY_MEMORY when the limit is passed; what was charged stays charged. */
  charge(bytes: number): void;
  release(bytes: number): void;
}

export interface Counters {
  scannedFull: number;
  scannedIndex: number;
  filtered: number;
  documentLookups: number;
  writesExecuted: number;
  writesIgnored: number;
  fullCount: number;
}

export type { Row, Value };
