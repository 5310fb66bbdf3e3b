/**
 * The only allowed direction of imports: a package may import packages on lower floors, plus the
 * edges named. Test-only packages may be imported by tests alone. `outside` says whether a package
 * may use Node's own modules.
 */
export interface PackageRule {
  readonly floor: number;
  /** Same-floor packages it may import. */
  readonly beside?: readonly string[];
  /** When given, the only workspace packages it may import. */
  readonly only?: readonly string[];
  /** Node built-ins it may import: true for all. */
  readonly node?: true | readonly string[];
  /** Nothing shipped may import it, but for the packages named in `usedBy`. */
  readonly testOnly?: true;
  /** Shipped packages that offer a test-only package to users, as a command of their own. */
  readonly usedBy?: readonly string[];
}

export const floors: Readonly<Record<string, PackageRule>> = {
  base: { floor: 0 },
  protocol: { floor: 0, beside: ['base'] },
  kv: { floor: 1 },
  raft: { floor: 1 },
  sharding: { floor: 1 },
  aql: { floor: 1 },
  'kv-rocksdb': { floor: 2, node: true },
  wal: { floor: 2 },
  storage: { floor: 2, beside: ['wal'] },
  channel: { floor: 2, only: ['base', 'protocol'] },
  models: { floor: 3 },
  query: { floor: 3, beside: ['models'] },
  replication: { floor: 4 },
  server: { floor: 5, node: true },
  client: { floor: 5, only: ['base', 'protocol', 'sharding', 'aql'], node: true },
  cli: { floor: 5, beside: ['server', 'client'], node: true },
  themisdb: { floor: 6, node: true },
  testing: { floor: 3, node: true, testOnly: true },
  // Test-only, so that it may use `testing`; yet `themis sim` offers it to whoever doubts us.
  simulator: { floor: 5, node: true, testOnly: true, usedBy: ['cli'] },
  tidy: { floor: 7, node: true, testOnly: true },
};
