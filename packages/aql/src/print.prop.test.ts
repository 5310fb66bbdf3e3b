import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { parse, print } from './index.ts';
import { RandomQuery } from './random-query.ts';

/** The tree without spans. */
function shape(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value: unknown) => (key === 'span' ? undefined : value)),
  );
}

function reparsed(text: string): unknown {
  try {
    return shape(parse(text));
  } catch (error) {
    throw new Error(`the printed text does not parse: ${text}`, { cause: error });
  }
}

const rounds = 600;
for (const seed of [20250701, 7]) {
  test(`parse(print(tree)) is the tree, spans apart: ${rounds} random queries, seed ${seed}`, () => {
    const random = new Prng(seed);
    for (let round = 0; round < rounds; round++) {
      const query = new RandomQuery(random.fork(), random.between(1, 7)).query();
      const text = print(query);
      expect(reparsed(text), text).toEqual(shape(query));
      expect(reparsed(print(query, { lines: true })), text).toEqual(shape(query));
    }
  });
}
