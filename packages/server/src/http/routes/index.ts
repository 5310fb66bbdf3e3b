import type { Route } from '../route.ts';
import { adminRoutes } from './admin.ts';
import { batchRoutes } from './batch.ts';
import { changefeedRoutes } from './changefeed.ts';
import { collectionRoutes } from './collections.ts';
import { entityRoutes } from './entity.ts';
import { healthRoutes } from './health.ts';
import { importRoutes } from './import.ts';
import { queryRoutes } from './query.ts';
import { shardKeyRoutes } from './shard-key.ts';
import { transactionRoutes } from './transaction.ts';

/** The one route table: documents, validation, permissions and handlers come from here. */
export const routes: readonly Route[] = [
  ...entityRoutes,
  ...batchRoutes,
  ...queryRoutes,
  ...shardKeyRoutes,
  ...collectionRoutes,
  ...importRoutes,
  ...transactionRoutes,
  ...changefeedRoutes,
  ...adminRoutes,
  ...healthRoutes,
];
