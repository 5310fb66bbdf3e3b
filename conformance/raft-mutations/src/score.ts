import { EQUIVALENT } from './equivalent.ts';
import { Gates, type Material, type TrialVerdict } from './gates.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import { coreFiles, readCore, Workspace } from './workspace.ts';

/** Files without consensus logic: vocabulary, texts, checks, a storage for tests. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'describe.ts',
  'index.ts',
  'invariants.ts',
  'memory-storage.ts',
  'quorum/describe.ts',
  'quote.ts',
  'status.ts',
  'types.ts',
]);

export interface ScoreOptions {
  /** Stops taking up new mutants after this time. */
  readonly budgetSeconds: number;
  /** Only files whose name contains this. */
  readonly file: string;
  /** Only these mutants, by key; all where absent. */
  readonly only: ReadonlySet<string> | undefined;
  readonly workers: number;
  /** Run G1 and G3. */
  readonly gates: boolean;
  /** Run the tests of the package on mutants that the gates let pass. */
  readonly tests: boolean;
}

export interface Score {
  readonly mutants: number;
  readonly tried: number;
  readonly equivalent: number;
  readonly caughtBy: ReadonlyMap<string, number>;
  readonly survivors: readonly Mutant[];
}

/** Tries mutants of the consensus files, in a fixed random order, against the gates and the tests. */
export async function measureScore(material: Material, options: ScoreOptions): Promise<Score> {
  const all = coreFiles()
    .filter((file) => !LEFT_OUT.has(file) && file.includes(options.file))
    .flatMap((file) => mutantsOf(file, readCore(file)))
    .filter(({ key }) => options.only?.has(key) ?? true);
  const equivalent = all.filter(({ key }) => key in EQUIVALENT);
  if (options.file === '' && options.only === undefined)
    checkEquivalents(new Set(all.map(({ key }) => key)));
  const queue = shuffle(all.filter(({ key }) => !(key in EQUIVALENT)));
  const total = queue.length;
  const caughtBy = new Map<string, number>();
  const survivors: Mutant[] = [];
  const deadline = process.uptime() + options.budgetSeconds;
  let tried = 0;
  const work = async (): Promise<void> => {
    const workspace = new Workspace();
    const gates = new Gates(workspace, material);
    try {
      await gates.checkUnchanged();
      while (process.uptime() < deadline) {
        const mutant = queue.pop();
        if (mutant === undefined) break;
        const catcher = await tryMutant(workspace, gates, mutant, options);
        tried++;
        if (catcher === undefined) {
          survivors.push(mutant);
          console.log(`survived: line ${mutant.line} of ${mutant.key}`);
        } else caughtBy.set(catcher, (caughtBy.get(catcher) ?? 0) + 1);
        if (tried % 50 === 0) console.log(`${tried} of ${total} mutants tried`);
      }
      // Had the surroundings broken on the way, everything after would have counted as caught.
      await gates.checkUnchanged();
    } finally {
      gates.close();
      workspace.remove();
    }
  };
  await Promise.all(Array.from({ length: options.workers }, work));
  return { mutants: all.length, tried, equivalent: equivalent.length, caughtBy, survivors };
}

/** The gate that catches a mutant; undefined where it survives. */
async function tryMutant(
  workspace: Workspace,
  gates: Gates,
  mutant: Mutant,
  options: ScoreOptions,
): Promise<string | undefined> {
  workspace.write(mutant.file, mutant.text);
  try {
    const catcher = options.gates ? catcherOf(await gates.tryGates('first')) : undefined;
    if (catcher !== undefined || !options.tests) return catcher;
    return (await gates.tryTests(mutant.file)) === 'equal' ? undefined : 'tests';
  } finally {
    workspace.restore(mutant.file);
  }
}

function catcherOf({ g1, g3 }: TrialVerdict): string | undefined {
  if (g1 === 'time-out') return 'time-out';
  if (g3 === 'differs') return 'G3';
  return g1 === 'differs' ? 'G1' : undefined;
}

function checkEquivalents(keys: ReadonlySet<string>): void {
  const gone = Object.keys(EQUIVALENT).filter((key) => !keys.has(key));
  if (gone.length > 0) throw new Error(`no such mutants any more: ${gone.join('; ')}`);
}

/** A fixed order that mixes all files, so that a run cut short is a fair sample. */
function shuffle(mutants: Mutant[]): Mutant[] {
  let state = 1;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  for (let i = mutants.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [mutants[i], mutants[j]] = [mutants[j]!, mutants[i]!];
  }
  return mutants;
}
