import type { Operation, Scalar } from './history.ts';
import type { Model, Wish } from './model.ts';

/** A register holds one value, at first null. */
export type RegisterInput =
  | { readonly type: 'read' }
  | { readonly type: 'write'; readonly value: Scalar }
  | { readonly type: 'cas'; readonly expected: Scalar; readonly value: Scalar };

/** What a read saw, and whether a compare-and-set found what it expected. */
export type RegisterOutput =
  | { readonly type: 'read'; readonly value: Scalar }
  | { readonly type: 'write' }
  | { readonly type: 'cas'; readonly swapped: boolean };

export type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

export const registerModel: Model<Scalar, RegisterInput, RegisterOutput> = {
  initial: null,
  step,
  isObserver,
  stateKey,
  hints: {
    wish,
    leadsTo: ({ input }) => stateKey(input.type === 'read' ? null : input.value),
  },
  describe: describeRegisterOperation,
  describeState: (state) => JSON.stringify(state),
  relevant: relevantOperations,
  removable: removableGroups,
};

function step(state: Scalar, { input, outcome }: RegisterOperation): Scalar | undefined {
  const output = outcome.type === 'ok' ? outcome.output : undefined;
  switch (input.type) {
    case 'read':
      return output?.type === 'read' && output.value !== state ? undefined : state;
    case 'write':
      return input.value;
    case 'cas': {
      const matches = state === input.expected;
      if (output?.type === 'cas' && output.swapped !== matches) return undefined;
      return matches ? input.value : state;
    }
  }
}

function stateKey(state: Scalar): string {
  return typeof state === 'string' ? `"${state}` : String(state);
}

function wish(state: Scalar, operation: RegisterOperation): Wish {
  const { input, outcome } = operation;
  if (input.type === 'write') return { type: 'nothing' };
  if (input.type === 'cas') {
    if (!isMismatch(operation)) return { type: 'state', key: stateKey(input.expected) };
    return { type: state === input.expected ? 'any' : 'nothing' };
  }
  if (outcome.type !== 'ok' || outcome.output.type !== 'read') return { type: 'nothing' };
  return { type: 'state', key: stateKey(outcome.output.value) };
}

export function describeRegisterOperation({ key, input, outcome }: RegisterOperation): string {
  const what = [input.type, key, ...argumentsOf(input).map((value) => JSON.stringify(value))];
  if (outcome.type !== 'ok') return [...what, '->', outcome.type].join(' ');
  const { output } = outcome;
  switch (output.type) {
    case 'read':
      return [...what, '->', JSON.stringify(output.value)].join(' ');
    case 'write':
      return what.join(' ');
    case 'cas':
      return [...what, '->', output.swapped ? 'swapped' : 'mismatch'].join(' ');
  }
}

function argumentsOf(input: RegisterInput): Scalar[] {
  switch (input.type) {
    case 'read':
      return [];
    case 'write':
      return [input.value];
    case 'cas':
      return [input.expected, input.value];
  }
}

/** A compare-and-set that found something else: the one operation that is sure of a value not there. */
function isMismatch({ outcome }: RegisterOperation): boolean {
  return outcome.type === 'ok' && outcome.output.type === 'cas' && !outcome.output.swapped;
}

function isObserver(operation: RegisterOperation): boolean {
  return operation.input.type === 'read' || isMismatch(operation);
}

/**
 * Reads that nobody answered say nothing. A write that nobody answered, of a value that nobody saw
 * or expected, can as well have never happened, unless a mismatch might be due to it. This keeps
 * long outages cheap: each pending write otherwise multiplies what the search has to try.
 */
function relevantOperations(operations: readonly RegisterOperation[]): RegisterOperation[] {
  const hasMismatch = operations.some(isMismatch);
  const seen = new Set<Scalar>();
  for (const { input, outcome } of operations) {
    if (input.type === 'cas') seen.add(input.expected);
    if (outcome.type === 'ok' && outcome.output.type === 'read') seen.add(outcome.output.value);
  }
  return operations.filter(({ input, outcome }) => {
    if (outcome.type !== 'unknown') return true;
    return input.type !== 'read' && (hasMismatch || seen.has(input.value));
  });
}

/**
 * All that write, read or expect a value can go together, along with the values that a compare-and-set
 * ties it to; but not while there are mismatches, which need a value to be there, whichever: so these
 * go first, if they can. Operations that never change the state can go one by one; they go last, since
 * the fewer reads there are, the more orders there are to try.
 */
function removableGroups(operations: readonly RegisterOperation[]): RegisterOperation[][][] {
  const mismatches = operations.filter(isMismatch);
  const single = operations.filter(isObserver).map((operation) => [operation]);
  return [[mismatches], mismatches.length > 0 ? [] : tiedByValue(operations), single];
}

function tiedByValue(operations: readonly RegisterOperation[]): RegisterOperation[][] {
  const parents = new Map<Scalar, Scalar>();
  const rootOf = (value: Scalar): Scalar => {
    let at = value;
    for (let up = parents.get(at); up !== undefined; up = parents.get(at)) at = up;
    return at;
  };
  for (const { input } of operations) {
    if (input.type !== 'cas') continue;
    const [from, to] = [rootOf(input.expected), rootOf(input.value)];
    if (from !== to) parents.set(from, to);
  }
  const groups = new Map<Scalar, RegisterOperation[]>();
  for (const operation of operations) {
    const root = rootOf(valueOf(operation));
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [operation]);
    else group.push(operation);
  }
  return [...groups.values()];
}

function valueOf({ input, outcome }: RegisterOperation): Scalar {
  if (input.type !== 'read') return input.value;
  return outcome.type === 'ok' && outcome.output.type === 'read' ? outcome.output.value : null;
}
