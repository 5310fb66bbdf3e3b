/** Hands out names that are unique in the whole query, so that rewrites need not mind scopes. */
export class Names {
  readonly #used = new Set<string>();
  #temporaries = 0;

  /** `name` itself the first time, `name~2`, `name~3` … after that. */
  declare(name: string): string {
    // Quoted names may look like the planner's own; those always get a suffix.
    let unique = /^[#@]|~|^CURRENT$/.test(name) ? `${name}~1` : name;
    for (let count = 2; this.#used.has(unique); count++) unique = `${name}~${count}`;
    this.#used.add(unique);
    return unique;
  }

  temporary(): string {
    return `#${++this.#temporaries}`;
  }
}

interface Declared {
  readonly unique: string;
  /** How many FORs of the same (sub)query stand before or at the declaration. */
  readonly loops: number;
}

/**
 * The variables in sight at one place of one (sub)query. A subquery sees those of the queries around
 * it, and its COLLECTs take away only its own.
 */
export class Scope {
  readonly #outer: Scope | undefined;
  /** Names of inline expressions (CURRENT, SATISFIES variables) around a subquery: not usable in it. */
  readonly inlineAround: ReadonlySet<string>;
  readonly #variables = new Map<string, Declared>();
  #loops = 0;

  constructor(outer?: Scope, inlineAround: ReadonlySet<string> = new Set()) {
    this.#outer = outer;
    this.inlineAround =
      outer === undefined ? inlineAround : new Set([...outer.inlineAround, ...inlineAround]);
  }

  /** The unique name of a variable in sight. */
  resolve(name: string): string | undefined {
    return this.#variables.get(name)?.unique ?? this.#outer?.resolve(name);
  }

  declare(name: string, unique: string): void {
    this.#variables.set(name, { unique, loops: this.#loops });
  }

  enterLoop(): void {
    this.#loops++;
  }

  /**
   * After COLLECT what was declared from the first FOR on is out of sight; LETs before it, being the
   * same for all rows, stay.
   */
  leaveLoops(): void {
    for (const [name, declared] of this.#variables) {
      if (declared.loops > 0) this.#variables.delete(name);
    }
    this.#loops = Math.max(this.#loops, 1);
  }

  /**
   * What COLLECT … INTO puts into its groups: the variables of this query from its first FOR on, or
   * all of them when there is no FOR. As `[name in the query, unique name]`.
   */
  grouped(): (readonly [string, string])[] {
    const loopsMin = this.#loops > 0 ? 1 : 0;
    return [...this.#variables]
      .filter(([, declared]) => declared.loops >= loopsMin)
      .map(([name, declared]) => [name, declared.unique] as const);
  }

  /** All names in sight, for suggestions. */
  names(): string[] {
    return [...new Set([...this.#variables.keys(), ...(this.#outer?.names() ?? [])])];
  }
}
