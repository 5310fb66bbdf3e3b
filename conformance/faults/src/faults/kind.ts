import type { Prng } from '@themisdb/base';
import type { ClusterUnderTest } from '../cluster/cluster-under-test.ts';
import type { DamageLedger } from '../damage/ledger.ts';

/** What must not be. */
export interface Violation {
  readonly type: 'lost-write' | 'stale-read' | 'other';
  readonly count: number;
  /** One sentence. */
  readonly text: string;
}

/** What a fault has to work with in one round. */
export interface Scene {
  readonly cluster: ClusterUnderTest;
  readonly folder: string;
  readonly prng: Prng;
  /** The leader when the round began to look for its victim. */
  readonly leader: number;
  /** The nodes that were hurt, for `heal`. */
  readonly victims: Set<number>;
  /** Of all rounds. */
  readonly damage: DamageLedger;
  /** One sentence of something to report that is not wrong. */
  note(text: string): void;
}

/** What stands before the processes start, for all rounds of a kind. */
export interface Preparation {
  readonly variablesOf?: (node: number) => Readonly<Record<string, string>>;
  undo(): Promise<void>;
}

/** A way to hurt a cluster that it must survive without losing anything it acknowledged. */
export interface FaultKind {
  readonly name: string;
  readonly summary: string;
  /** How long it lasts under load, before `heal`. */
  readonly holdMs: number;
  /** Fewest nodes with which it makes sense. */
  readonly nodesMin?: number;
  /** Whether the time to the first write after it says something about failover. */
  readonly isFailover?: true;
  /** Cannot be survived: a run that finds nothing wrong would be blind. Not among those run by default. */
  readonly isPlanted?: true;
  /** Nodes whose replica has stopped are started again, whenever that is. */
  readonly isSupervised?: true;
  /** Size of the documents of the inserting clients, unless 200. */
  readonly padBytes?: number;
  /** Why this machine cannot do it; undefined when it can. */
  readonly reasonToSkip?: () => string | undefined;
  readonly prepare?: (folder: string, nodes: number) => Promise<Preparation>;
  /** Resolves right after the moment of the fault. */
  readonly strike: (scene: Scene) => Promise<void>;
  /** Leaves all nodes running. */
  readonly heal: (scene: Scene) => Promise<void>;
}
