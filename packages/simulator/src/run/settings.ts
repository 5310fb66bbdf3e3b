import { assert, Prng } from '@themisdb/base';

/**
 * Everything a run is made of: a seed and numbers. What is named in `canBeOff` can be set to 0, which
 * takes it out; shrinking does that one by one.
 */
export type Settings = Readonly<Record<SettingName, number>>;

const described = {
  seed: 'all other draws come from it',
  nodes: 'first members of the group',
  seconds: 'virtual time with faults',
  clients: 'sessions that do one thing after the other',
  thinkMs: 'time between two operations of a session, on average',

  delayMs: 'time a message takes, on average',
  lossPercent: 'messages that never arrive',
  duplicatePercent: 'messages that arrive twice',
  reorderPercent: 'messages that arrive late, behind others',
  streamBreakPercent: 'chunks of a snapshot at which its connection breaks',
  driftPercent: 'how far the clocks of nodes go wrong',

  crash: 'power cuts a minute',
  kill: 'deaths of a process a minute',
  pause: 'stopped processes a minute',
  cutNode: 'nodes cut off a minute',
  cutHalf: 'partitions into two parts a minute',
  cutOneWay: 'directions cut a minute',
  clog: 'paths that take seconds, a minute',
  clockJump: 'jumps of a wall clock a minute',
  slowDisk: 'slow disks a minute',
  fullDisk: 'full disks a minute',
  failSync: 'failed syncs a minute',
  flipBit: 'flipped bits in a log a minute',
  wipe: 'lost disks a minute',
  wipeHolder: 'lost disks of a replica whose copies others lack, a minute',
  crashInstallPercent: 'power cuts at an operation on the file of a snapshot',
  fullFetchPercent: 'disks that are full when a snapshot comes',
  fullEngine: '1: the engine, too, has no space on a full disk',
  fullStatePercent: 'disks that are full when a replica writes term, vote or peers',
  cutCommitPercent: 'commits that nobody waits for to their end',
  churn: 'changes of members a minute',
  transfer: 'transfers of leadership a minute',
  killVoter: 'processes killed that just answered a leader, which is cut off then, a minute',
  depose: 'leaders cut off until another leads, and elected again, a minute',
  stall: 'engines of leaders that stand still while another is elected, a minute',

  checkpointKb: 'log between checkpoints',
  logCacheKb: 'entries kept for peers that are behind',
  segmentKb: 'size of a log segment',
  leaseMs: 'lease of a leader',
  engineMs: 'time that a write of the engine takes, at most',
  partBytes: 'length of a command from which on it stands in several entries; 0: as shipped',
  snapshotKbPerSecond: 'how fast a state travels',

  registers: 'sessions on registers, by weight',
  lists: 'sessions with transactions over lists, by weight',
  bank: 'sessions that move money, by weight',
  keyed: 'sessions that repeat writes under a key until they know, by weight',
  packs: 'sessions that write several documents at once, by weight',
  flood: 'writes while a state travels, in entries kept for peers',
  abandoned: 'strong reads given up at once, a second and node',
  feed: 'readers of the change feed',
  schema: 'changes of indexes a minute',
} as const;

export type SettingName = keyof typeof described;

export const settingNames: readonly SettingName[] = Object.keys(described) as SettingName[];

export const canBeOff: readonly SettingName[] = [
  ...settingNames.slice(settingNames.indexOf('lossPercent'), settingNames.indexOf('checkpointKb')),
  'leaseMs',
  'engineMs',
  'partBytes',
  'flood',
  'abandoned',
  'packs',
  'lists',
  'bank',
  'keyed',
  'feed',
  'schema',
  'registers',
];

