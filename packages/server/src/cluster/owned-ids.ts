/**
 * Ids of what lives on one node only (transactions, cursors): `n2-` and four characters of this run of the
 * node, so that every node knows where to send a request that names one, and the node itself whether it
 * was lost with an earlier run.
 */
export class OwnedIds {
  readonly #node: number;
  readonly #run: string;

  /** `run`: four characters of base64url, new with every start. */
  constructor(node: number, run: string) {
    this.#node = node;
    this.#run = run;
  }

  make(random: string): string {
    return `n${this.#node}-${this.#run}${random}`;
  }

  find(id: string): Owner {
    const match = /^n(\d{1,10})-([\w-]{4})/.exec(id);
    if (match === null) return { type: 'nobody' };
    const node = Number(match[1]);
    if (node !== this.#node) return { type: 'node', node };
    return { type: match[2] === this.#run ? 'here' : 'lost' };
  }
}

export type Owner =
  | { readonly type: 'here' }
  /** An earlier run of this node. */
  | { readonly type: 'lost' }
  | { readonly type: 'node'; readonly node: number }
  /** No id of a cluster. */
  | { readonly type: 'nobody' };
