/** Operations of a trace; the generator (`oracle/world.go`) knows them by the same numbers. */
export const Op = {
  End: 0,
  Disk: 1,
  Start: 2,
  Bootstrap: 3,
  Crash: 4,
  Tick: 5,
  Campaign: 6,
  Propose: 7,
  ProposeConf: 8,
  ReadIndex: 9,
  Transfer: 10,
  Forget: 11,
  Unreachable: 12,
  ReportSnapshot: 13,
  Deliver: 14,
  DeliverFresh: 15,
  Step: 16,
  Ready: 17,
  Persist: 18,
  Apply: 19,
  Advance: 20,
  AppendThread: 21,
  ApplyThread: 22,
  AppendResp: 23,
  ApplyResp: 24,
  Snapshot: 25,
  Compact: 26,
  SnapshotPending: 27,
  Status: 28,
  ApplyConf: 29,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** What became of an operation: the first byte of every result. */
export const Outcome = {
  Ok: 0,
  Dropped: 1,
  LocalMessage: 2,
  PeerNotFound: 3,
  /** The library panicked, our core failed an assertion: the end of the scenario. */
  Panic: 4,
  /** Ours only: an error that is no failed assertion. Equals nothing. */
  Crash: 5,
} as const;

/** What the application does with a committed configuration change; an input of the operation. */
export const Decision = { Apply: 0, Cancel: 1, Refuse: 2, Skip: 3 } as const;

const OP_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Op).map(([name, code]) => [code, name]),
);

export function opName(code: number): string {
  return OP_NAMES.get(code) ?? `operation ${code}`;
}

export function outcomeName(code: number): string {
  return Object.entries(Outcome).find(([, value]) => value === code)?.[0] ?? `outcome ${code}`;
}
