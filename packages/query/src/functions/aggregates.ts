import { compareValues, isArray, type Value } from '@themisdb/base';
import { bitOperand } from './bit.ts';
import { finite } from './define.ts';
import { ValueSet, approximateBytes } from './value-set.ts';

/**
 * The functions of COLLECT … AGGREGATE and WINDOW, which see their values one by one. Unlike the
 * functions of the same names they never warn: what they cannot work with makes the result null.
 */
export interface AggregateFunction {
  readonly name: string;
  /** False for LENGTH() and COUNT(), which count rows whatever their argument is. */
  readonly needsValue: boolean;
  readonly summary: string;
  create(): Accumulator;
}

/** The running state of one aggregate in one group. */
export interface Accumulator {
  add(value: Value): void;
  /** The result so far; the accumulator can go on. */
  result(): Value;
  /** The state as a value that an accumulator of the same function elsewhere can merge. */
  partial(): Value;
  merge(partial: Value): void;
  /** What it holds beyond a constant, estimated in bytes. */
  readonly bytes: number;
}

class Count implements Accumulator {
  readonly bytes = 0;
  #count = 0;

  add(): void {
    this.#count++;
  }
  result(): Value {
    return this.#count;
  }
  partial(): Value {
    return this.#count;
  }
  merge(partial: Value): void {
    this.#count += partial as number;
  }
}

