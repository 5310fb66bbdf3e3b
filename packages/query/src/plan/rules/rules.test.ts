import { describe, expect, test } from 'vitest';
import { TestDatabase } from '../../testing/test-database.ts';
import { rules } from './index.ts';

/** A query each rule changes; what it changes it to stands in testdata/explain. */
const examples: Readonly<Record<string, string>> = {
  'fold-constants': 'FOR d IN docs FILTER d.n > 1 + 1 RETURN d.n',
  'inline-subqueries': 'FOR x IN (FOR d IN docs FILTER d.n > 1 RETURN d) RETURN x.n',
  'inline-lets': 'FOR d IN docs LET n = d.n FILTER n == 2 RETURN d.t',
  'inline-object-attributes':
    'FOR x IN (FOR d IN docs RETURN { m: d.n, t: d.t }) FILTER x.m == 3 RETURN x.t',
  'remove-unnecessary-calculations': 'FOR d IN docs LET m = d.n * 2 RETURN d.n',
  'optimize-subqueries':
    'FOR d IN docs RETURN FIRST(FOR e IN docs FILTER e.n > d.n SORT e.n RETURN e.t)',
  'split-filters': 'FOR d IN docs FILTER d.n > 1 && d.t == "a" RETURN d.n',
  'move-filters-up': 'FOR d IN docs FOR i IN 1..2 FILTER d.n == 1 RETURN [d.n, i]',
  'replace-or-with-in': 'FOR d IN docs FILTER d.t == "a" || d.t == "b" RETURN d.n',
  'evaluate-subqueries-once':
    'FOR d IN docs LET s = (FOR e IN docs RETURN e.n) RETURN [d.n, SUM(s)]',
  'optimize-count': 'FOR d IN docs COLLECT WITH COUNT INTO n RETURN n',
  'use-indexes': 'FOR d IN docs FILTER d.n == 3 RETURN d.t',
  'hash-join': 'FOR d IN docs FOR e IN docs FILTER e.t == d.t RETURN [d.n, e.n]',
  'use-index-for-sort': 'FOR d IN docs SORT d.n LIMIT 2 RETURN d.t',
  'sort-limit': 'FOR d IN docs SORT d.t LIMIT 2 RETURN d.t',
  'move-filters-into-scan': 'FOR d IN docs FILTER d.t == "a" RETURN d.n',
  'limit-into-scan': 'FOR d IN docs FILTER d.t == "a" LIMIT 1 RETURN d.t',
  'reduce-modification-to-key': 'FOR d IN docs UPDATE d WITH { x: 1 } IN docs',
  'reduce-extraction-to-projection': 'FOR d IN docs RETURN d.t',
  'late-document-materialization':
    'FOR d IN docs SORT d.t DESC, d.n LIMIT 2 RETURN d.n + LENGTH(d)',
  'use-covering-index': 'FOR d IN docs FILTER d.n > 4 RETURN d.n',
};

const documents = Array.from({ length: 12 }, (_, n) => ({ _key: `k${n}`, n, t: 'abc'[n % 3] }));

describe('every rule', () => {
  test('has an example', () => {
    expect(Object.keys(examples).sort()).toEqual(rules.map((rule) => rule.name).sort());
  });

  test.each(Object.entries(examples))('%s changes the plan, not the answer', async (name, text) => {
    await TestDatabase.with(async (database) => {
      await database.load('docs', documents, [{ fields: ['n'] }]);
      const explain = (off: string[]): { rules: readonly string[]; plan: string } => {
        const options = { optimizer: { rules: off } };
        const explained = database.engine.explain({ text, namespace: 'default', options });
        return {
          rules: explained.rules,
          plan: explained.nodes.map((node) => node.text).join('\n'),
        };
      };
      const on = explain([]);
      const off = explain([`-${name}`]);
      expect(on.rules).toContain(name);
      expect(off.rules).not.toContain(name);
      expect(on.plan).not.toBe(off.plan);
      const rows = await database.query(text);
      const without = await database.query(text, {}, { optimizer: { rules: [`-${name}`] } });
      expect(without.sort()).toEqual(rows.sort());
    });
  });

  test('that does not exist is warned of', async () => {
    await TestDatabase.with(async (database) => {
      const run = await database.start('RETURN 1', {}, { optimizer: { rules: ['-use-indices'] } });
      await run.all();
      expect(run.warnings[0]?.message).toContain('Did you mean use-indexes?');
    });
  });
});