/** The swarm: which faults are on, and how strong, is drawn for each seed. */
export function drawSettings(
  seed: number,
  fixed: Partial<Record<SettingName, number>> = {},
): Settings {
  const prng = new Prng(seed);
  const sometimes = (chance: number, min: number, max: number): number =>
    prng.chance(chance) ? between(min, max) : 0;
  const between = (min: number, max: number): number =>
    Number((min * (max / min) ** prng.float()).toPrecision(2));
  const drawn: Settings = {
    seed,
    nodes: prng.pick([3, 3, 3, 3, 5]),
    seconds: 20,
    clients: prng.between(3, 8),
    thinkMs: between(20, 150),
    delayMs: between(0.5, 20),
    lossPercent: sometimes(0.5, 0.2, 20),
    duplicatePercent: sometimes(0.5, 0.5, 20),
    reorderPercent: sometimes(0.5, 1, 30),
    streamBreakPercent: sometimes(0.5, 5, 40),
    driftPercent: sometimes(0.4, 0.5, 8),
    crash: sometimes(0.5, 3, 20),
    kill: sometimes(0.4, 3, 20),
    pause: sometimes(0.4, 3, 15),
    cutNode: sometimes(0.5, 3, 15),
    cutHalf: sometimes(0.3, 3, 10),
    cutOneWay: sometimes(0.4, 3, 15),
    clog: sometimes(0.3, 3, 10),
    clockJump: sometimes(0.4, 3, 20),
    slowDisk: sometimes(0.3, 3, 10),
    fullDisk: sometimes(0.3, 3, 8),
    failSync: sometimes(0.3, 3, 8),
    flipBit: sometimes(0.25, 3, 8),
    wipe: sometimes(0.25, 3, 8),
    crashInstallPercent: sometimes(0.3, 1, 10),
    fullFetchPercent: sometimes(0.3, 5, 50),
    churn: sometimes(0.3, 3, 10),
    transfer: sometimes(0.4, 3, 20),
    checkpointKb: between(4, 200),
    logCacheKb: between(1, 200),
    segmentKb: prng.pick([16, 32, 64, 256]),
    leaseMs: prng.chance(0.4) ? prng.between(300, 800) : 0,
    registers: sometimes(0.9, 1, 3),
    lists: sometimes(0.6, 1, 3),
    bank: sometimes(0.5, 1, 3),
    keyed: sometimes(0.4, 1, 2),
    feed: sometimes(0.6, 1, 1),
    schema: sometimes(0.3, 4, 15),
    // Behind all others: what came later must not shift their draws.
    depose: sometimes(0.3, 3, 10),
    wipeHolder: sometimes(0.2, 2, 6),
    killVoter: sometimes(0.3, 2, 10),
    engineMs: prng.chance(0.25) ? between(5, 300) : sometimes(0.7, 0.05, 2),
    partBytes: Math.round(sometimes(0.3, 200, 2000)),
    packs: sometimes(0.4, 1, 2),
    fullStatePercent: sometimes(0.25, 1, 30),
    cutCommitPercent: sometimes(0.3, 1, 20),
    snapshotKbPerSecond: prng.chance(0.3) ? between(50, 300) : 1000,
    flood: prng.chance(0.25) ? 1.5 : 0,
    abandoned: sometimes(0.25, 2, 15),
    stall: sometimes(0.2, 2, 8),
    fullEngine: prng.chance(0.3) ? 1 : 0,
  };
  const settings = { ...drawn, ...fixed };
  return hasWork(settings) ? settings : { ...settings, registers: 1 };
}

/** Sessions of any kind. */
export function hasWork({ registers, lists, bank, keyed, packs }: Settings): boolean {
  return registers + lists + bank + keyed + packs > 0;
}

/** A scenario: one `name value` a line; what is not named is drawn from the seed. */
export function parseScenario(text: string): Settings {
  const fixed: Partial<Record<SettingName, number>> = {};
  for (const line of text.split('\n')) {
    const content = line.replace(/#.*/, '').trim();
    if (content === '') continue;
    const [name, value, ...rest] = content.split(/\s+/);
    const number = Number(value);
    assert(
      settingNames.includes(name as SettingName) && Number.isFinite(number) && rest.length === 0,
      () => `a scenario has lines of a setting and a number, not ${JSON.stringify(line)}`,
    );
    fixed[name as SettingName] = number;
  }
  assert(fixed.seed !== undefined, 'a scenario names its seed');
  return drawSettings(fixed.seed, fixed);
}

export function formatScenario(settings: Settings, comment: string): string {
  const lines = comment.split('\n').map((line) => `# ${line}`.trimEnd());
  return [...lines, ...settingNames.map((name) => `${name} ${settings[name]}`), ''].join('\n');
}
