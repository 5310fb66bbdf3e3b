import type { Prng } from '@themisdb/base';

/**
 * Random queries over collections `left` and `right`, whose documents have attributes `a`, `b`, `c`
 * (few different values of all types), `t` (mostly arrays) and `o.x`. Results do not depend on the
 * order in which rows are read: LIMIT stands after a SORT that ends with the keys.
 */
export function randomQuery(prng: Prng): string {
  return new QueryMaker(prng).query();
}

export function randomDocuments(prng: Prng, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => {
    const document: Record<string, unknown> = { _key: `k${i}` };
    for (const name of ['a', 'b', 'c']) if (prng.chance(0.85)) document[name] = randomScalar(prng);
    if (prng.chance(0.8)) {
      document['t'] = prng.chance(0.85)
        ? Array.from({ length: prng.below(4) }, () => randomScalar(prng))
        : randomScalar(prng);
    }
    if (prng.chance(0.7)) document['o'] = prng.chance(0.8) ? { x: randomScalar(prng) } : 1;
    return document;
  });
}

const scalars = [null, false, true, 0, 1, 2, 3, 5, 8, -1, 2.5, '', 'a', 'ab', 'abc', 'b', 'B', 'ä'];
const texts = scalars.filter((value) => typeof value === 'string');

function randomScalar(prng: Prng): unknown {
  if (prng.chance(0.03)) return [1, 'a'];
  if (prng.chance(0.03)) return { x: 1 };
  return prng.pick(scalars);
}

class QueryMaker {
  readonly #prng: Prng;
  readonly #documents: string[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  query(): string {
    const parts = [this.#loop(), ...this.#filters()];
    if (this.#prng.chance(0.4)) parts.push(this.#loop(), ...this.#filters());
    if (this.#prng.chance(0.3)) parts.push(...this.#subquery());
    return [...parts, ...this.#end()].join('\n');
  }

  #loop(): string {
    const name = `d${this.#documents.length}`;
    const source = this.#prng.pick(['left', 'right']);
    const hint = this.#prng.chance(0.05) ? ' OPTIONS { disableIndex: true }' : '';
    if (this.#prng.chance(0.12)) return this.#loopOverSubquery(name, source);
    this.#documents.push(name);
    return `FOR ${name} IN ${source}${hint}`;
  }

  #loopOverSubquery(name: string, source: string): string {
    const inner = `q${this.#prng.u32()}`;
    this.#documents.push(inner);
    const filters = this.#filters();
    this.#documents.pop();
    const some = `SORT ${inner}.${this.#name()}, ${inner}._key LIMIT ${this.#prng.below(9)}`;
    const clauses = [`FOR ${inner} IN ${source}`, ...filters, this.#prng.chance(0.3) ? some : ''];
    this.#documents.push(name);
    const names = ['_key', 'a', 'b', 'c', 't', 'o'].map((each) => `${each}: ${inner}.${each}`);
    const result = this.#prng.chance(0.5) ? inner : `{ ${names.join(', ')} }`;
    return `FOR ${name} IN (${clauses.join(' ')} RETURN ${result})`;
  }

  #filters(): string[] {
    const count = this.#prng.pick([0, 1, 1, 1, 2, 2, 3]);
    return Array.from({ length: count }, () => this.#filter());
  }

  #filter(): string {
    if (this.#prng.chance(0.15)) {
      const name = `v${this.#prng.u32()}`;
      return `LET ${name} = ${this.#attribute()} FILTER ${name} ${this.#comparison()} ${this.#value()}`;
    }
    return `FILTER ${this.#condition(2)}`;
  }

  #condition(depth: number): string {
    const prng = this.#prng;
    if (depth > 0 && prng.chance(0.35)) {
      const operator = prng.pick(['&&', '&&', '||']);
      return `(${this.#condition(depth - 1)} ${operator} ${this.#condition(depth - 1)})`;
    }
    switch (prng.below(9)) {
      case 0:
        return `${this.#attribute()} IN [${this.#value()}, ${this.#value()}, ${this.#value()}]`;
      case 1:
        return `${this.#value()} IN ${this.#document()}.t`;
      case 2:
        return `${this.#value()} IN ${this.#document()}.t[*]`;
      case 3:
        return `${this.#attribute()} LIKE ${JSON.stringify(`${prng.pick(texts)}${prng.pick(['%', '', '_'])}`)}`;
      case 4:
        return `NOT (${this.#attribute()} ${this.#comparison()} ${this.#value()})`;
      case 5:
        return `${this.#value()} ${this.#comparison()} ${this.#attribute()}`;
      default:
        return `${this.#attribute()} ${this.#comparison()} ${this.#value()}`;
    }
  }

  #subquery(): string[] {
    const outer = [...this.#documents];
    const inner = [this.#loop(), ...this.#filters()].join(' ');
    const variable = this.#documents.pop()!;
    const key = this.#prng.pick(outer);
    const join = this.#prng.chance(0.6) ? ` FILTER ${variable}.a == ${key}.${this.#name()}` : '';
    const name = `s${this.#prng.u32()}`;
    const value = `(${inner}${join} SORT ${variable}._key RETURN ${variable}.${this.#name()})`;
    return [
      `LET ${name} = ${value}`,
      this.#prng.chance(0.7)
        ? `FILTER LENGTH(${name}) ${this.#comparison()} ${this.#prng.below(3)}`
        : `FILTER FIRST(${name}) ${this.#comparison()} ${this.#value()}`,
    ];
  }

  #end(): string[] {
    const keys = this.#documents.map((name) => `${name}._key`).join(', ');
    if (this.#prng.chance(0.3)) return this.#collect();
    const values = this.#documents.map((name) =>
      this.#prng.chance(0.3) ? name : `${name}.${this.#name()}`,
    );
    const result = `RETURN [${keys}, ${values.join(', ')}]`;
    if (this.#prng.chance(0.4)) return [result];
    const direction = this.#prng.pick(['', ' DESC']);
    const sort = `SORT ${this.#attribute()}${direction}, ${keys}`;
    return this.#prng.chance(0.5)
      ? [sort, `LIMIT ${this.#prng.below(3)}, ${this.#prng.below(6)}`, result]
      : [sort, result];
  }

  #collect(): string[] {
    const group = `COLLECT g = ${this.#attribute()}`;
    switch (this.#prng.below(4)) {
      case 0:
        return [`${group} WITH COUNT INTO n`, 'RETURN [g, n]'];
      case 1:
        return [
          `${group} AGGREGATE n = COUNT(1), m = MAX(${this.#attribute()})`,
          'RETURN [g, n, m]',
        ];
      case 2:
        return ['COLLECT WITH COUNT INTO n', 'RETURN n'];
      default:
        return [`${group} INTO all0 = ${this.#documents[0]!}._key`, 'RETURN [g, SORTED(all0)]'];
    }
  }

  #document(): string {
    return this.#prng.pick(this.#documents);
  }

  #attribute(): string {
    return `${this.#document()}.${this.#name()}`;
  }

  #name(): string {
    return this.#prng.pick(['a', 'a', 'b', 'c', 'o.x', '_key']);
  }

  #comparison(): string {
    return this.#prng.pick(['==', '==', '==', '!=', '<', '<=', '>', '>=']);
  }

  #value(): string {
    if (this.#documents.length > 1 && this.#prng.chance(0.4)) return this.#attribute();
    if (this.#prng.chance(0.1)) return `"k${this.#prng.below(20)}"`;
    return JSON.stringify(randomScalar(this.#prng));
  }
}
