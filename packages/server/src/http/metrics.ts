import type { DatabaseParts } from '../database/database.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { MetricsRegistry, type HistogramSeries } from '../metrics-registry.ts';

// Seconds: from a point read served from memory to a long query.
const durationBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** What the HTTP side counts, and what is read from the parts at each scrape. */
export class ServerMetrics {
  readonly registry: MetricsRegistry = new MetricsRegistry();
  readonly #requests = this.registry.counter(
    'themis_http_requests_total',
    'Requests answered, by route and status.',
    ['method', 'route', 'status'],
  );
  readonly #durations = this.registry.histogram(
    'themis_http_request_duration_seconds',
    'Time from the request line to the end of the answer, long polls and streams included.',
    durationBuckets,
    ['method', 'route'],
  );
  readonly #errors = this.registry.counter(
    'themis_errors_total',
    'Answers that were errors, by code.',
    ['code'],
  );
  inFlight = 0;

  constructor() {
    this.registry.gauge(
      'themis_http_requests_in_flight',
      'Requests being answered.',
      () => this.inFlight,
    );
  }

  forRoute(method: string, route: string): RouteMetrics {
    const durations = this.#durations.series(method, route);
    const byStatus = new Map<number, { value: number }>();
    return {
      durations,
      answered: (status, durationMs) => {
        let series = byStatus.get(status);
        if (series === undefined) {
          series = this.#requests.series(method, route, String(status));
          byStatus.set(status, series);
        }
        series.value++;
        this.#durations.observe(durations, durationMs / 1000);
      },
    };
  }

  failed(code: string): void {
    this.#errors.series(code).value++;
  }

  /** Gauges and counters the parts keep themselves. */
  watch(parts: {
    readonly database: DatabaseParts;
    readonly cluster: Cluster | undefined;
    readonly cursors: { readonly count: number };
    readonly transactions: { readonly count: number };
    readonly startedMs: number;
  }): void {
    const { registry } = this;
    const { store, queries, stats } = parts.database;
    const { cursors, transactions } = parts;
    registry.gauge('themis_cursors_open', 'Cursors waiting to be read.', () => cursors.count);
    registry.gauge(
      'themis_transactions_open',
      'Transactions held open between requests.',
      () => transactions.count,
    );
    registry.gauge('themis_queries_running', 'Queries under way.', () => queries.running().length);
    registry.counted('themis_commits_total', 'Commits.', () => store.stats().commits);
    registry.counted(
      'themis_write_conflicts_total',
      'Transactions refused because another was faster.',
      () => store.stats().conflicts,
    );
    registry.gauge(
      'themis_log_applied_index',
      'Last log record applied to the state.',
      () => store.stats().appliedIndex,
    );
    registry.gauge(
      'themis_log_flushed_index',
      'Last log record whose effect the engine has written out.',
      () => store.stats().flushedIndex,
    );
    registry.gauge('themis_log_bytes', 'Size of the log.', () => stats.wal().bytes);
    registry.counted('themis_log_syncs_total', 'Syncs of the log.', () => stats.wal().syncs);
    registry.counted('themis_log_records_total', 'Records logged.', () => stats.wal().records);
    registry.counted('themis_engine_gets_total', 'Keys looked up.', () => stats.engine().gets);
    registry.counted('themis_engine_scans_total', 'Scans started.', () => stats.engine().scans);
    registry.counted(
      'themis_engine_operations_total',
      'Keys written or removed.',
      () => stats.engine().operations,
    );
    this.#watchReplica(parts.database, parts.cluster);
    registry.gauge(
      'themis_process_start_time_seconds',
      'When the server started, since 1970.',
      () => parts.startedMs / 1000,
    );
    registry.gauge('themis_process_resident_memory_bytes', 'Resident memory.', () =>
      process.memoryUsage.rss(),
    );
    registry.counted('themis_process_cpu_seconds_total', 'CPU time, user and system.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }

  #watchReplica({ replica }: DatabaseParts, cluster: Cluster | undefined): void {
    const { registry } = this;
    registry.gauge('themis_raft_is_leader', 'Whether this node leads the shard.', () =>
      replica.status().role === 'leader' ? 1 : 0,
    );
    registry.gauge('themis_raft_has_leader', 'Whether this node knows who leads.', () =>
      replica.status().leader === undefined ? 0 : 1,
    );
    registry.gauge('themis_raft_term', 'Term of the shard.', () => replica.status().term);
    registry.gauge(
      'themis_raft_commit_index',
      'Last entry this node knows to be committed.',
      () => replica.status().commitIndex,
    );
    registry.gauge(
      'themis_raft_applied_index',
      'Last entry this node has applied.',
      () => replica.status().appliedIndex,
    );
    registry.gauge(
      'themis_raft_last_index',
      'Last entry in the log of this node.',
      () => replica.status().lastIndex,
    );
    registry.gauge('themis_raft_lag_entries', 'Entries committed and not applied here.', () => {
      const { commitIndex, appliedIndex } = replica.status();
      return Math.max(0, commitIndex - appliedIndex);
    });
    registry.gauge('themis_raft_members', 'Members of the shard.', () => {
      return replica.status().members.length;
    });
    if (cluster === undefined) return;
    registry.counted(
      'themis_raft_leader_changes_total',
      'Times this node heard of another leader.',
      () => cluster.leaderChanges,
    );
    registry.counted(
      'themis_raft_snapshots_fetched_total',
      'Snapshots fetched from others to the end.',
      () => cluster.transport.snapshotsFetched,
    );
    registry.counted(
      'themis_raft_snapshots_served_total',
      'Snapshots others fetched here to the end.',
      () => cluster.transport.snapshotsServed,
    );
    registry.gauge(
      'themis_cluster_peers_up',
      'Other nodes this one is connected to.',
      () => cluster.peersUp,
    );
  }
}

export interface RouteMetrics {
  readonly durations: HistogramSeries;
  answered(status: number, durationMs: number): void;
}
