import type { SimNode } from './node.ts';

interface Request {
  readonly node: SimNode;
  readonly life: number;
  readonly what: string;
}

/** What nodes are asked and have not answered, whether anybody still waits for it or not. */
export class Requests {
  readonly #underWay = new Set<Request>();

  /** To be called when it ends. */
  begin(node: SimNode, what: string): () => void {
    const request = { node, life: node.life, what };
    this.#underWay.add(request);
    return () => void this.#underWay.delete(request);
  }

  /** At nodes that still live the life in which they were asked. */
  underWay(): string[] {
    for (const request of this.#underWay)
      if (request.life !== request.node.life) this.#underWay.delete(request);
    return [...this.#underWay].map(({ node, what }) => `${what} at node ${node.id}`);
  }
}