/** MIN leaves out null; MAX need not, nothing is smaller. */
class Extreme implements Accumulator {
  readonly #sign: 1 | -1;
  #best: Value = null;

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }
  get bytes(): number {
    return approximateBytes(this.#best);
  }
  add(value: Value): void {
    if (value === null) return;
    if (this.#best === null || compareValues(value, this.#best) * this.#sign > 0)
      this.#best = value;
  }
  result(): Value {
    return this.#best;
  }
  partial(): Value {
    return this.#best;
  }
  merge(partial: Value): void {
    this.add(partial);
  }
}

/** What the numeric aggregates share: null is left out, anything but a number spoils the result. */
abstract class Numeric implements Accumulator {
  readonly bytes = 0;
  protected valid = true;

  add(value: Value): void {
    if (typeof value === 'number') this.addNumber(value);
    else if (value !== null) this.valid = false;
    else this.addNull();
  }
  result(): Value {
    return this.valid ? this.resultNumber() : null;
  }
  /** False, or the numbers that make up the state. */
  partial(): Value {
    return this.valid ? [...this.state()] : false;
  }
  merge(partial: Value): void {
    if (isArray(partial)) this.mergeState(partial as readonly number[]);
    else this.valid = false;
  }
  protected addNull(): void {}
  protected abstract addNumber(value: number): void;
  protected abstract resultNumber(): number | null;
  protected abstract state(): readonly number[];
  protected abstract mergeState(state: readonly number[]): void;
}

/** Null without rows, 0 when all values were null. */
class Sum extends Numeric {
  #sum = 0;
  #rows = 0;

  protected override addNull(): void {
    this.#rows++;
  }
  protected addNumber(value: number): void {
    this.#rows++;
    this.#sum += value;
  }
  protected resultNumber(): number | null {
    return this.#rows === 0 ? null : finite(this.#sum);
  }
  protected state(): readonly number[] {
    return [this.#sum, this.#rows];
  }
  protected mergeState([sum, rows]: readonly number[]): void {
    this.#sum += sum!;
    this.#rows += rows!;
  }
}

class Average extends Numeric {
  #sum = 0;
  #count = 0;

  protected addNumber(value: number): void {
    this.#count++;
    this.#sum += value;
  }
  protected resultNumber(): number | null {
    return this.#count === 0 ? null : finite(this.#sum / this.#count);
  }
  protected state(): readonly number[] {
    return [this.#sum, this.#count];
  }
  protected mergeState([sum, count]: readonly number[]): void {
    this.#sum += sum!;
    this.#count += count!;
  }
}

interface Spread {
  readonly sample: boolean;
  readonly root: boolean;
}

/** Welford's method; partial states merge after Chan, Golub and LeVeque (1979). */
class Variance extends Numeric {
  readonly #how: Spread;
  #count = 0;
  #mean = 0;
  #squares = 0;

  constructor(how: Spread) {
    super();
    this.#how = how;
  }
  protected addNumber(value: number): void {
    const delta = value - this.#mean;
    this.#count++;
    this.#mean += delta / this.#count;
    this.#squares += delta * (value - this.#mean);
  }
  protected resultNumber(): number | null {
    const divisor = this.#count - (this.#how.sample ? 1 : 0);
    if (divisor < 1) return null;
    const variance = this.#squares / divisor;
    return finite(this.#how.root ? Math.sqrt(variance) : variance);
  }
  protected state(): readonly number[] {
    return [this.#count, this.#mean, this.#squares];
  }
  protected mergeState([count, mean, squares]: readonly number[]): void {
    const total = this.#count + count!;
    if (total === 0) return;
    const delta = mean! - this.#mean;
    this.#squares += squares! + (delta * delta * this.#count * count!) / total;
    this.#mean += (delta * count!) / total;
    this.#count = total;
  }
}

class Bits extends Numeric {
  readonly #operation: (a: number, b: number) => number;
  #value: number | undefined;

  constructor(operation: (a: number, b: number) => number) {
    super();
    this.#operation = operation;
  }
  protected addNumber(value: number): void {
    const operand = bitOperand(value);
    if (operand === undefined) this.valid = false;
    else this.#value = this.#value === undefined ? operand : this.#combined(operand);
  }
  #combined(operand: number): number {
    return this.#operation(this.#value!, operand) >>> 0;
  }
  protected resultNumber(): number | null {
    return this.#value ?? null;
  }
  protected state(): readonly number[] {
    return this.#value === undefined ? [] : [this.#value];
  }
  protected mergeState(state: readonly number[]): void {
    for (const value of state) this.addNumber(value);
  }
}

type Finish = (values: readonly Value[]) => Value;

/** The different values, in the order they came. */
class Distinct implements Accumulator {
  readonly #seen = new ValueSet();
  readonly #values: Value[] = [];
  readonly #finish: Finish;
  #bytes = 0;

  constructor(finish: Finish) {
    this.#finish = finish;
  }
  get bytes(): number {
    return this.#bytes;
  }
  add(value: Value): void {
    if (!this.#seen.add(value)) return;
    this.#values.push(value);
    this.#bytes += approximateBytes(value);
  }
  result(): Value {
    return this.#finish(this.#values);
  }
  partial(): Value {
    return [...this.#values];
  }
  merge(partial: Value): void {
    for (const value of partial as readonly Value[]) this.add(value);
  }
}

/** All values, in the order they came. */
class Push implements Accumulator {
  readonly #values: Value[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }
  add(value: Value): void {
    this.#values.push(value);
    this.#bytes += approximateBytes(value);
  }
  result(): Value {
    return [...this.#values];
  }
  partial(): Value {
    return this.result();
  }
  merge(partial: Value): void {
    for (const value of partial as readonly Value[]) this.add(value);
  }
}

interface Entry {
  readonly names: readonly string[];
  readonly summary: string;
  readonly create: () => Accumulator;
}

const entries: readonly Entry[] = [
  { names: ['LENGTH', 'COUNT'], summary: 'The number of rows.', create: () => new Count() },
  { names: ['MIN'], summary: 'The smallest value, null left out.', create: () => new Extreme(-1) },
  { names: ['MAX'], summary: 'The greatest value.', create: () => new Extreme(1) },
  { names: ['SUM'], summary: 'The sum, null left out.', create: () => new Sum() },
  {
    names: ['AVERAGE', 'AVG'],
    summary: 'The mean, null left out.',
    create: () => new Average(),
  },
  {
    names: ['VARIANCE_POPULATION', 'VARIANCE'],
    summary: 'The variance of all values.',
    create: () => new Variance({ sample: false, root: false }),
  },
  {
    names: ['VARIANCE_SAMPLE'],
    summary: 'The variance estimated from a sample.',
    create: () => new Variance({ sample: true, root: false }),
  },
  {
    names: ['STDDEV_POPULATION', 'STDDEV'],
    summary: 'The standard deviation of all values.',
    create: () => new Variance({ sample: false, root: true }),
  },
  {
    names: ['STDDEV_SAMPLE'],
    summary: 'The standard deviation estimated from a sample.',
    create: () => new Variance({ sample: true, root: true }),
  },
  {
    names: ['UNIQUE'],
    summary: 'The different values.',
    create: () => new Distinct((values) => [...values]),
  },
  {
    names: ['SORTED_UNIQUE'],
    summary: 'The different values in order.',
    create: () => new Distinct((values) => values.toSorted(compareValues)),
  },
  {
    names: ['COUNT_DISTINCT', 'COUNT_UNIQUE'],
    summary: 'The number of different values.',
    create: () => new Distinct((values) => values.length),
  },
  {
    names: ['BIT_AND'],
    summary: 'The bits set in all values.',
    create: () => new Bits((a, b) => a & b),
  },
  {
    names: ['BIT_OR'],
    summary: 'The bits set in any value.',
    create: () => new Bits((a, b) => a | b),
  },
  {
    names: ['BIT_XOR'],
    summary: 'The bits set in an odd number of values.',
    create: () => new Bits((a, b) => a ^ b),
  },
  { names: ['PUSH'], summary: 'All values.', create: () => new Push() },
];

/** Every function AGGREGATE takes, by upper-case name. */
export const aggregateTable: ReadonlyMap<string, AggregateFunction> = new Map(
  entries.flatMap(({ names, summary, create }) =>
    names.map((name) => [
      name,
      { name, summary, create, needsValue: name !== 'LENGTH' && name !== 'COUNT' },
    ]),
  ),
);
