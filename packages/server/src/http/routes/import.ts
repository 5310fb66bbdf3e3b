import { NdjsonReader, type ErrorBody, type ImportAnswer } from '@themisdb/protocol';
import { z } from 'zod';
import { Importer } from '../../database/import.ts';
import { leader } from '../../cluster/whereabouts.ts';
import { json } from '../answer.ts';
import { ndjsonType } from '../media-type.ts';
import { itemErrorBody } from '../problem.ts';
import { defineRoute, type Route } from '../route.ts';
import { refuseTransaction } from '../units-of-work.ts';
import { find } from './collections.ts';
import { anyJson, errorBody } from './schemas.ts';

const errorsDefault = 20;

const query = z.strictObject({
  on_duplicate: z.enum(['error', 'ignore', 'replace', 'update']).optional().meta({
    description: 'What to do with a line whose `_key` is taken. Default error.',
  }),
  errors_max: z.int().min(0).max(10_000).optional().meta({
    description: 'Failed lines to name in the answer. Default 20; all are counted.',
  }),
});

const answer = z
  .object({
    lines: z.int(),
    created: z.int(),
    updated: z.int(),
    ignored: z.int(),
    failed: z.int(),
    errors: z.array(z.object({ line: z.int(), error: errorBody })),
  })
  .meta({ id: 'ImportAnswer' });

export const importRoutes: readonly Route[] = [
  defineRoute({
    tag: 'collections',
    method: 'POST',
    path: '/collections/{name}/import',
    runs: leader,
    permission: 'entity:write',
    summary: 'Load newline-delimited JSON, one entity a line, of any length.',
    description:
      'Committed in pieces as it comes: when it is cut off, what came before is there. A line that fails is counted and named; the others go on. It has no time limit as a whole unless X-Request-Timeout gives it one; a commit that does not end in time ends it with UNKNOWN_OUTCOME.',
    params: { name: 'Name of the collection.' },
    query,
    body: { schema: anyJson, mediaTypes: [ndjsonType, 'application/jsonl'], kind: 'stream' },
    answers: { 200: { description: 'What became of the lines.', schema: answer } },
    errors: ['COLLECTION_NOT_FOUND', 'LIMIT_EXCEEDED', 'WRITE_CONFLICT', 'DISK_FULL'],
    async handle(exchange, input) {
      refuseTransaction(exchange);
      const { database, env, config, jsonLimits } = exchange.services;
      const errors: { line: number; error: ErrorBody }[] = [];
      const errorsMax = input.query.errors_max ?? errorsDefault;
      const importer = new Importer({
        store: database.store,
        env,
        collection: find(exchange, input.params),
        onDuplicate: input.query.on_duplicate ?? 'error',
        limits: jsonLimits,
        onFailure(line, error) {
          const body = itemErrorBody(error);
          if (errors.length < errorsMax) errors.push({ line, error: body });
        },
      });
      const tell = (error: Error): Error => importer.failure(error);
      const lineBytesMax = config.limits.bodyBytesMax;
      const reader = new NdjsonReader({ lineBytesMax, limits: jsonLimits });
      try {
        try {
          for await (const chunk of exchange.stream([ndjsonType, 'application/jsonl'])) {
            exchange.checkProgress(tell);
            reader.pushTo(importer, chunk);
            await importer.ready();
            exchange.awaitClient();
          }
          reader.finishTo(importer);
        } finally {
          exchange.awaitCommits(tell);
          await importer.finish();
        }
      } catch (error) {
        throw importer.failure(error);
      }
      const { counts } = importer;
      errors.sort((a, b) => a.line - b.line);
      return json(200, { ...counts, errors } satisfies ImportAnswer);
    },
  }),
];
